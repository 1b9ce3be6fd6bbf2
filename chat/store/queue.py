"""Stores what becomes of a message that waits for its turn: taken back, or put before all others."""

import uuid

from django.db.models import Q

from chat import branches
from chat.models import BUSY, Conversation, Message, Role, Run, RunStatus
from chat.store.branches import message_in
from chat.store.counters import Refused, raise_conversation


def unqueue(conversation: uuid.UUID, message: int) -> str:
    """Delete a message that waits, and its run; return its text. What was sent after it moves up.

    A message with other answers stays, and only the one that waits is deleted; the text is then "". Raises Refused.
    """
    row = _locked(conversation)
    run = _waiting(conversation, message)
    goes = not run.message.runs.exclude(pk=run.pk).exists()
    above = _above(run, goes)
    Message.objects.filter(parent=run.answer_id).update(parent=above)
    Message.objects.filter(pk__in=(run.answer_id, run.message_id) if goes else (run.answer_id,)).delete()
    if row.leaf_id == run.answer_id:
        row.leaf_id = branches.newest_below(above) if above else None
        row.leaf_id = branches.leaf(row)
    row.anew = row.revision
    row.save(update_fields=["leaf", "anew"])
    return run.message.text if goes else ""


def put_first(conversation: uuid.UUID, message: int) -> uuid.UUID | None:
    """Let the run of a message that waits begin before others that wait; return the run that is at work then.

    Raises Refused.
    """
    _locked(conversation)
    run = _waiting(conversation, message)
    # Others than those that wait are not touched: their rows may be locked by who works on them.
    waiting = Run.objects.filter(conversation=conversation, status=RunStatus.QUEUED)
    waiting.filter(ahead=True).exclude(pk=run.pk).update(ahead=False)
    waiting.filter(pk=run.pk).update(ahead=True)
    return Run.objects.filter(conversation=conversation, status__in=BUSY).values_list("pk", flat=True).first()


def _locked(conversation: uuid.UUID) -> Conversation:
    """Return a conversation at its next revision; until this is committed none of its runs begins."""
    raise_conversation(conversation)
    return Conversation.objects.get(pk=conversation)


def _waiting(conversation: uuid.UUID, message: int) -> Run:
    """Return the run that waits to answer a message, which is named by its own id or by that of its answer."""
    runs = Run.objects.filter(Q(message=message) | Q(answer=message), conversation=conversation)
    run = runs.filter(status=RunStatus.QUEUED).select_related("message", "answer").order_by("answer").last()
    if run is None:
        message_in(conversation, message)
        raise Refused("This message does not wait any more.")
    return run


def _above(run: Run, goes: bool) -> int | None:
    """Return the message that what comes after a run's answer is to hang on once that is deleted."""
    if goes:
        return run.message.parent_id
    if run.continues_id:
        return run.answer.parent_id
    others = Message.objects.filter(parent=run.answer.parent_id, role=Role.ASSISTANT).exclude(pk=run.answer_id)
    return others.order_by("pk").values_list("pk", flat=True).last()
