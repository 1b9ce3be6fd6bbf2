"""A trace that grows long while it is watched: at its end it stays as short as one loaded anew, and loses nothing."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from threading import Event

import pytest
from playwright.sync_api import Page, expect

from tests.browser.chatting import answered, head, start, steps, trace
from tests.browser.conftest import Visit, session_of
from tests.scripted import Body, asks, call, event, says
from tests.security.talking import Talking, talking

QUESTION = "What do they all come to?"
TURNS, CALLS = 24, 10
SHORT = 3  # turns, after which a page still has all steps
SHOWN = 200


@pytest.fixture
def talk(tmp_path: Path) -> Iterator[Talking]:
    with talking(tmp_path, AGENT_MAX_TURNS="100", AGENT_MAX_TOKENS="10000000") as both:
        yield both


def turn(number: int) -> list[bytes]:
    calls = [call("calculate", {"expression": f"{number} * {n}"}, index=n, id=f"{number}-{n}") for n in range(CALLS)]
    return [*(event(chunk) for chunk in asks(*calls)), b"data: [DONE]\n\n"]


def once(gate: Event, parts: Iterable[bytes]) -> Iterator[bytes]:
    gate.wait()
    yield from parts


def numbers(page: Page) -> list[int]:
    return [int(number) for number in steps(page).evaluate_all("rows => rows.map(row => row.dataset.step)")]


def rows(page: Page) -> list[str]:
    """The rows as they are drawn, without what only this reader has opened."""
    found: list[str] = steps(page).evaluate_all("rows => rows.map(row => row.outerHTML.replaceAll(' open=\"\"', ''))")
    return found


def test_a_trace_read_at_its_end_keeps_the_last_rows_and_another_what_its_reader_looks_at(
    talk: Talking, visit: Visit
) -> None:
    gate = Event()
    replies = [Body(turn(n)) for n in range(TURNS)]
    replies[SHORT] = Body(once(gate, turn(SHORT)))  # type: ignore[arg-type]  # sent once
    talk.endpoint.replies[QUESTION] = [*replies, says("A lot.")]
    state = session_of(talk.site, "alice")
    at_end, opened, above = visit(talk.site, state), visit(talk.site, state), visit(talk.site, state)
    start(at_end, QUESTION)
    for page in (opened, above):
        page.goto(at_end.url)
    for page in (at_end, opened, above):
        expect(trace(page).locator('[data-kind="model"][data-status="running"]')).to_have_count(1)
    fifth = trace(opened).locator('[data-step="5"]')
    head(fifth).click()
    opened.locator("#trace .scroll").evaluate("element => element.scrollTop = element.scrollHeight")
    above.locator("#trace .scroll").evaluate("element => element.scrollTop = 0")
    expect(above.locator("#trace .scroll")).to_have_attribute("data-follow", "no")
    gate.set()

    for page in (at_end, opened, above):
        answered(page)
    last = numbers(at_end)[-1]
    assert last > TURNS * CALLS
    assert numbers(at_end) == list(range(last - SHOWN + 1, last + 1))
    expect(steps(at_end).last).to_be_in_viewport()
    assert numbers(opened) == list(range(5, last + 1))
    expect(fifth.locator("details").first).to_have_attribute("open", "")
    assert numbers(above) == list(range(1, last + 1))

    live = rows(at_end)
    for page in (at_end, opened):
        page.get_by_role("button", name="Show earlier steps").click()
        expect(steps(page)).to_have_count(last)
        assert numbers(page) == list(range(1, last + 1))
        expect(page.get_by_role("button", name="Show earlier steps")).to_have_count(0)
    at_end.reload()
    anew = rows(at_end)
    assert 100 < len(anew) <= SHOWN
    assert anew == live[-len(anew) :]
