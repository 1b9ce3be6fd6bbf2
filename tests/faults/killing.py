"""The site as its tests kill it: `manage.py` with tools and a model of the tests, and with a process that can die.

KILL_FILE names a file with a number: so many commits later the process kills itself, before that commit is made. A
"+" after the number lets it be made first. LEASE_SECONDS makes leases, and what workers do in time, as short as a test
needs, PACE_SECONDS the time between the words of a slow answer, PING_SECONDS that between the pings of a socket, and
PONG_SECONDS that which an answer to one may take.
"""

import os
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "agentsite.settings")

import django

django.setup()

from django.core.management import execute_from_command_line  # noqa: E402

from agentsite.management.commands import serve  # noqa: E402
from agentsite.runner import hands_on  # noqa: E402
from chat import connections, db, process, sweep, transact  # noqa: E402
from chat.agent import asking, clock  # noqa: E402
from chat.connections import DEMO_URL, OnThisMachine  # noqa: E402
from chat.store import leases  # noqa: E402
from tests.faults.model import PACE, Model  # noqa: E402
from tools.registry import tool  # noqa: E402

FILES = Path(os.environ["VAR_DIR"])
KILL_FILE, CLOCK_FILE, NOTES = FILES / "kill", FILES / "clock", FILES / "notes"
HOLD_FILE, HELD_FILE = FILES / "hold", FILES / "held"


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


def once(work: Callable[[], Any]) -> Any:
    """Commit as the site does, wait before that while the file "hold" is there, and die where "kill" says so.

    With a "+" in the file it waits after that.
    """
    wait("")
    said = KILL_FILE.read_text() if KILL_FILE.exists() else ""
    left = int(said.rstrip("+") or 0)
    if left:
        KILL_FILE.write_text(f"{left - 1}{'+' * said.count('+')}")
    if left == 1 and "+" not in said:
        os.kill(os.getpid(), signal.SIGKILL)
    result = once_as_ever(work)
    if left == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    wait("+")
    return result


def wait(at: str) -> None:
    with suppress(FileNotFoundError):
        while HOLD_FILE.read_text() == at:
            HELD_FILE.touch()
            time.sleep(0.01)


class Clock(datetime):
    """The machine's clock, as many seconds off as the file "clock" says."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> "Clock":
        off = float(CLOCK_FILE.read_text()) if CLOCK_FILE.exists() else 0
        return super().now(tz) + timedelta(seconds=off)


def main(*command: str) -> None:
    execute_from_command_line(["manage.py", *command])


once_as_ever = transact.once
db.once = once  # type: ignore[attr-defined]
clock.datetime = Clock  # type: ignore[attr-defined]
asking.FIRST_WAIT = 0.1
connections.on_this_machine[DEMO_URL] = OnThisMachine(Model(float(os.environ.get("PACE_SECONDS", PACE))))
if seconds := float(os.environ.get("LEASE_SECONDS", 0)):
    leases.LEASE = timedelta(seconds=seconds)
    process.LEASE_SECONDS = process.SWEEP_SECONDS = seconds / 8
    sweep.MISSED_SECONDS = seconds / 2
    if hands_on():
        from chat.worker import working  # it comes with an extra

        working.HEARTBEAT_SECONDS, working.STALLED_SECONDS = seconds / 4, seconds
serve.PING_EVERY = float(os.environ.get("PING_SECONDS", serve.PING_EVERY))
serve.PONG_WITHIN = float(os.environ.get("PONG_SECONDS", serve.PONG_WITHIN))

if __name__ == "__main__":
    main(*sys.argv[1:])
