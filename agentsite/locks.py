"""Locks between processes, held in the database, and patience for them.

SQLite needs none: a transaction of its is one already.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum

from django.db import connection


class Lock(IntEnum):
    """PostgreSQL knows them by number, in each database for itself."""

    MIGRATING = 0x6167656E7401
    WELCOMING = 0x6167656E7402


def hold_until_commit(lock: Lock) -> None:
    """Wait for a lock, and keep it until the transaction that is open ends."""
    if connection.vendor == "postgresql":
        _do("pg_advisory_xact_lock", lock)


@contextmanager
def held(lock: Lock) -> Iterator[None]:
    """Hold a lock over several transactions."""
    if connection.vendor != "postgresql":
        yield
        return
    _do("pg_advisory_lock", lock)
    try:
        yield
    finally:
        _do("pg_advisory_unlock", lock)


@contextmanager
def patient() -> Iterator[None]:
    """Wait for locks as long as it takes; outside of this `databases` puts an end to it."""
    if connection.vendor != "postgresql":
        yield
        return
    before = _lock_timeout("0")
    try:
        yield
    finally:
        _lock_timeout(before)


def _lock_timeout(new: str) -> str:
    """Set how long this session waits for a lock, and return how long it did before."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('lock_timeout')")
        (before,) = cursor.fetchone()
        cursor.execute("SELECT set_config('lock_timeout', %s, false)", [new])
    return str(before)


def _do(function: str, lock: Lock) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {function}(%s)", [int(lock)])
