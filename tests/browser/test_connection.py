"""A connection that breaks, dies without a word or lets no websocket through: said in words, and made good."""

import pytest
from playwright.sync_api import Page, StorageState, WebSocket, expect

from tests.browser.chatting import (
    answered,
    answers,
    ask,
    box,
    drawn,
    head,
    html,
    log,
    questions,
    start,
    status_line,
    steps,
    stop,
)
from tests.browser.conftest import Complaints, Visit, session_of
from tests.proxy import Proxy
from tests.serving import Site

LONG = "Count to 120"
RECONNECTING = "Reconnecting…"
POLLING = "Live updates come every few seconds: the connection does not let websockets through."


@pytest.fixture
def page(proxy: Proxy, visit: Visit, of_alice: StorageState) -> Page:
    """A page of alice's, seen through the proxy."""
    return visit(proxy.site, of_alice)


@pytest.fixture
def handshakes_fail(complaints: Complaints) -> None:
    complaints.expect("ERR_CONNECTION_REFUSED")  # the proxy may be gone before a page that polls is
    complaints.expect("WebSocket connection to .* failed")
    complaints.expect(r"\[object Event\]")  # htmx's own word for it


def shows_what_a_reload_shows(page: Page) -> None:
    live = drawn(page)
    page.reload()
    assert drawn(page) == live


def test_a_page_whose_connection_is_cut_in_mid_run_comes_back_and_keeps_what_its_reader_had(
    page: Page, proxy: Proxy
) -> None:
    start(page, LONG)
    expect(answers(page).last).to_contain_text("1, 2, 3")
    memory = steps(page, "memory").first
    head(memory).click()
    box(page).fill("Half a thought")
    proxy.cut()
    expect(answered(page)).to_contain_text("119, 120")
    status_line(page, "")
    expect(memory.get_by_text("Nothing is remembered of you yet.")).to_be_visible()
    expect(box(page)).to_have_value("Half a thought")
    assert proxy.handshakes == 2
    shows_what_a_reload_shows(page)


def test_a_page_comes_back_where_it_was_read(page: Page, proxy: Proxy) -> None:
    start(page, "Count to 400")
    answered(page)
    log(page).evaluate("element => element.scrollTop = 40")
    expect(log(page)).to_have_attribute("data-follow", "no")
    proxy.cut()
    other = page.context.new_page()
    other.goto(page.url)
    ask(other, "What is 6 * 7?")
    expect(answered(page, 2)).to_contain_text("42")
    assert log(page).evaluate("element => element.scrollTop") == 40


def test_a_socket_that_died_without_a_word_is_found_out_when_its_tab_is_looked_at(page: Page, proxy: Proxy) -> None:
    start(page, "How are you?")
    answered(page)
    proxy.stall()
    with page.expect_websocket():
        page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")  # the tab is looked at again
    ask(page, "What is 6 * 7?")
    expect(answered(page, 2)).to_contain_text("42")


def test_a_message_into_a_dead_socket_is_sent_again_and_arrives_once(page: Page, proxy: Proxy) -> None:
    start(page, "How are you?")
    answered(page)
    proxy.stall()
    ask(page, "What is 6 * 7?")
    expect(answered(page, 2)).to_contain_text("42")
    page.reload()
    expect(questions(page)).to_have_count(2)


@pytest.mark.usefixtures("handshakes_fail")
def test_without_websockets_the_page_polls_posts_and_stops(page: Page, proxy: Proxy) -> None:
    proxy.lets_websockets_through = False
    start(page, "What's the weather like in London and Tokyo?")
    expect(page.get_by_text(POLLING)).to_be_visible()
    answered(page)
    here = page.url
    box(page).press_sequentially("What is 6 * 7?")
    page.keyboard.press("Enter")
    expect(answered(page, 2)).to_contain_text("42")
    expect(box(page)).to_have_value("")
    expect(steps(page, "tool").filter(has_text="calculate")).to_have_count(1)  # the trace went on to the new run
    ask(page, "Count to 1000")
    expect(answers(page).last).to_contain_text("1, 2, 3")
    stop(page).click()
    answer = answered(page, 3, status="stopped")
    expect(answer).to_contain_text("1, 2, 3")
    assert page.url == here

    questions(page).first.scroll_into_view_if_needed()
    answers(page).first.get_by_role("button", name="View run").click()
    expect(steps(page, "tool").filter(has_text="get_weather")).to_have_count(2)
    box(page).fill("x" * 33_000)
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("32 kB")
    expect(box(page)).to_have_value("x" * 33_000)
    box(page).fill("")
    shows_what_a_reload_shows_but_for_its_trace(page)


def shows_what_a_reload_shows_but_for_its_trace(page: Page) -> None:
    polled = html(page, "#messages")
    page.reload()
    expect(page.get_by_text(POLLING)).to_be_visible()
    assert html(page, "#messages") == polled


@pytest.mark.usefixtures("handshakes_fail")
def test_a_socket_that_gets_through_again_ends_the_polling(page: Page, proxy: Proxy) -> None:
    proxy.lets_websockets_through = False
    start(page, "How are you?")
    expect(page.get_by_text(POLLING)).to_be_visible()
    proxy.lets_websockets_through = True
    page.evaluate("window.dispatchEvent(new Event('online'))")  # else it would try within a minute
    expect(page.get_by_text(POLLING)).to_have_count(0)
    status_line(page, "")
    ask(page, "What is 6 * 7?")
    expect(answered(page, 2)).to_contain_text("42")


def test_a_page_says_now_and_then_how_much_it_has_handled(page: Page) -> None:
    said: list[str] = []
    heard: list[str] = []

    def listen(socket: WebSocket) -> None:
        socket.on("framesent", lambda frame: said.append(str(frame)))
        socket.on("framereceived", lambda frame: heard.append(str(frame)))

    page.on("websocket", listen)
    start(page, "How are you?")
    answered(page)
    for number in range(1, 5):
        ask(page, "x" * 32_000)
        answered(page, number + 1)
    assert 0 < sum('"seen"' in frame for frame in said) <= sum(map(len, heard)) / 65_536
    assert sum('"resume"' in frame for frame in said) == 1


def sleep_an_hour(page: Page, proxy: Proxy) -> None:
    """The laptop sleeps: its socket dies without a word, and no timer of the page runs in time."""
    proxy.stall()
    page.clock.fast_forward("01:00:00")


def test_after_an_hour_asleep_a_page_shows_what_happened_meanwhile(
    proxy: Proxy, visit: Visit, site: Site, of_alice: StorageState
) -> None:
    page, other = visit(proxy.site, of_alice), visit(site, of_alice)
    page.clock.install()
    start(page, "How are you?")
    answered(page)
    box(page).fill("Half a thought")
    other.goto(page.url.replace(proxy.site.url, site.url))
    proxy.stall()
    ask(other, "What is 6 * 7?")
    answered(other, 2)
    sleep_an_hour(page, proxy)
    expect(answered(page, 2)).to_contain_text("42")
    expect(box(page)).to_have_value("Half a thought")
    assert drawn(page) == drawn(other)


def test_signed_out_while_it_slept_a_page_says_so_and_keeps_the_draft(proxy: Proxy, visit: Visit, site: Site) -> None:
    state = session_of(site, "alice")
    page, other = visit(proxy.site, state), visit(site, state)
    page.clock.install()
    start(page, "How are you?")
    answered(page)
    box(page).fill("Half a thought")
    proxy.stall()
    other.goto("/settings/")
    other.get_by_role("button", name="Sign out").click()
    expect(other.get_by_role("heading", name="Sign in")).to_be_visible()
    sleep_an_hour(page, proxy)
    expect(page.get_by_role("alert")).to_contain_text("You are signed out.")
    status_line(page, "")
    expect(box(page)).to_have_value("Half a thought")
    page.keyboard.press("Enter")
    expect(box(page)).to_have_value("Half a thought")
    expect(page.get_by_role("link", name="Sign in again")).to_be_visible()


@pytest.mark.usefixtures("handshakes_fail")
def test_signed_out_while_it_polls_a_page_says_so_and_polls_no_more(proxy: Proxy, visit: Visit, site: Site) -> None:
    proxy.lets_websockets_through = False
    state = session_of(site, "alice")
    page, other = visit(proxy.site, state), visit(site, state)
    start(page, "How are you?")
    expect(page.get_by_text(POLLING)).to_be_visible()
    other.goto("/settings/")
    other.get_by_role("button", name="Sign out").click()
    expect(other.get_by_role("heading", name="Sign in")).to_be_visible()
    box(page).fill("Not sent yet")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("You are signed out.")
    expect(box(page)).to_have_value("Not sent yet")


@pytest.mark.usefixtures("handshakes_fail")
def test_a_conversation_deleted_while_its_page_polls_is_said_to_be_gone(
    proxy: Proxy, page: Page, site: Site, visit: Visit, of_alice: StorageState, complaints: Complaints
) -> None:
    complaints.expect("status of 404")
    proxy.lets_websockets_through = False
    start(page, "How are you?")
    expect(page.get_by_text(POLLING)).to_be_visible()
    other = visit(site, of_alice)
    other.goto(page.url.replace(proxy.site.url, site.url) + "delete/")
    other.get_by_role("button", name="Delete").click()
    box(page).fill("Still there?")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("not here any more")
