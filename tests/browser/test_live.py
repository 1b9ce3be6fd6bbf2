"""While a run goes on: what is seen of it at once, and that every page of it comes to show the same."""

import re

from playwright.sync_api import Page, expect

from tests.browser.chatting import answered, answers, ask, box, drawn, head, questions, start, status_line, steps, stop

LONG = "Count to 120"  # for a few seconds


def test_steps_and_text_appear_while_they_happen(page: Page) -> None:
    start(page, LONG)
    running = steps(page, "model").last
    expect(running).to_have_attribute("data-status", "running")
    status_line(page, "Writing")
    answer = answers(page).last
    expect(answer).to_contain_text("1, 2, 3")
    expect(answer).not_to_contain_text("119, 120")
    expect(answer).to_have_attribute("data-status", "streaming")
    expect(answered(page)).to_contain_text("119, 120")
    expect(running).to_have_attribute("data-status", "done")
    status_line(page, "")


def test_a_page_reloaded_in_mid_run_goes_on_to_the_same_end(page: Page) -> None:
    start(page, LONG)
    uninterrupted = page.context.new_page()
    uninterrupted.goto(page.url)
    expect(answers(page).last).to_contain_text("1, 2, 3")
    page.reload()
    expect(answers(page).last).to_have_attribute("data-status", "streaming")
    expect(answers(page).last).to_contain_text("1, 2, 3")
    answered(page)
    answered(uninterrupted)
    assert drawn(page) == drawn(uninterrupted)


def test_what_was_drawn_live_is_what_a_reload_draws(page: Page) -> None:
    start(page, "What's the weather like in London and Tokyo?")
    answered(page)
    ask(page, "Show me Markdown")
    answered(page, 2)
    live = drawn(page)
    page.reload()
    answered(page, 2)
    assert drawn(page) == live


def test_two_tabs_of_one_conversation_show_the_same(page: Page) -> None:
    start(page, "How are you?")
    answered(page)
    other = page.context.new_page()
    other.goto(page.url)
    answered(other)
    ask(page, "What is 6 * 7?")
    expect(questions(other).last.locator(".text")).to_have_text("What is 6 * 7?")
    expect(answered(other, 2)).to_contain_text("42")
    ask(other, "What is 6 * 8?")
    expect(answered(page, 3)).to_contain_text("48")
    answered(other, 3)
    assert drawn(page) == drawn(other)


def test_stop_keeps_the_text_and_the_conversation_goes_on(page: Page) -> None:
    start(page, "Count to 1000")
    expect(answers(page).last).to_contain_text("1, 2, 3")
    stop(page).click()
    answer = answered(page, status="stopped")
    expect(answer).to_contain_text("1, 2, 3")
    expect(answer).to_contain_text("Stopped.")
    expect(answer).not_to_contain_text("999")
    status_line(page, "")
    expect(steps(page, "model").last).to_have_attribute("data-status", "stopped")
    expect(box(page)).to_be_editable()
    ask(page, "What is 6 * 7?")
    expect(answered(page, 2)).to_contain_text("42")


def test_what_a_reader_opened_stays_open_while_the_run_goes_on(page: Page) -> None:
    start(page, "Count to 200")
    memory, running = steps(page, "memory").first, steps(page, "model").last
    head(memory).click()
    head(running).click()
    request = running.get_by_text("Request", exact=True)
    request.click()
    expect(running.get_by_text("SHA-256")).to_be_visible()
    expect(running).to_have_attribute("data-status", "running")
    answered(page)
    expect(running).to_have_attribute("data-status", "done")
    expect(memory.get_by_text("Nothing is remembered of you yet.")).to_be_visible()
    expect(running.get_by_text("Response", exact=True)).to_be_visible()
    expect(running.get_by_text("SHA-256")).to_be_visible()


def test_a_message_sent_while_the_agent_answers_waits_and_is_answered(page: Page) -> None:
    start(page, LONG)
    expect(answers(page).last).to_contain_text("1, 2, 3")
    ask(page, "What is 6 * 7?")
    expect(answers(page).nth(1)).to_have_attribute("data-status", "queued")
    expect(answers(page).nth(1)).to_contain_text("Waiting for its turn")
    status_line(page, "Writing")
    expect(answered(page, 2)).to_contain_text(re.compile(r"\b42\b"))
    expect(answers(page).first).to_contain_text("119, 120")
