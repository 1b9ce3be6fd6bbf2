"""The site on a phone, and that nothing is cut off between there and a wide screen, in light and in dark."""

import re

import pytest
from playwright.sync_api import Page, StorageState, expect

from tests.browser.chatting import answered, ask, box, head, start, steps, trace
from tests.browser.conftest import Complaints, Visit, session_of
from tests.serving import Site

WIDTHS = (360, 390, 720, 1100, 1440)


@pytest.fixture
def phone(visit: Visit, site: Site, of_alice: StorageState) -> Page:
    return visit(site, of_alice, viewport={"width": 390, "height": 844}, has_touch=True)


def test_on_a_phone_the_menu_and_the_trace_open_over_the_chat(phone: Page) -> None:
    start(phone, "What's the weather like in London and Tokyo?")
    answered(phone)
    conversations = phone.get_by_role("navigation", name="Conversations")
    expect(conversations).to_be_hidden()
    expect(trace(phone)).to_be_hidden()

    phone.get_by_role("button", name="Menu").tap()
    expect(conversations.get_by_role("link", name="What's the weather like").first).to_be_visible()
    conversations.get_by_role("button", name="Close menu").tap()
    expect(conversations).to_be_hidden()

    phone.get_by_role("button", name="Show trace").tap()
    expect(trace(phone)).to_be_visible()
    head(steps(phone, "tool").first).tap()
    expect(steps(phone, "tool").first.get_by_text("Result")).to_be_visible()
    trace(phone).get_by_role("button", name="Hide trace").tap()
    expect(trace(phone)).to_be_hidden()
    expect(box(phone)).to_be_visible()


def test_view_run_opens_the_trace_where_it_lies_over_the_chat(phone: Page) -> None:
    start(phone, "What is 6 * 7?")
    answered(phone).get_by_role("button", name="View run").tap()
    expect(trace(phone)).to_be_visible()
    expect(steps(phone, "tool")).to_contain_text(["calculate"])


def test_no_page_is_wider_than_the_screen(visit: Visit, site: Site, complaints: Complaints) -> None:
    complaints.expect("404")
    page = visit(site, session_of(site, "staff"))
    start(page, f"My word is {'long' * 60} https://example.com/{'path/' * 40}")
    answered(page)
    ask(page, "Show me Markdown")
    answered(page, 2)
    ask(page, "What's the average temperature in London and Tokyo?")
    answered(page, 3)
    chat = page.url
    for step in steps(page).all():
        head(step).click()
    narrowed(page)
    run = trace(page).get_by_role("link", name="Open full trace").get_attribute("href")
    pages = (
        "/",
        chat,
        f"{chat}edit/",
        f"{chat}delete/",
        "/runs/",
        str(run),
        "/settings/",
        "/accounts/password/",
        "/x/",
    )
    for path in pages:
        page.goto(path)
        narrowed(page)
    page.context.clear_cookies()
    page.goto("/accounts/login/")
    narrowed(page)


def narrowed(page: Page) -> None:
    """Look at the open page in every width, in light and in dark."""
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 800})
            wide = page.evaluate("document.scrollingElement.scrollWidth")
            assert wide <= width, f"{page.url} is {wide} wide at {width}, {scheme}"
            cut = page.evaluate(CUT_OFF)
            assert cut == [], f"{page.url} at {width}: {cut}"


# What a reader cannot get at: things to press that stand partly outside of the screen.
CUT_OFF = """
Array.from(document.querySelectorAll("a, button, input, textarea, select, summary"))
  .filter((element) => element.checkVisibility() && !element.closest(".skip, .sr-only, .table-wrap, pre"))
  .map((element) => [element, element.getBoundingClientRect()])
  .filter(([, { left, right, width }]) => width && (left < -1 || right > innerWidth + 1))
  .map(([element]) => element.outerHTML.slice(0, 120))
"""


def test_a_long_title_is_shortened_and_the_buttons_beside_it_stay(phone: Page) -> None:
    start(phone, f"What is {' + '.join(str(n) for n in range(10, 40))}?")
    answered(phone)
    expect(phone.get_by_role("button", name="Menu")).to_be_in_viewport(ratio=1)
    expect(phone.get_by_role("button", name="Show trace")).to_be_in_viewport(ratio=1)
    expect(phone.get_by_role("heading", name=re.compile("What is 10"))).to_be_in_viewport()
