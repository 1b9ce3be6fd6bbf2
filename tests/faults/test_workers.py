"""Two servers and two workers: who works on what, and what becomes of it as they die and Redis and connections go."""

import re
import shutil
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace

import httpx2
import pytest

from tests import databases
from tests.faults.conftest import Known
from tests.faults.invariants import check_frames
from tests.faults.sites import DONE, checked
from tests.faults.workers import Cluster
from tests.redis_server import redis_server
from tests.serving import Site
from tests.sockets import PATIENCE, Page, begin, opened

pytestmark = pytest.mark.usefixtures("postgres")
STOPPED = r'-head"><span hidden data-mirror="status" data-value="stopped"'
WITHOUT_JOB = """
from django.contrib.auth.models import User
from chat import store
from chat.agent.clock import now
store.send({conversation!r}, User.objects.get().pk, "Look, and note nothing", "no-job", "demo", "", now())
"""


@pytest.fixture(scope="module")
def cluster(postgres: None, made: Known, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    folder = tmp_path_factory.mktemp("cluster") / "site"
    shutil.copytree(made.folder, folder)
    databases.copy(made.folder, folder)
    with redis_server() as redis, ExitStack() as running:
        yield Cluster(replace(made, folder=folder), redis, running)


@contextmanager
def converging(site: Site, client: httpx2.Client, conversation: str) -> Iterator[Page]:
    """A page that is open from the start, and at the end shows what one shows that is loaded then."""
    with opened(site, client, conversation) as page:
        page.say(action="resume", since=0)
        page.until('id="cursor"')
        yield page
    check_frames(page.seen, client.get(f"/c/{conversation}/").text)


def until_done(page: Page, number: int) -> None:
    """Read until so many answers of the conversation are done."""
    while len(set(re.findall(DONE, page.seen))) < number:
        page.until(DONE)


def test_what_no_worker_has_taken_is_stopped_as_it_is_and_the_next_one_waits_for_a_worker(cluster: Cluster) -> None:
    here, _ = cluster.mend(workers=0)
    conversation = cluster.known.conversation
    with opened(cluster.servers[0], here, conversation) as page:
        page.ask("Look and note, but stop")
        page.until('data-status="queued"')
        page.say(action="stop")
        page.until(STOPPED)
        page.ask("Look again")
        page.until('data-status="queued"')
        without = replace(cluster.servers[0], environment={**cluster.servers[0].environment, "AGENT_RUNNER": ""})
        without.shell(WITHOUT_JOB.format(conversation=conversation))
        cluster.mend(workers=1)
        page.until(DONE)
        page.until(DONE)
    assert cluster.are_in_turn(conversation)


def test_stop_on_a_server_reaches_the_worker_within_two_seconds(cluster: Cluster) -> None:
    here, there = cluster.mend()
    conversation = begin(here, "Look and note 1")
    with (
        opened(cluster.servers[0], here, conversation) as page,
        opened(cluster.servers[1], there, conversation) as other,
    ):
        page.ask("Slowly")
        page.until("word1 ")
        other.say(action="stop")
        asked = time.monotonic()
        page.until(STOPPED)
        assert time.monotonic() - asked < 4  # two seconds, on a machine that does nothing else
    assert all("run started" not in site.log for site in cluster.servers)


def test_messages_sent_to_two_servers_at_once_are_answered_in_turn(cluster: Cluster) -> None:
    here, there = cluster.mend()
    conversation = begin(here, "Look and note 2")
    first, second = cluster.servers
    with converging(first, here, conversation) as page, converging(second, there, conversation) as other:
        for number in range(3):
            page.ask(f"Look and note 2.{number} here")
            other.ask(f"Look and note 2.{number} there")
        until_done(page, 7)
        until_done(other, 7)
    assert cluster.are_in_turn(conversation)


def test_stop_and_send_on_a_server_lets_a_worker_begin_what_waits(cluster: Cluster) -> None:
    here, there = cluster.mend()
    conversation = begin(here, "Look and note 3")
    first, second = cluster.servers
    with opened(first, here, conversation) as page, opened(second, there, conversation) as other:
        page.ask("Slowly")
        page.until("word1 ")
        client_id = page.ask("Look, and note 3 at once")
        page.until(client_id)
        waits = re.findall(r'id="m-(\d+)"[^>]*data-role="user"', here.get(f"/c/{conversation}/").text)[-1]
        other.say(action="stop_and_send", message_id=waits)
        page.until(STOPPED)
        page.until(DONE)
    assert cluster.are_in_turn(conversation)


def test_a_worker_and_a_server_die_and_what_they_had_goes_on_elsewhere(cluster: Cluster) -> None:
    here, there = cluster.mend()
    conversation = begin(here, "Look and note 4")
    dying, alive = cluster.servers
    with converging(alive, there, conversation) as page:
        with opened(dying, here, conversation) as lost:
            lost.ask("Slowly")
            lost.until("word1 ")
            lost.ask("Look, and note 4 again")
            page.until("note 4 again")
            cluster.worker_of(conversation).process.kill()
            dying.process.kill()
        until_done(page, 3)
    assert cluster.are_in_turn(conversation)


def test_a_worker_that_is_told_to_stop_leaves_its_run_to_another(cluster: Cluster) -> None:
    here, _ = cluster.mend()
    conversation = begin(here, "Look and note 5")
    with converging(cluster.servers[0], here, conversation) as page:
        page.ask("Slowly")
        page.until("word1 ")
        leaving = cluster.worker_of(conversation)
        leaving.process.send_signal(signal.SIGTERM)
        until_done(page, 2)
        assert leaving.process.wait(PATIENCE) == 0
    assert "run given up" in leaving.log
    assert "The server was shut down here" in here.get(f"/c/{conversation}/").text


def test_a_worker_that_is_told_to_stop_twice_leaves_its_run_at_once(cluster: Cluster) -> None:
    here, _ = cluster.mend(workers=0)
    with cluster.worker(DRAIN_SECONDS="60") as patient:
        conversation = begin(here, "Say it 8")
        with converging(cluster.servers[0], here, conversation) as page:
            page.ask("Slowly")
            page.until("word1 ")
            patient.process.send_signal(signal.SIGTERM)
            while "draining" not in patient.log:
                assert patient.process.poll() is None
            patient.process.send_signal(signal.SIGTERM)
            assert patient.process.wait(PATIENCE) == 0
            assert "run given up" in patient.log
            cluster.mend(workers=1)
            until_done(page, 2)


def test_a_worker_that_is_frozen_past_its_lease_lets_go_of_its_run_and_then_works_on(cluster: Cluster) -> None:
    here, _ = cluster.mend()
    conversation = begin(here, "Look and note 6")
    with converging(cluster.servers[0], here, conversation) as page:
        page.ask("Slowly")
        page.until("word1 ")
        frozen = cluster.worker_of(conversation)
        frozen.process.send_signal(signal.SIGSTOP)
        until_done(page, 2)
        frozen.process.send_signal(signal.SIGCONT)
        for other in cluster.workers:
            if other is not frozen:
                other.process.kill()
        page.ask("Look, and note 6 again")
        until_done(page, 3)
    assert "run lost" in frozen.log


def test_runs_go_on_while_redis_starts_again_and_connections_to_the_database_end(cluster: Cluster) -> None:
    here, _ = cluster.mend()
    conversation = begin(here, "Look and note 7")
    with converging(cluster.servers[0], here, conversation) as page:
        page.ask("Slowly")
        page.until("word1 ")
        page.ask("Look, and note 7 again")
        page.until("note 7 again")
        cluster.redis.stop()
        cluster.redis.start()
        cluster.redis.flush()
        cluster.end_connections()
        until_done(page, 3)
    assert "The server stopped here" not in here.get(f"/c/{conversation}/").text


def test_after_all_that_the_rows_hold_what_they_promise(cluster: Cluster) -> None:
    cluster.mend(workers=0)
    checked(cluster.servers[0])
    lines = (cluster.known.folder / "notes").read_text().splitlines()
    assert len(lines) == len(set(lines))
    with databases.opened(cluster.servers[0].environment) as rows:
        assert rows.execute("SELECT count(*) FROM procrastinate_jobs").fetchone() == (0,)
