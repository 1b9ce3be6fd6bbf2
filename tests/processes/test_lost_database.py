"""A PostgreSQL that ends connections, or is away for a while: runs go on, pages follow, nothing is stored twice."""

import re
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path

import httpx2
import pytest

from tests import databases
from tests.conftest import PASSWORD
from tests.faults.sites import checked
from tests.serving import Site, served
from tests.sockets import begin, opened

ENDED = r'#m-\d+-head"><span hidden data-mirror="status" data-value="(done|stopped|error)"'
COUNTED = ", ".join(str(number) for number in range(1, 101)) + "."
AWAY_SECONDS = 3.0


@pytest.fixture
def site(postgres: None, tmp_path: Path) -> Iterator[Site]:
    with served(tmp_path) as site:
        site.add_user("alice", PASSWORD)
        yield site


@contextmanager
def ending_connections(site: Site) -> Iterator[None]:
    """End every connection of the site, again and again."""
    over = threading.Event()

    def end() -> None:
        while not over.wait(0.7):
            databases.end_connections(site.environment)

    thread = threading.Thread(target=end)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def test_a_run_goes_on_while_connections_are_ended(site: Site) -> None:
    with closing(site.sign_in("alice", PASSWORD)) as alice:
        conversation = begin(alice, "Hello")
        with opened(site, alice, conversation) as page:
            page.say(action="resume", since=0)
            page.until('id="cursor"')
            with ending_connections(site):
                page.ask("Count to 100")
                assert page.until(ENDED)
        shown(alice, conversation)
    checked(site)


def test_a_run_waits_for_a_database_that_is_away_and_says_so_at_healthz(site: Site) -> None:
    with closing(site.sign_in("alice", PASSWORD)) as alice:
        conversation = begin(alice, "Hello")
        with opened(site, alice, conversation) as page:
            page.say(action="resume", since=0)
            page.ask("Count to 100")
            page.until(r'#m-\d+-open"><')
            with databases.closed(site.environment):
                gone = time.monotonic()
                answer = httpx2.get(f"{site.url}/healthz", timeout=20, trust_env=False)
                assert (answer.status_code, answer.json()["reason"]) == (503, "no database")
                time.sleep(max(0, gone + AWAY_SECONDS - time.monotonic()))  # how long it is away is what is tried
            page.until(ENDED)
        shown(alice, conversation)
    checked(site)


def test_requests_are_answered_although_all_that_the_pool_kept_is_lost(site: Site) -> None:
    with closing(site.sign_in("alice", PASSWORD)) as alice, ThreadPoolExecutor(16) as many:
        pages = list(many.map(lambda _: alice.get("/runs/").status_code, range(64)))
        assert set(pages) == {200}
        databases.end_connections(site.environment)
        assert httpx2.get(f"{site.url}/healthz", timeout=20, trust_env=False).status_code == 200
        assert alice.get("/runs/").status_code == 200


def shown(alice: httpx2.Client, conversation: str) -> None:
    page = alice.get(f"/c/{conversation}/").text
    assert 'data-status="done"' in page
    assert re.sub(r"<[^>]+>", "", page).count(COUNTED) >= 1
