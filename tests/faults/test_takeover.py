"""Who takes a run over, when, and what becomes of what was open in it."""

from datetime import timedelta
from functools import partial
from uuid import uuid4

import pytest
from django.contrib.auth.models import User

from chat import memory, resumption, runs, store, sweep, trace
from chat.agent.clock import now
from chat.agent.events import Batch, Began, Ended, ModelEnded, ModelFailed, ModelStarted, ToolEnded, ToolStarted
from chat.models import Run, Step
from chat.store.leases import LEASE
from chat.transact import once
from chat.wire.values import Call, Reply
from chat.words import how_it_ended
from tests.clocks import Clock
from tests.faults.dying import DEAD

pytestmark = pytest.mark.django_db(transaction=True)

ELSEWHERE = "another-machine:1:x"
CALLS = tuple(Call(f"call{n}", name, {}) for n, name in enumerate(("get_weather", "calculate", "forget")))


def begun(user: User, owner: str = DEAD) -> Run:
    """A run whose model asked for three tools; the first one has its result."""
    sent = store.start_conversation(user.pk, "Hello", str(uuid4()), "m", owner, now())
    request = {"system": "", "tools": [], "mode": "", "limits": {}}
    started = [ToolStarted(n, now(), 1, call) for n, call in enumerate(CALLS, 2)]
    batches: tuple[Batch, ...] = (
        (Began(now(), request), ModelStarted(1, now(), 1, "m", 0, "", 0)),
        (ModelEnded(1, now(), None, Reply(calls=CALLS), None), *started),
        (ToolEnded(2, now(), "14 °C"),),
    )
    for batch in batches:
        store.apply(sent.run, 1, batch)
    return Run.objects.get(pk=sent.run)


def take_over(run: Run) -> int | str:
    """Take a run over as the newest row has it, for a process that then dies, too."""
    return store.take_over(Run.objects.get(pk=run.pk), DEAD, {"calculate"}, now())


def steps_of(run: Run) -> list[Step]:
    return list(run.steps.order_by("number"))


def test_what_was_open_is_unknown_and_only_what_must_not_run_again_is_answered(alice: User) -> None:
    run = begun(alice)
    assert take_over(run) == 2
    weather, calculation, forgetting = steps_of(run)[1:4]
    assert (weather.status, weather.output) == ("done", {"text": "14 °C"})
    assert (calculation.status, calculation.output) == ("unknown", {})
    assert forgetting.status == "unknown"
    assert forgetting.output["text"] == "Error: the process died while this ran; whether it took effect is unknown."


def test_both_attempts_stand_in_the_trace_with_the_reason_in_words(alice: User) -> None:
    run = begun(alice)
    take_over(run)
    run = Run.objects.get(pk=run.pk)
    steps = steps_of(run)
    row = trace.row(steps[-1], run, 1)
    assert row.title == "Resumed"
    assert row.label == "The server stopped here; what follows is the second attempt"
    assert trace.row(steps[3], run, 1).label == "the server stopped before this was over"
    assert (run.attempt, run.status, run.doing) == (2, "running", "Going on after the server stopped")


def test_the_pause_lasts_from_when_the_process_was_last_seen_and_is_no_work(alice: User) -> None:
    run = begun(alice)
    later = now() + timedelta(hours=8)
    store.take_over(Run.objects.get(pk=run.pk), DEAD, (), later)
    pause = steps_of(run)[-1]
    assert pause.seconds == pytest.approx(8 * 60 * 60, abs=1)
    assert steps_of(run)[3].seconds == pytest.approx(0, abs=1)
    assert resumption.worked(run, steps_of(run)) == pytest.approx(0, abs=1)


def test_of_two_who_want_a_run_one_gets_it(alice: User) -> None:
    run = begun(alice)
    assert store.take_over(run, DEAD, (), now()) == 2
    with pytest.raises(store.StaleOwner):
        store.take_over(run, DEAD, (), now())
    assert len(steps_of(run)) == 5


def test_an_owner_that_renewed_its_lease_meanwhile_keeps_the_run(alice: User) -> None:
    run = begun(alice)
    once(lambda: store.renew([run.pk], DEAD, now() + timedelta(seconds=1)))
    with pytest.raises(store.StaleOwner):
        store.take_over(run, "other:1:x", (), now())


def test_a_run_that_was_to_stop_is_stopped_and_not_gone_on_with(alice: User) -> None:
    run = begun(alice)
    store.ask_to_stop(run.conversation_id)
    assert take_over(run) == "stopped"
    run.refresh_from_db()
    assert (run.status, run.stop_reason, run.error) == ("stopped", "stopped", "")
    assert "stopped by the user" in steps_of(run)[3].output["text"]


def test_a_run_that_ended_gets_no_lease_again(alice: User) -> None:
    run = begun(alice)
    store.end_abandoned(run, now())
    once(lambda: store.renew([run.pk], DEAD, now()))
    run.refresh_from_db()
    assert run.lease_until is None


def test_a_stale_owner_is_refused_from_then_on(alice: User) -> None:
    run = begun(alice)
    take_over(run)
    with pytest.raises(store.StaleOwner):
        store.apply(run.pk, 1, (ToolEnded(3, now(), "42"),))
    once(lambda: store.flush([(run.pk, 1, 3, "stale", "")]))
    assert steps_of(run)[2].output == {}


def test_five_crashes_in_a_row_end_it_in_words(alice: User) -> None:
    run = begun(alice)
    assert [take_over(run) for _ in range(5)] == [2, 3, 4, 5, "crashed"]
    run = Run.objects.get(pk=run.pk)
    assert (run.status, run.stop_reason) == ("failed", "crashed")
    assert how_it_ended(run) == "The server stopped 5 times in a row while this run was at work, so it was given up."
    assert run.revision == 3 + 5


def test_a_step_that_ends_between_two_crashes_begins_the_count_anew(alice: User) -> None:
    run = begun(alice)
    for _ in range(4):
        take_over(run)
    number = steps_of(run)[-1].number + 1
    store.apply(run.pk, 5, (ToolStarted(number, now(), 1, CALLS[1]),))
    store.apply(run.pk, 5, (ToolEnded(number, now(), "42"),))
    assert [take_over(run) for _ in range(5)] == [6, 7, 8, 9, "crashed"]


def test_a_model_call_that_fails_between_two_crashes_does_not(alice: User) -> None:
    run = begun(alice)
    for attempt in range(2, 6):
        assert take_over(run) == attempt
        number = steps_of(run)[-1].number + 1
        store.apply(run.pk, attempt, (ModelStarted(number, now(), 2, "m", 0, "", 0),))
        store.apply(run.pk, attempt, (ModelFailed(number, now(), "Overloaded.", ""),))
    assert take_over(run) == "crashed"


def test_a_clock_that_is_set_in_the_middle_is_no_work(alice: User) -> None:
    run = begun(alice)
    Run.objects.filter(pk=run.pk).update(
        request={**run.request, "limits": {"turns": 1, "tokens": 1, "cost": None, "seconds": 600}}
    )
    ahead = now() + timedelta(hours=1)
    once(lambda: store.renew([run.pk], DEAD, ahead))
    store.take_over(Run.objects.get(pk=run.pk), DEAD, (), ahead)
    run = Run.objects.get(pk=run.pk)
    assert resumption.worked(run, steps_of(run)) == pytest.approx(0, abs=1)
    number, began = steps_of(run)[-1].number + 1, ahead + timedelta(seconds=60)
    store.apply(run.pk, 2, (ModelStarted(number, began, 2, "m", 0, "", 0),))
    store.apply(run.pk, 2, (ModelFailed(number, began + timedelta(seconds=30), "Cut.", ""),))
    store.take_over(Run.objects.get(pk=run.pk), DEAD, (), now())
    assert resumption.worked(run, steps_of(run)) == pytest.approx(90, abs=2)


def test_nothing_ends_before_it_began(alice: User) -> None:
    run, before = begun(alice), now() - timedelta(hours=1)
    store.apply(run.pk, 1, (ToolEnded(3, before, "42"),))
    store.apply(run.pk, 1, (Ended(before, "stopped", "stopped"),))
    run.refresh_from_db()
    assert run.seconds == 0
    assert all(step.seconds is not None and step.seconds >= 0 for step in steps_of(run))


def test_a_stale_owner_remembers_and_forgets_nothing(alice: User) -> None:
    run = begun(alice)
    once(lambda: memory.store_fact(alice.pk, run.message_id, "Lives in Rome"))
    take_over(run)
    for function, *arguments in (
        (memory.store_fact, alice.pk, run.message_id, "Likes tea"),
        (memory.store_preference, alice.pk, run.message_id, "tone", "plain"),
        (memory.delete, alice.pk, "Rome"),
    ):
        with pytest.raises(store.StaleOwner):
            once(partial(store.within_run, run.pk, 1, function, *arguments))
    assert once(lambda: store.within_run(run.pk, 2, memory.delete, alice.pk, "Rome")) == "Forgotten: Lives in Rome"


def test_a_server_that_is_shut_down_did_not_crash(alice: User) -> None:
    run = begun(alice)
    for attempt in range(1, 8):
        store.give_up(run.pk, attempt, now())
        assert take_over(run) == attempt + 1
    run = Run.objects.get(pk=run.pk)
    assert run.live
    label = trace.row(steps_of(run)[-1], run, 1).label
    assert label == "The server was shut down here; what follows is attempt 8"


def test_a_database_that_was_away_is_no_crash_and_is_said_to_have_been(alice: User) -> None:
    run = begun(alice)
    for attempt in range(1, 8):
        assert store.take_over(Run.objects.get(pk=run.pk), DEAD, {"calculate"}, now(), away=True) == attempt + 1
    run = Run.objects.get(pk=run.pk)
    steps = steps_of(run)
    assert run.doing == "Going on after the database was away"
    assert trace.row(steps[-1], run, 1).label == "The server's database was away here; what follows is attempt 8"
    assert (
        steps[3].output["text"] == "Error: the result of this could not be stored; whether it took effect is unknown."
    )


def test_a_run_of_this_process_that_is_not_at_work_here_is_taken_after_a_moment(alice: User) -> None:
    run, clock = begun(alice, runs.PROCESS), Clock()
    watch = sweep.Watch(clock)
    assert not watch.abandoned(run, now())  # it may be about to begin
    clock.now += sweep.OURS_SECONDS
    assert watch.abandoned(run, now())


def test_a_lease_is_over_when_its_time_is_and_nobody_renews_it(alice: User) -> None:
    run, clock = begun(alice, ELSEWHERE), Clock()
    watch, after = sweep.Watch(clock), now() + LEASE + timedelta(seconds=1)
    assert not watch.abandoned(run, now())
    clock.now += sweep.MISSED_SECONDS
    assert not watch.abandoned(run, now())
    assert watch.abandoned(run, after)


def test_a_clock_that_is_set_forward_takes_no_run_from_a_process_that_works_on_it(alice: User) -> None:
    run, clock = begun(alice, ELSEWHERE), Clock()
    watch, ahead = sweep.Watch(clock), now() + timedelta(hours=1)
    for _ in range(4):
        assert not watch.abandoned(run, ahead)
        clock.now += sweep.MISSED_SECONDS / 2
        once(lambda: store.renew([run.pk], ELSEWHERE, now()))
        run.refresh_from_db()


def test_a_clock_that_is_set_back_leaves_no_run_without_a_process(alice: User) -> None:
    run, clock = begun(alice, ELSEWHERE), Clock()
    watch, back = sweep.Watch(clock), now() - timedelta(hours=1)
    assert not watch.abandoned(run, back)
    clock.now += LEASE.total_seconds()
    assert watch.abandoned(run, back)
    assert store.take_over(run, DEAD, (), back) == 2
    assert all(step.ended is None or step.ended >= step.started for step in steps_of(run))
