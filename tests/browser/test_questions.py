"""The questions that the site is shown with, asked as a person asks them."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.chatting import answered, ask, head, start, steps


def test_the_weather_of_two_cities_takes_two_calls_asked_for_at_once(page: Page) -> None:
    start(page, "What's the weather like in London and Tokyo?")
    answer = answered(page)
    expect(answer).to_contain_text("14 °C")
    expect(answer).to_contain_text("22 °C")
    expect(answer).to_contain_text("sample data")
    expect(answer).to_contain_text("Used get_weather twice")

    expect(head(steps(page, "model").first)).to_contain_text("chose 2 tools")
    calls = steps(page, "tool")
    expect(calls).to_have_count(2)
    for number, city in enumerate(("London", "Tokyo")):
        call = calls.nth(number)
        expect(call).to_have_attribute("data-status", "done")
        expect(head(call)).to_contain_text(re.compile(rf"get_weather\s+{city}\s+\d+ ms"))
        expect(call.get_by_text("Arguments")).to_be_hidden()
        head(call).click()
        expect(call.get_by_text("Arguments")).to_be_visible()
        expect(call.get_by_text("Result")).to_be_visible()
        expect(call.get_by_role("definition").first).to_have_text(f'{{"city": "{city}"}}')
        expect(call.get_by_role("definition").nth(1)).to_contain_text('"temperature')


@pytest.mark.parametrize(
    ("question", "words"),
    [
        ("If it's 14 degrees in London and 22 degrees in Tokyo, what's the average temperature?", r"\b18\b"),
        ("What's the square root of the humidity in Sydney?", r"9\.2195"),
        ("What's the average temperature in London and Tokyo?", r"\b18 °C"),
    ],
)
def test_sums_are_answered_with_the_calculator(page: Page, question: str, words: str) -> None:
    start(page, question)
    answer = answered(page)
    expect(answer).to_contain_text(re.compile(words))
    expect(answer).to_contain_text("calculate once")
    expect(steps(page, "tool").last).to_contain_text("calculate")


def test_a_conversation_goes_on_from_what_was_said_before(page: Page) -> None:
    start(page, "What's the weather in London?")
    expect(answered(page)).to_contain_text("14 °C")
    ask(page, "How about Tokyo?")
    expect(answered(page, 2)).to_contain_text("22 °C")
    ask(page, "Which city is warmer?")
    expect(answered(page, 3)).to_contain_text(re.compile("Tokyo.*warmer"))
    expect(page.get_by_role("heading", name="What's the weather in London?")).to_be_visible()
