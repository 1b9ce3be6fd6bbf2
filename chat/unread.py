"""What a page was sent and has not handled yet, as far as it says so."""

import asyncio
from collections import deque

UNREAD_BYTES = 512 * 1024
FRAME_BYTES = UNREAD_BYTES // 2


class Unread:
    """Counts the bytes that one page has not handled; `room` is set while there is some for one more frame.

    A page that never says what it has handled, such as a script, is not counted: there the server's own buffer tells.
    """

    def __init__(self) -> None:
        self.room = asyncio.Event()
        self.room.set()
        self._counts = False
        self._frames = 0
        self._sizes: deque[int] = deque()
        self._bytes = 0

    def sent(self, size: int) -> None:
        """Another frame was sent."""
        self._frames += 1
        if self._counts:
            self._sizes.append(size)
            self._bytes += size
            self._look()

    def seen(self, frames: int) -> None:
        """The page has handled so many frames since its socket opened. From the first word on it is counted."""
        self._counts = True
        while self._sizes and self._frames - len(self._sizes) < frames:
            self._bytes -= self._sizes.popleft()
        self._look()

    def _look(self) -> None:
        if self._bytes <= UNREAD_BYTES - FRAME_BYTES:
            self.room.set()
        else:
            self.room.clear()
