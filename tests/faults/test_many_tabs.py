"""Two tabs, at one server or at two, that send at the same time: all of it is there once, answered in turn."""

import re
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from tests import pages
from tests.faults.conftest import Known
from tests.faults.sites import DONE, checked, killable
from tests.sockets import Page, opened

ROOM = {"AGENT_MAX_TOKENS": "1000000", "AGENT_CONTEXT_TOKENS": "1000000"}  # nothing is to be summed up


def use(page: Page, name: str, each: int) -> None:
    """Send many messages at once, and read until those of both tabs are answered, and the one before them."""
    for number in range(each):
        page.ask(f"Look and note {name}{number}")
    while len(set(re.findall(DONE, page.seen))) < 2 * each + 1:
        page.until(DONE)
    page.say(action="dance")  # what is answered after it has been drawn
    page.until("does not know")


def shown(page: Page) -> str:
    """The messages of a page that took all frames it was sent."""
    taken = pages.Page('<div id="messages"></div>')
    taken.apply(page.seen)
    messages = taken.find("#messages")
    assert messages
    return messages.inner


@pytest.mark.parametrize(("servers", "each"), [(1, 20), (2, 10)])
def test_both_send_at_once_and_all_of_it_is_answered_once_and_in_turn(known: Known, servers: int, each: int) -> None:
    with ExitStack() as stack:
        sites = [stack.enter_context(killable(known.folder, **ROOM)) for _ in range(servers)]
        clients = [stack.enter_context(known.client(site)) for site in (sites[0], sites[-1])]
        places = zip((sites[0], sites[-1]), clients, strict=True)
        tabs = [stack.enter_context(opened(site, client, known.conversation)) for site, client in places]
        for tab in tabs:
            tab.say(action="resume", since=0)
        with ThreadPoolExecutor() as people:
            list(people.map(use, tabs, "ab", [each, each]))
        assert shown(tabs[0]) == shown(tabs[1])
        said = re.findall(r'<div class="text"[^>]*>([^<]+)<', clients[0].get(f"/c/{known.conversation}/").text)
        assert said == (known.folder / "notes").read_text().splitlines()
        assert sorted(said[1:]) == sorted(f"Look and note {name}{number}" for name in "ab" for number in range(each))
        for name in "ab":
            of_one = [text for text in said if f"note {name}" in text]
            assert of_one == [f"Look and note {name}{number}" for number in range(each)]
        checked(sites[0])
