"""A server that restarts, or has no room for one more page: each comes back by itself, after a while of its own."""

import signal
from contextlib import ExitStack, closing
from pathlib import Path

from playwright.sync_api import Page, StorageState, expect

from chat.consumers import SOCKETS_A_PERSON
from tests.browser.chatting import answered, ask, box, start, status_line, until
from tests.browser.conftest import Complaints, Visit, session_of
from tests.conftest import PASSWORD
from tests.serving import Site, free_port, served
from tests.sockets import opened

DELAYS = """() => {
    window.delays = [];
    const inTime = window.setTimeout;
    window.setTimeout = (work, delay, ...rest) => {
        if (work.name === "reconnect") window.delays.push(delay);
        return inTime(work, delay, ...rest);
    };
}"""


def delays(page: Page) -> list[float]:
    """The milliseconds after which a page meant to come back."""
    return [float(delay) for delay in page.evaluate("window.delays")]


def test_after_a_restart_pages_come_back_soon_and_not_all_at_once(
    tmp_path: Path, visit: Visit, complaints: Complaints
) -> None:
    for pattern in ("WebSocket connection to .* failed", r"\[object Event\]", "ERR_"):
        complaints.expect(pattern)
    port = str(free_port())
    with served(tmp_path, PORT=port, DRAIN_SECONDS="0") as site:
        site.add_user("alice", PASSWORD)
        page = visit(site, session_of(site, "alice"))
        start(page, "How are you?")
        answered(page)
        pages = [page, *(page.context.new_page() for _ in range(3))]
        for one in pages[1:]:
            one.goto(page.url)
        ask(page, "What is 6 * 7?")
        for one in pages:
            answered(one, 2)  # its socket is open, and it caught up
            one.evaluate(DELAYS)
            box(one).fill("Half a thought")
        site.process.send_signal(signal.SIGTERM)
        for one in pages:
            until(one, "window.delays.length > 0")
        first = [delays(one)[0] for one in pages]
        assert all(200 <= delay <= 600 for delay in first)
        assert len(set(first)) == len(first)
    with served(tmp_path, PORT=port):
        for one in pages:
            status_line(one, "")
            expect(box(one)).to_have_value("Half a thought")
        box(page).fill("")
        ask(page, "What is 6 * 8?")
        for one in pages:
            expect(answered(one, 3)).to_contain_text("48")


def test_one_page_too_many_says_so_and_goes_on_when_there_is_room(visit: Visit, site: Site) -> None:
    site.add_user("full", PASSWORD)
    state: StorageState = session_of(site, "full")
    page = visit(site, state)
    start(page, "What is 6 * 7?")
    answered(page)
    here, url = page.url.rstrip("/").rpartition("/")[2], page.url
    page.goto("/settings/")
    with ExitStack() as others:
        client = others.enter_context(closing(site.sign_in("full", PASSWORD)))
        for _ in range(SOCKETS_A_PERSON):
            others.enter_context(opened(site, client, here))
        page.add_init_script(f"({DELAYS})()")
        page.goto(url)
        expect(page.get_by_role("alert")).to_contain_text(f"You have {SOCKETS_A_PERSON} pages of this site open")
        until(page, "window.delays.length > 0")
        assert all(3000 <= delay <= 9000 for delay in delays(page))
    status_line(page, "")
    ask(page, "What is 6 * 8?")
    expect(answered(page, 2)).to_contain_text("48")
    expect(page.get_by_role("alert")).to_be_empty()
