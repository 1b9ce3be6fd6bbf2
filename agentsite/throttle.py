"""Counts attempts per key and says how long to wait when there were too many."""

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock

MOST_KEYS = 10_000


@dataclass(slots=True)
class Window:
    ends: float
    taken: int = 0


class Throttle:
    """At most `limit` attempts for a key in the `seconds` after its first one, in this process's memory."""

    def __init__(self, limit: int, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.limit = limit
        self.seconds = seconds
        self.clock = clock
        self._windows: OrderedDict[str, Window] = OrderedDict()
        self._lock = Lock()

    def attempt(self, key: str) -> float:
        """Counts one attempt. 0 lets it through; else it is refused, for that many more seconds."""
        with self._lock:
            now = self.clock()
            window = self._windows.get(key)
            if window is None or window.ends <= now:
                window = self._open(key, now)
            if window.taken >= self.limit:
                return window.ends - now
            window.taken += 1
            return 0.0

    def give_back(self, key: str) -> None:
        """One attempt counted for nothing, because it was a good one."""
        with self._lock:
            window = self._windows.get(key)
            if window is not None and window.taken:
                window.taken -= 1

    def forget(self, key: str) -> None:
        with self._lock:
            self._windows.pop(key, None)

    def clear(self) -> None:
        with self._lock:
            self._windows.clear()

    def _open(self, key: str, now: float) -> Window:
        """A new window. The oldest make room for it, so that a flood of names takes no memory."""
        self._windows.pop(key, None)
        while len(self._windows) >= MOST_KEYS:
            self._windows.popitem(last=False)
        window = self._windows[key] = Window(ends=now + self.seconds)
        return window
