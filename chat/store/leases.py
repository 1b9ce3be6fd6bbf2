"""Who works on a run, and until when: taken, renewed, given up."""

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta

from chat.models import BUSY, Message, Run, RunStatus
from chat.store.counters import raise_conversation

LEASE = timedelta(seconds=30)


def take_queued(
    conversation: uuid.UUID, process: str, at: datetime, only: uuid.UUID | None = None
) -> tuple[uuid.UUID, int] | None:
    """Give this process the queued run that is next in a conversation with no other at work: its id and attempt.

    Next is what was put ahead, then what was stored first; times do not count, since the clocks of processes differ.
    """
    revision = raise_conversation(conversation)
    runs = Run.objects.filter(conversation=conversation)
    if runs.filter(status__in=BUSY).exists():
        return None
    run = runs.filter(status=RunStatus.QUEUED).order_by("-ahead", "answer").first()
    if run is None or only not in (None, run.pk):
        return None
    lease(run, process, at)
    run.save(update_fields=["status", "started", "doing", "owner", "attempt", "lease_until", "ahead"])
    Message.objects.filter(pk=run.answer_id).update(revision=revision)
    return run.pk, run.attempt


def renew(runs: Sequence[uuid.UUID], process: str, at: datetime) -> None:
    """Keep the leases of the runs that this process works on, and that did not end a moment ago.

    One whose row another session holds is left for the next time: all others would wait for it, and be lost.
    """
    ours = Run.objects.filter(pk__in=runs, owner=process, status__in=BUSY)
    free = ours.select_for_update(skip_locked=True, no_key=True).values_list("pk", flat=True)
    Run.objects.filter(pk__in=list(free)).update(lease_until=at + LEASE)


def give_up(run: uuid.UUID, attempt: int, at: datetime) -> None:
    """Let go of a live run, so that another process can go on with it at once."""
    Run.objects.filter(pk=run, attempt=attempt, status__in=BUSY).update(owner="", lease_until=at)


def ask_to_stop(conversation: uuid.UUID, only: uuid.UUID | None = None) -> int:
    """Note that the run at work in a conversation, or `only` this one if it is, is to stop; return how many that are.

    Its row is written before the conversation's revision, as at a run's end, which may come at the same time.
    """
    runs = Run.objects.filter(conversation=conversation, status__in=BUSY)
    runs = runs.filter(pk=only) if only else runs
    answers = list(runs.values_list("answer", flat=True))
    asked = runs.update(stopping=True)
    if asked:
        Message.objects.filter(pk__in=answers).update(revision=raise_conversation(conversation))
    return asked


def lease(run: Run, process: str, at: datetime) -> None:
    """Give a run, not saved yet, to a process."""
    run.status, run.started, run.doing, run.ahead = RunStatus.RUNNING, at, "Thinking", False
    run.owner, run.attempt, run.lease_until = process, run.attempt + 1, at + LEASE
