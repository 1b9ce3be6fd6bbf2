"""The list of conversations: searched, renamed, pinned and deleted."""

import re

from playwright.sync_api import Locator, Page, expect

from tests.browser.chatting import answered, start


def navigation(page: Page) -> Locator:
    return page.get_by_role("navigation", name="Conversations")


def link(page: Page, title: str) -> Locator:
    return navigation(page).get_by_role("link", name=title)


def edit(page: Page) -> Locator:
    """The link beside the open conversation."""
    open_one = navigation(page).get_by_role("listitem").filter(has=page.locator('[aria-current="page"]'))
    return open_one.get_by_role("link", name="Edit")


def editing_elsewhere(page: Page, title: str) -> Page:
    """Another tab, in which the conversation of this one is about to get a title."""
    other = page.context.new_page()
    other.goto(page.url)
    edit(other).click()
    other.get_by_label("Title").fill(title)
    return other


def test_a_search_finds_a_conversation_by_words_that_were_said_in_it(page: Page) -> None:
    for question in ("What's the weather in Oslo?", "What is 7 * 9?"):
        start(page, question)
        answered(page)
    search = page.get_by_role("searchbox", name="Search conversations")
    search.fill("oslo")
    expect(link(page, "What is 7 * 9?")).to_have_count(0)
    expect(link(page, "What's the weather in Oslo?")).to_be_visible()
    search.fill("no such words")
    expect(navigation(page).get_by_text("No conversation matches “no such words”.")).to_be_visible()
    search.fill("")
    expect(link(page, "What is 7 * 9?")).to_have_attribute("aria-current", "page")
    link(page, "What's the weather in Oslo?").click()
    expect(page.get_by_role("heading", name="What's the weather in Oslo?")).to_be_visible()


def test_a_conversation_is_renamed_and_pinned_and_its_open_page_learns_of_it(page: Page) -> None:
    start(page, "What is 7 * 8?")
    answered(page)
    other = editing_elsewhere(page, title="Sums")
    other.get_by_label("Pin it to the top of the list").check()
    other.get_by_role("button", name="Save").click()
    expect(other.get_by_role("heading", name="Pinned")).to_be_visible()
    expect(link(other, "Sums")).to_have_attribute("aria-current", "page")
    expect(page.get_by_role("heading", name="Sums")).to_be_visible()


def test_a_title_that_turns_the_direction_of_writing_leaves_the_name_of_the_site(page: Page) -> None:
    start(page, "What is 7 * 6?")
    answered(page)
    other = editing_elsewhere(page, title="\N{RIGHT-TO-LEFT OVERRIDE}smuS")
    assert other.title() == "Edit: What is 7 * 6? · agentsite"
    other.get_by_role("button", name="Save").click()
    turned_back = "\N{RIGHT-TO-LEFT OVERRIDE}smuS\N{POP DIRECTIONAL FORMATTING} · agentsite"
    expect(other).to_have_title(turned_back)
    expect(page).to_have_title(turned_back)  # by a frame


def test_a_deleted_conversation_is_gone_and_its_open_page_says_so(page: Page) -> None:
    start(page, "What is 7 * 7?")
    answered(page)
    address = page.url
    other = page.context.new_page()
    other.goto(address)
    edit(other).click()
    other.get_by_role("link", name="Delete conversation").click()
    other.get_by_role("button", name="Delete conversation").click()
    expect(other.get_by_role("heading", name="New chat")).to_be_visible()
    expect(link(other, "What is 7 * 7?")).to_have_count(0)
    expect(page.get_by_role("alert")).to_contain_text("This conversation is not here any more.")


def test_a_new_conversation_is_listed_at_the_top_under_today(page: Page) -> None:
    start(page, "What is 7 * 6?")
    answered(page)
    expect(page.get_by_role("heading", name="Today")).to_be_visible()
    expect(link(page, "What is 7 * 6?")).to_have_attribute("aria-current", "page")
    page.get_by_role("link", name="New chat").click()
    expect(page).to_have_url(re.compile("/$"))
    expect(link(page, "What is 7 * 6?")).not_to_have_attribute("aria-current", "page")
