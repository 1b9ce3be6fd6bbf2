"""Which day a conversation is listed under is a matter of where its reader is."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from chat.lists import grouped
from chat.models import Conversation
from tests.chat.made import conversation_of


def test_a_day_begins_at_midnight_of_the_reader() -> None:
    now = timezone.now()
    late = Conversation(title="late", updated=now - timedelta(hours=20))
    for name in ("Pacific/Kiritimati", "UTC", "Pacific/Pago_Pago"):
        zone = ZoneInfo(name)
        same_day = late.updated.astimezone(zone).date() == now.astimezone(zone).date()
        [(heading, _)] = grouped([late], zone)
        assert heading == ("Today" if same_day else "Yesterday"), name


@pytest.mark.parametrize("zone", ["", "Nowhere/Land", "../../etc/passwd", "/etc/passwd", "Europe", "x" * 5000, "UTC"])
def test_what_is_no_zone_breaks_no_page(alice: User, alice_client: Client, zone: str) -> None:
    conversation = conversation_of(alice)
    Conversation.objects.filter(pk=conversation.pk).update(updated=datetime(2020, 1, 1, tzinfo=UTC))
    alice_client.cookies["timezone"] = zone
    assert "Older" in alice_client.get("/").content.decode()
