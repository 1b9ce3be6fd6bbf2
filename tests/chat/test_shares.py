"""One person's share of a process: a burst at once, then a small part of the time, while others are here as well."""

import asyncio
import time
from collections.abc import Iterator
from threading import Lock

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from chat.sessions import OpenSocket, open_sockets
from chat.shares import BURST, DEBT, PART, Share, share_of
from tests.clocks import Clock

ALICE, BOB = 1, 2


async def _stay_open(_: int) -> None:
    """Close nothing."""


@pytest.fixture
def bob_is_here() -> Iterator[None]:
    socket = OpenSocket("", BOB, _stay_open)
    open_sockets.add(socket)
    yield
    open_sockets.discard(socket)


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_a_burst_is_free_and_what_goes_beyond_is_waited_for(bob_is_here: None, clock: Clock) -> None:
    share = Share(ALICE, clock)
    share.took(BURST)
    assert share.pause(60) == 0
    share.took(0.2)
    assert share.pause(60) == pytest.approx(0.2 / PART)
    assert share.pause(0.5) == 0.5


def test_time_gives_back_a_part_of_itself_and_never_more_than_a_burst(bob_is_here: None, clock: Clock) -> None:
    share = Share(ALICE, clock)
    share.took(BURST + 0.2)
    clock.now += 0.2 / PART
    assert share.pause(60) == pytest.approx(0)
    clock.now += 1e6
    assert share.left == BURST
    share.took(BURST + 0.1)
    assert share.pause(60) == pytest.approx(0.1 / PART)


def test_nobody_waits_long_for_what_was_asked_long_ago(bob_is_here: None, clock: Clock) -> None:
    """Who worked alone for hours is not held up for hours when somebody comes."""
    share = Share(ALICE, clock)
    assert share.took(1_000) == BURST + DEBT
    assert share.pause(60) == pytest.approx(DEBT / PART)
    assert share.took(0.5) == 0
    clock.now += DEBT / PART
    assert share.pause(60) == pytest.approx(0)


def test_who_is_alone_waits_for_nothing(clock: Clock) -> None:
    share = Share(BOB, clock)
    share.took(100)
    own = OpenSocket("", BOB, _stay_open)
    open_sockets.add(own)
    try:
        assert share.pause(60) == 0
    finally:
        open_sockets.discard(own)


def test_all_pages_of_a_person_have_one_share_and_what_was_taken_is_not_forgotten() -> None:
    alice, bob, carol = -1, -2, -3  # who is new looks for shares that nobody needs, and no other test has these
    share = share_of(alice)
    assert share_of(alice) is share
    share.took(50)
    share_of(bob)
    assert share_of(alice) is share
    share.took(-51)
    assert share.left == BURST
    share_of(carol)
    assert share_of(alice) is not share


@pytest.mark.django_db(transaction=True)
async def test_a_persons_reads_come_one_after_the_other_and_are_counted() -> None:
    share, reading = Share(ALICE), Lock()

    def read() -> bool:
        alone = reading.acquire(blocking=False)
        end = time.thread_time() + 0.05
        while time.thread_time() < end:
            pass
        reading.release()
        return alone

    assert share.left == BURST
    assert await asyncio.gather(*(share.read(read) for _ in range(4))) == [True] * 4
    await asyncio.sleep(0)
    assert share.left < BURST


@pytest.mark.django_db(transaction=True)
async def test_a_read_that_fails_is_counted_as_well() -> None:
    share = Share(ALICE, lambda: 0.0)
    with pytest.raises(ZeroDivisionError):
        await share.read(lambda: 1 // 0)
    await asyncio.sleep(0)
    assert share.left < BURST


@pytest.mark.django_db
def test_pages_are_counted(alice: User, alice_client: Client) -> None:
    share = share_of(alice.pk)
    stopped = share.clock()
    share.clock = lambda: stopped  # on a busy machine it would give back more than the page takes
    before = share.left
    assert alice_client.get("/").status_code == 200
    assert share.left < before


@pytest.mark.django_db
def test_whether_the_server_is_well_is_answered_whoever_asks(
    alice_client: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(1):  # its own: no session and no user, which may be what is not there
        assert alice_client.get("/healthz").json() == {"status": "ok"}
