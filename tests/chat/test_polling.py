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


@pytest.mark.parametrize("has", [{"since": "x"}, {"since": -1}, {"run": "7"}, {"follows": "perhaps"}])
def test_nonsense_is_refused_in_words(alice_client: Client, conversation: Conversation, has: dict[str, Any]) -> None:
    response = alice_client.get(f"/c/{conversation.pk}/frames/", has)
    assert response.status_code == 422
    assert re.search(r'role="alert"[^>]*>[^<]', response.content.decode().strip())


def test_a_run_of_anybody_else_is_none_and_the_page_gets_what_it_is_missing(
    alice_client: Client, alice: User, bob: User, conversation: Conversation, run: Run
) -> None:
    his, elsewhere = (run_in(conversation_of(owner), "The marzipan question") for owner in (bob, alice))
    has = {"since": 0, "run_since": 1, "follows": "no"}
    frames = {ask(alice_client, conversation, run=pk, **has) for pk in (his.pk, elsewhere.pk, uuid4())}
    [frame] = frames
    assert "marzipan" not in frame
    assert frame.count("<article") == 2
    assert f'id="cursor-run" hidden data-run="{run.pk}"' in frame
    assert 'id="cursor-follows" hidden data-follows="yes"' in frame


def test_what_a_page_without_a_socket_says_is_refused_in_words_and_not_with_a_page(
    alice_client: Client, conversation: Conversation
) -> None:
    response = alice_client.post(f"/c/{conversation.pk}/", {"action": "send", "message": " "}, headers=HTMX)
    assert re.fullmatch(r'<div id="notice"[^>]*>Write a message first.</div>', response.content.decode().strip())
    assert not Message.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_what_it_says_is_taken_and_nothing_is_said_of_it(alice_client: Client, conversation: Conversation) -> None:
    response = alice_client.post(f"/c/{conversation.pk}/", {"action": "stop"}, headers=HTMX)
    assert re.fullmatch(r'<div id="notice"[^>]*></div>', response.content.decode().strip())
