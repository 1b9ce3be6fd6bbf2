"""When the database cannot be used: which errors say so, in which words a person hears it, and one line in the log.

The database, and not what was asked of it, has then failed: its server is away, its disk is full, somebody locks it.
"""

import sqlite3

import structlog
from django.db import Error

from chat.once_a_minute import OnceAMinute

NO_ANSWER = "the server's database does not answer"
FULL = "the disk of the server's database is full"
NO_WRITE = "the server's database cannot be read or written"
BUSY = "the server's database is busy with something else"

SQLITE = {
    sqlite3.SQLITE_BUSY: BUSY,
    sqlite3.SQLITE_LOCKED: BUSY,
    sqlite3.SQLITE_FULL: FULL,
    sqlite3.SQLITE_IOERR: NO_WRITE,
    sqlite3.SQLITE_READONLY: NO_WRITE,
    sqlite3.SQLITE_CANTOPEN: NO_WRITE,
}
# The beginnings of PostgreSQL's SQLSTATE. A server that takes over from another one reads only, for a while (25006).
POSTGRES = {
    "53100": FULL, "53": NO_ANSWER, "57P": NO_ANSWER, "58": NO_WRITE, "08": NO_ANSWER, "25006": NO_WRITE,
    "55P03": BUSY,
}  # fmt: skip

log = structlog.get_logger("agentsite.database")

_complaints = OnceAMinute()


class Away(Exception):
    """The database cannot be used now. What was to be written was not, or it cannot be learned whether it was."""

    def __init__(self, reason: str = NO_ANSWER) -> None:
        super().__init__(reason)
        self.reason = reason

    @property
    def not_stored(self) -> str:
        """What a person is told who wrote something."""
        return f"This could not be stored: {self.reason}. Your text is still in the box; try again in a moment."

    @property
    def not_shown(self) -> str:
        """What a page is told that cannot be brought up to date."""
        return f"What is new cannot be read: {self.reason}. This page tries again by itself."

    @property
    def not_done(self) -> str:
        """What a person is told who asked for anything else."""
        return f"This could not be done: {self.reason}. Try again in a moment."


def why(error: BaseException) -> str:
    """Say why the database cannot be used, if that is what an error of Django's or ours tells; else ""."""
    if isinstance(error, Away):
        return error.reason
    if not isinstance(error, Error):
        return ""
    cause = error.__cause__
    if isinstance(cause, sqlite3.Error):
        return SQLITE.get(getattr(cause, "sqlite_errorcode", 0) & 0xFF, "")
    state = getattr(cause, "sqlstate", None)
    if state is None:  # no server said this: there was none, or no place in the pool
        return NO_ANSWER if isinstance(cause, _no_server()) else ""
    return next((words for begins, words in POSTGRES.items() if state.startswith(begins)), "")


def complain(reason: str) -> None:
    """Say in the log that the database is away: a line a minute, however many notice it."""
    if _complaints.take():
        log.warning("database away", reason=reason)


def _no_server() -> tuple[type[Exception], ...]:
    try:
        from psycopg import InterfaceError, OperationalError  # it comes with an extra
    except ImportError:
        return ()
    return (InterfaceError, OperationalError)
