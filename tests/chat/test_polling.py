"""The way of frames without a websocket: what the query says that a page has decides what it is sent."""

import re
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.test import Client

from chat.models import Conversation, Message, Run
from tests.chat.made import NOW, conversation_of, run_in

HTMX = {"HX-Request": "true"}


@pytest.fixture
def conversation(alice: User) -> Conversation:
    return conversation_of(alice)


@pytest.fixture
def run(conversation: Conversation) -> Run:
    return run_in(conversation, "Warm?", "Yes, it is.")


def newer_run_in(conversation: Conversation) -> Run:
    newer = run_in(conversation, "And now?")
    Run.objects.filter(pk=newer.pk).update(created=NOW + timedelta(hours=1))
    return newer


def ask(client: Client, conversation: Conversation, **has: object) -> str:
    response = client.get(f"/c/{conversation.pk}/frames/", {name: str(value) for name, value in has.items()})
    assert response.status_code == 200
    return response.content.decode()


def test_a_page_that_has_nothing_is_sent_all_of_it(alice_client: Client, conversation: Conversation, run: Run) -> None:
    frame = ask(alice_client, conversation)
    assert frame.count("<article") == 2
    assert frame.count("data-step=") == 3
    assert 'id="cursor" hidden data-conversation-revision="1"' in frame


def test_a_page_that_has_everything_is_sent_no_message_and_no_step(
    alice_client: Client, conversation: Conversation, run: Run
) -> None:
    frame = ask(alice_client, conversation, since=1, run=run.pk, run_since=1, follows="yes")
    assert "<article" not in frame
    assert "data-step" not in frame


def test_a_trace_that_follows_goes_on_to_a_newer_run_and_one_that_does_not_stays(
    alice_client: Client, conversation: Conversation, run: Run
) -> None:
    newer = newer_run_in(conversation)
    has = {"since": 1, "run": run.pk, "run_since": 1}
    assert f'data-run="{newer.pk}"' in ask(alice_client, conversation, **has, follows="yes")
    assert f'data-run="{newer.pk}"' not in ask(alice_client, conversation, **has, follows="no")


def test_a_run_that_is_asked_for_is_shown_and_the_page_is_told_whether_it_follows(
    alice_client: Client, conversation: Conversation, run: Run
) -> None:
    newer = newer_run_in(conversation)
    for asked, follows in ((run, "no"), (newer, "yes")):
        frame = ask(alice_client, conversation, since=1, run=asked.pk, run_since="", follows="")
        assert f'data-run="{asked.pk}"' in frame
        assert f'id="cursor-follows" hidden data-follows="{follows}"' in frame


@pytest.mark.parametrize("has", [{"since": "x"}, {"since": -1}, {"run": "7"}, {"follows": "perhaps"}, {"run": uuid4()}])
def test_nonsense_is_refused_in_words(alice_client: Client, conversation: Conversation, has: dict[str, Any]) -> None:
    response = alice_client.get(f"/c/{conversation.pk}/frames/", has)
    assert response.status_code == 422
    assert re.search(r'role="alert"[^>]*>[^<]', response.content.decode())


def test_anothers_run_is_refused_like_one_that_is_not_there(
    alice_client: Client, bob: User, conversation: Conversation
) -> None:
    his = run_in(conversation_of(bob), "The marzipan question")
    answers = [alice_client.get(f"/c/{conversation.pk}/frames/", {"run": str(pk)}) for pk in (his.pk, uuid4())]
    assert answers[0].content == answers[1].content
    assert b"marzipan" not in answers[0].content


def test_what_a_page_without_a_socket_says_is_refused_in_words_and_not_with_a_page(
    alice_client: Client, conversation: Conversation
) -> None:
    response = alice_client.post(f"/c/{conversation.pk}/", {"action": "send", "message": " "}, headers=HTMX)
    assert re.fullmatch(r'<div id="notice"[^>]*>Write a message first.</div>', response.content.decode())
    assert not Message.objects.exists()


def test_what_it_says_is_taken_and_nothing_is_said_of_it(alice_client: Client, conversation: Conversation) -> None:
    response = alice_client.post(f"/c/{conversation.pk}/", {"action": "stop"}, headers=HTMX)
    assert re.fullmatch(r'<div id="notice"[^>]*></div>', response.content.decode())
