"""The two revisions that order what viewers see. Every write begins by raising the one it belongs to.

That statement's row lock makes the order of commits the order of revisions; for a run it also checks that the writer
still holds the lease.
"""

import uuid
from collections.abc import Callable

from django.db import connection

from chat.models import Conversation, Run


class StaleOwner(Exception):
    """The run is not this writer's any more: it ended, or somebody took it over."""


class Refused(Exception):
    """What was asked cannot be done; the message says why, to a person."""


def raise_conversation(conversation: uuid.UUID) -> int:
    """Raise a conversation's revision and return it. Raises Refused if there is no such conversation."""
    row = _raise(Conversation, conversation, "")
    if row is None:
        raise Refused("This conversation was deleted.")
    return row


def raise_run(run: uuid.UUID, attempt: int) -> int:
    """Raise the revision of a run that is live and ours, and return it. Raises StaleOwner."""
    row = _raise(Run, run, f"AND attempt = {attempt:d} AND status IN ('running', 'waiting')")
    if row is None:
        raise StaleOwner(f"Run {run} is not this process's any more.")
    return row


def hold_run(run: uuid.UUID, attempt: int) -> bool:
    """Say whether a run is live and ours; if so nobody takes it over until this is committed."""
    held = Run.objects.select_for_update().filter(pk=run, attempt=attempt, status__in=("running", "waiting"))
    return held.values_list("pk").first() is not None


def within_run(run: uuid.UUID, attempt: int, function: Callable[..., str], *arguments: object) -> str:
    """Do what a tool of a run writes besides its steps. Raises StaleOwner where the run is not ours any more."""
    if not hold_run(run, attempt):
        raise StaleOwner(f"Run {run} is not this process's any more.")
    return function(*arguments)


def _raise(model: type[Conversation] | type[Run], pk: uuid.UUID, condition: str) -> int | None:
    table, key = model._meta.db_table, model._meta.pk.get_db_prep_value(pk, connection)
    sql = f"UPDATE {table} SET revision = revision + 1 WHERE id = %s {condition} RETURNING revision"  # noqa: S608
    with connection.cursor() as cursor:
        cursor.execute(sql, [key])
        row = cursor.fetchone()
    return row[0] if row else None
