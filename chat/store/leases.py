"""Who works on a run, and until when: taken, renewed, given up, and ended where its owner died."""

import uuid
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from chat.agent.events import Ended
from chat.models import Message, Run, RunStatus, StepKind
from chat.store.counters import raise_conversation
from chat.store.events import apply

LEASE = timedelta(seconds=30)
BUSY = (RunStatus.RUNNING, RunStatus.WAITING)
DIED = "The server stopped while this run was at work. What it had found stands in its trace."


def take_queued(conversation: uuid.UUID, process: str, at: datetime) -> tuple[uuid.UUID, int] | None:
    """Give this process the queued run that is next in a conversation with no other at work: its id and attempt."""
    revision = raise_conversation(conversation)
    runs = Run.objects.filter(conversation=conversation)
    if runs.filter(status__in=BUSY).exists():
        return None
    run = runs.filter(status=RunStatus.QUEUED).order_by("-ahead", "created").first()
    if run is None:
        return None
    lease(run, process, at)
    run.save(update_fields=["status", "started", "doing", "owner", "attempt", "lease_until"])
    Message.objects.filter(pk=run.answer_id).update(revision=revision)
    return run.pk, run.attempt


def renew(runs: Sequence[uuid.UUID], process: str, at: datetime) -> None:
    """Keep the leases of the runs that this process works on."""
    Run.objects.filter(pk__in=runs, owner=process).update(lease_until=at + LEASE)


def end_abandoned(is_dead: Callable[[str], bool], at: datetime) -> list[uuid.UUID]:
    """End, as crashed, the runs whose lease ran out or whose process is known to be dead.

    Returns the conversations they are in.
    """
    conversations = []
    for run in Run.objects.filter(status__in=BUSY):
        if (run.lease_until and run.lease_until < at) or is_dead(run.owner):
            said = (
                run.steps.filter(kind=StepKind.MODEL, input__purpose="answer")
                .order_by("number")
                .values_list("output", flat=True)
                .last()
            )
            text = (said or {}).get("text", "")
            apply(run.pk, run.attempt, (Ended(at, RunStatus.FAILED, "crashed", text, DIED),))
            conversations.append(run.conversation_id)
    return conversations


def lease(run: Run, process: str, at: datetime) -> None:
    """Give a run, not saved yet, to a process."""
    run.status, run.started, run.doing = RunStatus.RUNNING, at, "Thinking"
    run.owner, run.attempt, run.lease_until = process, run.attempt + 1, at + LEASE
