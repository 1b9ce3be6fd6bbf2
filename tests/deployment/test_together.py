"""What compose.yaml starts, started by hand on a real PostgreSQL and Redis: a web process and a worker, watched."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx2
import pytest

from agentsite.databases import POOL
from chat import db
from tests import databases
from tests.conftest import PASSWORD
from tests.deployment.recipe import instructions
from tests.deployment.test_compose import OURS, filled
from tests.serving import ROOT, STARTS_WITHIN, STOPS_WITHIN, Site, free_port, served
from tests.sockets import begin

TOKEN = "canary-of-the-metrics-0123456789"
OF_PROCRASTINATE = 4  # connections: the size of its pool, if nothing else is said
OF_WEB = POOL["max_size"] + db.READERS + 1
OF_WORKER = db.READERS + 1 + OF_PROCRASTINATE + 2  # the last ones while it starts, and while it is asked how it is
MOST_COMMITS = 10  # of a run that a worker works on: eight, three of them its job's, and what a slow machine adds
WRITTEN = """
    CREATE TABLE written (xid xid8, name text);
    CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN INSERT INTO written VALUES (pg_current_xact_id(), TG_TABLE_NAME); RETURN NULL; END $$;
"""
NOT_SENT = """
from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone
from chat import store
from chat.models import Allowance
alice = User.objects.get(username="alice").pk
try:
    with transaction.atomic():
        store.start_conversation(alice, "Hello", "a", "demo", "", timezone.now())
        raise ValueError("rolled back")
except ValueError as error:
    print(error)
allowance = Allowance.objects.create(live_runs=0)
try:
    with transaction.atomic():
        store.start_conversation(alice, "Hello", "a", "demo", "", timezone.now())
except store.Refused:
    print("refused")
allowance.delete()
"""
NOTE = "CREATE TRIGGER note AFTER INSERT OR UPDATE OR DELETE ON {} FOR EACH ROW EXECUTE FUNCTION note()"
TABLES = "SELECT tablename FROM pg_tables WHERE tablename LIKE 'chat_%' OR tablename = 'procrastinate_jobs'"
CONNECTIONS = "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"


@dataclass
class Together:
    web: Site
    worker_port: int
    worker: "subprocess.Popen[bytes]"
    worker_log: Path
    alice: httpx2.Client = field(init=False)

    def worker_says(self, path: str, token: str = "") -> httpx2.Response:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return httpx2.get(f"http://127.0.0.1:{self.worker_port}{path}", headers=headers, timeout=20, trust_env=False)


def variables(service: str, redis_url: str, folder: Path) -> dict[str, str]:
    """What compose.yaml says, with the servers of the tests, and HOST as the Dockerfile has it."""
    said = {name: filled(value) for name, value in OURS[service]["environment"].items()}
    return {**said, **databases.url_of(folder), "REDIS_URL": redis_url, "HOST": "0.0.0.0", "METRICS_TOKEN": TOKEN}  # noqa: S104


@contextmanager
def working(web: Site, redis_url: str, folder: Path) -> Iterator[Together]:
    port, log_file = free_port(), folder / "worker.log"
    environment = {**web.environment, **variables("worker", redis_url, folder), "WORKER_PORT": str(port)}
    with log_file.open("w") as log:
        process = subprocess.Popen(by_hand(OURS["worker"]["command"]), cwd=ROOT, env=environment, stderr=log)
    try:
        yield Together(web, port, process, log_file)
    finally:
        process.terminate()
        process.wait(STOPS_WITHIN)
    assert process.returncode == 0
    assert "Traceback" not in log_file.read_text()


def by_hand(command: list[str]) -> list[str]:
    return [sys.executable if word == "python" else word for word in command]


@pytest.fixture(scope="module")
def together(postgres: None, redis_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Together]:
    folder = tmp_path_factory.mktemp("together")
    assert ("CMD", '["python", "manage.py", "serve"]') in instructions()
    with ExitStack() as running:
        web = running.enter_context(served(folder, **variables("web", redis_url, folder)))
        both = running.enter_context(working(web, redis_url, folder))
        end = time.monotonic() + STARTS_WITHIN
        while check_worker(both):
            assert time.monotonic() < end, both.worker_log.read_text()
        web.add_user("alice", PASSWORD)
        both.alice = running.enter_context(closing(web.sign_in("alice", PASSWORD)))
        yield both


def check_worker(both: Together) -> int:
    """Do what compose does to learn whether the worker is well; return what that exits with."""
    word, *command = OURS["worker"]["healthcheck"]["test"]
    assert word == "CMD"
    port = str(OURS["worker"]["environment"]["WORKER_PORT"])
    told = [part.replace(port, str(both.worker_port)) for part in by_hand(command)]
    return subprocess.run(told, capture_output=True, timeout=STARTS_WITHIN).returncode


def test_the_worker_answers_and_its_runs_are_counted_where_it_is_asked(together: Together) -> None:
    assert "42" in together.alice.get(f"/c/{begin(together.alice, 'What is 6 * 7?')}/").text
    page = together.worker_says("/metrics", TOKEN)
    assert page.status_code == 200
    for shown in ('agentsite_runs_total{reason="done"} 1.0', 'tool="calculate"', "agentsite_live_runs 0.0"):
        assert shown in page.text
    assert 'agentsite_runs_total{reason="done"}' not in together.alice.get("/metrics", headers=bearing()).text


def bearing() -> dict[str, str]:
    return {"Authorization": f"Bearer {TOKEN}"}


def test_the_worker_says_how_it_is_and_nothing_else_to_those_without_the_token(together: Together) -> None:
    assert together.worker_says("/healthz").json() == {"status": "ok"}
    for path, token in (("/metrics", ""), ("/metrics", "x"), ("/", TOKEN), ("/healthz/", ""), ("/admin/", TOKEN)):
        assert together.worker_says(path, token).status_code == 404
    assert httpx2.post(f"http://127.0.0.1:{together.worker_port}/healthz", trust_env=False).status_code == 404


def test_together_they_hold_no_more_connections_than_is_said(together: Together) -> None:
    with databases.opened(together.web.environment) as rows:
        held = rows.execute(CONNECTIONS).fetchone()[0]
    assert held <= OF_WEB + OF_WORKER


@pytest.fixture(scope="module")
def noting(together: Together) -> None:
    """From here on each write to a run or its job is noted with its transaction."""
    with databases.opened(together.web.environment) as rows:
        rows.execute(WRITTEN)
        for (table,) in rows.execute(TABLES).fetchall():
            rows.execute(NOTE.format(table))


@pytest.mark.usefixtures("noting")
def test_a_message_that_is_refused_or_rolled_back_leaves_no_job(together: Together) -> None:
    assert together.web.shell(NOT_SENT) == "rolled back\nrefused\n"
    with databases.opened(together.web.environment) as rows:
        assert rows.execute("SELECT DISTINCT name FROM written").fetchall() == [("chat_allowance",)]


@pytest.mark.usefixtures("noting")
def test_a_run_takes_few_commits_with_those_of_its_job(together: Together) -> None:
    with databases.opened(together.web.environment) as rows:
        rows.execute("DELETE FROM written")
    begin(together.alice, "What is 6 * 8?")
    with databases.opened(together.web.environment) as rows:
        end = time.monotonic() + STARTS_WITHIN
        while rows.execute("SELECT COUNT(*) FROM procrastinate_jobs").fetchone()[0]:
            assert time.monotonic() < end
            rows.commit()
        found = rows.execute("SELECT xid, array_agg(DISTINCT name) FROM written GROUP BY xid ORDER BY xid").fetchall()
    assert len(found) <= MOST_COMMITS, found
    assert {"chat_conversation", "chat_message", "chat_run", "procrastinate_jobs"} <= set(found[0][1])


def test_a_worker_that_hangs_is_not_well(together: Together) -> None:
    assert check_worker(together) == 0
    together.worker.send_signal(signal.SIGSTOP)
    try:
        assert check_worker(together) != 0
    finally:
        together.worker.send_signal(signal.SIGCONT)
