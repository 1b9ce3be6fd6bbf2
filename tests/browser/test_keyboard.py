"""The site with the keyboard alone."""

import re

from playwright.sync_api import Page, StorageState, expect

from tests.browser.chatting import answered, box, head, start, steps, trace
from tests.browser.conftest import Visit
from tests.conftest import PASSWORD
from tests.serving import Site


def tab_to(page: Page, name: str, key: str = "Tab") -> None:
    """Go on with Tab until what has the focus is named so. There may be a hundred conversations on the way."""
    for _ in range(300):
        page.keyboard.press(key)
        focused = page.locator(":focus")
        if focused.count() and re.match(name, focused.aria_snapshot().lstrip("- ")):
            return
    raise AssertionError(f"Tab did not reach {name}.")


def test_signing_in_asking_and_opening_a_step_take_no_mouse(visit: Visit, site: Site) -> None:
    page = visit(site)
    page.goto("/")
    tab_to(page, 'textbox "Username')
    page.keyboard.type("alice")
    tab_to(page, 'textbox "Password')
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")

    expect(box(page)).to_be_focused()
    page.keyboard.type("What's the weather in London?")
    page.keyboard.press("Enter")
    answered(page)
    expect(box(page)).to_be_focused()

    call = steps(page, "tool")
    while not head(call).evaluate("element => element === document.activeElement"):
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(call.get_by_text("Arguments")).to_be_visible()
    page.keyboard.press("Space")
    expect(call.get_by_text("Arguments")).to_be_hidden()

    tab_to(page, 'link "New chat"', "Shift+Tab")
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{site.url}/")
    expect(box(page)).to_be_focused()


def test_the_first_tab_of_a_page_offers_to_skip_to_its_content(page: Page) -> None:
    page.goto("/settings/")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    page.keyboard.press("Enter")
    tab_to(page, 'button "Edit|textbox "Fact')


def test_escape_closes_what_lies_over_the_chat_and_gives_the_focus_back(
    visit: Visit, site: Site, of_alice: StorageState
) -> None:
    page = visit(site, of_alice, viewport={"width": 390, "height": 844})
    start(page, "How are you?")
    answered(page)
    menu, show = page.get_by_role("button", name="Menu"), page.get_by_role("button", name="Show trace")
    menu.focus()
    page.keyboard.press("Enter")
    conversations = page.get_by_role("navigation", name="Conversations")
    expect(conversations).to_be_visible()
    expect(conversations.get_by_role("button", name="Close menu")).to_be_focused()
    page.keyboard.press("Escape")
    expect(conversations).to_be_hidden()
    expect(menu).to_be_focused()

    show.focus()
    page.keyboard.press("Enter")
    expect(trace(page).get_by_role("button", name="Hide trace")).to_be_focused()
    page.keyboard.press("Escape")
    expect(trace(page)).to_be_hidden()
    expect(show).to_be_focused()
