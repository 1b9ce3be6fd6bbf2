"""Stores what a person says, and the run that is to answer it."""

import uuid
from dataclasses import dataclass
from datetime import datetime

from chat.models import LIVE, Conversation, Message, Role, Run
from chat.store.allowed import check_allowance, keep_spent
from chat.store.counters import Refused, raise_conversation
from chat.store.jobs import enqueue
from chat.store.leases import lease
from chat.store.texts import title_of


@dataclass(frozen=True, slots=True)
class Sent:
    """A message that is stored. `attempt` is that of its run if it may begin at once, 0 if it has to wait.

    `fresh` is False for a resend of what was stored before.
    """

    conversation: uuid.UUID
    message: int
    run: uuid.UUID
    attempt: int
    fresh: bool = True


def start_conversation(
    owner: int, text: str, client_id: str, model: str, process: str, at: datetime, mode: str = ""
) -> Sent:
    """Make a conversation with its first message; a resend returns the one that was made."""
    if sent := _sent_before(owner, text, client_id, None):
        return sent
    check_allowance(owner, at)
    conversation = Conversation.objects.create(
        owner_id=owner, title=title_of(text), model=model, mode=mode, revision=1, created=at, updated=at
    )
    return _append(conversation, 1, owner, text, client_id, model, process, at)


def send(
    conversation: uuid.UUID,
    owner: int,
    text: str,
    client_id: str,
    model: str,
    process: str,
    at: datetime,
    mode: str | None = None,
) -> Sent:
    """Store a message and its run, which begins at once unless another one is live here. `mode` None: as before.

    An empty `process` begins none: the run waits for one that does.
    """
    if sent := _sent_before(owner, text, client_id, conversation):
        return sent
    check_allowance(owner, at)
    revision = raise_conversation(conversation)
    row = Conversation.objects.get(pk=conversation)
    mode = row.mode if mode is None else mode
    Conversation.objects.filter(pk=conversation).update(updated=at, model=model, mode=mode)
    return _append(row, revision, owner, text, client_id, model, process, at)


def delete_conversation(conversation: uuid.UUID, at: datetime) -> None:
    """Delete a conversation with its messages, runs and steps; what they used still counts."""
    keep_spent(conversation, at)
    Conversation.objects.filter(pk=conversation).delete()


def _sent_before(owner: int, text: str, client_id: str, conversation: uuid.UUID | None) -> Sent | None:
    message = Message.objects.filter(owner=owner, client_id=client_id).first()
    if message is None:
        return None
    if message.text != text or (conversation and message.conversation_id != conversation):
        raise Refused("Another message was sent under the same id; this one was not sent. Send it again.")
    run = message.runs.order_by("created").first()
    assert run is not None  # noqa: S101  Written in the same transaction as the message.
    return Sent(message.conversation_id, message.pk, run.pk, 0, fresh=False)


def _append(
    conversation: Conversation,
    revision: int,
    owner: int,
    text: str,
    client_id: str,
    model: str,
    process: str,
    at: datetime,
) -> Sent:
    last = conversation.messages.exclude(role=Role.SUMMARY).order_by("-id").first()
    said = Message.objects.create(
        conversation=conversation, parent=last, role=Role.USER, text=text, owner_id=owner,
        client_id=client_id, born=revision, revision=revision, created=at,
    )  # fmt: skip
    answer = Message.objects.create(
        conversation=conversation, parent=said, role=Role.ASSISTANT, owner_id=owner,
        born=revision, revision=revision, created=at,
    )  # fmt: skip
    busy = conversation.runs.filter(status__in=LIVE).exists()
    run = Run(conversation=conversation, message=said, answer=answer, model=model, created=at)
    if process and not busy:
        lease(run, process, at)
    run.save(force_insert=True)
    if not run.attempt:
        enqueue(run.pk, conversation.pk)
    return Sent(conversation.pk, said.pk, run.pk, run.attempt)
