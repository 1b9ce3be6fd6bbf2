"""Branches as they are stored: nothing is overwritten, one of them is shown, and reading it costs the same however long
the conversation is."""

import re
from collections.abc import Callable
from uuid import UUID, uuid4

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from chat import branches, rows, store, trace
from chat.models import Allowance, Conversation, Message, Role, Run
from chat.store import Refused
from tests.chat.made import NOW, conversation_of
from tests.chat.many import add_messages
from tests.chat.talks import edit, end, go_on, named, regenerate, say, shown, talked


def beside(conversation: UUID, text: str) -> list[str]:
    """The texts of what the pager leads to at a message."""
    ids = rows.talk(conversation).siblings.get(named(conversation, text), [])
    return [Message.objects.get(pk=pk).text for pk in ids]


def test_an_edited_message_stands_beside_the_old_one_with_a_run_of_its_own(alice: User) -> None:
    here = talked(alice, "A", "B", "C")

    end(edit(here, named(here, "B"), "B2"))

    assert shown(here) == ["A", "A!", "B2", "B2!"]
    assert beside(here, "B2") == ["B", "B2"]
    assert Message.objects.filter(text__in=["B", "B!", "C", "C!"]).count() == 4
    assert Message.objects.get(text="B2").client_id != Message.objects.get(text="B").client_id


@pytest.mark.django_db(transaction=True)  # the store has a connection of its own
def test_an_address_leads_to_a_message_on_whichever_branch_it_is(alice_client: Client, alice: User) -> None:
    here = talked(alice, *"ABC")
    end(edit(here, named(here, "B"), "B2"))
    said = named(here, "C")

    page = alice_client.get(f"/c/{here}/?message={said}").content.decode()

    assert f'id="m-{said}"' in page
    assert shown(here) == ["A", "A!", "B", "B!", "C", "C!"]
    alice_client.get(f"/c/{here}/?message={named(here, 'A')}")
    assert shown(here)[-1] == "C!"  # what is shown already stays as it is

    for nothing in (10**9, 10**17, 0, "x"):
        assert alice_client.get(f"/c/{here}/?message={nothing}").status_code == 200
    assert shown(here)[-1] == "C!"


def test_an_address_leads_to_a_message_far_above_the_end(
    alice_client: Client, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("SHOWN_MESSAGES", 4), ("FEW_MESSAGES", 2)):
        monkeypatch.setattr(rows, name, value)
    here = talked(alice, *"ABCDEF")
    said = named(here, "C")

    page = alice_client.get(f"/c/{here}/?message={said}").content.decode()

    assert f'id="m-{said}"' in page
    assert f'id="m-{named(here, "B!")}"' in page
    assert f'id="m-{named(here, "B")}"' not in page
    assert "Show earlier messages" in page
    assert f'id="m-{said}"' not in alice_client.get(f"/c/{here}/").content.decode()
    monkeypatch.setattr(trace, "MOST_BYTES", 1)
    assert f'id="m-{said}"' in alice_client.get(f"/c/{here}/?message={said}").content.decode()


def test_an_address_leads_to_any_message_however_far_above_the_end_it_is(
    alice_client: Client, bob_client: Client, alice: User
) -> None:
    here = conversation_of(alice)
    add_messages(here, 1_500, "<b>Bold</b> ")
    ids = list(here.messages.order_by("pk").values_list("pk", flat=True))

    def around(message: int) -> tuple[list[int], list[int]]:
        """The messages of the page that an address leads to, and where it leads on to."""
        page = alice_client.get(f"/c/{here.pk}/?message={message}").content.decode()
        assert f'id="m-{message}"' in page
        assert "<b>Bold" not in page
        shown, on = re.findall(r'<article [^>]*id="m-(\d+)"', page), re.findall(r'href="\?message=(\d+)#m-\1"', page)
        return [int(one) for one in shown], [int(one) for one in on]

    assert around(ids[200]) == (ids[150:250], [ids[150], ids[249]])
    assert around(ids[150]) == (ids[100:200], [ids[100], ids[199]])
    assert around(ids[3]) == (ids[:53], [ids[52]])
    assert around(ids[0]) == (ids[:50], [ids[49]])
    assert around(ids[700])[0][-1] == ids[-1]  # near enough for the page itself
    assert bob_client.get(f"/c/{here.pk}/?message={ids[200]}").status_code == 404


def test_a_message_among_very_long_ones_is_shown_with_those_beside_it(alice_client: Client, alice: User) -> None:
    here = conversation_of(alice)
    add_messages(here, 40, "x" * 200_000)
    ids = list(here.messages.order_by("pk").values_list("pk", flat=True))
    page = alice_client.get(f"/c/{here.pk}/?message={ids[20]}").content.decode()
    assert [int(one) for one in re.findall(r'<article [^>]*id="m-(\d+)"', page)] == ids[19:22]


def test_the_first_message_can_be_edited(alice: User) -> None:
    here = talked(alice, "A", "B")

    end(edit(here, named(here, "A"), "A2"))

    assert shown(here) == ["A2", "A2!"]
    assert beside(here, "A2") == ["A", "A2"]


def test_a_regenerated_answer_stands_beside_the_old_one(alice: User) -> None:
    here = talked(alice, "A", "B")

    sent = regenerate(here, named(here, "A!"), "another")
    end(sent, "A?")

    assert shown(here) == ["A", "A?"]
    assert beside(here, "A?") == ["A!", "A?"]
    assert Run.objects.get(pk=sent.run).model == "another"
    assert Message.objects.get(text="A").runs.count() == 2


def test_a_question_can_be_answered_anew_by_its_own_id(alice: User) -> None:
    here = talked(alice, "A")

    end(regenerate(here, named(here, "A")), "A?")

    assert beside(here, "A?") == ["A!", "A?"]


def test_a_branch_that_is_shown_again_ends_where_it_was_left(alice: User) -> None:
    here = talked(alice, "A", "B", "C")
    end(edit(here, named(here, "B"), "B2"))
    end(say(here, "D"))

    store.show(here, named(here, "B"))
    assert shown(here) == ["A", "A!", "B", "B!", "C", "C!"]
    store.show(here, named(here, "B2"))
    assert shown(here) == ["A", "A!", "B2", "B2!", "D", "D!"]


def test_the_next_message_goes_on_from_the_branch_that_is_shown(alice: User) -> None:
    here = talked(alice, "A", "B")
    end(edit(here, named(here, "B"), "B2"))
    store.show(here, named(here, "B"))

    end(say(here, "C"))

    assert shown(here) == ["A", "A!", "B", "B!", "C", "C!"]
    assert Conversation.objects.get(pk=here).leaf_id == named(here, "C!")


def test_a_run_that_was_cut_short_is_gone_on_from_in_a_new_answer_below(alice: User) -> None:
    here = talked(alice, "A")
    cut = end(say(here, "B"), "B…", "stopped", "stopped")

    sent = go_on(here, cut)
    end(sent, "…B!")

    assert shown(here) == ["A", "A!", "B", "B…", "…B!"]
    run = Run.objects.get(pk=sent.run)
    assert run.continues is not None
    assert (run.continues.answer_id, run.message_id) == (cut, named(here, "B"))


def test_what_went_on_can_be_regenerated_and_goes_on_from_the_same_run(alice: User) -> None:
    here = talked(alice, "A")
    cut = end(say(here, "B"), "B…", "done", "max_turns")
    went_on = end(go_on(here, cut), "…B!")

    again = regenerate(here, went_on)
    end(again, "…B?")

    assert shown(here) == ["A", "A!", "B", "B…", "…B?"]
    assert beside(here, "…B?") == ["…B!", "…B?"]
    assert Run.objects.get(pk=again.run).continues == Run.objects.get(answer=cut)


@pytest.mark.parametrize(
    ("status", "reason", "tools", "goes_on"),
    [
        ("done", "done", {}, False),
        ("done", "max_turns", {}, True),
        ("done", "budget", {}, True),
        ("done", "timeout", {}, True),
        ("done", "length", {}, True),
        ("stopped", "stopped", {}, True),
        ("failed", "crashed", {}, True),
        ("failed", "error", {}, False),
        ("failed", "error", {"look": 1}, True),
        ("failed", "rate_limited", {"look": 1}, True),
        ("running", "", {}, False),
        ("queued", "", {}, False),
    ],
)
def test_a_run_is_gone_on_from_where_it_ended_before_it_was_done(
    status: str, reason: str, tools: dict[str, int], goes_on: bool
) -> None:
    assert Run(status=status, stop_reason=reason, tools=tools).cut_short is goes_on


# What is refused, and what it says


def edit_an_answer(here: UUID) -> None:
    edit(here, named(here, "B!"), "B2")


def edit_the_last(here: UUID) -> None:
    edit(here, named(here, "B"), "B2")


def regenerate_the_last(here: UUID) -> None:
    regenerate(here, named(here, "B!"))


def continue_the_last(here: UUID) -> None:
    go_on(here, named(here, "B!"))


def continue_what_is_done(here: UUID) -> None:
    go_on(here, named(here, "B!"))


def continue_a_question(here: UUID) -> None:
    go_on(here, named(here, "B"))


def continue_what_goes_on(here: UUID) -> None:
    go_on(here, Run.objects.get(pk=say(here, "C").run).answer_id)


def edit_twice(here: UUID) -> None:
    edit(here, named(here, "B"), "B2")
    edit(here, Message.objects.get(conversation=here, text="B").pk, "B2")


def regenerate_twice(here: UUID) -> None:
    regenerate(here, named(here, "B!"))
    regenerate(here, named(here, "B!"))


def regenerate_what_goes_on(here: UUID) -> None:
    regenerate(here, Run.objects.get(pk=say(here, "C").run).answer_id)


def continue_twice(here: UUID) -> None:
    cut = end(say(here, "C"), "C…", "stopped", "stopped")
    go_on(here, cut)
    go_on(here, cut)


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (edit_an_answer, "Only a message of your own"),
        (continue_what_is_done, "came to its end"),
        (continue_a_question, "no answer of the agent"),
        (continue_what_goes_on, "not over"),
        (edit_twice, "being answered already"),
        (regenerate_twice, "being answered already"),
        (regenerate_what_goes_on, "being answered already"),
        (continue_twice, "being answered already"),
    ],
)
def test_what_makes_no_sense_is_refused_in_words(alice: User, asked: Callable[[UUID], None], words: str) -> None:
    here = talked(alice, "A", "B")

    with pytest.raises(Refused, match=words):
        asked(here)


@pytest.mark.parametrize("act", ["edit", "regenerate", "continue", "show", "unqueue", "put_first", "fork"])
def test_a_message_of_another_conversation_is_none_here(alice: User, bob: User, act: str) -> None:
    here, there = talked(alice, "A"), talked(bob, "B")
    asked: dict[str, Callable[[int], object]] = {
        "edit": lambda message: edit(here, message, "mine"),
        "regenerate": lambda message: regenerate(here, message),
        "continue": lambda message: go_on(here, message),
        "show": lambda message: store.show(here, message),
        "unqueue": lambda message: store.unqueue(here, message),
        "put_first": lambda message: store.put_first(here, message),
        "fork": lambda message: store.fork(here, message, "f", "here:1:x", NOW),
    }
    for message in (named(there, "B"), named(there, "B!"), 10**9):
        with pytest.raises(Refused, match="no such message in this conversation"):
            asked[act](message)
    assert shown(there) == ["B", "B!"]


@pytest.mark.parametrize("asked", [edit_the_last, regenerate_the_last, continue_the_last])
def test_each_new_run_needs_an_allowance(alice: User, asked: Callable[[UUID], object]) -> None:
    here = talked(alice, "A")
    end(say(here, "B"), "B!", "stopped", "stopped")
    before = shown(here)
    Allowance.objects.create(runs_an_hour=2)

    with pytest.raises(Refused, match="2 runs an hour"):
        asked(here)
    assert shown(here) == before


def test_an_edit_sent_again_under_its_id_is_harmless_and_with_another_text_refused(alice: User) -> None:
    here = talked(alice, "A")
    old = named(here, "A")
    first = store.edit(here, alice.pk, old, "A2", "one", "m", "here:1:x", NOW)

    again = store.edit(here, alice.pk, old, "A2", "one", "m", "here:1:x", NOW)
    assert (again.message, again.fresh) == (first.message, False)
    with pytest.raises(Refused, match="same id"):
        store.edit(here, alice.pk, old, "A3", "one", "m", "here:1:x", NOW)


# Summaries


def summary(here: UUID, of: str, text: str) -> None:
    answer = Message.objects.get(pk=named(here, of))
    Message.objects.create(
        conversation_id=here, parent=answer, role=Role.SUMMARY, text=text, owner=answer.owner, born=1, revision=1,
        created=NOW, version=branches.last_version(answer.pk) + 1,
    )  # fmt: skip


def test_a_summary_is_shown_on_the_branches_that_go_through_its_answer(alice: User) -> None:
    here = talked(alice, "A", "B")
    summary(here, "A!", "sum of A")
    summary(here, "B!", "sum of A and B")
    assert shown(here) == ["A", "A!", "B", "B!", "sum of A", "sum of A and B"]

    end(edit(here, named(here, "B"), "B2"))

    assert shown(here) == ["A", "A!", "sum of A", "B2", "B2!"]
    assert branches.last_version(named(here, "B2!")) == 1
    assert branches.last_version(named(here, "B!")) == 2


# What reading costs


def test_reading_what_is_shown_takes_the_same_queries_however_long_the_conversation_is(alice: User) -> None:
    def queries(here: UUID) -> list[int]:
        head = Conversation.objects.get(pk=here)
        newest = head.leaf_id or 0
        reads: list[Callable[[], object]] = [
            lambda: rows.talk(here),
            lambda: rows.talk(here, newest),
            lambda: rows.talk_since(here, head.revision - 1),
            lambda: branches.newest_run(here),
            lambda: branches.shown(here, [newest]),
            lambda: store.regenerate(here, newest, "m", "here:1:x", NOW),
        ]
        return [counted(read) for read in reads]

    short, long = talked(alice, "A", "A1"), talked(alice, *(f"B{n}" for n in range(60)))
    end(edit(short, named(short, "A1"), "A2"))
    end(edit(long, named(long, "B59"), "B60"))
    assert queries(short) == queries(long)


def counted(read: Callable[[], object]) -> int:
    with CaptureQueriesContext(connection) as seen:
        read()
    return len(seen)


def test_the_way_up_from_the_leaf_ends_where_nothing_more_is_asked_for(alice: User) -> None:
    here = talked(alice, *(f"A{n}" for n in range(80)))
    path = branches.last(here, 5)
    assert [Message.objects.get(pk=pk).text for pk in path.messages] == ["A79!", "A79", "A78!", "A78", "A77!"]
    assert branches.last(here, 2, before=path.messages[-1]).messages == ([named(here, "A77"), named(here, "A76!")])
    assert branches.shown(here, [named(here, "A78")]) == {named(here, "A78")}


def test_messages_before_one_of_a_branch_that_is_not_shown_are_those_of_its_own_branch(alice: User) -> None:
    here = talked(alice, "A", "B", "C")
    end(edit(here, named(here, "B"), "B2"))

    before = rows.talk(here, named(here, "C!")).messages

    assert [message.text for message, _ in before] == ["A", "A!", "B", "B!", "C"]


def test_a_change_on_a_branch_that_is_not_shown_is_nothing_to_show(alice: User) -> None:
    here = talked(alice, "A")
    hidden = edit(here, named(here, "A"), "A2")
    store.show(here, named(here, "A"))
    at = Conversation.objects.get(pk=here).revision

    end(hidden)

    changed = rows.talk_since(here, at)
    assert changed is not None
    assert (changed.messages, changed.anew, changed.revision) == ([], False, at + 1)


def test_a_page_that_had_another_branch_gets_the_list_anew_and_one_that_only_got_longer_does_not(alice: User) -> None:
    here = talked(alice, "A", "B")
    at = Conversation.objects.get(pk=here).revision
    end(say(here, "C"))
    longer = rows.talk_since(here, at)
    assert longer is not None
    assert not longer.anew
    assert len(longer.messages) == 2

    regenerate(here, named(here, "C!"))
    other = rows.talk_since(here, at)
    assert other is not None
    assert other.anew
    now = rows.talk_since(here, other.revision)
    assert now is not None
    assert not now.anew


def test_without_a_leaf_the_newest_message_is_the_last(alice: User) -> None:
    here = talked(alice, "A", "B")
    Conversation.objects.filter(pk=here).update(leaf=None)
    assert shown(here) == ["A", "A!", "B", "B!"]
    end(say(here, "C"))
    assert shown(here)[-1] == "C!"
    assert not Conversation.objects.get(pk=here).anew


def test_a_conversation_that_is_not_there_has_nothing_to_show(db: None) -> None:
    nowhere = uuid4()
    assert rows.talk(nowhere).messages == []
    assert rows.talk_since(nowhere, 0) is None
    assert branches.newest_run(nowhere) is None


def test_a_page_that_is_behind_has_neither_what_came_since_nor_anything_of_another_branch(alice: User) -> None:
    here = talked(alice, "A")
    at = Conversation.objects.get(pk=here).revision
    answer = named(here, "A!")
    assert branches.shown(here, [answer], at) == {answer}

    later = Run.objects.get(pk=say(here, "B").run).answer_id
    assert branches.shown(here, [answer, later], at) == {answer}
    assert branches.shown(here, [answer, later]) == {answer, later}

    regenerate(here, answer)
    assert branches.shown(here, [answer], at) == set()
