"""Stores a fork: a conversation that begins with copies of another one's messages, up to one of them.

The answers' runs, steps and whole results are copied too, so that either conversation can be deleted by itself, and
the fork's requests can be made again from its own rows.
"""

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime

from django.db import connection
from django.db.models import Model

from chat import branches
from chat.branches import key
from chat.models import LIVE, Conversation, Message, Role, Run, Step
from chat.store.allowed import check_allowance
from chat.store.branches import message_in
from chat.store.counters import Refused
from chat.store.messages import Sent, answer

BATCH = 200
LONGEST_TITLE = 200

# A copy of a step finds its parent by the parent's number.
PARENTS = """
    UPDATE chat_step SET parent_id = (
        SELECT copy.id FROM chat_step old JOIN chat_step copy ON copy.number = old.number
        WHERE old.id = chat_step.parent_id AND copy.run_id = chat_step.run_id
    ) WHERE run_id = %s AND parent_id IS NOT NULL
"""
PAYLOADS = """
    INSERT INTO chat_payload (step_id, body, created)
    SELECT copy.id, payload.body, payload.created FROM chat_payload payload
    JOIN chat_step old ON old.id = payload.step_id JOIN chat_step copy ON copy.number = old.number
    WHERE old.run_id = %s AND copy.run_id = %s
"""


def fork(
    conversation: uuid.UUID, message: int, client_id: str, process: str, at: datetime
) -> tuple[uuid.UUID, Sent | None]:
    """Return a new conversation with all that was said up to a message, and the run that begins there.

    There is one where that message is a person's, so that it is answered here too. A resend returns the fork that was
    made. Raises Refused.
    """
    old = Conversation.objects.filter(pk=conversation).first()
    if old is None:
        raise Refused("This conversation was deleted.")
    if before := Message.objects.filter(owner=old.owner_id, client_id=client_id).first():
        return before.conversation_id, None
    last = message_in(conversation, message)
    path = branches.down_to(last.pk)
    if Run.objects.filter(answer__in=path, status__in=LIVE).exists():
        raise Refused("An answer is not over yet. Fork once it is, or from a message before it.")
    if last.role == Role.USER:
        check_allowance(old.owner_id, at)
    new = _conversation(old, at)
    copies = _messages(path, new, client_id)
    _runs(new, copies)
    new.leaf = copies[last.pk]
    new.save(update_fields=["leaf"])
    return new.pk, answer(new, copies[last.pk], copies[last.pk].pk, process, at) if last.role == Role.USER else None


def _conversation(old: Conversation, at: datetime) -> Conversation:
    mark = " (fork)"
    return Conversation.objects.create(
        owner_id=old.owner_id, title=old.title[: LONGEST_TITLE - len(mark)] + mark, model=old.model, mode=old.mode,
        instructions=old.instructions, revision=1, created=at, updated=at,
    )  # fmt: skip


def _messages(path: Sequence[Message], new: Conversation, client_id: str) -> dict[int, Message]:
    """Copy the messages of a branch, and the summaries on it; return the copies of the first by the ids of the old."""
    copies = dict(zip((one.pk for one in path), _copied(path, new), strict=True))
    next(iter(copies.values())).client_id = client_id
    Message.objects.bulk_create(copies.values(), BATCH)
    for one in path:
        copies[one.pk].parent = copies[one.parent_id] if one.parent_id else None
    Message.objects.bulk_update(copies.values(), ["parent"], BATCH)
    summaries = list(Message.objects.filter(role=Role.SUMMARY, parent__in=copies).order_by("pk"))
    made = _copied(summaries, new)
    for one, copy in zip(summaries, made, strict=True):
        copy.parent = copies[one.parent_id] if one.parent_id else None
    Message.objects.bulk_create(made, BATCH)
    return copies


def _copied(messages: Sequence[Message], new: Conversation) -> list[Message]:
    return [
        Message(
            conversation=new, role=one.role, text=one.text, owner_id=one.owner_id, version=one.version,
            born=new.revision, revision=new.revision, created=one.created,
        )
        for one in messages
    ]  # fmt: skip


def _runs(new: Conversation, copies: Mapping[int, Message]) -> None:
    """Copy the runs of the answers, with all they hold. In the order in which each continues the one before it."""
    made: dict[uuid.UUID, uuid.UUID] = {}
    for old, message, told, continues in (
        Run.objects.filter(answer__in=copies).order_by("answer").values_list("pk", "message", "answer", "continues")
    ):
        made[old] = pk = uuid.uuid4()
        _copy_rows(
            Run, "id", old, id=key(Run, pk), conversation_id=key(Conversation, new.pk), message_id=copies[message].pk,
            answer_id=copies[told].pk, continues_id=key(Run, made[continues]) if continues in made else None,
            copied=True,
        )  # fmt: skip
        _copy_rows(Step, "run_id", old, run_id=key(Run, pk))
        with connection.cursor() as cursor:
            cursor.execute(PARENTS, [key(Run, pk)])
            cursor.execute(PAYLOADS, [key(Run, old), key(Run, pk)])


def _copy_rows(model: type[Model], column: str, of: uuid.UUID, **changed: str | uuid.UUID | int | None) -> None:
    """Copy rows inside the database, so that their bodies need not pass through here; some columns are replaced."""
    columns = [field.column for field in model._meta.local_concrete_fields if field.column != "id" or "id" in changed]
    values = [changed[name] for name in columns if name in changed]
    shown = ", ".join("%s" if name in changed else f'"{name}"' for name in columns)
    names, table = ", ".join(f'"{name}"' for name in columns), model._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} ({names}) SELECT {shown} FROM {table} WHERE {column} = %s",  # noqa: S608
            [*values, key(Run, of)],
        )
