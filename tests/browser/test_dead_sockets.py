"""What is pressed or sent into a socket that died without a word is done once, when the page is back; and only that."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, StorageState, expect

from tests.browser.chatting import answered, answers, ask, box, questions, start, status_line, stop
from tests.browser.conftest import Visit, session_of
from tests.conftest import PASSWORD
from tests.faults.sites import killable
from tests.proxy import Proxy, before
from tests.serving import Site

LONG = "Count to 1000"
MEANWHILE = "What is 6 * 7?"


@pytest.fixture
def page(proxy: Proxy, visit: Visit, of_alice: StorageState) -> Page:
    """A page of alice's, seen through the proxy; its clock goes on by itself and can be set forward."""
    page = visit(proxy.site, of_alice)
    page.clock.install()
    return page


@pytest.fixture
def other(visit: Visit, site: Site, of_alice: StorageState) -> Page:
    return visit(site, of_alice)


def see(other: Page, page: Page, proxy: Proxy, site: Site) -> None:
    """Open the same conversation without the proxy."""
    other.goto(page.url.replace(proxy.site.url, site.url))


def find_out(page: Page) -> None:
    """The page waits for an answer in vain, and comes back."""
    with page.expect_websocket():
        page.clock.fast_forward(11_000)
        page.clock.fast_forward(5_000)


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).last.click()


def test_a_message_whose_answer_is_lost_is_sent_again_by_the_page_and_is_there_once(
    page: Page, other: Page, proxy: Proxy, site: Site
) -> None:
    start(page, "How are you?")
    answered(page)
    sent: list[str] = []
    page.on("websocket", lambda socket: socket.on("framesent", lambda frame: sent.append(str(frame))))
    see(other, page, proxy, site)
    proxy.stall(answers_only=True)
    box(page).fill(MEANWHILE)
    page.keyboard.press("Enter")
    expect(answered(other, 2)).to_contain_text("42")
    expect(box(page)).to_have_value(MEANWHILE)
    find_out(page)
    expect(answered(page, 2)).to_contain_text("42")
    expect(box(page)).to_have_value("")
    assert sum(MEANWHILE in frame for frame in sent) == 1  # over the new socket, the old one is not listened to
    for one in (page, other):
        one.reload()
        expect(questions(one)).to_have_count(2)
        expect(answers(one)).to_have_count(2)


def test_stop_pressed_into_a_dead_socket_stops_that_run_when_the_page_is_back(page: Page, proxy: Proxy) -> None:
    start(page, LONG)
    expect(answers(page).last).to_contain_text("1, 2, 3")
    proxy.stall()
    stop(page).click()
    find_out(page)
    answered(page, 1, "stopped")


def test_a_frame_that_was_still_on_its_way_is_no_answer(page: Page, proxy: Proxy) -> None:
    frames: list[str] = []
    page.on("websocket", lambda socket: socket.on("framereceived", lambda frame: frames.append(str(frame))))
    start(page, LONG)
    expect(answers(page).last).to_contain_text("1, 2, 3")
    proxy.deafen()
    stop(page).click()
    before = len(frames)
    while len(frames) < before + 2:
        page.wait_for_timeout(10)
    proxy.stall()
    find_out(page)
    answered(page, 1, "stopped")


def test_stop_pressed_too_late_does_not_stop_the_next_run(page: Page, other: Page, proxy: Proxy, site: Site) -> None:
    start(page, LONG)
    expect(answers(page).last).to_contain_text("1, 2, 3")
    see(other, page, proxy, site)
    proxy.stall()
    stop(page).click()
    stop(other).click()
    answered(other, 1, "stopped")
    ask(other, "Count to 999")
    expect(answers(other).last).to_contain_text("1, 2, 3")
    find_out(page)
    expect(answers(page)).to_have_count(2)
    expect(answers(page).last).to_contain_text("1, 2, 3")
    ask(page, MEANWHILE)
    expect(answers(other).nth(1)).to_have_attribute("data-status", "streaming")
    stop(other).click()
    expect(answered(page, 3)).to_contain_text("42")


@pytest.mark.parametrize("answers_only", [False, True])
def test_another_answer_is_asked_for_once(
    page: Page, other: Page, proxy: Proxy, site: Site, answers_only: bool
) -> None:
    start(page, "What is 6 * 7?")
    answered(page)
    proxy.stall(answers_only=answers_only)
    press(page, "Regenerate")
    find_out(page)
    expect(page.get_by_role("group", name="Branch 2 of 2")).to_be_visible()
    answered(page)
    expect(page.get_by_role("alert")).to_be_empty()
    see(other, page, proxy, site)
    expect(other.get_by_role("group", name="Branch 2 of 2")).to_be_visible()


@pytest.mark.parametrize("answers_only", [False, True])
def test_what_is_taken_back_comes_back_into_the_box_whichever_way_was_dead(
    page: Page, proxy: Proxy, answers_only: bool
) -> None:
    start(page, LONG)
    ask(page, MEANWHILE)
    expect(page.get_by_role("button", name="Take back")).to_be_visible()
    proxy.stall(answers_only=answers_only)
    press(page, "Take back")
    find_out(page)
    expect(box(page)).to_have_value(MEANWHILE)
    expect(questions(page)).to_have_count(1)
    expect(page.get_by_role("alert")).to_be_empty()
    stop(page).click()
    answered(page, 1, "stopped")
    status_line(page, "")


def test_what_is_taken_back_late_and_was_asked_for_again_meanwhile_comes_back_into_the_box(
    tmp_path: Path, visit: Visit
) -> None:
    with killable(tmp_path) as site, before(site) as proxy:
        site.add_user("alice", PASSWORD)
        page = visit(proxy.site, session_of(site, "alice"))
        page.clock.install()
        start(page, "Slowly")
        ask(page, MEANWHILE)
        expect(page.get_by_role("button", name="Take back")).to_be_visible()
        sent: list[str] = []
        page.on("websocket", lambda socket: socket.on("framesent", lambda frame: sent.append(str(frame))))
        (tmp_path / "hold").touch()
        proxy.stall(answers_only=True)
        press(page, "Take back")
        find_out(page)
        while not any("unqueue" in frame for frame in sent):
            page.wait_for_timeout(10)
        (tmp_path / "hold").unlink()
        expect(box(page)).to_have_value(MEANWHILE)
        expect(questions(page)).to_have_count(1)
        expect(page.get_by_role("alert")).to_be_empty()
        page.close()
