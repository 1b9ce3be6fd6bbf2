"""A server that is told to stop while runs are live: it drains, and what is left goes on in the next one."""

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx2

from tests.faults.conftest import Known
from tests.faults.sites import checked, killable, wait_for_answers
from tests.serving import Site
from tests.sockets import PATIENCE, Page, opened

ANSWERED = r'#m-\d+-head"><span hidden data-mirror="status" data-value="done"'
AT_ONCE = 10.0  # seconds, on a machine that is busy; without a hurry the drain would take a minute


@contextmanager
def at_work(site: Site, client: httpx2.Client, conversation: str) -> Iterator[Page]:
    """A page whose run has begun to say a hundred words."""
    with opened(site, client, conversation) as page:
        page.ask("Slowly")
        page.until("word1 ")
        yield page


def tell_to_stop(site: Site, client: httpx2.Client) -> None:
    """Tell a server to stop, and wait until it says that it drains."""
    site.process.send_signal(signal.SIGTERM)
    while (health := client.get("/healthz")).status_code == 200:
        pass
    assert (health.status_code, health.json()) == (503, {"status": "unavailable", "reason": "draining"})


def test_a_run_that_ends_in_time_is_whole_and_nothing_new_begins(known: Known) -> None:
    with killable(known.folder, DRAIN_SECONDS="30") as site, known.client(site) as client:
        with at_work(site, client, known.conversation) as page:
            tell_to_stop(site, client)
            with opened(site, client, known.conversation) as late:
                assert late.close_code() == 4012
            page.ask("Look, and note later")
            page.until('data-status="queued"')
            page.until(ANSWERED)
            assert page.close_code() == 4012
        assert site.process.wait(PATIENCE) == 0
    with killable(known.folder) as site, known.client(site) as client:
        assert "word99" in wait_for_answers(site, client, known.conversation, 3)
        assert "note later" in (known.folder / "notes").read_text()
    assert checked(site)["taken"] == []


def test_a_run_that_does_not_end_in_time_goes_on_in_the_next_process(known: Known) -> None:
    with killable(known.folder, DRAIN_SECONDS="0") as site, known.client(site) as client:
        with at_work(site, client, known.conversation) as page:
            site.process.send_signal(signal.SIGTERM)
            assert page.close_code() == 4012
        assert site.process.wait(PATIENCE) == 0
        assert "run given up" in site.log
    with killable(known.folder) as site, known.client(site) as client:
        chat, _, trace = wait_for_answers(site, client, known.conversation, 2).partition('id="trace"')
    assert chat.count("word1 ") == chat.count("word99") == 1
    assert trace.count("word1 ") == 2
    assert trace.count("word99") == 1
    assert "The server was shut down here; what follows is the second attempt" in trace
    assert len(checked(site)["taken"]) == 1


def test_told_to_stop_twice_it_stops_at_once(known: Known) -> None:
    with killable(known.folder, DRAIN_SECONDS="60") as site, known.client(site) as client:
        with at_work(site, client, known.conversation) as page:
            tell_to_stop(site, client)
            told = time.monotonic()
            site.process.send_signal(signal.SIGTERM)
            assert page.close_code() == 4012
        assert site.process.wait(PATIENCE) == 0
        assert time.monotonic() - told < AT_ONCE
        assert "run given up" in site.log
