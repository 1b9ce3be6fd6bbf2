"""A page's frames on their way out: a page that does not take them is told to come back later, others go on."""

import asyncio
from uuid import uuid4

import pytest
from django.contrib.auth.models import User

from agentsite.close_codes import COME_BACK_LATER, NOT_HERE
from chat.db import read
from chat.feed import STILL_HERE, Feed
from chat.models import Conversation
from chat.render import notice
from chat.sessions import OpenSocket, open_sockets
from chat.shares import DEBT, share_of
from chat.unread import UNREAD_BYTES
from tests.chat.made import conversation_of, run_in

ALICE = 1

pytestmark = pytest.mark.django_db(transaction=True)


class Socket:
    """Takes frames while `taking` is set, and notes its close code."""

    def __init__(self) -> None:
        self.frames: list[str] = []
        self.taking = asyncio.Event()
        self.taking.set()
        self.sent = asyncio.Event()
        self.closed: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    async def send(self, frame: str) -> None:
        self.frames.append(frame)
        self.sent.set()
        await self.taking.wait()

    async def close(self, code: int) -> None:
        self.closed.set_result(code)

    async def next(self) -> str:
        await self.sent.wait()
        self.sent.clear()
        return self.frames[-1]


@pytest.fixture
async def conversation(alice: User) -> Conversation:
    return await read(_talked, alice)


def _talked(owner: User) -> Conversation:
    conversation = conversation_of(owner, "A talk")
    run_in(conversation, "Hello", "Hello", steps=1)
    return conversation


@pytest.fixture
async def socket() -> Socket:
    return Socket()


async def test_a_socket_that_takes_nothing_more_is_told_to_come_back_later(
    conversation: Conversation, socket: Socket
) -> None:
    feed = Feed(conversation.pk, ALICE, socket.send, socket.close, patience=0.01)
    socket.taking.clear()
    feed.order(lambda: feed.viewer.resume(0))
    feed.wake()
    assert await socket.closed == COME_BACK_LATER
    assert len(socket.frames) == 1
    await feed.end()


async def test_while_a_socket_takes_nothing_all_that_is_new_waits_for_one_frame(
    conversation: Conversation, socket: Socket
) -> None:
    feed = Feed(conversation.pk, ALICE, socket.send, socket.close)
    socket.taking.clear()
    feed.say(notice("first"))
    await socket.next()
    for number in range(100):
        feed.order(lambda: feed.viewer.resume(0))
        feed.say(notice(f"number {number}"))
    socket.taking.set()
    frame = await socket.next()
    assert frame.count("<article") == 2
    assert "number 0<" in frame
    assert "number 99<" in frame
    await feed.end()


async def test_a_page_that_says_what_it_has_seen_and_falls_behind_is_told_to_come_back_later(
    conversation: Conversation, socket: Socket
) -> None:
    feed = Feed(conversation.pk, ALICE, socket.send, socket.close, patience=0.01)
    feed.unread.seen(0)
    feed.say(notice("x" * UNREAD_BYTES))
    await socket.next()
    feed.say(notice("more"))
    assert await socket.closed == COME_BACK_LATER
    assert len(socket.frames) == 1
    await feed.end()


async def test_a_page_that_catches_up_in_time_gets_the_rest(conversation: Conversation, socket: Socket) -> None:
    feed = Feed(conversation.pk, ALICE, socket.send, socket.close)
    feed.unread.seen(0)
    feed.say(notice("x" * UNREAD_BYTES))
    await socket.next()
    feed.say(notice("more"))
    feed.unread.seen(1)
    assert "more" in await socket.next()
    assert not socket.closed.done()
    await feed.end()


async def test_a_conversation_that_is_gone_closes_its_page(socket: Socket, alice: User) -> None:
    feed = Feed(uuid4(), ALICE, socket.send, socket.close)
    feed.order(lambda: feed.viewer.resume(0))
    feed.wake()
    assert await socket.closed == NOT_HERE
    await feed.end()


async def test_a_page_that_waits_for_its_persons_share_hears_that_its_socket_lives(
    conversation: Conversation, socket: Socket
) -> None:
    """Else its script takes the socket for dead, and opens one after the other."""
    other = OpenSocket("", ALICE + 1, socket.close)
    open_sockets.add(other)
    share = share_of(ALICE)
    feed = Feed(conversation.pk, ALICE, socket.send, socket.close)
    try:
        taken = share.took(share.left + DEBT)
        feed.order(lambda: feed.viewer.resume(0))
        feed.wake()
        assert await asyncio.wait_for(socket.next(), 2) == STILL_HERE
        share.took(-taken)
    finally:
        await feed.end()
        open_sockets.discard(other)
