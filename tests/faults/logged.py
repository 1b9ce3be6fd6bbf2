"""What a database itself notes of runs, with its own clock: each step of a revision, and when it was told to stop."""

from typing import Any
from uuid import UUID

from django.db import connection

from chat.models import Run
from tests import databases

TABLE = "logged"
NOTED = "run TEXT, old BIGINT, new BIGINT, at DOUBLE PRECISION"
SQLITE = (
    f"CREATE TABLE IF NOT EXISTS {TABLE} (id INTEGER PRIMARY KEY, {NOTED})",
    """CREATE TRIGGER IF NOT EXISTS log_run AFTER UPDATE OF revision, stopping ON chat_run
    WHEN OLD.revision != NEW.revision OR OLD.stopping != NEW.stopping BEGIN
        INSERT INTO logged (run, old, new, at)
        VALUES (NEW.id, OLD.revision, NEW.revision, (julianday('now') - 2440587.5) * 86400);
    END""",
)
POSTGRES = (
    f"CREATE TABLE IF NOT EXISTS {TABLE} (id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, {NOTED})",
    """CREATE OR REPLACE FUNCTION log_run() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        INSERT INTO logged (run, old, new, at)
        VALUES (NEW.id, OLD.revision, NEW.revision, extract(epoch FROM clock_timestamp()));
        RETURN NULL;
    END $$""",
    """CREATE OR REPLACE TRIGGER log_run AFTER UPDATE OF revision, stopping ON chat_run FOR EACH ROW
    WHEN (OLD.revision != NEW.revision OR OLD.stopping != NEW.stopping) EXECUTE FUNCTION log_run()""",
)


def install(rows: Any) -> None:
    """Let a database take notes from here on; `rows` is a connection or a cursor."""
    for statement in POSTGRES if databases.POSTGRES else SQLITE:
        rows.execute(statement)


def is_installed() -> bool:
    return TABLE in connection.introspection.table_names()


def revisions(run: UUID) -> list[tuple[int, int]]:
    """Return from where to where the revision of a run went, each time."""
    return [(old, new) for old, new, _ in _noted(run) if old != new]


def told_to_stop(run: UUID) -> float | None:
    """Return when it was stored that a run is to stop, in seconds of the epoch."""
    return next((at for old, new, at in _noted(run) if old == new), None)


def _noted(run: UUID) -> list[tuple[int, int, float]]:
    key = str(Run._meta.get_field("id").get_db_prep_value(run, connection))
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT old, new, at FROM {TABLE} WHERE run = %s ORDER BY id", [key])  # noqa: S608
        return list(cursor.fetchall())
