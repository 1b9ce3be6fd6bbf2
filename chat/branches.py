"""Reads the branches of a conversation: the messages from its first one down to the leaf that is shown, and what else
begins at the same places. Nothing here reads more than it returns, however long the conversation is."""

import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import Model, Q

from chat.models import Conversation, Message, Role, Run

# The conversation, and the message that its list ends with.
HEAD = """
    SELECT id, revision, anew, title, COALESCE(leaf_id, (
        SELECT MAX(id) FROM chat_message WHERE conversation_id = chat_conversation.id AND role <> 'summary'
    )) AS leaf FROM chat_conversation WHERE id = %s
"""
# From a message upwards, at most so many of them.
LAST = f"""\
WITH RECURSIVE head AS ({HEAD}), path(id, parent_id, place) AS (
    SELECT message.id, message.parent_id, 1 FROM head
    JOIN chat_message message ON message.id = COALESCE(%s, head.leaf) AND message.conversation_id = head.id
    UNION ALL
    SELECT up.id, up.parent_id, path.place + 1 FROM path JOIN chat_message up ON up.id = path.parent_id
    WHERE path.place < %s
)
SELECT head.revision, head.title, path.id FROM head LEFT JOIN path ON 1 = 1 ORDER BY path.place
"""  # noqa: S608  Made of constants.
# A parent is older than its children, so the way up from the leaf ends at the oldest message that is asked for.
SHOWN = f"""\
WITH RECURSIVE head AS ({HEAD}), path(id, parent_id, born) AS (
    SELECT message.id, message.parent_id, message.born FROM head
    JOIN chat_message message ON message.id = head.leaf AND head.anew <= COALESCE(%s, head.anew)
    UNION ALL
    SELECT up.id, up.parent_id, up.born FROM path JOIN chat_message up ON up.id = path.parent_id WHERE up.id >= %s
)
SELECT id FROM path WHERE born <= COALESCE(%s, born)
"""  # noqa: S608
# From the leaf up to the first run that has begun.
NEWEST_RUN = f"""\
WITH RECURSIVE head AS ({HEAD}), path(parent_id, run, status, place) AS (
    SELECT message.parent_id, run.id, run.status, 1 FROM head JOIN chat_message message ON message.id = head.leaf
    LEFT JOIN chat_run run ON run.answer_id = message.id
    UNION ALL
    SELECT up.parent_id, run.id, run.status, path.place + 1 FROM path JOIN chat_message up ON up.id = path.parent_id
    LEFT JOIN chat_run run ON run.answer_id = up.id WHERE COALESCE(path.status, 'queued') = 'queued'
)
SELECT chat_run.* FROM path JOIN chat_run ON chat_run.id = path.run
ORDER BY CASE WHEN path.status = 'queued' THEN 1 ELSE 0 END, path.place LIMIT 1
"""  # noqa: S608
# From a message up to the first one.
PATH = """\
WITH RECURSIVE path(id, parent_id) AS (
    SELECT id, parent_id FROM chat_message WHERE id = %s
    UNION ALL
    SELECT up.id, up.parent_id FROM path JOIN chat_message up ON up.id = path.parent_id
)"""
WHOLE = f"""\
{PATH}
SELECT message.* FROM path JOIN chat_message message ON message.id = path.id
ORDER BY message.id
"""  # noqa: S608
SUMMARIES = f"""\
{PATH}
SELECT COALESCE(MAX(summary.version), 0) FROM path
JOIN chat_message summary ON summary.parent_id = path.id AND summary.role = 'summary'
"""  # noqa: S608
NEWEST_BELOW = """\
WITH RECURSIVE below(id) AS (
    SELECT id FROM chat_message WHERE id = %s
    UNION ALL
    SELECT message.id FROM below JOIN chat_message message ON message.parent_id = below.id
    WHERE message.role <> 'summary'
)
SELECT MAX(id) FROM below
"""


@dataclass(frozen=True, slots=True)
class Path:
    """The last messages of a branch, the newest first, by id; at a revision of their conversation."""

    revision: int
    title: str
    messages: Sequence[int]


def last(conversation: uuid.UUID, most: int, before: int | None = None) -> Path:
    """Return the last messages that are shown, or the last ones before a message of any branch."""
    found = _rows(LAST, [key(Conversation, conversation), before, most if before is None else most + 1])
    if not found:
        return Path(0, "", ())
    ids = [message for _, _, message in found if message is not None and message != before]
    return Path(found[0][0], found[0][1], ids)


def shown(conversation: uuid.UUID, messages: Collection[int], at: int | None = None) -> set[int]:
    """Return which of these messages are on the branch that is shown.

    With `at` it is which of them a page has that is at this revision: none, if another branch was chosen since.
    """
    if not messages:
        return set()
    path = _rows(SHOWN, [key(Conversation, conversation), at, min(messages), at])
    return {message for (message,) in path}.intersection(messages)


def from_there(conversation: uuid.UUID, message: int, most: int) -> list[int]:
    """Return a message of the branch shown and what follows it, at most so many; nothing if it is not on it."""
    path = _rows(f"{SHOWN} ORDER BY id LIMIT %s", [key(Conversation, conversation), None, message, None, most])
    found = [one for (one,) in path]
    return found if message in found else []


def newest_run(conversation: uuid.UUID) -> Run | None:
    """Return the run of the branch shown that began last; one that still waits only where there is no other."""
    return next(iter(Run.objects.raw(NEWEST_RUN, [key(Conversation, conversation)])), None)


def down_to(message: int) -> list[Message]:
    """Return the messages from the first one down to this one."""
    return list(Message.objects.raw(WHOLE, [message]))


def last_version(message: int) -> int:
    """Return the version of the last summary on the way down to a message; 0 where there is none."""
    [[version]] = _rows(SUMMARIES, [message])
    return int(version)


def newest_below(message: int) -> int:
    """Return the newest message of the branches that a message begins; itself where there are none."""
    [[newest]] = _rows(NEWEST_BELOW, [message])
    return int(newest)


def siblings(conversation: uuid.UUID, messages: Iterable[Message]) -> dict[int, list[int]]:
    """Return for each message that has others beside it all of them in order, itself included."""
    said = [message for message in messages if message.role != Role.SUMMARY]
    if not said:
        return {}
    parents = {message.parent_id for message in said}
    beside = Q(parent__in=parents - {None}) | (Q(parent=None) if None in parents else Q(pk__in=()))
    found: dict[int | None, list[int]] = defaultdict(list)
    rows = Message.objects.filter(beside, conversation=conversation).exclude(role=Role.SUMMARY)
    for parent, pk in rows.order_by("pk").values_list("parent", "pk"):
        found[parent].append(pk)
    return {message.pk: found[message.parent_id] for message in said if len(found[message.parent_id]) > 1}


def leaf(conversation: Conversation) -> int | None:
    """Return the last message of the branch that is shown; None where nothing was said yet."""
    if conversation.leaf_id:
        return conversation.leaf_id
    newest = conversation.messages.exclude(role=Role.SUMMARY).order_by("-pk").values_list("pk", flat=True)
    return newest.first()


def key(model: type[Model], pk: uuid.UUID) -> str | uuid.UUID:
    """Return a primary key as this database takes it in SQL."""
    value: str | uuid.UUID = model._meta.pk.get_db_prep_value(pk, connection)
    return value


def _rows(sql: str, params: Sequence[str | uuid.UUID | int | None]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return list(cursor.fetchall())
