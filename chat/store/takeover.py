"""Takes over a run whose process is gone: what was open there is closed as unknown, and the next attempt begins."""

import uuid
from collections.abc import Collection, Sequence
from datetime import datetime

from chat.agent.events import Ended
from chat.models import Run, RunStatus, Step, StepKind, StepStatus
from chat.store import leases
from chat.store.counters import StaleOwner, raise_run
from chat.store.events import LOST, UNKNOWN, record

MOST_CRASHES = 5  # in a row, with nothing done in between
DIED = "The server stopped while this run was at work. What it had found stands in its trace."
GIVEN_UP = f"The server stopped {MOST_CRASHES} times in a row while this run was at work, so it was given up."
# Of all runs ever, these are few and have an index. SQLite takes a partial index for no values but those in the text.
LIVE_RUNS = "SELECT * FROM chat_run WHERE status IN ('queued', 'running', 'waiting') ORDER BY created"


def busy() -> list[Run]:
    """Return the runs that a process works on, or should. Reads."""
    return [run for run in Run.objects.raw(LIVE_RUNS) if run.status in leases.BUSY]


def take_over(found: Run, process: str, again: Collection[str], at: datetime) -> int:
    """Give a run to this process, as it was found; return its new attempt.

    Where somebody wants it to stop, or it crashes again and again, it is ended instead, and 0 is returned.

    `again` are the tools that may be run again; of any other one that was at work the model is told that its outcome
    is unknown. Raises StaleOwner where its owner still works on it, or somebody else was faster.
    """
    revision, run, steps = _claim(found)
    if run.stopping or (not _given_up(run) and _crashes(steps) + 1 >= MOST_CRASHES):
        _end(run, revision, steps, GIVEN_UP, at)
        return 0
    died = _last_seen(run, steps, at)
    for step in steps:
        if step.status == StepStatus.RUNNING:
            _close(step, again, max(step.started, died), revision)
    number = steps[-1].number + 1 if steps else 1
    Step.objects.create(
        run=run, number=number, kind=StepKind.RESUMED, name="Resumed", status=StepStatus.DONE, started=died, ended=at,
        input={"attempt": run.attempt + 1} | ({"given_up": True} if _given_up(run) else {}),
        born=revision, revision=revision,
    )  # fmt: skip
    run.status, run.doing = RunStatus.RUNNING, "Going on after the server stopped"
    run.owner, run.attempt, run.lease_until = process, run.attempt + 1, at + leases.LEASE
    run.save(update_fields=["status", "doing", "owner", "attempt", "lease_until"])
    return run.attempt


def end_abandoned(found: Run, at: datetime) -> str:
    """End a run, as it was found, and return the reason: it crashed, if nobody wanted it to stop.

    Raises StaleOwner as `take_over` does.
    """
    revision, run, steps = _claim(found)
    return _end(run, revision, steps, DIED, at)


def end_waiting(conversation: uuid.UUID, at: datetime) -> int:
    """Stop the run that waits first in a conversation, if no other is at work there; return how many that were."""
    taken = leases.take_queued(conversation, "", at)
    if taken is None:
        return 0
    run, attempt = taken
    record(run, raise_run(run, attempt), (Ended(at, RunStatus.STOPPED, "stopped"),))
    return 1


def _claim(found: Run) -> tuple[int, Run, Sequence[Step]]:
    """Raise a run's revision if it is as it was found, and read it with its steps."""
    revision = raise_run(found.pk, found.attempt)
    run = Run.objects.get(pk=found.pk)
    if (run.owner, run.lease_until) != (found.owner, found.lease_until):
        raise StaleOwner(f"Run {run.pk} is at work.")
    return revision, run, list(run.steps.order_by("number"))


def _end(run: Run, revision: int, steps: Sequence[Step], words: str, at: datetime) -> str:
    answers = [step.output for step in steps if step.input.get("purpose") == "answer"]
    said = answers[-1].get("text", "") if answers else ""
    crashed = Ended(at, RunStatus.FAILED, "crashed", said, words)
    ended = Ended(at, RunStatus.STOPPED, "stopped", said) if run.stopping else crashed
    record(run.pk, revision, (ended,))
    return ended.stop_reason


def _close(step: Step, again: Collection[str], at: datetime, revision: int) -> None:
    step.status, step.error, step.ended, step.revision = StepStatus.UNKNOWN, LOST, at, revision
    never_ran = "raw" in step.input
    if step.kind == StepKind.TOOL and step.name not in again and not never_ran:
        step.output = {"text": UNKNOWN}
    step.save(update_fields=["status", "error", "ended", "revision", "output"])


def _crashes(steps: Sequence[Step]) -> int:
    """Return how many attempts before this one ended in a crash since something was last done."""
    crashes = 0
    for step in reversed(steps):
        if step.kind == StepKind.RESUMED:
            crashes += "given_up" not in step.input
        elif _got_on(step):
            break
    return crashes


def _got_on(step: Step) -> bool:
    """Say whether something came of a step that is not done again; a tool's error is an answer, a model's is none."""
    if step.kind == StepKind.TOOL:
        return step.status in (StepStatus.DONE, StepStatus.ERROR)
    return step.kind in (StepKind.MODEL, StepKind.CONTEXT) and step.status == StepStatus.DONE


def _last_seen(run: Run, steps: Sequence[Step], at: datetime) -> datetime:
    """Return the last moment at which the process of a run is known to have worked; never later than now."""
    moments = [moment for step in steps for moment in (step.started, step.ended) if moment]
    if run.lease_until:
        moments.append(run.lease_until if _given_up(run) else run.lease_until - leases.LEASE)
    return min(max(moments, default=at), at)


def _given_up(run: Run) -> bool:
    return not run.owner
