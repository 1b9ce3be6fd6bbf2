"""Messages that wait for their turn: taken back, or sent before all others."""

import pytest
from django.contrib.auth.models import User

from chat import store
from chat.models import Conversation, Message, Run
from chat.store import Refused
from tests.chat.talks import begin_next, edit, end, go_on, named, regenerate, say, shown, talked


def test_what_is_taken_back_is_gone_with_its_run_and_its_text_is_returned(alice: User) -> None:
    here = talked(alice, "A")
    at_work = say(here, "B")
    waits = say(here, "C")

    assert store.unqueue(here, waits.message) == "C"

    assert shown(here) == ["A", "A!", "B", "…"]
    assert not Run.objects.filter(pk=waits.run).exists()
    end(at_work)
    assert begin_next(here) is None
    assert shown(here) == ["A", "A!", "B", "B!"]


def test_what_was_sent_after_it_moves_up(alice: User) -> None:
    here = talked(alice, "A")
    at_work = say(here, "B")
    waits, last = say(here, "C"), say(here, "D")

    store.unqueue(here, Run.objects.get(pk=waits.run).answer_id)  # by its answer, as the page does

    assert shown(here) == ["A", "A!", "B", "…", "D", "…"]
    assert Message.objects.get(pk=last.message).parent_id == Run.objects.get(pk=at_work.run).answer_id


def test_an_edit_that_is_taken_back_shows_the_old_wording_again(alice: User) -> None:
    here = talked(alice, "A", "B")
    say(here, "C")
    waits = edit(here, named(here, "B"), "B2")

    assert store.unqueue(here, waits.message) == "B2"

    assert shown(here) == ["A", "A!", "B", "B!", "C", "…"]


def test_an_edited_first_message_that_is_taken_back_shows_the_old_one_again(alice: User) -> None:
    here = talked(alice, "A")
    say(here, "B")
    waits = edit(here, named(here, "A"), "A2")

    assert store.unqueue(here, waits.message) == "A2"

    assert shown(here) == ["A", "A!", "B", "…"]


def test_a_regeneration_that_is_taken_back_leaves_the_question_and_the_other_answers(alice: User) -> None:
    here = talked(alice, "A")
    say(here, "B")
    waits = regenerate(here, named(here, "A!"))
    after = say(here, "C")

    assert store.unqueue(here, waits.message) == ""

    assert shown(here) == ["A", "A!", "C", "…"]
    assert Message.objects.get(pk=after.message).parent_id == named(here, "A!")


def test_a_continuation_that_is_taken_back_leaves_what_it_would_have_gone_on_from(alice: User) -> None:
    here = talked(alice, "A")
    cut = end(say(here, "B"), "B…", "stopped", "stopped")
    say(here, "C")
    waits = go_on(here, cut)

    assert store.unqueue(here, Run.objects.get(pk=waits.run).answer_id) == ""

    assert shown(here) == ["A", "A!", "B", "B…", "C", "…"]


def test_the_only_message_of_a_conversation_can_be_taken_back(alice: User) -> None:
    here = talked(alice, "A")
    Run.objects.update(status="queued", stop_reason="")

    assert store.unqueue(here, named(here, "A")) == "A"

    assert shown(here) == []
    end(say(here, "B"))
    assert shown(here) == ["B", "B!"]


@pytest.mark.parametrize("act", [store.unqueue, store.put_first])
def test_what_has_begun_or_ended_waits_no_more(alice: User, act: object) -> None:
    assert callable(act)
    here = talked(alice, "A")
    begun = say(here, "B")
    for message in (begun.message, named(here, "A"), named(here, "A!")):
        with pytest.raises(Refused, match="does not wait any more"):
            act(here, message)
    assert shown(here) == ["A", "A!", "B", "…"]


def test_what_is_put_first_begins_before_what_waited_longer(alice: User) -> None:
    here = talked(alice, "A")
    at_work = say(here, "B")
    say(here, "C")
    chosen = say(here, "D")

    assert store.put_first(here, chosen.message) == at_work.run
    end(at_work, "B…", "stopped", "stopped")

    begun = begin_next(here)
    assert begun is not None
    assert begun.run == chosen.run
    assert shown(here) == ["A", "A!", "B", "B…", "C", "…", "D", "…"]


def test_the_last_one_that_was_put_first_is_first(alice: User) -> None:
    here = talked(alice, "A")
    at_work = say(here, "B")
    one, two = say(here, "C"), say(here, "D")
    store.put_first(here, one.message)
    store.put_first(here, two.message)
    end(at_work)

    begun = begin_next(here)
    assert begun is not None
    assert begun.run == two.run


def test_taking_back_makes_the_list_another_one(alice: User) -> None:
    here = talked(alice, "A")
    say(here, "B")
    waits = say(here, "C")
    store.unqueue(here, waits.message)
    row = Conversation.objects.get(pk=here)
    assert row.anew == row.revision


def test_a_run_that_began_is_ahead_of_nothing_any_more(alice: User) -> None:
    here = talked(alice, "A")
    at_work = say(here, "B")
    first = say(here, "C")
    store.put_first(here, first.message)
    end(at_work)
    begin_next(here)
    assert not Run.objects.filter(ahead=True).exists()
    assert Run.objects.get(pk=first.run).status == "running"


def test_what_is_put_first_touches_no_run_that_is_at_work(alice: User) -> None:
    here = talked(alice, "A")
    at_work = say(here, "B")
    Run.objects.filter(pk=at_work.run).update(ahead=True)  # as an older version left it
    store.put_first(here, say(here, "C").message)
    assert Run.objects.get(pk=at_work.run).ahead
