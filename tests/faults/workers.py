"""Two servers and workers on one database and one Redis, which tests kill and which are then started again."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import httpx2

from tests import databases
from tests.faults.conftest import Known
from tests.faults.sites import PROGRAM, killable
from tests.redis_server import RedisServer
from tests.serving import ROOT, STOPS_WITHIN, Site

LEASE = 2  # seconds
OWNER = "SELECT owner FROM chat_run WHERE conversation_id = %s AND status = 'running'"
TURNS = "SELECT started, ended FROM chat_run WHERE conversation_id = %s ORDER BY answer_id"
END_CONNECTIONS = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()
"""


@dataclass
class Worker:
    process: "subprocess.Popen[bytes]"
    log_file: Path

    @property
    def log(self) -> str:
        return self.log_file.read_text("utf-8")


@dataclass
class Cluster:
    known: Known
    redis: RedisServer
    running: ExitStack
    servers: list[Site] = field(default_factory=list)
    workers: list[Worker] = field(default_factory=list)
    started: int = 0

    def mend(self, workers: int = 2) -> tuple[httpx2.Client, httpx2.Client]:
        """Have two servers and so many workers, whatever was killed before; return a browser of alice's for each."""
        self.servers = [site for site in self.servers if site.process.poll() is None]
        self.workers = [worker for worker in self.workers if worker.process.poll() is None]
        while len(self.servers) < 2:
            self.servers.append(self.running.enter_context(self._server()))
        while len(self.workers) < workers:
            self.workers.append(self.running.enter_context(self.worker()))
        while len(self.workers) > workers:
            _end(self.workers.pop().process)
        here, there = (self.running.enter_context(self.known.client(site)) for site in self.servers)
        return here, there

    def worker_of(self, conversation: str) -> Worker:
        """Return the worker that works on the run that is live in a conversation."""
        with databases.opened(self.servers[0].environment) as rows:
            pid = rows.execute(OWNER, [conversation]).fetchone()[0].split(":")[1]
        return next(worker for worker in self.workers if worker.process.pid == int(pid))

    def are_in_turn(self, conversation: str) -> bool:
        """Say whether each run of a conversation began after the one before it had ended."""
        with databases.opened(self.servers[0].environment) as rows:
            times = rows.execute(TURNS, [conversation]).fetchall()
        return all(before[1] <= after[0] for before, after in pairwise(times))

    def end_connections(self) -> None:
        with databases.opened(self.servers[0].environment) as rows:
            rows.execute(END_CONNECTIONS)

    def _server(self) -> AbstractContextManager[Site]:
        short = {"LEASE_SECONDS": str(LEASE), "DRAIN_SECONDS": "0"}
        return killable(self.known.folder, REDIS_URL=self.redis.url, AGENT_RUNNER="procrastinate", **short)

    @contextmanager
    def worker(self, **variables: str) -> Iterator[Worker]:
        self.started += 1
        log_file = self.known.folder / f"worker-{self.started}.log"
        command = [sys.executable, *PROGRAM, "procrastinate", "worker"]
        with log_file.open("w") as log:
            process = subprocess.Popen(command, cwd=ROOT, env={**self.servers[0].environment, **variables}, stderr=log)
        try:
            yield Worker(process, log_file)
        finally:
            _end(process)


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    process.wait(STOPS_WITHIN)
