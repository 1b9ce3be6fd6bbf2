"""A page that stays open while its server dies and comes back, and shows then what one shows that is loaded anew."""

import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from difflib import unified_diff
from typing import Any

import httpx2

from tests.pages import Page
from tests.serving import Site
from tests.sockets import Page as Socket
from tests.sockets import opened

SHOWN = ("#messages", "#trace")
SCROLLED = re.compile(' data-follow="[a-z]+"')  # it says where the reader is
LIVE = ("queued", "streaming")


@dataclass
class Open:
    """A page while it has its socket."""

    page: Page
    socket: Socket
    taken: int = 0

    def take(self, pattern: str = "") -> None:
        """Take the next frames, until one matches, as a browser does."""
        self.socket.until(pattern)
        self.page.apply(self.socket.seen[self.taken :])
        self.taken = len(self.socket.seen)

    def until_quiet(self, answers: int) -> None:
        """Take frames until nothing is at work any more, and so many answers are shown."""
        while len(ended := statuses(self.page)) < answers or set(ended) & {*LIVE}:
            self.take()

    def until_closed(self) -> int:
        """Take frames until the server closes; return its code."""
        code = self.socket.close_code()
        self.page.apply(self.socket.seen[self.taken :])
        return code

    def until_shows(self, client: httpx2.Client, conversation: str) -> None:
        """Take frames until the page shows what one shows that is loaded now; else fail, with what is not the same."""
        anew = shown(loaded(client, conversation))
        with suppress(TimeoutError):
            while shown(self.page) != anew:
                self.take()
        hold_same(self.page, anew)


class Staying:
    """A page of a conversation, with its DOM; `open` connects it, as often as its server comes back."""

    def __init__(self, client: httpx2.Client, conversation: str) -> None:
        self.conversation = conversation
        self.page = loaded(client, conversation)

    @contextmanager
    def open(self, site: Site, client: httpx2.Client) -> Iterator[Open]:
        """Connect, say what the page has, and take what is newer."""
        with opened(site, client, self.conversation) as socket:
            socket.say(action="resume", **has(self.page))
            connected = Open(self.page, socket)
            connected.take('id="cursor"')
            yield connected

    def check(self, site: Site, client: httpx2.Client) -> None:
        """Hold the whole of what is shown to what two others show: one that is loaded now, one that then connects."""
        with self.open(site, client) as here:
            here.until_shows(client, self.conversation)
        other = Staying(client, self.conversation)
        with other.open(site, client):
            pass
        hold_same(other.page, shown(self.page))


def loaded(client: httpx2.Client, conversation: str) -> Page:
    answer = client.get(f"/c/{conversation}/")
    assert answer.status_code == 200
    return Page(answer.text)


def has(page: Page) -> dict[str, Any]:
    """Return what a page says when it opens its socket, as its script reads it from there."""
    cursor, run, follows = (_attributes(page, place) for place in ("#cursor", "#cursor-run", "#cursor-follows"))
    return {
        "since": cursor["data-conversation-revision"],
        "run": run.get("data-run", ""),
        "run_since": run.get("data-revision", ""),
        "follows": follows["data-follows"],
    }


def shown(page: Page) -> list[str]:
    """Return all that is shown, an element a line."""
    found = [page.find(place) for place in SHOWN]
    lines = [line for one in found if one for line in one.inner.replace("><", ">\n<").split("\n")]
    return [SCROLLED.sub("", line) for line in lines]


def hold_same(page: Page, other: list[str]) -> None:
    assert shown(page) == other, "\n".join(unified_diff(shown(page), other, "it shows", "it should show", n=1))


def articles(page: Page, role: str) -> list[dict[str, str]]:
    """Return what is said of the messages of a role, in order."""
    found = page.find("#messages")
    assert found
    return [one.attributes for one in found.all() if one.tag == "article" and one.attributes.get("data-role") == role]


def statuses(page: Page) -> list[str]:
    return [answer["data-status"] for answer in articles(page, "assistant")]


def has_sent(page: Page, client_id: str) -> bool:
    """Say whether the page shows what was sent under an id, which is its acknowledgement."""
    return any(said.get("data-client-id") == client_id for said in articles(page, "user"))


def _attributes(page: Page, place: str) -> dict[str, str]:
    found = page.find(place)
    assert found, place
    return found.attributes
