"""What a page may say: the mode, as the form sends it and as a script may."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from chat.frames import BadFrame, Send, check
from chat.models import Conversation, Message
from tests.chat.made import conversation_of


def sent(**fields: Any) -> Send:
    frame = check({"message": "Hello", "client_id": "id", **fields})
    assert isinstance(frame, Send)
    return frame


@pytest.mark.parametrize(
    ("said", "mode"),
    [
        ({}, None),
        ({"mode": ""}, None),
        ({"mode": "plain"}, ""),
        ({"mode": ["plain"]}, ""),
        ({"mode": "react"}, "react"),
        ({"mode": ["plain", "react"]}, "react"),
    ],
)
def test_the_mode_is_the_last_one_said_and_none_means_as_before(said: dict[str, Any], mode: str | None) -> None:
    assert sent(**said).mode == mode


@pytest.mark.parametrize("text", [" x ", "\u2028x\u2028", "\u00a0x\u00a0", "\n\tx\n", "\ufeffx"])
def test_a_message_is_taken_as_it_was_written(text: str) -> None:
    assert sent(message=text).message == text


@pytest.mark.parametrize("text", ["", " ", "\n\t", "\u2028", "\u00a0 \u3000"])
def test_nothing_but_blanks_is_no_message(text: str) -> None:
    with pytest.raises(BadFrame, match="Write a message first"):
        sent(message=text)


@pytest.mark.parametrize("mode", ["nonsense", "React", 7, [], ["react", "nonsense"], [["react"]], {"react": 1}, True])
def test_another_mode_is_refused_by_name(mode: Any) -> None:
    with pytest.raises(BadFrame, match="mode"):
        sent(mode=mode)


def test_the_mode_of_a_conversation_is_changed_on_its_page(alice_client: Client, alice: User) -> None:
    conversation = conversation_of(alice)
    url = f"/c/{conversation.pk}/edit/"
    assert '<option value="" selected>Plain</option>' in alice_client.get(url).content.decode()
    for mode in ("react", ""):
        assert alice_client.post(url, {"title": "A trip", "mode": mode}).status_code == 302
        conversation.refresh_from_db()
        assert conversation.mode == mode
    page = alice_client.post(url, {"title": "A trip", "mode": "nonsense"})
    assert "Select a valid choice" in page.content.decode()
    conversation.refresh_from_db()
    assert conversation.mode == ""


@pytest.mark.parametrize(("said", "mode"), [("react", "react"), ("plain", ""), ("", "")])
@pytest.mark.django_db(transaction=True)
def test_a_new_conversation_begins_in_the_mode_of_its_form(alice_client: Client, said: str, mode: str) -> None:
    response = alice_client.post("/c/", {"message": "Hello!", "client_id": "id", "mode": said})
    assert response.status_code == 302
    assert Conversation.objects.get().mode == mode


@pytest.mark.django_db(transaction=True)
def test_a_new_conversation_in_a_mode_that_there_is_not_is_refused(alice_client: Client) -> None:
    response = alice_client.post("/c/", {"message": "Hello!", "client_id": "id", "mode": "nonsense"})
    assert response.status_code != 302
    assert not Message.objects.exists()
