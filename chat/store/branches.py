"""Stores what begins a branch: a question edited, an answer regenerated or gone on from; and which one is shown."""

import uuid
from datetime import datetime

from chat import branches
from chat.models import LIVE, Conversation, Message, Role, Run
from chat.store.counters import Refused, raise_conversation
from chat.store.messages import Sent, answer, asked_before, opened, say, sent_before

NOT_HERE = "There is no such message in this conversation."
ALREADY = "This is being answered already."


def edit(
    conversation: uuid.UUID,
    owner: int,
    message: int,
    text: str,
    client_id: str,
    model: str,
    process: str,
    at: datetime,
) -> Sent:
    """Store another wording of a person's message beside it, with a run of its own. Raises Refused."""
    if sent := sent_before(owner, text, client_id, conversation):
        return sent
    row = opened(conversation, model, at)
    old = message_in(conversation, message)
    if old.role != Role.USER:
        raise Refused("Only a message of your own can be edited.")
    beside = Message.objects.filter(conversation=row, parent=old.parent_id, role=Role.USER, text=text)
    if beside.filter(runs__status__in=LIVE).exists():
        raise Refused(ALREADY)
    said = say(row, old.parent_id, text, client_id, at)
    return answer(row, said, said.pk, process, at)


def regenerate(
    conversation: uuid.UUID, message: int, model: str, process: str, at: datetime, client_id: str | None = None
) -> Sent:
    """Store one more answer to a message, beside the one given, or beside all answers to it. Raises Refused."""
    if asked := asked_before(conversation, client_id):
        return asked
    row = opened(conversation, model, at)
    old = message_in(conversation, message)
    run = _run_of(old) if old.role == Role.ASSISTANT else None
    said, parent = (run.message, old.parent_id) if run else (old, old.pk)
    if Run.objects.filter(answer__parent=parent, message=said, status__in=LIVE).exists():
        raise Refused(ALREADY)
    return answer(row, said, parent or said.pk, process, at, run.continues if run else None, client_id)


def continue_run(
    conversation: uuid.UUID, message: int, model: str, process: str, at: datetime, client_id: str | None = None
) -> Sent:
    """Store a run that goes on from the one that ended with this answer before it was done. Raises Refused."""
    if asked := asked_before(conversation, client_id):
        return asked
    row = opened(conversation, model, at)
    run = _run_of(message_in(conversation, message))
    if not run.cut_short:
        raise Refused("This run is not over." if run.live else "This run came to its end. Write what else you want.")
    if run.continued_by.filter(status__in=LIVE).exists():
        raise Refused(ALREADY)
    return answer(row, run.message, message, process, at, run, client_id)


def show(conversation: uuid.UUID, message: int) -> None:
    """Show the branch that a message begins, with what was said on it last. Raises Refused."""
    revision = raise_conversation(conversation)
    newest = branches.newest_below(message_in(conversation, message).pk)
    Conversation.objects.filter(pk=conversation).exclude(leaf=newest).update(leaf=newest, anew=revision)


def message_in(conversation: uuid.UUID, message: int) -> Message:
    """Return what a person or the agent said in a conversation. Raises Refused."""
    said = Message.objects.filter(pk=message, conversation=conversation).exclude(role=Role.SUMMARY).first()
    if said is None:
        raise Refused(NOT_HERE)
    return said


def _run_of(message: Message) -> Run:
    run = Run.objects.select_related("message", "continues").filter(answer=message).first()
    if run is None:
        raise Refused("This is no answer of the agent.")
    return run
