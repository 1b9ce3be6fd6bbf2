"""The list of conversations: searched, renamed, pinned and deleted."""

import re

import pytest
from playwright.sync_api import Locator, Page, StorageState, expect

from tests.browser.chatting import answered, start
from tests.browser.conftest import Visit
from tests.serving import Site


@pytest.fixture
def page(visit: Visit, site: Site, of_somebody_new: StorageState) -> Page:
    return visit(site, of_somebody_new)


def listed(page: Page) -> Locator:
    """The conversations in the navigation, without the links that edit them."""
    return page.get_by_role("navigation", name="Conversations").get_by_role("listitem").get_by_role("link").first


def link(page: Page, title: str) -> Locator:
    return page.get_by_role("navigation", name="Conversations").get_by_role("link", name=title)


def test_a_search_finds_a_conversation_by_words_that_were_said_in_it(page: Page) -> None:
    for question in ("What's the weather in Oslo?", "What is 6 * 7?"):
        start(page, question)
        answered(page)
    search = page.get_by_role("searchbox", name="Search conversations")
    search.fill("oslo")
    expect(link(page, "What is 6 * 7?")).to_have_count(0)
    expect(link(page, "What's the weather in Oslo?")).to_be_visible()
    search.fill("no such words")
    expect(page.get_by_text("No conversation matches “no such words”.")).to_be_visible()
    search.fill("")
    expect(link(page, "What is 6 * 7?")).to_have_attribute("aria-current", "page")
    link(page, "What's the weather in Oslo?").click()
    expect(page.get_by_role("heading", name="What's the weather in Oslo?")).to_be_visible()


def test_a_conversation_is_renamed_and_pinned_and_its_open_page_learns_of_it(page: Page) -> None:
    start(page, "What is 6 * 7?")
    answered(page)
    other = page.context.new_page()
    other.goto(page.url)
    other.get_by_role("link", name="Edit").click()
    other.get_by_label("Title").fill("Sums")
    other.get_by_label("Pin it to the top of the list").check()
    other.get_by_role("button", name="Save").click()
    expect(other.get_by_role("heading", name="Pinned")).to_be_visible()
    expect(link(other, "Sums")).to_have_attribute("aria-current", "page")
    expect(page.get_by_role("heading", name="Sums")).to_be_visible()


def test_a_deleted_conversation_is_gone_and_its_open_page_says_so(page: Page) -> None:
    start(page, "What is 6 * 7?")
    answered(page)
    address = page.url
    other = page.context.new_page()
    other.goto(address)
    other.get_by_role("link", name="Edit").click()
    other.get_by_role("link", name="Delete conversation").click()
    other.get_by_role("button", name="Delete conversation").click()
    expect(other.get_by_role("heading", name="New chat")).to_be_visible()
    expect(link(other, "What is 6 * 7?")).to_have_count(0)
    expect(page.get_by_role("alert")).to_contain_text("This conversation is not here any more.")


def test_a_new_conversation_is_listed_at_the_top_under_today(page: Page) -> None:
    start(page, "What is 6 * 7?")
    answered(page)
    expect(page.get_by_role("heading", name="Today")).to_be_visible()
    expect(link(page, "What is 6 * 7?")).to_have_attribute("aria-current", "page")
    page.get_by_role("link", name="New chat").click()
    expect(page).to_have_url(re.compile("/$"))
    expect(link(page, "What is 6 * 7?")).not_to_have_attribute("aria-current", "page")
