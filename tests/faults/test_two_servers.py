"""Two servers on one database, and two people: nothing runs twice, and one goes on where the other is stuck."""

import signal
import time
from contextlib import ExitStack, closing

import httpx2

from tests.conftest import PASSWORD
from tests.faults.conftest import Known
from tests.faults.sites import checked, killable, wait_for_answers
from tests.serving import Site
from tests.sockets import Page, begin, opened

LEASE = 2  # seconds
SWEEP = LEASE / 8
STOPS_WITHIN = 2.0
BUSY = 2.0  # seconds that a machine may be late that has much else to do
ENDED = 'data-mirror="status" data-value="{}"'


def test_of_two_servers_each_goes_on_with_what_the_other_had_and_stops_what_it_has(known: Known) -> None:
    with ExitStack() as running:
        short = {"LEASE_SECONDS": str(LEASE), "PACE_SECONDS": "0.04"}
        first, second = (running.enter_context(killable(known.folder, **short)) for _ in range(2))
        here, there = (running.enter_context(known.client(site)) for site in (first, second))
        first.add_user("bob", PASSWORD)
        bob = running.enter_context(closing(first.sign_in("bob", PASSWORD)))
        begin(here, "Look and note 1")
        begin(there, "Look and note 2")
        his = begin(bob, "Say his secret")

        his_page = running.enter_context(opened(first, bob, his))
        page = running.enter_context(opened(first, here, known.conversation))
        freeze_and_thaw(first, second, there, known.conversation, his_page, page)
        found = checked(first)
        assert [pause < LEASE + SWEEP + BUSY for pause in found["pauses"]] == [True] * 2
        assert "her secret" not in his_page.seen + bob.get(f"/c/{his}/").text + bob.get("/").text
        assert "his secret" not in page.seen + here.get(f"/c/{known.conversation}/").text + here.get("/").text

        stop_from_elsewhere(second, there, known.conversation, page)
        [took] = checked(first)["stops"]
        assert took < STOPS_WITHIN + BUSY
    assert first.log.count("run lost") == 2
    assert "run taken over" not in first.log
    assert second.log.count("run taken over") == 2
    written = (known.folder / "notes").read_text().splitlines()
    assert sorted(written) == [f"Look and note {number}" for number in range(3)]


def freeze_and_thaw(
    first: Site, second: Site, there: httpx2.Client, conversation: str, his_page: Page, page: Page
) -> None:
    """Let the first server stand still in the middle of two runs until the second has ended them."""
    his_page.ask("Slowly, his secret")
    page.ask("Slowly, her secret")
    his_page.until("word1 ")
    page.until("word1 ")
    first.process.send_signal(signal.SIGSTOP)
    frozen = time.monotonic()
    wait_for_answers(second, there, conversation, 2)
    assert time.monotonic() - frozen > LEASE
    first.process.send_signal(signal.SIGCONT)
    page.until(ENDED.format("done"))
    his_page.until(ENDED.format("done"))


def stop_from_elsewhere(second: Site, there: httpx2.Client, conversation: str, page: Page) -> None:
    page.ask("Slowly, once more")
    page.until("word1 ")
    with opened(second, there, conversation) as other:
        other.say(action="stop")
        page.until(ENDED.format("stopped"))
