"""Renaming, pinning, archiving, instructing and deleting a conversation."""

import re
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.test import Client

from chat.forms import MAX_INSTRUCTIONS
from chat.models import Conversation, Fact, Message, Run, Step
from tests.chat.made import NOW, conversation_of, message_in, run_in

HOSTILE = "<script>alert(1)</script>"


@pytest.fixture
def conversation(alice: User) -> Conversation:
    return conversation_of(alice)


def edited(conversation: Conversation, **fields: Any) -> dict[str, Any]:
    return {"title": conversation.title, "instructions": conversation.instructions} | fields


def test_the_form_shows_what_there_is(alice_client: Client, conversation: Conversation) -> None:
    Conversation.objects.update(title=HOSTILE, instructions="Be <b>brief</b>.", pinned=True)

    page = alice_client.get(f"/c/{conversation.pk}/edit/").content.decode()

    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "Be &lt;b&gt;brief&lt;/b&gt;." in page
    assert re.search(r'name="pinned"[^>]*checked', page)
    assert f'href="/c/{conversation.pk}/delete/"' in page


def test_a_conversation_is_renamed_pinned_archived_and_instructed(
    alice_client: Client, conversation: Conversation
) -> None:
    fields = {"title": " Two \n trips ", "instructions": "Be brief.", "pinned": "on", "archived": "on"}

    response = alice_client.post(f"/c/{conversation.pk}/edit/", fields)

    conversation.refresh_from_db()
    assert response["Location"] == f"/c/{conversation.pk}/"
    assert (conversation.title, conversation.instructions) == ("Two trips", "Be brief.")
    assert conversation.pinned
    assert conversation.archived


def test_a_change_raises_the_revision_and_leaves_the_order_of_the_list(
    alice_client: Client, conversation: Conversation
) -> None:
    alice_client.post(f"/c/{conversation.pk}/edit/", edited(conversation, title="Another"))

    conversation.refresh_from_db()
    assert (conversation.revision, conversation.updated) == (1, NOW)


def test_saving_without_a_change_raises_nothing(alice_client: Client, conversation: Conversation) -> None:
    alice_client.post(f"/c/{conversation.pk}/edit/", edited(conversation))

    conversation.refresh_from_db()
    assert conversation.revision == 0


def test_only_what_was_changed_is_written(alice_client: Client, conversation: Conversation) -> None:
    """Else a form that stood open would undo what was changed since, such as a title."""
    Conversation.objects.update(pinned=True)

    alice_client.post(f"/c/{conversation.pk}/edit/", edited(conversation, title="Another", pinned="on"))

    conversation.refresh_from_db()
    assert conversation.pinned


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"title": " "}, "This field is required."),
        ({"title": "x" * 201}, "at most 200 characters"),
        ({"title": "a\x00b"}, "Null characters are not allowed."),
        ({"instructions": "x" * (MAX_INSTRUCTIONS + 1)}, f"at most {MAX_INSTRUCTIONS} characters"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_stored(
    alice_client: Client, conversation: Conversation, fields: dict[str, str], said: str
) -> None:
    page = alice_client.post(f"/c/{conversation.pk}/edit/", edited(conversation, **fields)).content.decode()

    conversation.refresh_from_db()
    assert said in page
    assert (conversation.title, conversation.instructions, conversation.revision) == ("A trip", "", 0)


def test_other_fields_are_ignored(alice_client: Client, bob: User, alice: User, conversation: Conversation) -> None:
    forged = {"owner": bob.pk, "id": uuid4(), "model": "other", "revision": 99, "created": "2001-01-01"}

    alice_client.post(f"/c/{conversation.pk}/edit/", edited(conversation, title="Another", **forged))

    kept = Conversation.objects.get()
    assert (kept.pk, kept.owner, kept.model, kept.revision, kept.created) == (conversation.pk, alice, "demo", 1, NOW)


def test_deleting_asks_first(alice_client: Client, conversation: Conversation) -> None:
    Conversation.objects.update(title=HOSTILE)

    page = alice_client.get(f"/c/{conversation.pk}/delete/").content.decode()

    assert "Delete this conversation?" in page
    assert "<script>alert" not in page
    assert Conversation.objects.exists()


@pytest.mark.django_db(transaction=True)  # the writer thread has a connection of its own
def test_deleting_takes_everything_of_the_conversation_and_keeps_what_is_remembered(
    alice: User, alice_client: Client, conversation: Conversation
) -> None:
    run = run_in(conversation)
    other = run_in(conversation_of(alice, "Another"))
    Fact.objects.create(owner=alice, text="Lives in Berlin", message=run.message)

    response = alice_client.post(f"/c/{conversation.pk}/delete/")

    assert response["Location"] == "/"
    assert list(Conversation.objects.all()) == [other.conversation]
    assert list(Run.objects.all()) == [other]
    assert Message.objects.filter(conversation=conversation.pk).count() == 0
    assert Step.objects.filter(run=run.pk).count() == 0
    assert Fact.objects.get().message is None


@pytest.mark.parametrize("name", ["edit", "delete"])
@pytest.mark.parametrize("method", ["get", "post"])
def test_a_stranger_gets_the_same_404_as_for_a_random_id(
    bob_client: Client, staff_client: Client, conversation: Conversation, name: str, method: str
) -> None:
    message_in(conversation)

    for client in (bob_client, staff_client):
        theirs = getattr(client, method)(f"/c/{conversation.pk}/{name}/", {"title": "Mine"})
        random = getattr(client, method)(f"/c/{uuid4()}/{name}/", {"title": "Mine"})
        assert theirs.status_code == random.status_code == 404
        assert _without_tokens(theirs) == _without_tokens(random)

    conversation.refresh_from_db()
    assert conversation.title == "A trip"


@pytest.mark.parametrize("name", ["edit", "delete"])
@pytest.mark.parametrize("method", ["get", "post"])
def test_nobody_is_sent_to_sign_in(client: Client, conversation: Conversation, name: str, method: str) -> None:
    path = f"/c/{conversation.pk}/{name}/"

    response = getattr(client, method)(path)

    assert response["Location"] == f"/accounts/login/?next={path}"
    assert Conversation.objects.filter(title="A trip").exists()


def _without_tokens(response: Any) -> str:
    return re.sub(r'name="csrfmiddlewaretoken" value="[^"]+"', "", response.content.decode())
