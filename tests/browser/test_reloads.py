"""A page that is reloaded at every event of a run: each time it goes on from there, and ends as one left alone."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.chatting import answered, answers, drawn, start, stop, until
from tests.browser.conftest import Visit, session_of
from tests.scripted import asks, call, says
from tests.security.talking import Talking, talking

QUESTION = "What do both come to?"
REPLIES = (
    asks(
        call("calculate", {"expression": "6 * 7"}, index=0), call("calculate", {"expression": "2 +"}, index=1),
        text="Let me work out both.",
    ),
    asks(call("current_time", {"place": "Tokyo"}), text="And the time."),
    says("The first ", "is **42**.\n\n", "The second ", "cannot be ", "done.\n\n", "```\n2 +", "\n```\n", "Sorry!"),
)  # fmt: skip


@pytest.fixture
def talk(tmp_path: Path) -> Iterator[Talking]:
    """A site beside a model that takes its time over each piece."""
    with talking(tmp_path) as both:
        both.endpoint.pause = 0.2
        yield both


def test_a_page_reloaded_at_every_event_shows_what_one_left_alone_shows(talk: Talking, visit: Visit) -> None:
    talk.endpoint.replies[QUESTION] = list(REPLIES)
    state = session_of(talk.site, "alice")
    page, alone = visit(talk.site, state), visit(talk.site, state)
    start(page, QUESTION)
    alone.goto(page.url)
    reloads = 0
    while stop(page).count():
        next_event(page)
        page.reload()
        reloads += 1
    answered(page)
    answered(alone)
    assert reloads > 2
    expect(answers(page)).to_contain_text("Sorry!")
    assert drawn(page) == drawn(alone)


def next_event(page: Page) -> None:
    """Wait until the page, which goes on live, shows something that it did not; or is over by now."""
    shown = json.dumps(page.inner_html("#app"))
    until(page, f"!document.querySelector('.stop') || document.querySelector('#app').innerHTML !== {shown}")
