"""The trace beside the conversation: what a step says when it is opened, and whose run is shown."""

import re

from playwright.sync_api import Page, expect

from tests.browser.chatting import answered, ask, head, start, steps, trace


def test_a_model_step_shows_what_was_sent_and_that_it_is_the_same_to_the_byte(page: Page) -> None:
    start(page, "What is 6 * 7?")
    answered(page)
    step = steps(page, "model").first
    head(step).click()
    expect(step.get_by_text("Response")).to_be_visible()
    expect(step.get_by_role("definition").filter(has_text='calculate({"expression": "6 * 7"})')).to_be_visible()
    expect(step.get_by_role("definition").filter(has_text=re.compile(r"[\d,]+ input, [\d,]+ output"))).to_be_visible()
    step.get_by_text("Request", exact=True).click()
    expect(step.get_by_text("the same as were sent (SHA-256")).to_be_visible()
    sent = step.locator("pre").last
    expect(sent).to_contain_text('"role": "system"')
    expect(sent).to_contain_text('"What is 6 * 7?"')


def test_view_run_shows_an_older_run_and_a_new_message_leads_back_to_the_newest(page: Page) -> None:
    start(page, "What's the weather in London?")
    first = answered(page)
    ask(page, "What is 6 * 7?")
    answered(page, 2)
    expect(steps(page, "tool")).to_contain_text(["calculate"])
    first.get_by_role("button", name="View run").click()
    expect(steps(page, "tool")).to_contain_text(["get_weather"])
    ask(page, "What is 6 * 8?")
    answered(page, 3)
    expect(steps(page, "tool")).to_contain_text(["6 * 8"])


def test_the_trace_can_be_hidden_and_stays_hidden_until_it_is_shown(page: Page) -> None:
    start(page, "How are you?")
    answered(page)
    trace(page).get_by_role("button", name="Hide trace").click()
    expect(trace(page)).to_be_hidden()
    page.reload()
    expect(trace(page)).to_be_hidden()
    page.get_by_role("button", name="Show trace").click()
    expect(trace(page)).to_be_visible()
    page.reload()
    expect(trace(page)).to_be_visible()


def test_the_full_trace_is_a_page_with_the_same_steps(page: Page) -> None:
    start(page, "What's the average temperature in London and Tokyo?")
    answered(page)
    names = steps(page).locator(".name").all_inner_texts()
    trace(page).get_by_role("link", name="Open full trace").click()
    page.wait_for_url(re.compile("/runs/"))
    alone = page.get_by_role("region", name="Trace").locator("[data-step]")
    assert alone.locator(".name").all_inner_texts() == names
    sum_up = alone.and_(page.locator('[data-kind="tool"]')).last
    head(sum_up).click()
    expect(sum_up.get_by_role("definition").first).to_contain_text("(14 + 22) / 2")
    page.get_by_role("link", name="Open the conversation").click()
    expect(trace(page)).to_be_visible()


def test_a_run_is_found_in_the_list_of_runs(page: Page) -> None:
    start(page, "What is 123 * 7?")
    answered(page)
    page.goto("/runs/")
    page.get_by_role("row").filter(has_text="What is 123 * 7?").get_by_role("link").first.click()
    expect(page.get_by_role("region", name="Trace").locator('[data-kind="tool"]')).to_contain_text("123 * 7")
