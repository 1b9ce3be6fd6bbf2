"""Stores what a person says, and the run that is to answer it."""

import uuid
from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.models import User

from chat import branches
from chat.models import LIVE, Conversation, Message, Role, Run
from chat.store.allowed import check_allowance
from chat.store.counters import Refused, raise_conversation
from chat.store.jobs import enqueue
from chat.store.leases import lease
from chat.store.texts import title_of

SAME_ID = "Another message was sent under the same id; this one was not sent. Send it again."


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
    """Make a conversation with its first message; a resend returns the one that was made. Raises Refused."""
    if sent := sent_before(owner, text, client_id, None):
        return sent
    if not User.objects.filter(pk=owner).exists():  # a page may outlive its account for a moment
        raise Refused("This account was deleted.")
    check_allowance(owner, at)
    conversation = Conversation.objects.create(
        owner_id=owner, title=title_of(text), model=model, mode=mode, revision=1, created=at, updated=at
    )
    said = say(conversation, None, text, client_id, at)
    return answer(conversation, said, said.pk, process, at)


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
    if sent := sent_before(owner, text, client_id, conversation):
        return sent
    row = opened(conversation, model, at)
    row.mode = row.mode if mode is None else mode
    said = say(row, row.leaf_id, text, client_id, at)
    return answer(row, said, said.pk, process, at)


def opened(conversation: uuid.UUID, model: str, at: datetime) -> Conversation:
    """Return a conversation, at its next revision, for one more run of its owner. Raises Refused."""
    owner = Conversation.objects.filter(pk=conversation).values_list("owner", flat=True).first()
    if owner:
        check_allowance(owner, at)
    raise_conversation(conversation)
    row = Conversation.objects.get(pk=conversation)
    row.leaf_id, row.model, row.updated = branches.leaf(row), model, at
    return row


def say(row: Conversation, parent: int | None, text: str, client_id: str, at: datetime) -> Message:
    """Store what the owner of a conversation says after a message."""
    return Message.objects.create(
        conversation=row, parent_id=parent, role=Role.USER, text=text, owner_id=row.owner_id, client_id=client_id,
        born=row.revision, revision=row.revision, created=at,
    )  # fmt: skip


def answer(
    row: Conversation, said: Message, parent: int, process: str, at: datetime, continues: Run | None = None,
    client_id: str | None = None,
) -> Sent:  # fmt: skip
    """Store the run that is to answer a message, and after `parent` what it will say; that is now shown.

    It begins at once unless another one is live here, or no `process` takes it. Asked for under a `client_id`, it is
    made once.
    """
    is_longer = row.leaf_id in (None, parent, said.parent_id)
    told = Message.objects.create(
        conversation=row, parent_id=parent, role=Role.ASSISTANT, owner_id=row.owner_id, client_id=client_id,
        born=row.revision, revision=row.revision, created=at,
    )  # fmt: skip
    busy = row.runs.filter(status__in=LIVE).exists()
    run = Run(conversation=row, message=said, answer=told, model=row.model, continues=continues, created=at)
    if process and not busy:
        lease(run, process, at)
    run.save(force_insert=True)
    if not run.attempt:
        enqueue(run.pk, run.conversation_id)
    row.leaf = told
    if not is_longer:
        row.anew = row.revision
    row.save(update_fields=["model", "mode", "updated", "leaf", "anew"])
    return Sent(row.pk, said.pk, run.pk, run.attempt)


def sent_before(owner: int, text: str, client_id: str, conversation: uuid.UUID | None) -> Sent | None:
    """Return what was stored under an id, None if nothing was. Raises Refused where that was something else."""
    message = Message.objects.filter(owner=owner, client_id=client_id).first()
    if message is None:
        return None
    if message.role != Role.USER or message.text != text or (conversation and message.conversation_id != conversation):
        raise Refused(SAME_ID)
    run = message.runs.order_by("answer").first()
    assert run is not None  # noqa: S101  Written in the same transaction as the message.
    return Sent(message.conversation_id, message.pk, run.pk, 0, fresh=False)


def asked_before(conversation: uuid.UUID, client_id: str | None) -> Sent | None:
    """Return the run that was asked for under an id, by its answer; None if none was. Raises Refused as above."""
    if client_id is None:
        return None
    owner = Conversation.objects.filter(pk=conversation).values("owner")
    answer = Message.objects.filter(owner__in=owner, client_id=client_id).select_related("run").first()
    if answer is None:
        return None
    if answer.role != Role.ASSISTANT or answer.conversation_id != conversation:
        raise Refused(SAME_ID)
    return Sent(conversation, answer.run.message_id, answer.run.pk, 0, fresh=False)
