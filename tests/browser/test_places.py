"""What a reader has opened, where they read and what they write stay when a list or a trace is drawn anew."""

import pytest
from playwright.sync_api import Locator, Page, StorageState, expect

from tests.browser.chatting import answered, answers, ask, box, head, log, questions, start, steps
from tests.browser.conftest import Visit
from tests.serving import Site

RESUME_FROM_NOTHING = """() => {
    document.querySelector("#cursor").dataset.conversationRevision = "999999";
    document.querySelector("#cursor-run").dataset.revision = "";
    document.querySelectorAll("#messages > article, #trace li").forEach(element => element.dataset.old = "");
    window.dispatchEvent(new Event("online"));
}"""


@pytest.fixture
def page(visit: Visit, site: Site, of_alice: StorageState) -> Page:
    return visit(site, of_alice, viewport={"width": 1440, "height": 500})


def top(row: Locator) -> float:
    placed = row.bounding_box()
    assert placed
    return placed["y"]


def draw_anew(page: Page) -> None:
    """The page says that it has what there is not: it is sent the whole list and the whole trace."""
    page.evaluate(RESUME_FROM_NOTHING)
    expect(page.locator("[data-old]")).to_have_count(0)


def test_open_steps_the_place_of_the_reader_and_the_draft_stay_when_all_is_drawn_anew(page: Page) -> None:
    start(page, "What's the weather like in London and Tokyo?")
    answered(page)
    for number in range(2, 6):
        ask(page, "What's the weather like in London and Tokyo?")
        answered(page, number)
    tool = steps(page, "tool").last
    head(tool).click()
    expect(tool.get_by_text("Arguments")).to_be_visible()
    box(page).fill("Half a thought")
    log(page).evaluate("element => element.scrollTop = element.scrollHeight / 2")
    expect(log(page)).to_have_attribute("data-follow", "no")
    trace = page.locator("#trace .scroll")
    trace.evaluate("element => element.scrollTop = 60")
    read = questions(page).nth(2)
    places = top(read), top(tool)

    draw_anew(page)

    expect(tool.get_by_text("Arguments")).to_be_visible()
    assert (top(read), top(tool)) == pytest.approx(places, abs=10)
    expect(log(page)).to_have_attribute("data-follow", "no")
    expect(box(page)).to_have_value("Half a thought")
    expect(answers(page)).to_have_count(5)


def test_an_edit_under_way_and_the_end_of_the_list_stay_when_all_is_drawn_anew(page: Page) -> None:
    start(page, "What is 6 * 7?")
    answered(page)
    ask(page, "What is 6 * 8?")
    answered(page, 2)
    questions(page).last.get_by_role("button", name="Edit").click()
    edited = page.get_by_role("textbox", name="Edited message")
    edited.fill("What is 6 * 9?")

    draw_anew(page)

    expect(edited).to_have_value("What is 6 * 9?")
    expect(edited).to_be_focused()
    expect(answers(page).last).to_be_in_viewport()
    page.keyboard.press("Enter")
    expect(answers(page).last).to_contain_text("54")
