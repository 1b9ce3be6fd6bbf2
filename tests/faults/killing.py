"""The site as its tests kill it: `manage.py` with tools and a model of the tests, and with a process that can die.

KILL_FILE names a file with a number: so many commits later the process kills itself, before that commit is made. A
"+" after the number lets it be made first. LEASE_SECONDS makes leases, and what workers do in time, as short as a test
needs, PACE_SECONDS the time between the words of a slow answer, PING_SECONDS that between the pings of a socket, and
PONG_SECONDS that which an answer to one may take.
"""

import os
import signal
import sys
from datetime import timedelta
from pathlib import Path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "agentsite.settings")

import django

django.setup()

from django.core.management import execute_from_command_line  # noqa: E402

from agentsite.management.commands import serve  # noqa: E402
from chat import connections, db, process, sweep  # noqa: E402
from chat.connections import DEMO_URL, OnThisMachine  # noqa: E402
from chat.store import jobs, leases  # noqa: E402
from tests.faults.model import PACE, Model  # noqa: E402
from tools.registry import tool  # noqa: E402

FILES = Path(os.environ["VAR_DIR"])
KILL_FILE, NOTES = FILES / "kill", FILES / "notes"


@tool(idempotent=True)
async def look(place: str) -> str:
    """Look at a place.

    Args:
        place: where
    """
    return f"{place} seen"


@tool
async def note(line: str) -> str:
    """Write a line down.

    Args:
        line: what to write
    """
    with NOTES.open("a") as notes:
        notes.write(f"{line}\n")
    return "written"


def commit(jobs: list[db._Job]) -> None:
    """Commit as the site does, and die where the file says so."""
    said = KILL_FILE.read_text() if KILL_FILE.exists() else ""
    left = int(said.rstrip("+") or 0)
    if left:
        KILL_FILE.write_text(f"{left - 1}{'+' * said.count('+')}")
    if left == 1 and "+" not in said:
        os.kill(os.getpid(), signal.SIGKILL)
    commit_as_ever(jobs)
    if left == 1:
        os.kill(os.getpid(), signal.SIGKILL)


commit_as_ever, db.commit = db.commit, commit
connections.on_this_machine[DEMO_URL] = OnThisMachine(Model(float(os.environ.get("PACE_SECONDS", PACE))))
if seconds := float(os.environ.get("LEASE_SECONDS", 0)):
    leases.LEASE = timedelta(seconds=seconds)
    process.LEASE_SECONDS = process.SWEEP_SECONDS = seconds / 8
    process.OWNERSHIP_SECONDS = seconds / 8
    sweep.MISSED_SECONDS = seconds / 2
    if jobs.are_used():
        from chat.worker import working  # it comes with an extra

        working.HEARTBEAT_SECONDS, working.STALLED_SECONDS = seconds / 4, seconds
serve.PING_EVERY = float(os.environ.get("PING_SECONDS", serve.PING_EVERY))
serve.PONG_WITHIN = float(os.environ.get("PONG_SECONDS", serve.PONG_WITHIN))

execute_from_command_line(["manage.py", *sys.argv[1:]])
