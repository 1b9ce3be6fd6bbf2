"""A person's conversations as the navigation lists them: found by words, grouped by day."""

from collections.abc import Iterable
from datetime import date, timedelta, tzinfo

from django.contrib.auth.models import User
from django.db.models import Q, QuerySet
from django.utils import timezone

from chat.models import Conversation

LISTED = 100  # at first; each time that older ones are asked for, as many again


def listed(user: User, query: str = "") -> QuerySet[Conversation]:
    """Return the conversations, newest first; with a query those whose title or messages hold it, archived ones too."""
    found = Conversation.objects.filter(owner=user).order_by("-pinned", "-updated")
    if query:
        return found.filter(Q(title__icontains=query) | Q(messages__text__icontains=query)).distinct()
    return found.filter(archived=False)


def grouped(conversations: Iterable[Conversation], zone: tzinfo) -> list[tuple[str, list[Conversation]]]:
    """Return headings, each with its conversations, in the order given. `zone` says which day a moment is on."""
    today = timezone.localdate(timezone=zone)
    groups: dict[str, list[Conversation]] = {}
    for conversation in conversations:
        heading = "Pinned" if conversation.pinned else _heading(timezone.localdate(conversation.updated, zone), today)
        groups.setdefault(heading, []).append(conversation)
    return list(groups.items())


def _heading(day: date, today: date) -> str:
    if day >= today:
        return "Today"
    if day == today - timedelta(days=1):
        return "Yesterday"
    return "Previous 7 days" if day > today - timedelta(days=7) else "Older"
