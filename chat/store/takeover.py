"""Takes over a run whose process is gone: what was open there is closed as unknown, and the next attempt begins."""

import uuid
from collections.abc import Collection, Sequence
from datetime import datetime

from chat.agent.events import Ended
from chat.models import BUSY, IS_LIVE, Run, RunStatus, Step, StepKind, StepStatus
from chat.store import leases
from chat.store.counters import StaleOwner, raise_run
from chat.store.events import LOST, UNKNOWN, record

MOST_CRASHES = 5  # in a row, with nothing done in between
DIED = "The server stopped while this run was at work. What it had found stands in its trace."
GIVEN_UP = f"The server stopped {MOST_CRASHES} times in a row while this run was at work, so it was given up."
NOT_STORED = "the database was away, and what came of this could not be stored"
NO_RESULT = "Error: the result of this could not be stored; whether it took effect is unknown."


def busy(conversation: uuid.UUID | None = None) -> list[Run]:
    """Return the runs that a process works on, or should, with what says who does; maybe of one conversation. Reads."""
    found = Run.objects.filter(IS_LIVE, status__in=BUSY)
    found = found.filter(conversation=conversation) if conversation else found
    found = found.only("conversation", "owner", "attempt", "lease_until", "stopping", "created")
    return sorted(found, key=lambda run: run.created)  # in SQL it would lead SQLite to the index of all runs by time


def take_over(found: Run, process: str, again: Collection[str], at: datetime, away: bool = False) -> int | str:
    """Give a run to this process, as it was found; return its new attempt. It was lost as the database was `away`.

    Where somebody wants it to stop, or it crashes again and again, it is ended instead, and the reason is returned.

    `again` are the tools that may be run again; of any other one that was at work the model is told that its outcome
    is unknown. Raises StaleOwner where its owner still works on it, or somebody else was faster.
    """
    revision, run, steps = _claim(found)
    why = "away" if away else "given_up" if _given_up(run) else ""
    if run.stopping or (not why and _crashes(steps) + 1 >= MOST_CRASHES):
        return _end(run, revision, steps, GIVEN_UP, at)
    died = _last_seen(run, steps, at)
    for step in steps:
        if step.status == StepStatus.RUNNING:
            _close(step, again, max(step.started, died), revision, away)
    number = steps[-1].number + 1 if steps else 1
    Step.objects.create(
        run=run, number=number, kind=StepKind.RESUMED, name="Resumed", status=StepStatus.DONE, started=died, ended=at,
        input={"attempt": run.attempt + 1} | ({why: True} if why else {}),
        born=revision, revision=revision,
    )  # fmt: skip
    run.status = RunStatus.RUNNING
    run.doing = f"Going on after the {'database was away' if away else 'server stopped'}"
    run.owner, run.attempt, run.lease_until = process, run.attempt + 1, at + leases.LEASE
    run.save(update_fields=["status", "doing", "owner", "attempt", "lease_until"])
    return run.attempt


def end_abandoned(found: Run, at: datetime) -> str:
    """End a run, as it was found, and return the reason: it crashed, if nobody wanted it to stop.

    Raises StaleOwner as `take_over` does.
    """
    revision, run, steps = _claim(found)
    return _end(run, revision, steps, DIED, at)


def end_waiting(conversation: uuid.UUID, at: datetime, only: uuid.UUID | None = None) -> int:
    """Stop the run that waits first in a conversation, if no other is at work there; return how many that were.

    With `only` it is that one, or none.
    """
    taken = leases.take_queued(conversation, "", at, only)
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


def _close(step: Step, again: Collection[str], at: datetime, revision: int, away: bool) -> None:
    step.status, step.error, step.ended, step.revision = StepStatus.UNKNOWN, NOT_STORED if away else LOST, at, revision
    if step.kind == StepKind.TOOL and step.name not in again and not step.never_ran:
        step.output = {"text": NO_RESULT if away else UNKNOWN}
    step.save(update_fields=["status", "error", "ended", "revision", "output"])


def _crashes(steps: Sequence[Step]) -> int:
    """Return how many attempts before this one ended in a crash since something was last done."""
    crashes = 0
    for step in reversed(steps):
        if step.kind == StepKind.RESUMED:
            crashes += not step.input.keys() & {"given_up", "away"}
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
