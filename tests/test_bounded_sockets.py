"""Clients that do not read, that flood, or that open very many sockets: bounded, and nobody else notices."""

import re
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import httpx2
import pytest

from chat.consumers import SOCKETS_A_PERSON
from chat.frames import LONGEST_MESSAGE
from chat.unread import UNREAD_BYTES
from tests.conftest import PASSWORD
from tests.serving import Site
from tests.sockets import Page, begin, opened

MEGABYTE = 1024 * 1024
HELD = 16 * MEGABYTE  # what a served site may grow by meanwhile, a fraction of what it would send without a bound
MAKE = """
from django.contrib.auth.models import User
from tests.chat.made import conversation_of, run_in
talk = conversation_of(User.objects.create_user("bounded", password={password!r}), "Much")
for n in range(20):
    run_in(talk, "x" * {size}, "Yes.", steps=1)
print(talk.pk)
"""


@pytest.fixture(scope="module")
def much(site: Site) -> str:
    """A conversation of somebody's whose messages are more than may lie unread."""
    assert 20 * LONGEST_MESSAGE > UNREAD_BYTES
    return site.shell(MAKE.format(password=PASSWORD, size=LONGEST_MESSAGE)).strip()


@pytest.fixture(scope="module")
def somebody(site: Site, much: str) -> Iterator[httpx2.Client]:
    """Somebody whose sockets are nobody else's."""
    with closing(site.sign_in("bounded", PASSWORD)) as client:
        yield client


def memory(site: Site) -> int:
    """The bytes that the server's process holds."""
    status = Path(f"/proc/{site.process.pid}/status").read_text()
    found = re.search(r"VmRSS:\s+(\d+) kB", status)
    assert found
    return int(found[1]) * 1024


def caught_up(page: Page) -> None:
    page.say(action="resume", since=1)
    page.until('id="cursor"')


def test_who_does_not_read_holds_little_memory_and_delays_nobody(
    site: Site, somebody: httpx2.Client, much: str
) -> None:
    with opened(site, somebody, much) as other, opened(site, somebody, much) as page:
        page.say(action="resume", since=0)
        page.until("xxx")
        before = memory(site)
        for _ in range(60):
            page.say(action="resume", since=0)  # 240 kB each, never read
            caught_up(other)
        assert memory(site) - before < HELD


def test_who_reads_but_does_not_handle_is_told_to_come_back_later(
    site: Site, somebody: httpx2.Client, much: str
) -> None:
    with opened(site, somebody, much) as page:
        page.say(action="seen", n=0)
        for _ in range(2):
            page.say(action="resume", since=0)
            page.until("xxx")
        page.say(action="resume", since=1)
        assert page.close_code() == 4013
    with opened(site, somebody, much) as page:
        caught_up(page)


def test_a_script_that_reads_and_never_says_so_is_sent_all(site: Site, somebody: httpx2.Client, much: str) -> None:
    with opened(site, somebody, much) as page:
        for _ in range(5):
            page.say(action="resume", since=0)
            page.until('id="cursor"')
        assert len(page.seen) > 2 * UNREAD_BYTES


def test_a_flood_of_large_frames_is_closed_before_it_is_kept(site: Site, somebody: httpx2.Client) -> None:
    conversation = begin(somebody, "Hello")
    with opened(site, somebody, conversation) as other, opened(site, somebody, conversation) as page:
        before = memory(site)
        for _ in range(1000):
            page.say(action="send", message="x" * 60_000, client_id="flood")
        assert page.close_code() in (4008, 1006)
        caught_up(other)
        assert memory(site) - before < HELD


def test_sockets_of_one_person_are_bounded_and_anothers_are_not(site: Site, somebody: httpx2.Client) -> None:
    conversation = begin(somebody, "Hello")
    with ExitStack() as pages, closing(site.sign_in("bob", PASSWORD)) as bob:
        first, *_ = [pages.enter_context(opened(site, somebody, conversation)) for _ in range(SOCKETS_A_PERSON)]
        caught_up(first)
        with opened(site, somebody, conversation) as one_more:
            assert one_more.close_code() == 4013
            assert re.search(r'role="alert"[^>]*>You have 20 pages of this site open', one_more.seen)
        with opened(site, bob, begin(bob, "Hello")) as of_bob:
            caught_up(of_bob)
        first.socket.close()
        with opened(site, somebody, conversation) as one_more:
            caught_up(one_more)
