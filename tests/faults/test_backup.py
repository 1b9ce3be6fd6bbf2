"""A backup taken while runs are live, with the commands of docs/deployment.md, and a site that goes on from it."""

import shutil
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from threading import Event

import pytest
from django.core.management import CommandError, call_command

from tests import databases
from tests.deployment.page import follow
from tests.faults.conftest import Known
from tests.faults.sites import checked, killable, wait_for_answers
from tests.faults.test_stopping import at_work
from tests.serving import Site, site_environment
from tests.sockets import begin

# A run outlasts the backup, and is then soon over.
SLOW, QUICK = (
    {"LEASE_SECONDS": "2", "PACE_SECONDS": "1", "DRAIN_SECONDS": "0"},
    {"LEASE_SECONDS": "2", "PACE_SECONDS": "0.001"},
)


def test_a_backup_taken_under_load_is_served_and_its_live_runs_go_on(known: Known, tmp_path: Path) -> None:
    restored = tmp_path / "restored"
    restored.mkdir()
    with (
        killable(known.folder, **SLOW) as site,
        known.client(site) as client,
        at_work(site, client, known.conversation),
    ):
        with busy(known, site):
            back_up(site, tmp_path)
        restore(tmp_path, restored)
        with killable(restored, **QUICK) as other, known.client(other) as there:
            chat, _, trace = wait_for_answers(other, there, known.conversation, 2).partition('id="trace"')
    assert chat.count("word1 ") == chat.count("word99") == 1
    assert "what follows is the second attempt" in trace
    assert checked(other)["taken"]
    assert "given up" in site.log  # the first one was at work all the time


@contextmanager
def busy(known: Known, site: Site) -> Iterator[None]:
    """Ask one thing after the other meanwhile."""
    over = Event()

    def ask() -> None:
        with known.client(site) as client:
            number = 0
            while not over.is_set():
                number += 1
                begin(client, f"Look and note {number}")

    with ThreadPoolExecutor(1) as pool:
        asking = pool.submit(ask)
        try:
            yield
        finally:
            over.set()
        asking.result()


def back_up(site: Site, folder: Path) -> None:
    if databases.POSTGRES:
        follow("Back up PostgreSQL", site.environment, {"/backups": folder})
        shutil.copy(Path(site.environment["VAR_DIR"], "secret_key"), folder)
    else:
        kept = {"/backups": folder, "/srv/agentsite/var": Path(site.environment["VAR_DIR"])}
        follow("Back up SQLite", site.environment, kept)


def restore(folder: Path, target: Path) -> None:
    if databases.POSTGRES:
        databases.make(target)
        follow("Restore PostgreSQL", site_environment(target), {"/backups": folder})
        shutil.copy(folder / "secret_key", target)
    else:
        follow("Restore SQLite", site_environment(target), {"/backups": folder, "/srv/agentsite/var": target})


@pytest.mark.django_db(transaction=True)
def test_a_backup_is_for_its_owner_alone_and_replaces_nothing(tmp_path: Path) -> None:
    file = tmp_path / "chat.sqlite3"
    if databases.POSTGRES:
        with pytest.raises(CommandError, match="pg_dump"):
            call_command("backup", file)
        return
    call_command("backup", file)
    assert file.stat().st_mode & 0o777 == 0o600
    with closing(sqlite3.connect(file)) as rows:
        assert rows.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    with pytest.raises(CommandError, match="is there already"):
        call_command("backup", file)
    with pytest.raises(CommandError, match="No such file or directory"):
        call_command("backup", tmp_path / "nowhere" / "chat.sqlite3")
    assert list(tmp_path.iterdir()) == [file]
