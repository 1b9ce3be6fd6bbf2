"""A transaction that is done exactly once, and a read that is done again, where the server ended the connection.

What was lost before its commit was sent was not done, and is done again. Of a commit that was sent and not answered
PostgreSQL itself says what became of it. With SQLite no connection is ever lost.
"""

import time
from collections.abc import Callable
from typing import Any, TypeVar

from django.db import DEFAULT_DB_ALIAS, DataError, Error, IntegrityError, connection, connections, transaction

T = TypeVar("T")

AGAIN_WITHIN = 30.0  # seconds; a server takes less to start again
APART = 0.1
# Two processes came into each other's way, and one of them has to begin anew.
CLASHES = ("40001", "40P01")


class Away(Exception):
    """The database stays away. What was to be written was not, or it cannot be learned whether it was."""


def once(work: Callable[[], T]) -> T:
    """Do what writes, in one transaction, and return what it returned.

    Where another process wrote just before what this would write too, it is done anew, and sees that. Raises what
    `work` raises, and Away.
    """
    clashed, patience = False, _Patience()
    while True:
        held = number = None
        try:
            connection.ensure_connection()
            held = connection.connection
            with transaction.atomic():
                result = work()
                number = _number()
            return result
        except Error as error:
            if _is_lost(held):
                if number and _was_committed(number, patience):
                    return result
                patience.wait(error)
            elif clashed or not _is_clash(error):
                raise
            else:
                clashed = True


def again(work: Callable[[], T]) -> T:
    """Do what only reads, on a new connection if the one it had was lost. Raises Away."""
    patience = _Patience()
    while True:
        held = None
        try:
            connection.ensure_connection()
            held = connection.connection
            return work()
        except Error as error:
            if not _is_lost(held):
                raise
            patience.wait(error)


def without_pool() -> None:
    """Give this thread a connection of its own from here on.

    A pool waits longer and longer before it tries a server again that was away; a thread that waits tries all the time.
    """
    options = {name: value for name, value in connection.settings_dict["OPTIONS"].items() if name != "pool"}
    connection.settings_dict = {**connection.settings_dict, "OPTIONS": options}


class _Patience:
    def __init__(self) -> None:
        self.end = time.monotonic() + AGAIN_WITHIN

    def wait(self, error: Error | None = None) -> None:
        """Let a moment pass, unless that were one too many."""
        if time.monotonic() + APART > self.end:
            raise Away from error
        time.sleep(APART)


def _number() -> str | None:
    """Return the number by which the server knows this transaction afterwards."""
    if connection.vendor != "postgresql":
        return None
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_current_xact_id()::text")
        return str(cursor.fetchone()[0])


def _was_committed(number: str, patience: _Patience) -> bool:
    """Ask what became of a transaction, until it is over and the server says so."""
    while True:
        try:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_xact_status(%s::xid8)", [number])
                status = cursor.fetchone()[0]
        except DataError:  # the server crashed, and knows no such number
            return False
        except Error as error:
            connection.close()
            patience.wait(error)
        else:
            if status in ("committed", "aborted"):
                return bool(status == "committed")
            patience.wait()  # it is not over


def _is_lost(held: Any) -> bool:
    """Say whether a connection is no use any more, or never came about; if so let go of it."""
    lost = held is None or getattr(held, "closed", False) or (connection.connection is held and not _answers())
    if lost:
        connection.close()
    if lost and held is not None:
        _look_through_pool()
    return lost


def _look_through_pool() -> None:
    """Let the pool drop what was lost with ours: by itself it would find out one by one, while requests wait."""
    if pool := getattr(connections.create_connection(DEFAULT_DB_ALIAS), "pool", None):
        pool.check()


def _answers() -> bool:
    return connection.vendor != "postgresql" or connection.is_usable()


def _is_clash(error: Error) -> bool:
    return isinstance(error, IntegrityError) or getattr(error.__cause__, "sqlstate", "") in CLASHES
