"""The socket of a conversation's page: takes its frames, and keeps the page at what is stored.

A handler does one short thing and wakes the feed; the feed alone reads rows and sends, so frames keep their order.
"""

import asyncio
import uuid
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from typing import Any

import structlog
from autobahn.exception import Disconnected
from channels.consumer import get_handler_name
from channels.exceptions import StopConsumer
from channels.generic.websocket import AsyncWebsocketConsumer
from django.conf import settings
from django.contrib.auth.models import User
from django.http import Http404
from django.utils.safestring import SafeString

from agentsite.health import draining
from chat import branches, endpoints, hints, preview, render, rows, runs, store
from chat.access import conversation_or_404, run_or_404, session_user
from chat.acts import act
from chat.db import read
from chat.frames import Act, BadFrame, Fork, Resume, Send, Stop, parse
from chat.models import Conversation
from chat.sessions import COME_BACK, SIGN_IN_AGAIN, OpenSocket, open_sockets
from chat.viewer import Viewer

FRAME_SECONDS = 0.04
POLL_SECONDS = 5.0
NOT_HERE, TOO_MUCH = 4404, 4008
AFAR_SECONDS = 1.0  # as often as the text of another process is stored
FRAMES_A_SECOND, FRAME_BURST = 20, 60

log = structlog.get_logger("agentsite.socket")


class ConversationConsumer(AsyncWebsocketConsumer):
    """One open page of one conversation."""

    channel_layer_alias = ""  # none: hints come to the process, and a page opens also while Redis is away
    viewer: Viewer
    feed: "asyncio.Task[None] | None" = None
    socket: OpenSocket | None = None

    async def dispatch(self, message: Mapping[str, Any]) -> None:
        """Hand a message to its handler. Channels' own first closes old connections in a thread all sockets share."""
        try:
            await getattr(self, get_handler_name(message))(message)
        except StopConsumer:
            raise
        except Exception:  # else nobody would clear up after this socket
            log.exception("handler failed", conversation=str(self.id))
            await self.close(COME_BACK)

    async def connect(self) -> None:
        self.id: uuid.UUID = self.scope["url_route"]["kwargs"]["id"]
        self.session_key = self.scope["cookies"].get(settings.SESSION_COOKIE_NAME, "")
        self.allowance, self.counted = float(FRAME_BURST), asyncio.get_running_loop().time()
        await self.accept()
        if draining.is_set():
            await self.close(COME_BACK)
            return
        allowed = await self._allowed()
        if allowed is None:
            return
        self.viewer, self.woken, self.stale = Viewer(self.id), asyncio.Event(), False
        self.orders: list[Callable[[], None]] = []
        self.extra: list[SafeString] = []
        self.socket = OpenSocket(self.session_key, allowed[0].pk, self.close)
        open_sockets.add(self.socket)
        preview.watch(self.id, self.woken.set)
        hints.watch(self.id, self._wake)
        self.feed = asyncio.create_task(self._feed())

    async def disconnect(self, code: int) -> None:
        if self.socket:
            open_sockets.discard(self.socket)
            preview.unwatch(self.id, self.woken.set)
            hints.unwatch(self.id, self._wake)
        if self.feed:
            self.feed.cancel()
            with suppress(asyncio.CancelledError):
                await self.feed
        raise StopConsumer

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """Take one frame of the page. The right to be here is looked up anew for each."""
        if self.socket is None:
            return
        if not self._within_rate():
            await self.close(TOO_MUCH)
            return
        allowed = await self._allowed()
        if allowed is None:
            return
        user, conversation = allowed
        try:
            frame = parse(text_data)
            match frame:
                case Resume():
                    await self._resume(user, frame)
                case Send():
                    await self._send(user, conversation, frame)
                case Fork():
                    raise BadFrame("A fork opens a page of its own, so it is asked for by a form.")
                case _:
                    await self._act(user, conversation, frame)
        except (BadFrame, store.Refused, endpoints.NoModel) as refusal:
            self._say(render.notice(str(refusal)))

    async def _resume(self, user: User, frame: Resume) -> None:
        if frame.since is not None:
            self.orders.append(partial(self.viewer.resume, frame.since))
        if frame.run is not None:
            try:
                run = await read(run_or_404, user, frame.run)
            except Http404:
                raise BadFrame("There is no such run.") from None
            newest = await read(branches.newest_run, self.id)
            self.orders.append(partial(self.viewer.look_at, run, frame.run_since, follows=run == newest))
        self._wake()

    async def _send(self, user: User, conversation: Conversation, frame: Send) -> None:
        self._assume_at(conversation)
        model = frame.model or conversation.model
        sent = await runs.send(user.pk, frame.message, frame.client_id, model, self.id, frame.mode)
        self.orders.append(self.viewer.follow)
        elsewhere = ""
        if not sent.fresh:
            talk = await read(rows.said, self.id, sent.message)
            for drawn in render.articles(talk):
                self._say(render.replaced_article(drawn))
            elsewhere = "" if talk.messages else "This was sent before, and stands on another branch."
        self._say(render.sent_frame(str(uuid.uuid4())))
        self._say(render.notice(elsewhere))

    async def _act(self, user: User, conversation: Conversation, frame: Act) -> None:
        self._assume_at(conversation)
        text = await act(user.pk, conversation, frame)
        if not isinstance(frame, Stop):
            self.orders.append(self.viewer.follow)
            self._say(render.notice(""))
        if text:
            self._say(render.taken_back(text))

    def _assume_at(self, conversation: Conversation) -> None:
        """Take a page that said nothing of itself, such as a script, to have what there was before it spoke."""
        if self.viewer.since is None and not self.orders:
            self.orders.append(partial(self.viewer.resume, conversation.revision))

    async def _allowed(self) -> tuple[User, Conversation] | None:
        """Return who is here and the conversation, if they may (still) be here; else close, saying why."""
        user = await read(session_user, self.session_key)
        if user is None:
            await self.close(SIGN_IN_AGAIN)
            return None
        try:
            return user, await read(conversation_or_404, user, self.id)
        except Http404:
            await self.close(NOT_HERE)
            return None

    def _within_rate(self) -> bool:
        """Count a frame against the page's allowance, which grows back by the second."""
        now = asyncio.get_running_loop().time()
        grown = self.allowance + (now - self.counted) * FRAMES_A_SECOND
        self.allowance, self.counted = min(grown, FRAME_BURST) - 1, now
        return self.allowance >= 0

    def _say(self, frame: SafeString) -> None:
        """Give the feed a frame to send after what is stored."""
        self.extra.append(frame)
        self._wake()

    def _wake(self) -> None:
        self.stale = True
        self.woken.set()

    async def _feed(self) -> None:
        """Send what is new, each time something wakes it; while a run is live, look by itself now and then."""
        try:
            while True:
                with suppress(TimeoutError):
                    async with asyncio.timeout(self._patience()):
                        await self.woken.wait()
                self.stale = self.stale or not self.woken.is_set()
                self.woken.clear()
                await self._send_new()
                await asyncio.sleep(FRAME_SECONDS)
        except (OSError, Disconnected):
            pass  # the page went away while it was written to
        except Exception:
            log.exception("feed failed", conversation=str(self.id))
            await self.close(COME_BACK)

    def _patience(self) -> float | None:
        """Return the seconds after which the feed looks by itself, if it does."""
        if self.viewer.reads_afar:
            return AFAR_SECONDS
        return POLL_SECONDS if self.viewer.waits else None

    async def _send_new(self) -> None:
        parts: list[SafeString] = []
        orders, self.orders = self.orders, []
        for order in orders:
            order()
        if self.stale:
            self.stale = False
            newer = await read(self.viewer.catch_up)
            if newer is None:
                await self.close(NOT_HERE)
                return
            parts.append(newer)
        parts.append(self.viewer.stream())
        extra, self.extra = self.extra, []
        if frame := "".join([*parts, *extra]):
            await self.send(text_data=frame)
