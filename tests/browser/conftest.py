"""Pages of signed-in people in a real browser. A test fails for anything a page complains of or sends elsewhere."""

import re
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import count

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Dialog, Page, Request, StorageState, expect

from tests.browser.chatting import PATIENCE
from tests.conftest import PASSWORD
from tests.proxy import Proxy, before
from tests.serving import Site

NUMBERS = count(1)

expect.set_options(timeout=PATIENCE * 1000)


class Complaints(list[str]):
    """What the browser said of its pages, unless a test expects it."""

    def __init__(self) -> None:
        super().__init__()
        self.expected: list[str] = []

    def expect(self, pattern: str) -> None:
        self.expected.append(pattern)

    def listen(self, context: BrowserContext, home: str) -> None:
        """Hear the pages of a browser's window, which may ask nobody but the site at `home`."""

        def hear(message: ConsoleMessage) -> None:
            if message.type in ("error", "warning"):
                self.note(f"console {message.type}: {message.text}")

        def look(request: Request) -> None:
            if not request.url.startswith((f"{home}/", "data:")):
                self.note(f"request to {request.url}")

        def close(dialog: Dialog) -> None:
            self.note(f"dialog: {dialog.message}")
            dialog.dismiss()

        context.on("console", hear)
        context.on("request", look)
        context.on("dialog", close)
        context.on("weberror", lambda failure: self.note(f"script: {failure.error}"))

    def note(self, complaint: str) -> None:
        if not any(re.search(pattern, complaint) for pattern in self.expected):
            self.append(complaint)


@pytest.fixture
def proxy(site: Site) -> Iterator[Proxy]:
    """What stands between a page and the site, and loses what it is told to. Ask for it before `visit`.

    It then ends after the pages, which would complain of its end.
    """
    with before(site) as between:
        yield between


@pytest.fixture
def complaints() -> Iterator[Complaints]:
    heard = Complaints()
    yield heard
    assert heard == []


Visit = Callable[..., Page]


@pytest.fixture
def visit(browser: Browser, complaints: Complaints) -> Iterator[Visit]:
    """`visit(site, state)` gives a page of a new window, signed in by that state; further options are the window's."""
    opened: list[BrowserContext] = []

    def start(site: Site, state: StorageState | None = None, **options: object) -> Page:
        sized = {"viewport": {"width": 1440, "height": 900}, **options}
        context = browser.new_context(base_url=site.url, storage_state=state, **sized)  # type: ignore[arg-type]
        opened.append(context)
        context.set_default_timeout(PATIENCE * 1000)
        complaints.listen(context, site.url)
        return context.new_page()

    yield start
    for context in opened:
        context.close()


def session_of(site: Site, name: str) -> StorageState:
    """Return a session of this person, for a browser to start with."""
    with closing(site.sign_in(name, PASSWORD)) as client:
        value = client.cookies["sessionid"]
    return {"cookies": [{"name": "sessionid", "value": value, "domain": "127.0.0.1", "path": "/"}], "origins": []}


@pytest.fixture(scope="session")
def of_alice(site: Site) -> StorageState:
    """One session for all tests that only need somebody; whoever ends a session takes one of their own."""
    return session_of(site, "alice")


@pytest.fixture
def of_somebody_new(site: Site) -> StorageState:
    """A session of an account without conversations, facts or preferences."""
    name = f"new-{next(NUMBERS)}"
    site.add_user(name, PASSWORD)
    return session_of(site, name)


@pytest.fixture
def page(visit: Visit, site: Site, of_alice: StorageState) -> Page:
    """An empty page of alice's."""
    return visit(site, of_alice)
