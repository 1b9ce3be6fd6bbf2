"""Copies rows inside the database, in one statement however many they are, so that their bodies need not pass through
here. What differs in a copy is handed in as one JSON text."""

import json
import uuid
from collections.abc import Iterable, Mapping, Sequence

from django.db import connection
from django.db.models import Model

Value = str | int | bool | uuid.UUID | None

SQLITE_IDS = "SELECT seq FROM sqlite_sequence WHERE name = %s"
POSTGRES_IDS = "SELECT nextval(pg_get_serial_sequence(%s, 'id')) FROM generate_series(1, %s)"


def new_ids(model: type[Model], number: int) -> list[int]:
    """Return so many ids that no row of a model has yet, or is given before this transaction is committed."""
    table = model._meta.db_table
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(POSTGRES_IDS, [table, number])
            return [pk for (pk,) in cursor.fetchall()]
        cursor.execute(SQLITE_IDS, [table])  # nobody else writes meanwhile
        [last] = cursor.fetchone() or [0]
        return list(range(last + 1, last + 1 + number))


def copy_rows(
    model: type[Model],
    by: str,
    rows: Iterable[Sequence[Value]],
    given: Sequence[str] = (),
    **fixed: Value,
) -> None:
    """Copy the rows of a model that are found `by` a column.

    Each of `rows` is a value to find by, and then the values that the columns `given` have in the copy; `fixed` are
    those that are the same in all copies.
    """
    columns = (str(field.column) for field in model._meta.local_concrete_fields)
    names = [name for name in columns if name != "id" or "id" in given]
    shown = ", ".join("%s" if n in fixed else f"new.{n}_" if n in given else f'old."{n}"' for n in names)
    types = {"found_": _type(model, by)} | {f"{name}_": _type(model, name) for name in given}
    sql = (
        f"INSERT INTO {model._meta.db_table} ({_quoted(names)}) SELECT {shown} FROM ({table(types)}) new "  # noqa: S608
        f"JOIN {model._meta.db_table} old ON old.{by} = new.found_ ORDER BY old.id"
    )
    with connection.cursor() as cursor:
        cursor.execute(sql, [*(fixed[name] for name in names if name in fixed), as_json(rows)])


def table(types: Mapping[str, str]) -> str:
    """Return SQL for a table of these columns, whose rows are handed in as JSON."""
    if connection.vendor == "postgresql":
        columns = (f"(value->>{n})::{kind} AS {name}" for n, (name, kind) in enumerate(types.items()))
        return f"SELECT {', '.join(columns)} FROM json_array_elements(%s::json)"  # noqa: S608
    columns = (f"json_extract(value, '$[{n}]') AS {name}" for n, name in enumerate(types))
    return f"SELECT {', '.join(columns)} FROM json_each(%s)"  # noqa: S608


def as_json(rows: Iterable[Sequence[Value]]) -> str:
    return json.dumps([[str(one) if isinstance(one, uuid.UUID) else one for one in row] for row in rows])


def _quoted(names: Iterable[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)


def _type(model: type[Model], column: str) -> str:
    [field] = [field for field in model._meta.local_concrete_fields if field.column == column]
    return str(field.rel_db_type(connection) if field.primary_key else field.db_type(connection))
