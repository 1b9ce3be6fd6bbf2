"""A server that is told to stop while runs are live: it drains, and what is left goes on in the next one."""

import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx2

from tests.faults.conftest import Known
from tests.faults.sites import checked, killable, wait_for_answers
from tests.faults.staying import Staying, articles, hold_same, loaded, shown, statuses
from tests.serving import Site, hidden
from tests.sockets import PATIENCE, Page, begin, opened

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


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Let the site commit nothing until the end of the block."""
    (folder / "hold").touch()
    try:
        yield
    finally:
        (folder / "hold").unlink()


def wait_until_held(folder: Path) -> None:
    end = time.monotonic() + PATIENCE
    while not (folder / "held").exists():
        assert time.monotonic() < end


def test_a_run_that_ends_in_time_is_whole_on_screen_and_nothing_new_begins(known: Known) -> None:
    with killable(known.folder, DRAIN_SECONDS="30") as site, known.client(site) as client:
        elsewhere, page = begin(client, "Say it"), Staying(client, known.conversation)
        with opened(site, client, elsewhere) as other, page.open(site, client) as here:
            here.socket.ask("Slowly")
            here.take("word1 ")
            tell_to_stop(site, client)
            with opened(site, client, known.conversation) as late:
                assert late.close_code() == 4012
            other.ask("Look, and note later")
            other.until('data-status="queued"')
            assert here.until_closed() == 4012
        assert site.process.wait(PATIENCE) == 0
    with killable(known.folder) as site, known.client(site) as client:
        hold_same(page.page, shown(loaded(client, known.conversation)))
        assert statuses(page.page)[-1] == "done"
        wait_for_answers(site, client, elsewhere, 2)
        assert "note later" in (known.folder / "notes").read_text()
    assert checked(site)["taken"] == []


def test_what_is_sent_as_the_server_is_told_to_stop_is_stored_and_answered_by_the_next_one(known: Known) -> None:
    with killable(known.folder, DRAIN_SECONDS="30") as site, known.client(site) as client:
        with opened(site, client, known.conversation) as page, ThreadPoolExecutor() as threads:
            form = {**hidden(client, "/"), "message": "Say it by a form", "client_id": "form"}
            with held(known.folder):
                page.ask("Say it over the socket", "socket")
                wait_until_held(known.folder)
                posted = threads.submit(client.post, "/c/", data=form)
                with known.client(site) as another:
                    tell_to_stop(site, another)
                assert not posted.done()
            answer = posted.result()
            assert page.close_code() == 4012
        assert site.process.wait(PATIENCE) == 0
    assert answer.status_code == 302
    assert "run ended" not in site.log
    with killable(known.folder) as site, known.client(site) as client:
        _, _, trace = wait_for_answers(site, client, known.conversation, 2).partition('id="trace"')
        assert "The server was shut down here; what follows is the second attempt" in trace
        wait_for_answers(site, client, answer.headers["location"].split("/")[2], 1)
    assert checked(site)["messages"] == 3


def test_a_request_that_came_before_is_answered(known: Known) -> None:
    path = f"/c/{known.conversation}/"
    with killable(known.folder) as site, known.client(site) as client, ThreadPoolExecutor() as threads:
        message = articles(loaded(client, known.conversation), "user")[0]["id"].removeprefix("m-")
        form = {**hidden(client, path), "action": "show", "message_id": message}
        with held(known.folder):
            posted = threads.submit(client.post, path, data=form)
            wait_until_held(known.folder)
            with known.client(site) as another:
                tell_to_stop(site, another)
        assert posted.result().status_code == 302
        assert site.process.wait(PATIENCE) == 0


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
