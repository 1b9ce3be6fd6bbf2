"""`python manage.py backup FILE`: a copy of the SQLite database as it stands at one moment, while it is in use."""

import os
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, connection


class Command(BaseCommand):
    help = "Copies the SQLite database to a new file. The site may go on meanwhile: it is the state of one moment."
    requires_system_checks: list[str] = []  # noqa: RUF012  As at a start.

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="a file that is not there yet")

    def handle(self, file: Path, **options: Any) -> None:
        if connection.vendor != "sqlite":
            raise CommandError("The database is not SQLite. PostgreSQL is backed up with pg_dump.")
        if not Path(settings.DATABASE["NAME"]).exists():  # SQLite would make an empty one
            raise CommandError("There is no database yet.")
        if file.exists():
            raise CommandError(f"{file} is there already.")
        try:
            copy_to(file)
        except (OSError, DatabaseError) as error:
            raise CommandError(f"The backup could not be made: {error}.") from error
        self.stdout.write(f"{file}: {file.stat().st_size} bytes")


def copy_to(file: Path) -> None:
    """Write the copy under another name and give it its own once it is whole and on the disk.

    VACUUM INTO reads in one transaction, which in WAL mode keeps no writer waiting.
    """
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    os.close(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))  # everything is in it: for its owner alone
    try:
        with connection.cursor() as cursor:
            cursor.execute("VACUUM INTO %s", [str(draft)])
        with draft.open("rb") as written:
            os.fsync(written.fileno())
        draft.rename(file)
    finally:
        draft.unlink(missing_ok=True)
