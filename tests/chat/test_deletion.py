"""Deleting conversations and accounts: in a few statements however much they hold, and without what is not theirs."""

import zlib
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from pytest_django import DjangoAssertNumQueries

from chat import store
from chat.models import Conversation, Fact, Message, Payload, Run, Step
from chat.store import Refused
from tests.chat.made import NOW, conversation_of, run_in

STATEMENTS = 12
HISTORY: tuple[Any, ...] = (Conversation, Message, Run, Step, Payload)


def filled(owner: User, runs: int) -> Conversation:
    """A conversation with whole results, a fact that was said there, and an answer that goes on from another."""
    conversation, before = conversation_of(owner), None
    for number in range(runs):
        run = run_in(conversation)
        Run.objects.filter(pk=run.pk).update(continues=before)
        Payload.objects.create(step=run.steps.get(number=3), body=zlib.compress(b"whole"), created=NOW)
        Fact.objects.create(owner=owner, text=f"{conversation.pk} {number}", message=run.message)
        before = run
    Conversation.objects.filter(pk=conversation.pk).update(leaf=before.answer if before else None)
    return conversation


def counts() -> list[int]:
    return [model.objects.count() for model in HISTORY]


@pytest.mark.parametrize("runs", [1, 30])
def test_a_conversation_goes_in_a_few_statements(
    alice: User, runs: int, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    kept, gone = filled(alice, 2), filled(alice, runs)
    with django_assert_max_num_queries(STATEMENTS):
        assert store.delete_conversations([gone.pk], NOW) == [gone.pk]
    connection.check_constraints()
    assert counts() == [1, 4, 2, 6, 2]
    assert Fact.objects.filter(message=None).count() == runs
    assert Fact.objects.filter(message__conversation=kept).count() == 2


def test_an_account_goes_with_all_that_is_its_own(alice: User, bob: User) -> None:
    filled(alice, 2)
    gone = {filled(bob, 2).pk, filled(bob, 1).pk}
    assert set(store.delete_accounts([bob.pk])) == gone
    connection.check_constraints()
    assert counts() == [1, 4, 2, 6, 2]
    assert list(User.objects.all()) == [alice]
    assert set(Fact.objects.values_list("owner", flat=True)) == {alice.pk}


def test_what_is_not_there_any_more_is_not_deleted_again_and_begins_nothing(alice: User) -> None:
    gone = filled(alice, 1)
    store.delete_conversations([gone.pk], NOW)
    assert store.delete_conversations([gone.pk], NOW) == []
    store.delete_accounts([alice.pk])
    with pytest.raises(Refused, match="account was deleted"):
        store.start_conversation(alice.pk, "Hello", "a", "m", "here:1:x", NOW)
    with pytest.raises(Refused, match="conversation was deleted"):
        store.send(gone.pk, alice.pk, "Hello", "b", "m", "here:1:x", NOW)
