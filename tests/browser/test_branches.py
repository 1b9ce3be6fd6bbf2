"""Branches as a person makes and reads them: editing, the pager, other models, Continue, forks, and a second tab."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, StorageState, expect

from tests.browser.chatting import answered, answers, ask, box, questions, shown, start, steps, stop
from tests.browser.conftest import Complaints, Visit, session_of
from tests.conftest import PASSWORD
from tests.proxy import before
from tests.scripted import says
from tests.security.endpoint import answering
from tests.serving import Site, served

LONG = "Count to 1000"


def edit(page: Page, number: int, text: str) -> None:
    """Edit the question of this number, and send it."""
    button(questions(page).nth(number - 1), "Edit").click()
    expect(editor(page)).to_be_focused()
    editor(page).fill(text)
    page.keyboard.press("Enter")
    expect(editor(page)).to_be_hidden()


def editor(page: Page) -> Locator:
    return page.get_by_role("textbox", name="Edited message")


def button(article: Locator, name: str) -> Locator:
    return article.get_by_role("button", name=name, exact=True)


def branch(article: Locator, words: str) -> Locator:
    return article.get_by_role("group", name=f"Branch {words}")


def test_a_fact_leads_to_where_it_was_said_though_another_branch_is_shown(
    visit: Visit, site: Site, of_somebody_new: StorageState
) -> None:
    page = visit(site, of_somebody_new)
    start(page, "Remember that I live in Berlin")
    answered(page)
    for number in range(2, 5):
        ask(page, "Show me Markdown")
        answered(page, number)
    edit(page, 1, "How are you?")
    answered(page)
    expect(questions(page)).to_have_count(1)

    page.goto("/settings/")
    page.get_by_role("list", name="Facts").get_by_role("link", name="Remember that I live").click()
    expect(questions(page)).to_have_count(4)
    expect(questions(page).first).to_contain_text("I live in Berlin")
    expect(questions(page).first).to_be_in_viewport()
    expect(branch(questions(page).first, "1 of 2")).to_be_visible()


def test_an_edited_question_is_another_branch_that_a_reload_and_a_second_tab_show_too(page: Page) -> None:
    start(page, "How are you?")
    answered(page)
    ask(page, "What is 6 * 7?")
    answered(page, 2)
    ask(page, "What is 1 + 1?")
    answered(page, 3)
    second = page.context.new_page()
    second.goto(page.url)
    expect(questions(second)).to_have_count(3)

    edit(page, 2, "What is 6 * 8?")
    expect(answered(page, 2)).to_contain_text("48")
    expect(questions(page)).to_have_count(2)
    expect(branch(questions(page).nth(1), "2 of 2")).to_be_visible()
    expect(answered(second, 2)).to_contain_text("48")
    assert shown(second) == shown(page)
    page.reload()
    assert shown(second) == shown(page)

    button(questions(page).nth(1), "Previous branch").click()
    expect(questions(page)).to_have_count(3)
    expect(answers(page)).to_contain_text(["", "42", "2"])
    expect(questions(second)).to_have_count(3)
    assert shown(second) == shown(page)
    page.reload()
    assert shown(second) == shown(page)


def test_the_keyboard_alone_edits_and_changes_branches(page: Page) -> None:
    start(page, "What is 6 * 7?")
    answered(page)
    button(questions(page).first, "Edit").focus()
    page.keyboard.press("Enter")
    expect(editor(page)).to_have_value("What is 6 * 7?")
    page.keyboard.press("Escape")
    expect(editor(page)).to_be_hidden()
    expect(button(questions(page).first, "Edit")).to_be_focused()
    page.keyboard.press("Enter")
    editor(page).fill("What is")
    page.keyboard.press("End")
    page.keyboard.press("Shift+Enter")
    page.keyboard.type("6 * 8?")
    page.keyboard.press("Enter")
    expect(answered(page)).to_contain_text("48")
    expect(box(page)).to_be_focused()

    button(questions(page).first, "Previous branch").focus()
    page.keyboard.press("Enter")
    expect(answers(page)).to_contain_text("42")
    expect(button(questions(page).first, "Previous branch")).to_be_focused()
    page.keyboard.press("Enter")  # there is none before it
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(answers(page)).to_contain_text("48")
    expect(page).to_have_url(page.url)


def test_an_edit_that_is_called_off_changes_nothing_and_blanks_are_not_sent(page: Page) -> None:
    start(page, "What is 6 * 7?")
    answered(page)
    before = shown(page)
    button(questions(page).first, "Edit").click()
    editor(page).fill("   ")
    page.keyboard.press("Enter")
    expect(editor(page)).to_be_visible()
    page.get_by_role("button", name="Cancel").click()
    expect(editor(page)).to_be_hidden()
    assert shown(page) == before


def test_an_edit_being_written_outlives_what_another_tab_does(page: Page) -> None:
    start(page, "How are you?")
    answered(page)
    ask(page, "What is 6 * 7?")
    answered(page, 2)
    second = page.context.new_page()
    second.goto(page.url)
    button(questions(page).first, "Edit").click()
    editor(page).fill("Half a thought")

    button(answers(second).nth(1), "Regenerate").click()
    expect(branch(answers(page).nth(1), "2 of 2")).to_be_visible()
    expect(editor(page)).to_be_visible()
    expect(editor(page)).to_have_value("Half a thought")
    expect(editor(page)).to_be_focused()

    edit(second, 1, "What is 1 + 1?")
    expect(questions(page)).to_have_count(1)
    expect(editor(page)).to_be_hidden()
    expect(box(page)).to_have_value("Half a thought")  # its message is not shown any more


def test_an_edit_that_is_refused_stays_where_it_is(page: Page) -> None:
    start(page, "What is 6 * 7?")
    answered(page)
    button(questions(page).first, "Edit").click()
    editor(page).fill("x" * 33_000)
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("32 kB")
    expect(editor(page)).to_have_value("x" * 33_000)
    editor(page).fill("What is 6 * 8?")
    page.keyboard.press("Enter")
    expect(answered(page)).to_contain_text("48")
    expect(page.get_by_role("alert")).to_be_empty()


def test_a_stopped_run_is_gone_on_from_in_a_new_answer_below(page: Page) -> None:
    start(page, LONG)
    expect(answers(page)).to_contain_text("3, 4")
    stop(page).click()
    answered(page, 1, "stopped")
    said = answers(page).first.locator(".said").inner_text()
    last = said.strip().rstrip(",").rsplit(" ")[-1]

    button(answers(page).first, "Continue").click()

    expect(answers(page)).to_have_count(2)
    expect(answers(page).nth(1)).to_contain_text(f"{int(last) + 1},")
    expect(questions(page)).to_have_count(1)
    stop(page).click()
    answered(page, 2, "stopped")
    before = shown(page)
    page.reload()
    assert shown(page) == before


def test_a_fork_opens_with_what_was_said_up_to_there_and_goes_its_own_way(page: Page) -> None:
    start(page, "What is 6 * 7?")
    answered(page)
    ask(page, "What is 1 + 1?")
    answered(page, 2)
    here = page.url
    button(answers(page).first, "Fork from here").click()
    page.wait_for_url(lambda url: url != here)

    expect(page.get_by_role("heading", name="What is 6 * 7? (fork)")).to_be_visible()
    expect(questions(page)).to_have_count(1)
    expect(answers(page)).to_contain_text("42")
    expect(steps(page, "tool")).to_contain_text("calculate")
    ask(page, "What is 2 + 2?")
    expect(answered(page, 2)).to_contain_text("4")
    page.goto(here)
    expect(questions(page).locator(".text")).to_have_text(["What is 6 * 7?", "What is 1 + 1?"])


def test_without_scripts_the_buttons_are_forms(visit: Visit, site: Site, of_alice: StorageState) -> None:
    page = visit(site, of_alice)
    start(page, "What is 6 * 7?")
    answered(page)
    plain = visit(site, of_alice, java_script_enabled=False)
    plain.goto(page.url)
    button(answers(plain).first, "Regenerate").click()
    expect(branch(answers(plain).first, "2 of 2")).to_be_visible()
    button(answers(plain).first, "Previous branch").click()
    expect(branch(answers(plain).first, "1 of 2")).to_be_visible()


def test_without_websockets_too_branches_are_made_and_what_waits_is_taken_back(
    visit: Visit, site: Site, of_alice: StorageState, complaints: Complaints
) -> None:
    complaints.expect("WebSocket connection to .* failed")
    complaints.expect(r"\[object Event\]")  # htmx's own word for it
    with before(site) as proxy:
        proxy.lets_websockets_through = False
        page = visit(proxy.site, of_alice)
        start(page, "What is 6 * 7?")
        expect(page.get_by_text("Live updates come every few seconds")).to_be_visible()
        answered(page)
        edit(page, 1, LONG)
        expect(questions(page)).to_contain_text(LONG)
        ask(page, "What is 1 + 1?")
        page.get_by_role("button", name="Take back").click()
        expect(box(page)).to_have_value("What is 1 + 1?")
        expect(questions(page)).to_have_count(1)
        button(questions(page).first, "Previous branch").click()
        expect(answers(page)).to_contain_text("42")
        stop(page).click()
        expect(stop(page)).to_have_count(0)
        page.close()  # before the proxy, of which it would ask in vain


@pytest.fixture(scope="module")
def two_models(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site with an endpoint of two models: the first reply is the one's, the next the other's."""
    with answering() as endpoint:
        endpoint.replies["Who are you?"] = [says("I am one."), says("I am two.")]
        folder: Path = tmp_path_factory.mktemp("models")
        with served(folder, OPENAI_BASE_URL=endpoint.url, OPENAI_API_KEY="sk-x", AGENT_MODELS="one,two") as site:
            site.add_user("alice", PASSWORD)
            yield site
        assert [request["model"] for request in endpoint.requests] == ["one", "two"]


def test_another_model_answers_beside_the_first(visit: Visit, two_models: Site) -> None:
    page = visit(two_models, session_of(two_models, "alice"))
    start(page, "Who are you?")
    expect(answered(page)).to_contain_text("I am one.")

    page.get_by_role("combobox", name="Model").select_option("two")
    button(answers(page).first, "Regenerate").click()

    expect(answers(page)).to_contain_text("I am two.")
    answer = answered(page)
    expect(branch(answer, "2 of 2")).to_be_visible()
    expect(answer.locator(".acts .model")).to_have_text("two")
    expect(page.get_by_role("combobox", name="Model")).to_have_value("two")
    button(answer, "Previous branch").click()
    expect(answers(page)).to_contain_text("I am one.")
    expect(answers(page).first.locator(".acts .model")).to_have_text("one")
