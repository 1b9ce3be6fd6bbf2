"""A page that polls: what an error says is said, only silence is "Reconnecting…", and the draft is kept throughout."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, Request, StorageState, expect

from tests.browser.chatting import answered, answers, ask, box, questions, start, status_line, stop
from tests.browser.conftest import Complaints, Visit, session_of
from tests.conftest import PASSWORD
from tests.faults.sites import killable
from tests.proxy import Proxy, before
from tests.serving import Site

POLLING = "Live updates come every few seconds: the connection does not let websockets through."
MEANWHILE = "What is 6 * 7?"
TROUBLE = ("WebSocket connection to .* failed", r"\[object Event\]", "ERR_", "status of 50", "status of 403")
BUSY_WORDS = "The database does not answer. Try again in a moment."


@pytest.fixture
def proxy(site: Site, complaints: Complaints) -> Iterator[Proxy]:
    """A proxy that lets no websocket through."""
    for pattern in TROUBLE:
        complaints.expect(pattern)
    with before(site) as between:
        between.lets_websockets_through = False
        yield between


def polling(page: Page, question: str = "How are you?") -> None:
    start(page, question)
    expect(page.get_by_text(POLLING)).to_be_visible()


def answer_with(proxy: Proxy, status: str, body: str = "") -> None:
    """From here on the proxy answers by itself; with no status, the site does again."""
    head = f"HTTP/1.1 {status}\r\nContent-Type: text/html\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    proxy.answer = f"{head}{body}".encode() if status else b""
    proxy.cut()


def look_again(page: Page) -> None:
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")


def test_errors_are_said_in_their_own_words_and_silence_is_reconnecting(
    proxy: Proxy, visit: Visit, of_alice: StorageState
) -> None:
    page = visit(proxy.site, of_alice)
    polling(page)
    answered(page)
    answer_with(proxy, "503 Busy", f'<div id="notice" role="alert" hx-swap-oob="true">{BUSY_WORDS}</div>')
    box(page).fill("What is 6 * 7?")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_have_text(BUSY_WORDS)
    status_line(page, "")
    expect(box(page)).to_have_value("What is 6 * 7?")

    answer_with(proxy, "500 Broken", "<p>A stack of things</p>")
    look_again(page)
    expect(page.get_by_role("alert")).to_have_text("The server answered with an error (500).")
    answer_with(proxy, "502 Nobody")
    look_again(page)
    status_line(page, "Reconnecting…")

    answer_with(proxy, "")
    look_again(page)
    expect(answered(page, 2)).to_contain_text("42")
    expect(page.get_by_role("alert")).to_be_empty()
    expect(box(page)).to_have_value("")
    page.reload()
    expect(questions(page)).to_have_count(2)


def test_stop_that_nobody_took_is_asked_for_again(proxy: Proxy, visit: Visit, of_alice: StorageState) -> None:
    page = visit(proxy.site, of_alice)
    polling(page, "Count to 1000")
    expect(answers(page).last).to_contain_text("1, 2, 3")
    answer_with(proxy, "502 Nobody")
    stop(page).click()
    status_line(page, "Reconnecting…")
    answer_with(proxy, "")
    look_again(page)
    answered(page, 1, "stopped")


def test_what_is_taken_back_and_was_asked_for_again_meanwhile_comes_back_into_the_box(
    tmp_path: Path, visit: Visit, complaints: Complaints
) -> None:
    for pattern in TROUBLE:
        complaints.expect(pattern)
    with killable(tmp_path, PACE_SECONDS="2", DRAIN_SECONDS="0") as site, before(site) as proxy:
        proxy.lets_websockets_through = False
        site.add_user("alice", PASSWORD)
        page = visit(proxy.site, session_of(site, "alice"))
        polling(page, "Slowly")
        ask(page, MEANWHILE)
        take_back = page.get_by_role("button", name="Take back")
        expect(take_back).to_be_visible()
        (tmp_path / "hold").touch()
        with page.expect_request(_is_post):
            take_back.click()
        page.wait_for_timeout(500)  # the site has it by then, and holds it
        with page.expect_request(_is_post):
            proxy.cut()
            look_again(page)
        (tmp_path / "hold").unlink()
        expect(box(page)).to_have_value(MEANWHILE)
        expect(questions(page)).to_have_count(1)
        expect(page.get_by_role("alert")).to_be_empty()
        page.close()


def _is_post(request: Request) -> bool:
    return request.method == "POST"


def test_signed_out_and_in_again_elsewhere_the_page_says_that_it_is_too_old(proxy: Proxy, visit: Visit) -> None:
    page = visit(proxy.site, session_of(proxy.site, "alice"))
    polling(page)
    answered(page)
    other = page.context.new_page()
    other.goto("/settings/")
    other.get_by_role("button", name="Sign out").click()
    other.get_by_label("Username").fill("alice")
    other.get_by_label("Password").fill(PASSWORD)
    other.get_by_role("button", name="Sign in").click()
    expect(other.get_by_role("link", name="New chat")).to_be_visible()

    box(page).fill("What is 6 * 7?")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("This page is too old.")
    status_line(page, "")
    expect(box(page)).to_have_value("What is 6 * 7?")
    page.get_by_role("link", name="Reload it").click()
    expect(page.get_by_text(POLLING)).to_be_visible()
    expect(box(page)).to_have_value("What is 6 * 7?")
    page.keyboard.press("Enter")
    expect(answered(page, 2)).to_contain_text("42")
