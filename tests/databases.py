"""Where tests store things: in files, or on the PostgreSQL server that DATABASE_URL names, in databases made for them.

There each served site has one of its own, known by its folder, and what is made is dropped at the end.
"""

import os
import sqlite3
import zlib
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.db import connection

URL = os.environ.get("DATABASE_URL", "")
POSTGRES = URL.startswith("postgres")
PREFIX = f"agentsite_test_{os.getpid()}"

TABLES = (
    "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'"
    if POSTGRES
    else "SELECT name FROM sqlite_master WHERE type = 'table'"
)

_made: set[str] = set()


def url_of(folder: Path) -> dict[str, str]:
    """Return the variable that names the database of a site in this folder, if it needs one."""
    if not POSTGRES:
        return {}
    return {"DATABASE_URL": urlsplit(URL)._replace(path=f"/{_name(folder)}").geturl()}


def suite_name() -> str:
    """Return the name of the database that tests in this process use."""
    return PREFIX if POSTGRES else str(settings.VAR_DIR / f"{PREFIX}.sqlite3")


def suite_url() -> str:
    """Return the address of the database that tests in this process use, for another process."""
    if POSTGRES:
        return urlsplit(URL)._replace(path=f"/{PREFIX}").geturl()
    return f"sqlite:///{connection.settings_dict['NAME']}"


def make(folder: Path) -> None:
    """Make the database of a site in this folder, where it is on a server and not there yet."""
    if POSTGRES and (name := _name(folder)) not in _made:
        _made.add(name)
        _do(f'CREATE DATABASE "{name}"')


def copy(source: Path, target: Path) -> None:
    """Make the database of a site in a folder that is a copy of another one's, while nobody uses that."""
    if POSTGRES:
        _made.add(_name(target))
        _do(f'CREATE DATABASE "{_name(target)}" TEMPLATE "{_name(source)}"')


@contextmanager
def opened(environment: dict[str, str]) -> Iterator[Any]:
    """Open the database of a site past Django; what was changed is committed at the end."""
    if POSTGRES:
        import psycopg  # Only where it is needed: SQLite's tests run without it.

        with psycopg.connect(environment["DATABASE_URL"]) as served:
            yield served
    else:
        with closing(sqlite3.connect(Path(environment["VAR_DIR"]) / "db.sqlite3", timeout=20)) as rows, rows:
            yield rows


def insert(rows: Any, table: str, fields: Mapping[str, object]) -> None:
    """Insert a row by a connection that `opened` gave."""
    marks = ", ".join(["%s" if POSTGRES else "?"] * len(fields))
    rows.execute(f"INSERT INTO {table} ({', '.join(fields)}) VALUES ({marks})", tuple(fields.values()))  # noqa: S608


def key(conversation: str) -> str:
    """Return a conversation's id as the database has it."""
    return conversation if POSTGRES else conversation.replace("-", "")


def end_connections(environment: dict[str, str] | None = None) -> int:
    """End those to the database of a site, or to the suite's own; return how many there were."""
    if not POSTGRES:
        return 0
    name = urlsplit(environment["DATABASE_URL"]).path[1:] if environment else PREFIX
    return _do(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {_ours(name)}")  # noqa: S608


def _ours(name: str) -> str:
    return f"datname = '{name}' AND usename = current_user"  # the server's own work there is not ours to end


@contextmanager
def closed(environment: dict[str, str]) -> Iterator[None]:
    """Let nobody in to the database of a site, as while its server starts again."""
    shut(environment)
    try:
        yield
    finally:
        reopen(environment)


def shut(environment: Mapping[str, str], server: str = URL) -> None:
    """Let nobody in to the database of a site from here on; `server` is the address of another one beside it."""
    name = urlsplit(environment["DATABASE_URL"]).path[1:]
    _do(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false', server)
    _do(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {_ours(name)}", server)  # noqa: S608


def reopen(environment: Mapping[str, str]) -> None:
    name = urlsplit(environment["DATABASE_URL"]).path[1:]
    _do(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')


@contextmanager
def locked(environment: dict[str, str]) -> Iterator[None]:
    """Let nobody write to the database of a site, as while somebody else does."""
    with opened(environment) as rows:
        rows.execute("LOCK TABLE chat_conversation IN EXCLUSIVE MODE" if POSTGRES else "BEGIN IMMEDIATE")
        yield


def drop_all() -> None:
    for name in sorted(_made):
        _do(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
    _made.clear()


def _name(folder: Path) -> str:
    return f"{PREFIX}_{zlib.crc32(str(folder).encode()):08x}"


def _do(statement: str, server_url: str = URL) -> int:
    """Do something on the server; return how many rows it answered."""
    import psycopg  # Only where it is needed: SQLite's tests run without it.

    with psycopg.connect(server_url, autocommit=True) as server:
        return server.execute(statement).rowcount  # names cannot be parameters
