"""What a person does and sees on the chat page, by the names that a screen reader would say."""

import re
import time

from playwright.sync_api import Locator, Page, expect

PATIENCE = 20.0  # seconds, on a machine that is busy with something else


def box(page: Page) -> Locator:
    return page.get_by_role("textbox", name="Message")


def log(page: Page) -> Locator:
    return page.get_by_role("log", name="Conversation")


def questions(page: Page) -> Locator:
    return log(page).locator('article[data-role="user"]')


def answers(page: Page) -> Locator:
    return log(page).locator('article[data-role="assistant"]')


def trace(page: Page) -> Locator:
    return page.get_by_role("complementary", name="Trace")


def steps(page: Page, kind: str = "") -> Locator:
    """The lines of the trace, of one kind if it is given."""
    return trace(page).locator(f'[data-step][data-kind="{kind}"]' if kind else "[data-step]")


def head(step: Locator) -> Locator:
    """The line that opens a step."""
    return step.locator("summary").first


def stop(page: Page) -> Locator:
    return page.get_by_role("button", name="Stop", exact=True)


def start(page: Page, text: str) -> None:
    """Begin a conversation with a message; its page is then open."""
    page.goto("/")
    box(page).fill(text)
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/c/[0-9a-f-]{36}/$"))


def ask(page: Page, text: str) -> None:
    """Send a message in the open conversation; its article is then in the log, and the box is empty."""
    before = questions(page).count()
    box(page).fill(text)
    page.keyboard.press("Enter")
    expect(questions(page)).to_have_count(before + 1)
    expect(box(page)).to_have_value("")


def answered(page: Page, number: int = 1, status: str = "done") -> Locator:
    """The answer of this number, once it has ended so, and nothing is going on any more. Nothing is drawn twice."""
    answer = answers(page).nth(number - 1)
    expect(answer).to_have_attribute("data-status", status)
    expect(stop(page)).to_have_count(0)
    assert page.evaluate(DRAWN_TWICE) == []
    return answer


DRAWN_TWICE = """
Array.from(document.querySelectorAll("[id]"), (element) => element.id).filter((id, n, ids) => ids.indexOf(id) !== n)
"""


def html(page: Page, selector: str) -> str:
    """What is drawn inside an element, to be compared with what another page or a later one draws."""
    return str(page.locator(selector).evaluate("element => element.innerHTML"))


def until(page: Page, expression: str) -> None:
    """Wait until an expression of the page is true. The page's own policy lets Playwright evaluate it only once."""
    end = time.monotonic() + PATIENCE
    while not page.evaluate(expression):
        assert time.monotonic() < end, f"It never was true: {expression}"
        page.wait_for_timeout(20)


def status_line(page: Page, words: str) -> None:
    expect(page.get_by_role("status")).to_have_text(words)


def drawn(page: Page) -> tuple[str, str, str]:
    """The messages, the trace and the title, without what only this reader has scrolled or opened."""
    status_line(page, "")
    trace = re.sub(r' data-follow="[a-z]+"| open=""', "", html(page, "#trace"))
    return html(page, "#messages"), trace, html(page, "#title")


def shown(page: Page) -> str:
    """What is drawn of the messages, once htmx has done with them."""
    expect(page.locator(".htmx-added, .htmx-settling, .htmx-swapping")).to_have_count(0)
    return html(page, "#messages").replace(' class=""', "")
