"""Forks: a copy of what was said up to a message, which lives by itself and has used nothing."""

import threading
import zlib
from uuid import UUID

import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from chat import store
from chat.allowances import standing
from chat.models import Allowance, Conversation, Message, Payload, Run, Step
from chat.store import Refused
from chat.transact import once
from tests.chat.made import NOW, conversation_of, run_in, step_of
from tests.chat.talks import edit, end, go_on, named, say, shown, talked

STATEMENTS = 20


def fork(here: UUID, message: int, key: str = "fork") -> UUID:
    return store.fork(here, message, key, "here:1:x", NOW)[0]


def test_a_fork_holds_what_was_said_up_to_an_answer_and_goes_its_own_way(alice: User) -> None:
    here = talked(alice, "A", "B", "C")
    Conversation.objects.filter(pk=here).update(title="A trip", instructions="Be brief", mode="react")

    there = fork(here, named(here, "B!"))

    assert shown(there) == ["A", "A!", "B", "B!"]
    made = Conversation.objects.get(pk=there)
    assert (made.title, made.instructions, made.mode, made.owner) == ("A trip (fork)", "Be brief", "react", alice)
    end(say(there, "D"))
    assert shown(there) == ["A", "A!", "B", "B!", "D", "D!"]
    assert shown(here) == ["A", "A!", "B", "B!", "C", "C!"]


def test_a_fork_from_a_question_answers_it_anew(alice: User) -> None:
    here = talked(alice, "A", "B")

    there, sent = store.fork(here, named(here, "B"), "fork", "here:1:x", NOW)

    assert sent is not None
    assert shown(there) == ["A", "A!", "B", "…"]
    end(sent, "B?")
    assert shown(there) == ["A", "A!", "B", "B?"]


def test_a_fork_has_the_branch_of_its_message_and_no_other(alice: User) -> None:
    here = talked(alice, "A", "B")
    end(edit(here, named(here, "B"), "B2"))

    there = fork(here, named(here, "B!"))

    assert shown(there) == ["A", "A!", "B", "B!"]
    assert not Message.objects.filter(conversation=there, text="B2").exists()


def test_runs_steps_and_whole_results_are_copied_and_either_side_can_be_deleted(alice: User) -> None:
    conversation = conversation_of(alice)
    run = run_in(conversation)
    tool = step_of(run, 4, kind="tool", parent=run.steps.get(number=2))
    Payload.objects.create(step=tool, body=zlib.compress(b"whole"), created=NOW)

    there = fork(conversation.pk, run.answer_id)
    store.delete_conversations([conversation.pk], NOW)

    copy = Run.objects.get(conversation=there)
    assert (copy.status, copy.turns, copy.tokens, copy.copied) == ("done", 2, 1234, True)
    assert copy.answer.text == "Yes."
    assert copy.message.text == "Warm?"
    steps = list(copy.steps.order_by("number"))
    assert [(step.number, step.kind) for step in steps] == [(1, "memory"), (2, "model"), (3, "tool"), (4, "tool")]
    assert steps[3].parent == steps[1]
    assert zlib.decompress(steps[3].payload.body) == b"whole"
    assert Step.objects.count() == 4


def test_a_copied_run_goes_on_from_a_copied_one(alice: User) -> None:
    here = talked(alice, "A")
    cut = end(say(here, "B"), "B…", "stopped", "stopped")
    last = end(go_on(here, cut), "…B!")

    there = fork(here, last)

    copy = Run.objects.get(conversation=there, answer__text="…B!")
    assert copy.continues == Run.objects.get(conversation=there, answer__text="B…")


def test_a_fork_uses_nothing_of_what_its_owner_may(alice: User, alice_client: Client) -> None:
    conversation = conversation_of(alice)
    run = run_in(conversation, steps=1)
    before = [limit.used for limit in standing(alice.pk, NOW).limits]

    there = fork(conversation.pk, run.answer_id)

    assert [limit.used for limit in standing(alice.pk, NOW).limits] == before
    store.delete_conversations([there], NOW)
    assert [limit.used for limit in standing(alice.pk, NOW).limits] == before
    assert alice_client.get("/runs/").content.decode().count("/runs/") == 1 + 1  # the page's own link, and one run


def test_a_fork_that_is_to_be_answered_needs_an_allowance_and_another_does_not(alice: User) -> None:
    here = talked(alice, "A")
    Allowance.objects.create(runs_an_hour=1)

    with pytest.raises(Refused, match="1 run an hour"):
        fork(here, named(here, "A"))
    fork(here, named(here, "A!"))


def test_the_same_fork_asked_for_twice_is_one(alice: User) -> None:
    here = talked(alice, "A", "B")
    assert fork(here, named(here, "A!"), "one") == fork(here, named(here, "A!"), "one")
    assert fork(here, named(here, "A!"), "two") != fork(here, named(here, "A!"), "one")
    assert Conversation.objects.count() == 3


def test_nothing_is_forked_while_an_answer_in_it_is_not_over(alice: User) -> None:
    here = talked(alice, "A")
    live = say(here, "B")
    waits = say(here, "C")
    for message in (Run.objects.get(pk=live.run).answer_id, waits.message):
        with pytest.raises(Refused, match="not over yet"):
            fork(here, message)
    fork(here, live.message)


def test_a_long_title_keeps_the_word_that_it_is_a_fork(alice: User) -> None:
    here = talked(alice, "A")
    Conversation.objects.filter(pk=here).update(title="x" * 200)
    assert Conversation.objects.get(pk=fork(here, named(here, "A!"))).title.endswith("x (fork)")


@pytest.mark.parametrize("runs", [1, 25])
def test_a_fork_takes_the_same_few_statements_however_long_the_conversation_is(
    alice: User, runs: int, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    conversation = conversation_of(alice)
    for number in range(runs):
        run = run_in(conversation, f"Q{number}", f"A{number}")
        Payload.objects.create(step=run.steps.get(number=3), body=zlib.compress(str(number).encode()), created=NOW)
    with django_assert_max_num_queries(STATEMENTS):
        there = fork(conversation.pk, run.answer_id)
    copies = list(Message.objects.filter(conversation=there).order_by("pk"))
    assert [copy.parent_id for copy in copies] == [None, *(copy.pk for copy in copies[:-1])]
    assert [copy.text for copy in copies] == [f"{who}{number}" for number in range(runs) for who in "QA"]
    copied = Run.objects.filter(conversation=there).order_by("answer").prefetch_related("steps__payload")
    for number, copy in enumerate(copied):
        assert (copy.message.text, copy.answer.text) == (f"Q{number}", f"A{number}")
        last = copy.steps.order_by("number").last()
        assert last
        assert zlib.decompress(last.payload.body) == str(number).encode()
    assert len(copied) == runs
    end(say(there, "More"))  # ids that were given by hand are not given again


def test_a_summary_is_copied_to_where_it_was(alice: User) -> None:
    here = talked(alice, "A", "B")
    first = Message.objects.get(pk=named(here, "A!"))
    Message.objects.create(
        conversation_id=here, parent=first, role="summary", text="So far", owner=alice, version=3, born=1, revision=1,
        created=NOW,
    )  # fmt: skip
    there = fork(here, named(here, "B!"))
    copy = Message.objects.get(conversation=there, role="summary")
    assert (copy.text, copy.version, copy.parent_id) == ("So far", 3, named(there, "A!"))


def test_a_fork_of_many_messages_keeps_their_order(alice: User) -> None:
    here = talked(alice, *(f"A{n}" for n in range(30)))
    there = fork(here, named(here, "A29!"))
    assert shown(there) == shown(here)
    copies = list(Message.objects.filter(conversation=there).order_by("pk"))
    assert [copy.parent_id for copy in copies] == [None, *(copy.pk for copy in copies[:-1])]


@pytest.mark.django_db(transaction=True)
def test_what_is_taken_back_while_it_is_forked_is_not_in_the_fork(transactional_db: None, alice: User) -> None:
    here = talked(alice, "A")
    say(here, "B")
    waits = say(here, "C")
    taken, over = threading.Event(), threading.Event()

    def take_back() -> None:
        try:
            with transaction.atomic():
                store.unqueue(here, waits.message)
                taken.set()
                over.wait(0.5)  # the fork has begun, and cannot see this yet
        finally:
            connection.close()

    other = threading.Thread(target=take_back)
    other.start()
    taken.wait()
    with pytest.raises(Refused, match="no such message"):
        once(lambda: fork(here, waits.message))
    over.set()
    other.join()
    assert Conversation.objects.count() == 1
