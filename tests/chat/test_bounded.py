"""What a page costs does not grow with what it does not show: frames, queries, and bytes a step of a long live run."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from chat import rows, thoughts
from chat.models import Conversation, Message, Run, Step
from chat.unread import FRAME_BYTES
from chat.viewer import Viewer
from tests.chat.made import conversation_of, run_in
from tests.chat.many import add_messages, add_steps


def live_run(owner: User, steps: int) -> Run:
    run = run_in(conversation_of(owner), "Work", "", steps=0)
    add_steps(run, steps)
    Run.objects.filter(pk=run.pk).update(status="running", stop_reason="", ended=None, revision=steps)
    run.refresh_from_db()
    return run


def open_page(run: Run, **at: Any) -> Viewer:
    viewer = Viewer(run.conversation_id)
    viewer.resume(1)
    viewer.look_at(run, at.get("run_since", run.revision), follows=True, told=True)
    return viewer


def one_more_step(run: Run) -> None:
    run.revision += 1
    Run.objects.filter(pk=run.pk).update(revision=run.revision)
    add_steps(run, 1)


def cost_of_a_step(owner: User, steps: int) -> tuple[int, int]:
    """The queries and bytes that a page takes for two more steps of a run that has so many."""
    run = live_run(owner, steps)
    page = open_page(run)
    for _ in range(4):  # from here on the bars' scale stays for long
        one_more_step(run)
        page.catch_up()
    with CaptureQueriesContext(
        connection,
    ) as captured:
        size = 0
        for _ in range(2):
            one_more_step(run)
            before = len(captured)
            size += len(str(page.catch_up()))
            assert len(captured) > before
    assert "data-step" not in str(page.catch_up())
    return len(captured), size


def test_a_step_costs_a_page_as_much_after_five_thousand_as_at_the_start(alice: User) -> None:
    queries, size = cost_of_a_step(alice, 60)
    late_queries, late_size = cost_of_a_step(alice, 5_000)
    assert late_queries == queries
    assert late_size < size * 1.2  # numbers have more digits


def test_a_page_that_is_far_behind_in_a_long_trace_is_sent_its_end_in_one_frame(alice: User) -> None:
    run = live_run(alice, 10_000)
    for since in (0, 5):
        page = open_page(run, run_since=since)
        with CaptureQueriesContext(connection) as captured:
            pieces = page.pieces() or []
        assert len(captured) < 20
        assert max(len(piece.encode()) for piece in pieces) <= FRAME_BYTES
        trace = next(piece for piece in pieces if "innerHTML:#trace" in piece)
        shown = trace.count("data-step=")
        assert shown > rows.SHOWN_STEPS // 2
        assert 'data-step="10000"' in trace
        assert f'name="before" value="{10_001 - shown}"' in trace
        assert f'data-revision="{run.revision}"' in trace


def test_steps_that_say_much_make_no_longer_frame(alice: User, alice_client: Client) -> None:
    run = live_run(alice, 300)
    Step.objects.filter(run=run, kind="tool").update(output={"text": '{"a": [1, 2, 3]}, ' * 200})
    [piece] = [piece for piece in open_page(run, run_since=0).pieces() or [] if "#trace" in piece]
    assert len(piece.encode()) <= FRAME_BYTES
    shown = piece.count("data-step=")
    assert 0 < shown < rows.SHOWN_STEPS
    earlier = alice_client.get(f"/runs/{run.pk}/steps/", {"before": 301 - shown}).content.decode()
    assert f'data-step="{300 - shown}"' in earlier
    assert earlier.count("data-step=") > 10


def test_a_step_that_holds_much_sends_a_page_its_beginnings_alone_and_one_more_time_when_it_ends(alice: User) -> None:
    run = live_run(alice, 3)
    page = open_page(run)
    page.catch_up()
    large = {"text": "y" * 100_000}
    one_more_step(run)
    step = Step.objects.filter(run=run).latest("number")
    for status, output in (("running", {}), ("error", {"text": "y" * 100_000, "detail": "y" * 100_000})):
        run.revision += 1
        Run.objects.filter(pk=run.pk).update(revision=run.revision)
        values = {"kind": "tool", "input": {"arguments": large}, "output": output, "status": status}
        Step.objects.filter(pk=step.pk).update(**values, revision=run.revision)
        frame = str(page.catch_up())
        assert "The first 4,000 of 100,012 characters." in frame
        assert len(frame.encode()) < 20_000


@pytest.mark.parametrize("since", [0, 1])
def test_messages_that_say_much_are_drawn_anew_from_the_end(alice: User, alice_client: Client, since: int) -> None:
    conversation = conversation_of(alice)
    add_messages(conversation, 120, "x" * 20_000)
    Conversation.objects.update(revision=2)
    Message.objects.filter(pk__in=list(Message.objects.order_by("-pk").values_list("pk", flat=True)[:60])).update(
        revision=2, born=2
    )
    viewer = Viewer(conversation.pk)
    viewer.resume(since)
    pieces = viewer.pieces() or []
    assert max(len(piece.encode()) for piece in pieces) <= FRAME_BYTES
    whole = "".join(pieces)
    assert "innerHTML:#messages" in whole
    assert "Number 119<" in whole
    assert 'data-conversation-revision="2"' in whole
    page = alice_client.get(f"/c/{conversation.pk}/").content.decode()
    assert page.count("<article") == whole.count("<article")
    ids = list(Message.objects.order_by("pk").values_list("pk", flat=True))
    first = ids[-page.count("<article")]
    assert f"?before={first}" in page
    assert f"?before={first}" in whole
    earlier = alice_client.get(f"/c/{conversation.pk}/messages/", {"before": first}).content.decode()
    assert f'id="m-{ids[ids.index(first) - 1]}"' in earlier
    assert earlier.count("<article") == page.count("<article")


def test_the_list_shows_the_last_thoughts_of_a_long_run_and_says_that_there_are_more(alice: User) -> None:
    short, long = (live_run(alice, steps) for steps in (2 * thoughts.SHOWN_STEPS, 2 * thoughts.SHOWN_STEPS + 2))
    for run, more in ((short, False), (long, True)):
        talk = rows.talk(run.conversation_id)
        assert len(talk.thoughts[run.pk]) == thoughts.SHOWN_STEPS
        assert len(thoughts._last_steps([run])[run.pk]) == thoughts.SHOWN_STEPS + more
        assert (run.pk in talk.longer) == more


def test_very_long_thoughts_are_shown_from_the_last_one(alice: User) -> None:
    run = live_run(alice, 10)
    last = run.steps.filter(kind="model").order_by("number").last()
    Step.objects.filter(run=run, kind="model").update(output={"thought": "y" * (thoughts.SHOWN_CHARACTERS // 2)})
    assert len(rows.talk(run.conversation_id).thoughts[run.pk]) == 2
    Step.objects.filter(pk=last.pk if last else 0).update(output={"thought": "z" * thoughts.SHOWN_CHARACTERS * 2})
    talk = rows.talk(run.conversation_id)
    [one] = talk.thoughts[run.pk]
    assert one.text == "z" * thoughts.SHOWN_CHARACTERS + "…"
    assert run.pk in talk.longer
