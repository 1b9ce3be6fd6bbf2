"""A site that dies and is started again and again: its processes are forked from one that has imported everything."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2

from tests.serving import ROOT, STARTS_WITHIN, Site, free_port, site_environment

PROGRAM = ("-m", "tests.faults.forking")


@dataclass
class Reborn:
    """One site, one process at a time: `start` it, and it goes on until it dies. `ready` is when it last was."""

    site: Site
    folder: Path
    pid: int = 0
    ready: float = 0
    checked: int = 0

    def kill_at(self, commit: int, told: str = "") -> None:
        """Let the process die at a commit, counted from here; with "+" after it. At 0 it lives on."""
        (self.folder / "kill").write_text(f"{commit}{told if commit else ''}")

    def start(self) -> bool:
        """Start it; say whether it serves, or has died at once."""
        assert not self.pid, "It is at work."
        self._tell("serve")
        self.pid = int(self._until("began").split()[1])
        self._until("agentsite is ready")
        try:
            httpx2.get(f"{self.site.url}/healthz", timeout=STARTS_WITHIN, trust_env=False).raise_for_status()
        except httpx2.TransportError:
            self.wait()
            return False
        self.ready = time.time()
        return True

    def wait(self) -> None:
        """Wait until it has died."""
        if self.pid:
            self._tell("wait")
            self._until("ended")
            self.pid = 0

    def kill(self) -> None:
        if self.pid:
            os.kill(self.pid, signal.SIGKILL)
            self.wait()

    def check(self) -> dict[str, Any]:
        """Hold what was stored since the last time to the invariants; return what there is to say of it."""
        self._tell(f"check {self.checked}")
        found: dict[str, Any] = json.loads(self._until("{"))
        self.checked = found["last"]
        return found

    def _tell(self, command: str) -> None:
        assert self.site.process.stdin
        self.site.process.stdin.write(f"{command}\n")
        self.site.process.stdin.flush()

    def _until(self, beginning: str) -> str:
        """Read until a line begins so."""
        assert self.site.process.stdout
        while not (line := self.site.process.stdout.readline()).startswith(beginning):
            assert line
            assert not line.startswith("failed"), self.site.log
        return line


@contextmanager
def reborn(folder: Path, **variables: str) -> Iterator[Reborn]:
    """A site of the tests that can be started; with a traceback in its log the block ends in an error."""
    port = str(free_port())
    environment = site_environment(folder, PORT=port, **variables)
    log_file = folder / "reborn.log"
    with log_file.open("w") as log:
        process = subprocess.Popen(
            [sys.executable, *PROGRAM], cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=log, text=True,
        )  # fmt: skip
    found = Reborn(Site(f"http://127.0.0.1:{port}", "", environment, process, log_file), folder)
    try:
        yield found
    finally:
        found.kill()
        process.communicate()
    assert "Traceback" not in found.site.log, found.site.log
