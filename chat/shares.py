"""What one person asks of this process's time, so that others hardly notice somebody who asks too much.

Who has used up a burst gets a small part of the time from then on, while others are here as well: what was asked waits,
and nothing of it is lost. All that a person has open counts as one, and over sockets is read one at a time.
"""

import asyncio
import time
from collections.abc import Callable
from threading import Lock
from typing import ParamSpec, TypeVar

from chat.db import read_soon
from chat.sessions import open_sockets

P = ParamSpec("P")
T = TypeVar("T")

BURST = 1.0  # seconds of work that a person may ask for at once
PART = 0.1  # of all time, from then on
DEBT = 1.0  # seconds of work beyond the burst that are waited for; more is forgotten, however much was asked
AN_ACT = 0.01  # seconds that an act is taken to cost the one thread that writes


class Share:
    """One person's part of this process's time. Times are seconds of work, as the processor counts them.

    Threads that read and that answer requests count here as well as the event loop.
    """

    def __init__(self, person: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.person, self.clock = person, clock
        self._left, self._counted = BURST, clock()
        self._one, self._counting = asyncio.Semaphore(), Lock()

    @property
    def left(self) -> float:
        """Seconds of work that may be done now; what was done beyond is below 0."""
        with self._counting:
            return self._grown()

    def took(self, seconds: float) -> float:
        """So much work was done, or is about to be; return how much of it counts."""
        with self._counting:
            before = self._grown()
            self._left = max(-DEBT, before - seconds)
            return before - self._left

    def pause(self, patience: float = DEBT / PART) -> float:
        """Return for how many seconds to wait before any more is done; none while nobody else is here."""
        left = self.left
        if left >= 0 or all(socket.user == self.person for socket in tuple(open_sockets)):
            return 0.0
        return min(patience, -left / PART)

    async def read(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Do as `db.read_soon` does, after what else this person reads, and count it. Raises Away."""

        def counted() -> T:
            began = time.thread_time()
            try:
                return function(*args, **kwargs)
            finally:
                self.took(time.thread_time() - began)

        async with self._one:
            return await read_soon(counted)

    def _grown(self) -> float:
        now = self.clock()
        self._left = min(BURST, self._left + (now - self._counted) * PART)
        self._counted = now
        return self._left


_shares: dict[int, Share] = {}


def share_of(person: int) -> Share:
    """Return the one share that all pages of a person have in this process."""
    share = _shares.get(person)
    if share is None:
        here = {socket.user for socket in tuple(open_sockets)}
        for pk, other in tuple(_shares.items()):
            if pk not in here and other.left == BURST:
                _shares.pop(pk, None)  # it is as a new one
        share = _shares.setdefault(person, Share(person))
    return share
