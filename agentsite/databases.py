"""Says where everything is stored: what DATABASE_URL names, as Django's settings want it."""

import os
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from agentsite import env

NAME = "DATABASE_URL"
NO_URL = f"{NAME} must be postgresql://user:password@host:port/name or sqlite:///path."

SQLITE_OPTIONS = {
    "timeout": 20,
    "transaction_mode": "IMMEDIATE",
    # What was acknowledged is there after a power cut, too. Where less will do, chat.db says so.
    "init_command": "PRAGMA journal_mode=wal; PRAGMA synchronous=full;",
}
# Connections of requests, each while it lasts; the threads of chat.db have five of their own. After a server was away
# the next request tries it again, and not when a pool finds that long enough has passed.
POOL = {"min_size": 1, "max_size": 16, "timeout": 5, "reconnect_timeout": 2}
# A server that is gone without a word is noticed within seconds, not hours.
POSTGRES_OPTIONS = {
    "application_name": "agentsite",
    "connect_timeout": 5,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
}
# No wait for a lock is without end: its holder may be a session that nobody works in any more. Shorter than a lease,
# so that a process that waited renews its own in time. Who migrates waits as long as it takes (`locks.patient`).
POSTGRES_SETTINGS = "-c lock_timeout=10s"


def database(var_dir: Path) -> dict[str, Any]:
    """Return the settings of the one database: SQLite in `var_dir`, unless the variable says otherwise.

    It may hold a password, and so is never said again.
    """
    said = env.secret(NAME)
    if not said:
        return _sqlite(var_dir / "db.sqlite3", var_dir)
    if said.startswith("sqlite:///"):
        return _sqlite(_file(said.removeprefix("sqlite:///")), var_dir)
    if said.startswith(("postgres://", "postgresql://")):
        return _postgres(said)
    raise env.WrongEnvironment(NO_URL)


def _sqlite(path: Path, var_dir: Path) -> dict[str, Any]:
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": path,
        # A view's thread ends with its request, so a connection kept for it would only lie about.
        "CONN_MAX_AGE": 0,
        "OPTIONS": SQLITE_OPTIONS,
        # A file, because the threads of a test could not share a database in memory.
        "TEST": {"NAME": var_dir / "test.sqlite3"},
    }


def _file(said: str) -> Path:
    path = Path(unquote(said)).expanduser().absolute()
    if not said or path.is_dir() or not os.access(path.parent, os.W_OK | os.X_OK):
        raise env.WrongEnvironment(f"{NAME} must name a file in a folder that is there and can be written to.")
    return path


def _postgres(said: str) -> dict[str, Any]:
    if find_spec("psycopg") is None or find_spec("psycopg_pool") is None:
        raise env.WrongEnvironment(f"{NAME} is set, and the packages for it are missing. Install the extra [scale].")
    from psycopg import ProgrammingError
    from psycopg.conninfo import conninfo_to_dict

    try:
        known = conninfo_to_dict(said)  # libpq's own parser, so that all is allowed that it understands
    except ProgrammingError:
        raise env.WrongEnvironment(NO_URL) from None
    name, user, password, host, port = (known.pop(key, "") for key in ("dbname", "user", "password", "host", "port"))
    if not name:
        raise env.WrongEnvironment(NO_URL)
    more = known.pop("options", "")  # what comes last counts
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": name,
        "USER": user,
        "PASSWORD": password,
        "HOST": host,
        "PORT": port,
        # A pool keeps the connections, and looks at each before it is given to a request.
        "CONN_MAX_AGE": 0,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {**POSTGRES_OPTIONS, **known, "options": f"{POSTGRES_SETTINGS} {more}".strip(), "pool": POOL},
    }
