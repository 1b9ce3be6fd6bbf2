"""Stores a fork: a conversation that begins with copies of another one's messages, up to one of them.

The answers' runs, steps and whole results are copied too, so that either conversation can be deleted by itself, and
the fork's requests can be made again from its own rows.
"""

import uuid
from collections.abc import Mapping
from datetime import datetime

from django.db import connection

from chat.branches import PATH, key
from chat.models import IS_LIVE, Conversation, Message, Role, Run, Step
from chat.store.allowed import check_allowance
from chat.store.branches import message_in
from chat.store.copying import as_json, copy_rows, new_ids, table
from chat.store.counters import Refused
from chat.store.messages import Sent, answer

LONGEST_TITLE = 200

# The messages from the first one down to one, and the summaries on the way; parents before their children.
BRANCH = f"""\
{PATH}
SELECT id, parent_id FROM path
UNION ALL
SELECT summary.id, summary.parent_id FROM path
JOIN chat_message summary ON summary.parent_id = path.id AND summary.role = 'summary'
ORDER BY id
"""  # noqa: S608  Made of constants.
# A copy of a step finds its parent by the parent's number.
PARENTS = """
    UPDATE chat_step SET parent_id = (
        SELECT copy.id FROM chat_step old JOIN chat_step copy ON copy.number = old.number
        WHERE old.id = chat_step.parent_id AND copy.run_id = chat_step.run_id
    ) WHERE run_id IN (SELECT id FROM chat_run WHERE conversation_id = %s) AND parent_id IS NOT NULL
"""
# A copy of a run is found by its answer's copy, and what a step of it returned by the step's number.
PAYLOADS = """
    INSERT INTO chat_payload (step_id, body, created)
    SELECT copy.id, payload.body, payload.created FROM ({pairs}) pair
    JOIN chat_step old ON old.run_id = pair.old JOIN chat_payload payload ON payload.step_id = old.id
    JOIN chat_step copy ON copy.run_id = pair.new AND copy.number = old.number
"""


def fork(
    conversation: uuid.UUID, message: int, client_id: str, process: str, at: datetime
) -> tuple[uuid.UUID, Sent | None]:
    """Return a new conversation with all that was said up to a message, and the run that begins there.

    There is one where that message is a person's, so that it is answered here too. A resend returns the fork that was
    made. It takes the same few statements however long the conversation is. Raises Refused.
    """
    old = Conversation.objects.filter(pk=conversation).first()
    if old is None:
        raise Refused("This conversation was deleted.")
    if before := Message.objects.filter(owner=old.owner_id, client_id=client_id).first():
        return before.conversation_id, None
    is_asked = message_in(conversation, message).role == Role.USER
    if is_asked:
        check_allowance(old.owner_id, at)
    branch = _locked_branch(conversation, message)
    new = _conversation(old, at)
    copies = _messages(branch, new, client_id)
    _runs(old, new, copies)
    new.leaf = last = Message.objects.get(pk=copies[message])
    new.save(update_fields=["leaf"])
    return new.pk, answer(new, last, last.pk, process, at) if is_asked else None


def _locked_branch(conversation: uuid.UUID, message: int) -> dict[int, int | None]:
    """Return the parent of each message to copy; until this is committed nothing is said or taken back there."""
    if not Conversation.objects.select_for_update(no_key=True).filter(pk=conversation):
        raise Refused("This conversation was deleted.")
    message_in(conversation, message)  # it may have been taken back meanwhile
    with connection.cursor() as cursor:
        cursor.execute(BRANCH, [message])
        branch = dict(cursor.fetchall())
    live = Run.objects.filter(IS_LIVE, conversation=conversation).values_list("answer", flat=True)
    if not branch.keys().isdisjoint(live):
        raise Refused("An answer is not over yet. Fork once it is, or from a message before it.")
    return branch


def _conversation(old: Conversation, at: datetime) -> Conversation:
    mark = " (fork)"
    return Conversation.objects.create(
        owner_id=old.owner_id, title=old.title[: LONGEST_TITLE - len(mark)] + mark, model=old.model, mode=old.mode,
        instructions=old.instructions, revision=1, created=at, updated=at,
    )  # fmt: skip


def _messages(branch: Mapping[int, int | None], new: Conversation, client_id: str) -> dict[int, int]:
    """Copy messages; return the ids of the copies by those of the old ones."""
    copies = dict(zip(branch, new_ids(Message, len(branch)), strict=True))
    copy_rows(
        Message, "id", [(old, copies[old], parent and copies[parent]) for old, parent in branch.items()],
        ("id", "parent_id"), conversation_id=key(Conversation, new.pk), client_id=None,
        born=new.revision, revision=new.revision,
    )  # fmt: skip
    Message.objects.filter(pk=next(iter(copies.values()))).update(client_id=client_id)
    return copies


def _runs(old: Conversation, new: Conversation, copies: Mapping[int, int]) -> None:
    """Copy the runs of the answers, with all they hold."""
    runs = Run.objects.filter(conversation=old).values_list("pk", "message", "answer", "continues")
    found = [run for run in runs if run[2] in copies]
    made = {pk: key(Run, uuid.uuid4()) for pk, *_ in found}
    pairs = [(key(Run, pk), made[pk]) for pk, *_ in found]
    rows = [
        (key(Run, pk), made[pk], copies[message], copies[told], made.get(continues) if continues else None)
        for pk, message, told, continues in found
    ]
    here = key(Conversation, new.pk)
    given = ("id", "message_id", "answer_id", "continues_id")
    copy_rows(Run, "id", rows, given, conversation_id=here, copied=True)
    copy_rows(Step, "run_id", pairs, ("run_id",))
    types = dict.fromkeys(("old", "new"), str(Run._meta.pk.rel_db_type(connection)))
    with connection.cursor() as cursor:
        cursor.execute(PARENTS, [here])
        cursor.execute(PAYLOADS.format(pairs=table(types)), [as_json(pairs)])
