"""Spares an endpoint that is down: after some failures in a row it is left alone, then asked once to see."""

import time
from collections.abc import Callable
from math import inf


class Breaker:
    """Opens after `failures` in a row; `rest` seconds later one request may go as a probe.

    A probe that succeeds closes it, one that fails begins the rest anew. A probe that tells nothing (its run was
    stopped) counts as out for `rest` seconds at most, so that it cannot keep the breaker open for ever.
    """

    def __init__(self, failures: int = 5, rest: float = 30.0, clock: Callable[[], float] = time.monotonic) -> None:
        self._failures, self._rest, self._clock = failures, rest, clock
        self._in_a_row = 0
        self._rests_until = -inf

    def open_for(self) -> float:
        """Return the seconds until a request may go; 0: this one may. While it is open, that makes it the probe."""
        if self._in_a_row < self._failures:
            return 0.0
        now = self._clock()
        if now < self._rests_until:
            return self._rests_until - now
        self._rests_until = now + self._rest
        return 0.0

    def failed(self) -> None:
        """Count a request that the endpoint did not answer, or answered with a failure of its own."""
        self._in_a_row += 1
        self._rests_until = self._clock() + self._rest

    def succeeded(self) -> None:
        """Take the endpoint as well again."""
        self._in_a_row = 0
