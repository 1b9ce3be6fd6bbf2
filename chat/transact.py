"""A transaction that is done exactly once, and a read that is done again, where the server ended the connection.

What was lost before its commit was sent was not done, and is done again. Of a commit that was sent and not answered
PostgreSQL itself says what became of it. With SQLite no connection is ever lost.
"""

import random
import time
from collections.abc import Callable
from typing import Any, TypeVar

from django.db import DEFAULT_DB_ALIAS, DataError, Error, IntegrityError, connection, connections, transaction

from chat.away import BUSY, NO_ANSWER, Away, why

T = TypeVar("T")

AGAIN_WITHIN = 30.0  # seconds; a server takes less to start again
SOON = 2.0  # seconds, for what rather hears that the database is away
APART = 0.1
# Two processes came into each other's way, and one of them has to begin anew.
CLASHES = ("40001", "40P01")
LOCKED = "55P03"  # a lock was waited for as long as `databases` lets it
A_MOMENT = "200ms"

_gone_since: float | None = None  # when it first did not answer, and has not since


class Clash(Exception):
    """Of several that share a transaction one came into another process's way, so each is to be done by itself."""


class Locked(Clash):
    """One waited for a lock in vain, and held up all the others."""


def once(work: Callable[[], T]) -> T:
    """Do what writes, in one transaction, and return what it returned.

    Where another process wrote just before what this would write too, it is done anew, and sees that. Raises what
    `work` raises, and Away.
    """
    met, patience = False, _Patience(AGAIN_WITHIN)
    while True:
        held = number = None
        try:
            connection.ensure_connection()
            held = connection.connection
            with transaction.atomic():
                result = work()
                number = _number()
            patience.is_back()
            return result
        except Error as error:
            if _is_lost(held):
                if number and _was_committed(number, patience):
                    patience.is_back()
                    return result
                patience.wait(error)
            elif reason := why(error):
                raise Away(reason) from error
            elif is_clash(error):
                patience.wait(error, BUSY)
            elif isinstance(error, IntegrityError) and not met:
                met = True
            else:
                raise


def again(work: Callable[[], T], soon: bool = False) -> T:
    """Do what only reads, on a new connection if the one it had was lost. Raises Away, which may be `soon`."""
    patience = _Patience(SOON if soon else AGAIN_WITHIN)
    while True:
        held = None
        try:
            connection.ensure_connection()
            held = connection.connection
            result = work()
            patience.is_back()
            return result
        except Error as error:
            if _is_lost(held):
                patience.wait(error)
            elif reason := why(error):
                raise Away(reason) from error
            else:
                raise


def without_pool() -> None:
    """Give this thread a connection of its own from here on.

    A pool waits longer and longer before it tries a server again that was away; a thread that waits tries all the time.
    """
    options = {name: value for name, value in connection.settings_dict["OPTIONS"].items() if name != "pool"}
    connection.settings_dict = {**connection.settings_dict, "OPTIONS": options}


class _Patience:
    """How long to try again. It counts from when the database was there the last time, whoever noticed that first."""

    def __init__(self, seconds: float) -> None:
        self.end = (_gone_since or time.monotonic()) + seconds

    def wait(self, error: Error | None = None, reason: str = NO_ANSWER) -> None:
        """Let a moment pass, unless that were one too many. Who clash wait for moments of different length."""
        global _gone_since
        pause = APART if reason == NO_ANSWER else APART * random.random()  # noqa: S311  No secret.
        if reason == NO_ANSWER:
            _gone_since = _gone_since or time.monotonic()
        if time.monotonic() + pause > self.end:
            raise Away(reason) from error
        time.sleep(pause)

    def is_back(self) -> None:
        global _gone_since
        _gone_since = None


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


def is_clash(error: Error) -> bool:
    return getattr(error.__cause__, "sqlstate", "") in CLASHES


def is_locked(error: Error) -> bool:
    return getattr(error.__cause__, "sqlstate", "") == LOCKED


def wait_a_moment() -> None:
    """Let the transaction that is open wait for a lock for a moment only, as it was waited for before."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('lock_timeout', %s, true)", [A_MOMENT])
