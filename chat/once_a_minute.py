"""What the log is told once a minute at most, however often it happens."""

import time
from collections.abc import Callable

SECONDS = 60.0


class OnceAMinute:
    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._silent_until: dict[str, float] = {}

    def take(self, words: str = "") -> bool:
        """Take this minute's turn to say something, if it is not taken. Other words have turns of their own."""
        now = self._clock()
        if now < self._silent_until.get(words, now):
            return False
        self._silent_until[words] = now + SECONDS
        return True
