"""Who brings the database up to date waits for locks as long as it takes."""

import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from agentsite.locks import Lock
from tests import databases
from tests.serving import ROOT, site_environment

PATIENCE = 60  # seconds, on a machine that is busy with something else
IMPATIENT = "?options=-c%20lock_timeout%3D200ms"
START = "import django; django.setup(); from agentsite.migrating import migrate_if_needed; migrate_if_needed()"
WAITS = """
SELECT 1 FROM pg_stat_activity WHERE datname = current_database()
AND wait_event_type = 'Lock' AND clock_timestamp() - query_start > interval '1 second'
"""


@pytest.mark.parametrize(
    ("program", "held"),
    [
        (("manage.py", "migrate"), "CREATE TABLE django_migrations (id int)"),
        (("-c", START), f"SELECT pg_advisory_xact_lock({int(Lock.MIGRATING)})"),
    ],
    ids=["the command", "a start"],
)
def test_it_waits_for_who_holds_a_lock(postgres: None, tmp_path: Path, program: tuple[str, ...], held: str) -> None:
    databases.make(tmp_path)
    environment = site_environment(tmp_path, DJANGO_SETTINGS_MODULE="agentsite.settings")
    impatient = {**environment, "DATABASE_URL": environment["DATABASE_URL"] + IMPATIENT}
    with databases.opened(environment) as rows:
        rows.execute(held)
        migrating = subprocess.Popen(
            [sys.executable, *program], cwd=ROOT, env=impatient, stderr=subprocess.PIPE, text=True
        )
        wait_until_it_waits(environment, migrating)
        rows.rollback()
    _, complaints = migrating.communicate(timeout=PATIENCE)
    assert migrating.returncode == 0, complaints
    with databases.opened(environment) as rows:
        assert rows.execute("SELECT count(*) FROM chat_run").fetchone() == (0,)


def wait_until_it_waits(environment: dict[str, str], migrating: "subprocess.Popen[Any]") -> None:
    end = time.monotonic() + PATIENCE
    while True:
        assert migrating.poll() is None, migrating.communicate()
        assert time.monotonic() < end
        with databases.opened(environment) as looking:
            if looking.execute(WAITS).fetchone():
                return
        time.sleep(0.1)
