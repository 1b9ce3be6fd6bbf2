"""The socket of a conversation's page: who may be here, and what the page says. What it is sent is its feed's.

A handler does one short thing and wakes the feed, since the frames that come meanwhile wait for it.
"""

import asyncio
import uuid
from collections.abc import Awaitable, Mapping
from functools import partial
from typing import Any

import structlog
from channels.consumer import get_handler_name
from channels.exceptions import StopConsumer
from channels.generic.websocket import AsyncWebsocketConsumer
from django.conf import settings
from django.contrib.auth.models import User
from django.http import Http404

from agentsite.close_codes import COME_BACK, COME_BACK_LATER, NOT_HERE, SIGN_IN_AGAIN, TOO_MUCH
from agentsite.health import draining
from chat import away, endpoints, hints, render, rows, runs, store
from chat.access import allowed_in
from chat.acts import act
from chat.articles import articles
from chat.away import Away
from chat.catching_up import orders
from chat.db import read_soon
from chat.feed import Feed
from chat.frames import Act, Asked, BadFrame, Edit, Fork, Frame, Resume, Seen, Send, Stop, parse
from chat.models import Conversation
from chat.sessions import OpenSocket, open_sockets
from chat.shares import AN_ACT, share_of

FRAMES_A_SECOND, FRAME_BURST = 20, 60
SOCKETS_A_PERSON = 20  # in one process
ANSWER_SECONDS = 6.0  # in which a page hears of what it said; it takes its socket for dead after ten
NOT_YET = "This is not stored yet: the server's database is slow. If it does not appear in a moment, send it again."
PATIENCE = 1.0  # seconds that a frame waits at most for its person's share: a Stop does not stand behind a long trace
TOO_MANY = f"You have {SOCKETS_A_PERSON} pages of this site open, which is the most. Close one, and this one goes on."

log = structlog.get_logger("agentsite.socket")


class ConversationConsumer(AsyncWebsocketConsumer):
    """One open page of one conversation."""

    channel_layer_alias = ""  # none: hints come to the process, and a page opens also while Redis is away
    feed: Feed | None = None
    socket: OpenSocket | None = None

    async def dispatch(self, message: Mapping[str, Any]) -> None:
        """Hand a message to its handler. Channels' own first closes old connections in a thread all sockets share."""
        await self._whole(getattr(self, get_handler_name(message))(message))

    async def _whole(self, work: Awaitable[None]) -> None:
        try:
            await work
        except StopConsumer:
            raise
        except Away as gone:  # who is here, or what the page lacks, cannot be read: it asks again by itself
            away.complain(gone.reason)
            await self.send(text_data=render.notice(gone.not_shown))
            await self.close(COME_BACK_LATER)
        except Exception:  # else nobody would clear up after this socket
            log.exception("handler failed", conversation=str(self.id))
            await self.close(COME_BACK)

    async def connect(self) -> None:
        self.id: uuid.UUID = self.scope["url_route"]["kwargs"]["id"]
        self.session_key = self.scope["cookies"].get(settings.SESSION_COOKIE_NAME, "")
        self._late: set[asyncio.Task[None]] = set()
        self.allowance, self.counted = float(FRAME_BURST), asyncio.get_running_loop().time()
        await self.accept()
        allowed = await self._allowed()
        if allowed is None:
            return
        person = allowed[0].pk
        share = share_of(person)
        share.took(AN_ACT)
        await asyncio.sleep(share.pause(PATIENCE))
        if draining.is_set():  # looked at no earlier: who is let in after all were told to come back hears of it, too
            await self.close(COME_BACK)
            return
        if sum(socket.user == person for socket in open_sockets) >= SOCKETS_A_PERSON:
            await self.send(text_data=render.notice(TOO_MANY))
            await self.close(COME_BACK_LATER)
            return
        self.socket = OpenSocket(self.session_key, person, self.close)
        open_sockets.add(self.socket)
        self.feed = Feed(self.id, person, self.send, self.close)
        hints.watch(self.id, self.feed.wake)

    async def disconnect(self, code: int) -> None:
        if self.socket:
            open_sockets.discard(self.socket)
        if self.feed:
            hints.unwatch(self.id, self.feed.wake)
            await self.feed.end()
        raise StopConsumer

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """Take one frame of the page. The right to be here is looked up anew for each that asks for something."""
        if self.feed is None:
            return
        if not self._within_rate():
            await self.close(TOO_MUCH)
            return
        frame = _parsed(text_data)
        if isinstance(frame, Seen):
            self.feed.unread.seen(frame.n)
            return
        await asyncio.sleep(self.feed.share.pause(PATIENCE))
        work = asyncio.create_task(self._whole(self._take(self.feed, frame)))
        self._late.add(work)
        work.add_done_callback(self._late.discard)
        done, _ = await asyncio.wait({work}, timeout=ANSWER_SECONDS)
        if not done:  # it goes on, and what comes of it is said then
            self.feed.say(render.notice(NOT_YET))

    async def _take(self, feed: Feed, frame: Asked | BadFrame) -> None:
        try:
            allowed = await self._allowed()
            if allowed is None:
                return
            user, conversation = allowed
            match frame:
                case BadFrame():
                    raise frame
                case Resume():
                    for order in await feed.share.read(orders, feed.viewer, frame):
                        feed.order(order)
                    feed.wake()
                case Send():
                    await self._send(feed, user, conversation, frame)
                case Fork():
                    raise BadFrame("A fork opens a page of its own, so it is asked for by a form.")
                case _:
                    await self._act(feed, user, conversation, frame)
        except (BadFrame, store.Refused, endpoints.NoModel) as refusal:
            feed.say(render.notice(str(refusal)))
        except Away as gone:
            if isinstance(frame, Resume):
                raise
            away.complain(gone.reason)
            feed.say(render.notice(gone.not_stored if isinstance(frame, Send | Edit) else gone.not_done))

    async def _send(self, feed: Feed, user: User, conversation: Conversation, frame: Send) -> None:
        feed.share.took(AN_ACT)
        _assume_at(feed, conversation)
        model = frame.model or conversation.model
        sent = await runs.send(user.pk, frame.message, frame.client_id, model, self.id, frame.mode)
        feed.order(feed.viewer.follow)
        elsewhere = ""
        if not sent.fresh:
            talk = await feed.share.read(rows.said, self.id, sent.message)
            for drawn in articles(talk):
                feed.say(render.replaced_article(drawn))
            elsewhere = "" if talk.messages else "This was sent before, and stands on another branch."
        feed.say(render.sent_frame(str(uuid.uuid4())))
        feed.say(render.notice(elsewhere))

    async def _act(self, feed: Feed, user: User, conversation: Conversation, frame: Act) -> None:
        feed.share.took(AN_ACT)
        _assume_at(feed, conversation)
        try:
            text = await act(user.pk, conversation, frame)
        except (store.Refused, endpoints.NoModel):
            feed.say(render.answered(frame.client_id))
            raise
        if not isinstance(frame, Stop):
            feed.order(feed.viewer.follow)
            feed.say(render.notice(""))
        if text:
            feed.say(render.taken_back(text))
        feed.say(render.answered(frame.client_id))

    async def _allowed(self) -> tuple[User, Conversation] | None:
        """Return who is here and the conversation, if they may (still) be here; else close, saying why."""
        read = self.feed.share.read if self.feed else read_soon
        try:
            allowed = await read(allowed_in, self.session_key, self.id)
        except Http404:
            await self.close(NOT_HERE)
            return None
        if allowed is None:
            await self.close(SIGN_IN_AGAIN)
        return allowed

    def _within_rate(self) -> bool:
        """Count a frame against the page's allowance, which grows back by the second."""
        now = asyncio.get_running_loop().time()
        grown = self.allowance + (now - self.counted) * FRAMES_A_SECOND
        self.allowance, self.counted = min(grown, FRAME_BURST) - 1, now
        return self.allowance >= 0


def _parsed(text: str | None) -> Frame | BadFrame:
    try:
        return parse(text)
    except BadFrame as refusal:
        return refusal


def _assume_at(feed: Feed, conversation: Conversation) -> None:
    """Take a page that said nothing of itself, such as a script, to have what there was before it spoke."""
    if feed.untold:
        feed.order(partial(feed.viewer.resume, conversation.revision))
