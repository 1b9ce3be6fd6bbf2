"""What a page asks for twice under one id, or too late, is done once, and to the run that was meant."""

from collections.abc import Callable
from uuid import UUID, uuid4

import pytest
from django.contrib.auth.models import User

from chat import store, words
from chat.models import Conversation, Message, Run, RunStatus
from chat.store import Refused, Sent
from chat.viewer import Viewer
from tests.chat.talks import NOW, PROCESS, begin_next, end, go_on, named, say, talked

Again = Callable[[UUID, int, str], Sent]


def regenerate(here: UUID, message: int, client_id: str) -> Sent:
    return store.regenerate(here, message, "m", PROCESS, NOW, client_id)


def continue_run(here: UUID, message: int, client_id: str) -> Sent:
    return store.continue_run(here, message, "m", PROCESS, NOW, client_id)


def stopped(owner: User) -> tuple[UUID, int]:
    """A conversation whose answer was stopped, and that answer."""
    here = talked(owner, "A")
    return here, end(say(here, "B"), "Half", "stopped", "stopped")


@pytest.mark.parametrize("again", [regenerate, continue_run])
def test_the_same_id_begins_one_run_while_it_goes_on_and_after_it_ended(alice: User, again: Again) -> None:
    here, answer = stopped(alice)
    sent = again(here, answer, "press-1")
    before = Run.objects.count()
    for _ in range(2):
        repeated = again(here, answer, "press-1")
        assert (repeated.run, repeated.attempt, repeated.fresh) == (sent.run, 0, False)
        if Run.objects.get(pk=sent.run).live:
            end(sent, "Half", "stopped", "stopped")
    assert Run.objects.count() == before
    assert again(here, answer, "press-2").run != sent.run


@pytest.mark.parametrize("again", [regenerate, continue_run])
def test_an_id_that_stands_for_something_else_is_refused(alice: User, bob: User, again: Again) -> None:
    here, answer = stopped(alice)
    elsewhere, other = stopped(alice)
    again(elsewhere, other, "press-1")
    said = Message.objects.get(conversation=here, text="B").client_id or ""
    for taken in ("press-1", said):
        with pytest.raises(Refused, match="under the same id"):
            again(here, answer, taken)
    with pytest.raises(Refused, match="under the same id"):
        store.send(here, alice.pk, "", "press-1", "m", PROCESS, NOW)
    his, of_bob = stopped(bob)
    assert again(his, of_bob, "press-1").fresh


def test_only_the_run_that_is_named_is_told_to_stop(alice: User) -> None:
    here = talked(alice, "A")
    over = Run.objects.get(conversation=here)
    at_work, waits = say(here, "B"), say(here, "C")
    elsewhere = say(talked(alice, "A"), "B")
    for other in (over.pk, waits.run, elsewhere.run, uuid4()):
        assert store.ask_to_stop(here, only=other) == 0
        assert store.end_waiting(here, NOW, only=other) == 0
    assert not Run.objects.filter(stopping=True).exists()
    assert store.ask_to_stop(here, only=at_work.run) == 1
    assert list(Run.objects.filter(stopping=True).values_list("pk", flat=True)) == [at_work.run]


def test_of_runs_that_wait_for_a_worker_only_the_one_that_is_named_is_ended(alice: User) -> None:
    here = talked(alice, "A")
    at_work, first, second = say(here, "B"), say(here, "C"), say(here, "D")
    end(at_work)
    assert store.end_waiting(here, NOW, only=second.run) == 0
    assert store.end_waiting(here, NOW, only=first.run) == 1
    assert Run.objects.get(pk=first.run).status == RunStatus.STOPPED
    assert Run.objects.get(pk=second.run).status == RunStatus.QUEUED


def test_every_page_says_that_a_run_is_stopping_until_it_has_ended(alice: User) -> None:
    here = talked(alice, "A")
    sent = say(here, "B")
    page = Viewer(here)
    page.resume(Conversation.objects.get(pk=here).revision)
    page.catch_up()
    store.ask_to_stop(here)
    frame = str(page.catch_up())
    assert frame.count(words.STOPPING) == 2  # at the answer, and in the line above the box
    end(sent, "Half", "stopped", "stopped")
    frame = str(page.catch_up())
    assert words.STOPPING not in frame
    assert 'hx-swap-oob="innerHTML:#status"></div>' in frame


def test_what_waited_and_never_began_can_be_tried_again_and_not_gone_on_from(alice: User) -> None:
    here = talked(alice, "A")
    end(say(here, "B"))
    waits = store.send(here, alice.pk, "C", str(uuid4()), "m", "", NOW)
    page = Viewer(here)
    page.resume(Conversation.objects.get(pk=here).revision)
    page.catch_up()
    assert store.end_waiting(here, NOW) == 1
    frame = str(page.catch_up())
    assert (">Retry<" in frame, ">Continue<" in frame) == (True, False)
    assert begin_next(here) is None
    again = store.regenerate(here, Run.objects.get(pk=waits.run).answer_id, "m", PROCESS, NOW)
    assert Run.objects.get(pk=again.run).message_id == waits.message
    assert named(here, "C") == waits.message
    with pytest.raises(Refused):
        go_on(here, Run.objects.get(pk=again.run).answer_id)
