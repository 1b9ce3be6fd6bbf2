"""What is remembered: added, changed and deleted by hand or in the chat, and seen to matter in answers."""

import re

import pytest
from playwright.sync_api import Locator, Page, StorageState, expect

from tests.browser.chatting import answered, ask, head, start, steps
from tests.browser.conftest import Visit
from tests.serving import Site


@pytest.fixture
def newcomer(visit: Visit, site: Site, of_somebody_new: StorageState) -> Page:
    """A page of somebody of whom nothing is remembered."""
    return visit(site, of_somebody_new)


def remembered(page: Page, name: str) -> Locator:
    return page.get_by_role("list", name=name).get_by_role("listitem")


def test_a_preference_added_by_hand_changes_answers_and_is_seen_in_the_trace(newcomer: Page) -> None:
    page = newcomer
    page.goto("/settings/")
    loads: list[str] = []
    page.on("domcontentloaded", lambda loaded: loads.append(loaded.url))
    page.get_by_label("Name").fill("temperature_units")
    page.get_by_label("Value").fill("fahrenheit")
    page.get_by_role("button", name="Add preference").click()
    expect(remembered(page, "Preferences")).to_contain_text(["temperature_units"])
    assert loads == []

    start(page, "What's the weather like in London and Tokyo?")
    answer = answered(page)
    expect(answer).to_contain_text("57.2 °F")
    expect(answer).not_to_contain_text("°C")
    memory = steps(page, "memory")
    expect(head(memory)).to_contain_text("1 preference")
    head(memory).click()
    expect(memory.get_by_role("definition")).to_have_text("temperature_units: fahrenheit")


def test_facts_are_added_edited_and_deleted_without_leaving_the_page(newcomer: Page) -> None:
    page = newcomer
    page.goto("/settings/")
    loads: list[str] = []
    page.on("domcontentloaded", lambda loaded: loads.append(loaded.url))
    facts, new = remembered(page, "Facts"), page.get_by_role("textbox", name="Fact")
    for text in ("Lives in Berlin", "Has two cats"):
        new.fill(text)
        page.get_by_role("button", name="Add fact").click()
        expect(facts.filter(has_text=text)).to_be_visible()
        expect(new).to_have_value("")

    facts.filter(has_text="Berlin").get_by_role("button", name="Edit").click()
    change = facts.get_by_role("textbox", name="Fact")
    expect(change).to_have_value("Lives in Berlin")
    expect(change).to_be_focused()
    change.fill("Lives in Hamburg")
    page.keyboard.press("Enter")
    expect(facts.filter(has_text="Hamburg")).to_be_visible()
    expect(facts.filter(has_text="Berlin")).to_have_count(0)

    facts.filter(has_text="cats").get_by_role("button", name="Delete").click()
    expect(facts).to_have_count(1)
    assert loads == []
    page.reload()
    expect(facts).to_have_count(1)
    expect(facts).to_contain_text(["Lives in Hamburg"])


def test_what_cannot_be_kept_is_said_at_its_field(page: Page) -> None:
    page.goto("/settings/")
    page.get_by_label("Name").fill("temperature_units")
    page.get_by_label("Value").fill("kelvin")
    page.get_by_role("button", name="Add preference").click()
    field, error = page.get_by_label("Value"), page.get_by_text(re.compile("celsius.*fahrenheit"))
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(field).to_have_value("kelvin")
    expect(field).to_be_focused()
    expect(field).to_have_css("border-color", error.evaluate("element => getComputedStyle(element).color"))
    expect(remembered(page, "Preferences")).to_have_count(0)


def test_what_a_message_asks_to_remember_is_known_everywhere_until_it_is_deleted(newcomer: Page) -> None:
    page = newcomer
    start(page, "Remember that I live in Berlin")
    answered(page)
    start(page, "What do you know about me?")
    expect(answered(page)).to_contain_text("Berlin")

    page.goto("/settings/")
    fact = remembered(page, "Facts")
    expect(fact).to_contain_text(["Lives in Berlin"])
    expect(fact).to_contain_text([re.compile(r"Said\s+\d+ \w+ \d+\s+in Remember that I live in Berlin")])
    fact.get_by_role("button", name="Delete").click()
    expect(fact).to_have_count(0)

    start(page, "How are you?")
    answered(page)
    ask(page, "What do you know about me?")
    expect(answered(page, 2)).to_contain_text("Nothing is remembered about you yet.")


def test_the_appearance_is_kept_for_every_page(page: Page) -> None:
    page.goto("/settings/")
    page.get_by_role("button", name="Dark").click()
    expect(page.get_by_role("button", name="Dark")).to_have_attribute("aria-pressed", "true")
    page.goto("/")
    expect(page.locator("html")).to_have_css("color-scheme", "dark")
    page.goto("/settings/")
    page.get_by_role("button", name="As the system").click()
    expect(page.locator("html")).to_have_css("color-scheme", "light dark")
