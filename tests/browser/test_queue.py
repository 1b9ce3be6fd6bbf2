"""Messages that wait while a run is live: taken back, or sent at once; in two tabs."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.chatting import answered, answers, ask, box, html, questions, start, stop

LONG = "Count to 1000"


def test_what_waits_is_taken_back_into_the_box_that_took_it(page: Page) -> None:
    start(page, LONG)
    ask(page, "What is 6 * 7?")
    ask(page, "What is 1 + 1?")
    second = page.context.new_page()
    second.goto(page.url)
    expect(second.get_by_role("button", name="Take back")).to_have_count(2)
    box(page).fill("A draft")

    page.get_by_role("button", name="Take back").first.click()

    expect(box(page)).to_have_value("What is 6 * 7?\n\nA draft")
    expect(box(page)).to_be_focused()
    expect(questions(page)).to_have_count(2)
    expect(questions(second)).to_have_count(2)
    expect(box(second)).to_have_value("")
    page.reload()
    expect(box(page)).to_have_value("What is 6 * 7?\n\nA draft")  # it is a draft now
    stop(page).click()
    answered(page, 2)
    expect(answered(second, 2)).to_contain_text("2")
    assert html(page, "#messages") == html(second, "#messages")


def test_stop_and_send_answers_the_one_that_waits(page: Page) -> None:
    start(page, LONG)
    ask(page, "What is 6 * 7?")
    second = page.context.new_page()
    second.goto(page.url)

    page.get_by_role("button", name="Stop and send").click()

    expect(answered(page, 2)).to_contain_text("42")
    expect(answers(page).first).to_have_attribute("data-status", "stopped")
    expect(page.get_by_role("button", name="Take back")).to_have_count(0)
    expect(answered(second, 2)).to_contain_text("42")
    assert html(page, "#messages") == html(second, "#messages")


@pytest.mark.parametrize("name", ["Take back", "Stop and send"])
def test_two_quick_clicks_do_it_once(page: Page, name: str) -> None:
    start(page, LONG)
    ask(page, "What is 6 * 7?")
    button = page.get_by_role("button", name=name)
    button.dblclick()
    expect(button).to_have_count(0)
    if name == "Take back":
        expect(box(page)).to_have_value("What is 6 * 7?")
        stop(page).click()
        answered(page, 1, "stopped")
    else:
        expect(answered(page, 2)).to_contain_text("42")
