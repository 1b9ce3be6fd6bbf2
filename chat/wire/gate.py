"""Lets requests through to one endpoint: in order, in turn between users, at an even pace, so many at a time."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from itertools import count
from math import inf
from typing import Protocol

MINUTE = 60.0
LATE = 1.0  # seconds; a moment that is gone by for longer is not used any more


class Pace(Protocol):
    """A pace that several processes keep together."""

    async def reserve(self) -> float:
        """Take the next free moment for a request, and return in how many seconds it is."""


@dataclass(slots=True, eq=False)
class Ticket:
    """One request's place: `admitted` at once, or after `wait`; `why` says what it waits for, "" if for nothing.

    Leaving its `with` block frees the place, or the turn of one who waited no longer.
    """

    gate: "Gate"
    user: Hashable
    admitted: bool = False
    why: str = ""
    left: bool = False
    woken: asyncio.Event = field(default_factory=asyncio.Event)

    async def wait(self) -> None:
        """Return when the request may be sent. Who is cancelled here has waited, and no more."""
        if not self.admitted:
            await self.gate.pass_through(self)

    def __enter__(self) -> "Ticket":
        return self

    def __exit__(self, *_: object) -> None:
        self.gate.leave(self)


class Gate:
    """Toward one endpoint: `requests_per_minute` and `max_concurrent`, None for no limit, within this process.

    Two requests are always a minute / N apart, after an idle hour too: there is no burst at the start. That alone
    keeps any 60 seconds to N requests and lets those who wait leave evenly; with a burst of B the last B of a full
    minute would have to wait for all of it. `pace` slows this down further to a rate shared between processes.

    The last free place is for a user who holds none, so that nobody's hanging requests keep all others out.
    """

    def __init__(
        self,
        requests_per_minute: int | None,
        max_concurrent: int | None,
        clock: Callable[[], float] = time.monotonic,
        pace: Pace | None = None,
    ) -> None:
        self._rate, self._places, self._clock, self._pace = requests_per_minute, max_concurrent, clock, pace
        self._apart = MINUTE / requests_per_minute if requests_per_minute else 0.0
        self._waiting: list[Ticket] = []
        self._turns, self._count = dict[Hashable, int](), count(1)  # by user, the number of the last turn
        self._head: Ticket | None = None  # the one whose turn it is; no other passes before it
        self._inside = Counter[Hashable]()  # by user
        self._departed = self._rests_until = -inf
        self._reserved: float | None = None

    async def join(self, user: Hashable) -> Ticket:
        """Return a ticket: admitted if nobody waits and there is room, else behind this user's other requests."""
        ticket = Ticket(self, user)
        self._waiting.append(ticket)
        self._call_next()
        try:
            if self._head is ticket and await self._to_departure() <= 0:
                self._admit(ticket)
        except BaseException:
            self.leave(ticket)
            raise
        ticket.why = "" if ticket.admitted else self._why(user)
        return ticket

    async def pass_through(self, ticket: Ticket) -> None:
        """Wait for the ticket's turn, which comes with a place, and for its moment, and admit it."""
        while self._head is not ticket:
            ticket.woken.clear()
            await ticket.woken.wait()
        while (seconds := await self._to_departure()) > 0:  # noqa: ASYNC110  The moment may move meanwhile.
            await asyncio.sleep(seconds)
        self._admit(ticket)

    def leave(self, ticket: Ticket) -> None:
        """Free a ticket's place, or its turn if it waited no longer. Twice is as good as once."""
        if ticket.left:
            return
        ticket.left = True
        if ticket.admitted:
            self._inside -= Counter([ticket.user])
            self._call_next()
        elif self._head is ticket:
            self._head = None
            self._call_next()
        else:
            self._waiting.remove(ticket)

    def rest(self, seconds: float) -> None:
        """Let nobody leave for that long: the endpoint asked for it."""
        self._rests_until = max(self._rests_until, self._clock() + seconds)

    def _has_place(self, user: Hashable) -> bool:
        """Say whether there is a place for one more request of a user; a single place is for everybody."""
        if self._places is None:
            return True
        kept = 1 if self._inside[user] and self._places > 1 else 0
        return self._inside.total() + kept < self._places

    def _call_next(self) -> None:
        """Give the turn, unless somebody has it, to whoever came first of the user whose last turn is longest ago.

        Only who has a place gets it, so that who has none is in nobody's way.
        """
        if self._head:
            return
        if not self._waiting:
            self._turns.clear()
        ready = [ticket for ticket in self._waiting if self._has_place(ticket.user)]
        if not ready:
            return
        self._head = min(ready, key=lambda ticket: self._turns.get(ticket.user, 0))  # the first of equals
        self._waiting.remove(self._head)
        self._turns[self._head.user] = next(self._count)
        self._head.woken.set()

    async def _to_departure(self) -> float:
        """Return the seconds until the head may leave. What was reserved for one who went away is used by the next."""
        if (rest := self._rests_until - self._clock()) > 0:
            return rest
        own = self._departed + self._apart
        if self._pace and (self._reserved is None or max(self._reserved, own) + LATE < self._clock()):
            seconds = await self._pace.reserve()
            self._reserved = self._clock() + seconds
        return max(self._reserved or own, own, self._rests_until) - self._clock()

    def _admit(self, ticket: Ticket) -> None:
        ticket.admitted = True
        self._inside[ticket.user] += 1
        self._departed, self._reserved, self._head = self._clock(), None, None
        self._call_next()

    def _why(self, user: Hashable) -> str:
        if not self._has_place(user):
            kept = self._places and self._inside.total() < self._places
            return f"one of {self._places} places" + (", the last of which is kept for others" if kept else "")
        if self._clock() < self._rests_until:
            return "the pause that the endpoint asked for"
        return f"the rate limit of {self._rate} requests a minute" if self._rate else "those before it"
