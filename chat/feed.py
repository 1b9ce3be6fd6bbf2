"""Keeps a page at what is stored: one task reads and sends, so that frames keep their order."""

import asyncio
import uuid
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import suppress

import structlog
from autobahn.exception import Disconnected
from django.utils.safestring import SafeString

from agentsite.close_codes import COME_BACK, COME_BACK_LATER, NOT_HERE
from chat import away, preview, render
from chat.away import Away
from chat.shares import share_of
from chat.unread import FRAME_BYTES, Unread
from chat.viewer import Viewer

FRAME_SECONDS = 0.04
POLL_SECONDS = 5.0
UNREAD_SECONDS = 10.0  # for which a page may take nothing
HEARD_SECONDS = 2.0  # after which it hears that its socket lives; its script takes it for dead after three
AFAR_SECONDS = 1.0  # as often as the text of another process is stored

STILL_HERE = "<!-- still here -->"  # a frame that changes nothing

log = structlog.get_logger("agentsite.socket")


class NotRead(Exception):
    """The page does not take what it is sent."""


class Feed:
    """One page's frames on their way out. `send` and `close` are its socket's; `send` returns when there is room."""

    def __init__(
        self,
        conversation: uuid.UUID,
        person: int,
        send: Callable[[str], Awaitable[None]],
        close: Callable[[int], Awaitable[None]],
        patience: float = UNREAD_SECONDS,
    ) -> None:
        self.conversation, self.send, self.close, self.patience = conversation, send, close, patience
        self.viewer = Viewer(conversation)
        self.share = share_of(person)
        self.unread = Unread()
        self._orders: list[Callable[[], None]] = []
        self._extra: list[SafeString] = []
        self._woken = asyncio.Event()
        self._stale = self._blind = False
        preview.watchers.add(conversation, self._woken.set)
        self._task = asyncio.create_task(self._go_on())

    @property
    def untold(self) -> bool:
        """Whether the page has not said what it has."""
        return self.viewer.since is None and not self._orders

    def order(self, order: Callable[[], None]) -> None:
        """Do something to the viewer before the next look at what is stored."""
        self._orders.append(order)

    def say(self, frame: SafeString) -> None:
        """Send a frame, after what is stored."""
        self._extra.append(frame)
        self.wake()

    def wake(self) -> None:
        """There may be something newer to read."""
        self._stale = True
        self._woken.set()

    async def end(self) -> None:
        """Stop sending; returns when nothing is being sent any more."""
        preview.watchers.remove(self.conversation, self._woken.set)
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task

    async def _go_on(self) -> None:
        """Send what is new, each time something wakes it; while a run is live, look by itself now and then."""
        try:
            while True:
                with suppress(TimeoutError):
                    async with asyncio.timeout(self._look_after()):
                        await self._woken.wait()
                self._stale = self._stale or not self._woken.is_set()
                self._woken.clear()
                if not self.unread.room.is_set():
                    await self._in_time(self.unread.room.wait())
                await self._send_new()
                await asyncio.sleep(FRAME_SECONDS)
        except NotRead:
            await self.close(COME_BACK_LATER)
        except (OSError, Disconnected):
            pass  # the page went away while it was written to
        except Exception:
            log.exception("feed failed", conversation=str(self.conversation))
            await self.close(COME_BACK)

    def _look_after(self) -> float | None:
        """Return the seconds after which to look without being woken, if at all."""
        if self._blind or self.viewer.reads_afar:
            return AFAR_SECONDS
        return POLL_SECONDS if self.viewer.waits else None

    async def _send_new(self) -> None:
        pieces: list[SafeString] = []
        orders, self._orders = self._orders, []
        for order in orders:
            order()
        if self._stale:
            newer = await self._newer()
            if newer is None:
                await self.close(NOT_HERE)
                return
            pieces += newer
        pieces.append(self.viewer.stream())
        extra, self._extra = self._extra, []
        for frame in _packed([*pieces, *extra]):
            await self._hand_over(frame)

    async def _hand_over(self, frame: str) -> None:
        if not self.unread.room.is_set():
            await self._in_time(self.unread.room.wait())
        self.unread.sent(len(frame.encode()))
        await self._in_time(self.send(frame))

    async def _newer(self) -> list[SafeString] | None:
        """Return what is stored and new. While the database is away the page is told so, and looks again soon."""
        self._stale, was_blind = False, self._blind
        try:
            await self._wait_for_share()
            newer = await self.share.read(self.viewer.pieces)
        except Away as gone:
            away.complain(gone.reason)
            self._stale = self._blind = True
            return [] if was_blind else [render.held_frame()]
        self._blind = False
        if was_blind and self.viewer.since is not None:  # what goes on is to be said again
            self.viewer.resume(self.viewer.since)
            self.wake()
        return newer

    async def _wait_for_share(self) -> None:
        pause = self.share.pause()
        while pause > HEARD_SECONDS:
            await self._hand_over(STILL_HERE)
            await asyncio.sleep(HEARD_SECONDS)
            pause -= HEARD_SECONDS
        await asyncio.sleep(pause)

    async def _in_time(self, reading: Awaitable[object]) -> None:
        """Wait for what happens only if the page reads; meanwhile nothing is held for it but its place in the rows.

        Raises NotRead.
        """
        try:
            async with asyncio.timeout(self.patience):
                await reading
        except TimeoutError:
            raise NotRead from None


def _packed(pieces: Iterable[str]) -> Iterator[str]:
    """Put pieces together to as few frames as are not too long; a piece itself is never cut."""
    frame = ""
    for piece in pieces:
        if frame and len(frame.encode()) + len(piece.encode()) > FRAME_BYTES:
            yield frame
            frame = ""
        frame += piece
    if frame:
        yield frame
