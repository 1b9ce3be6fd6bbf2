"""The message on its way: keys, two presses at once, the draft, and what happens to it when a session ends."""

import re

import pytest
from playwright.sync_api import Page, StorageState, expect

from tests import databases
from tests.browser.chatting import answered, answers, ask, box, questions, start
from tests.browser.conftest import Visit, session_of
from tests.conftest import PASSWORD
from tests.serving import Site


def test_two_quick_enters_send_once(page: Page) -> None:
    start(page, "How are you?")
    answered(page)
    box(page).fill("What is 6 * 7?")
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    expect(answered(page, 2)).to_contain_text("42")
    page.reload()
    expect(questions(page)).to_have_count(2)
    expect(answers(page)).to_have_count(2)


def test_two_quick_enters_begin_one_conversation(page: Page) -> None:
    page.goto("/")
    box(page).fill("What is 600 * 7?")
    for _ in range(2):
        box(page).dispatch_event("keydown", {"key": "Enter", "keyCode": 13})
    page.wait_for_url(re.compile("/c/"))
    answered(page)
    expect(questions(page)).to_have_count(1)
    expect(page.get_by_role("link", name="What is 600 * 7?")).to_have_count(1)


def test_a_double_click_on_send_sends_once(page: Page) -> None:
    start(page, "How are you?")
    answered(page)
    box(page).fill("What is 6 * 7?")
    page.get_by_role("button", name="Send").dblclick()
    answered(page, 2)
    page.reload()
    expect(questions(page)).to_have_count(2)


def test_shift_enter_makes_a_new_line_and_enter_sends_both(page: Page) -> None:
    start(page, "How are you?")
    answered(page)
    box(page).fill("What is")
    page.keyboard.press("Shift+Enter")
    page.keyboard.type("6 * 7?")
    expect(box(page)).to_have_value("What is\n6 * 7?")
    expect(questions(page)).to_have_count(1)
    page.keyboard.press("Enter")
    expect(answered(page, 2)).to_contain_text("42")
    assert questions(page).last.locator(".text").inner_text() == "What is\n6 * 7?"


def test_blanks_alone_are_not_sent(page: Page) -> None:
    start(page, "How are you?")
    answered(page)
    box(page).fill("  \n ")
    page.keyboard.press("Enter")
    expect(box(page)).to_be_focused()
    ask(page, "What is 6 * 7?")
    expect(questions(page)).to_have_count(2)


def test_a_draft_survives_a_reload_and_belongs_to_its_conversation(page: Page) -> None:
    start(page, "How are you?")
    answered(page)
    box(page).fill("Half a thought\nand another")
    page.reload()
    expect(box(page)).to_have_value("Half a thought\nand another")
    here = page.url
    page.goto("/")
    expect(box(page)).to_have_value("")
    page.goto(here)
    expect(box(page)).to_have_value("Half a thought\nand another")


def test_a_message_that_is_too_long_is_refused_and_stays_in_the_box(page: Page) -> None:
    start(page, "How are you?")
    answered(page)
    text = "x" * 33_000
    box(page).fill(text)
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("32 kB")
    expect(box(page)).to_have_value(text)
    box(page).fill("What is 6 * 7?")
    page.keyboard.press("Enter")
    expect(answered(page, 2)).to_contain_text("42")
    expect(page.get_by_role("alert")).to_be_empty()


def test_without_scripts_a_message_is_sent_by_its_form_and_answered(
    visit: Visit, site: Site, of_alice: StorageState
) -> None:
    page = visit(site, of_alice, java_script_enabled=False)
    page.goto("/")
    for number, question in enumerate(("What is 6 * 7?", "What is 6 * 8?"), start=1):
        box(page).fill(question)
        page.get_by_role("button", name="Send").click()
        expect(questions(page)).to_have_count(number)
        reloads = iter(range(200))
        while answers(page).last.get_attribute("data-status") != "done":
            page.reload()
            next(reloads)
    expect(answers(page)).to_contain_text(["42", "48"])


def test_signed_out_in_another_tab_the_page_says_so_and_keeps_the_draft(visit: Visit, site: Site) -> None:
    page = visit(site, session_of(site, "alice"))
    start(page, "How are you?")
    answered(page)
    box(page).fill("Not sent yet")
    other = page.context.new_page()
    other.goto("/settings/")
    other.get_by_role("button", name="Sign out").click()
    expect(other.get_by_role("heading", name="Sign in")).to_be_visible()

    expect(page.get_by_role("alert")).to_contain_text("You are signed out.")
    expect(box(page)).to_have_value("Not sent yet")
    page.keyboard.press("Enter")
    expect(box(page)).to_have_value("Not sent yet")
    expect(questions(page)).to_have_count(1)

    page.get_by_role("link", name="Sign in again").click()
    page.get_by_label("Username").fill("alice")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(re.compile("/c/"))
    expect(box(page)).to_have_value("Not sent yet")
    page.keyboard.press("Enter")
    expect(questions(page)).to_have_count(2)


LATE = "What is 6 * 7?"


def send_late(page: Page) -> None:
    """Send what is not stored yet when the page is told of it."""
    box(page).fill(LATE)
    page.keyboard.press("Enter")
    expect(page.locator("#notice")).to_contain_text("This is not stored yet")


@pytest.mark.parametrize(
    ("meanwhile", "left"), [("waits", ""), ("reloads", ""), ("writes on", f"{LATE} Or 6 * 8?")], ids=lambda one: one
)
def test_a_text_that_is_stored_late_leaves_the_box_unless_it_was_changed(
    page: Page, site: Site, meanwhile: str, left: str
) -> None:
    start(page, "How are you?")
    answered(page)
    with databases.locked(site.environment):
        send_late(page)
        expect(box(page)).to_have_value(LATE)
        if meanwhile == "reloads":
            page.reload()
            expect(box(page)).to_have_value(LATE)
        elif meanwhile == "writes on":
            box(page).fill(left)
    expect(answered(page, 2)).to_contain_text("42")
    expect(box(page)).to_have_value(left)
    expect(page.locator("#notice")).to_have_text("")
    expect(questions(page)).to_have_count(2)
    page.reload()
    expect(box(page)).to_have_value(left)
    ask(page, "What is 6 * 9?")
    expect(answered(page, 3)).to_contain_text("54")


def test_another_text_that_is_sent_while_the_first_is_still_being_stored_is_sent_as_well(
    page: Page, site: Site
) -> None:
    start(page, "How are you?")
    answered(page)
    with databases.locked(site.environment):
        send_late(page)
        box(page).fill("What is 6 * 8?")
        page.keyboard.press("Enter")
    expect(answered(page, 3)).to_contain_text("48")
    expect(questions(page).locator(".text")).to_have_text(["How are you?", LATE, "What is 6 * 8?"])
    expect(box(page)).to_have_value("")
