"""What a run may use, what it has used, and when it must come to its end."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal

from chat.wire.values import Usage

WORK_SHARE = 0.85  # of the seconds; the rest is for summing up
LEAST_REPLY = 300  # tokens that a reply is taken to need while none has come yet

WORDS = {
    "max_turns": "The limit of turns for this run is reached",
    "budget": "The budget of this run is used up",
    "timeout": "The time for this run is up",
}


@dataclass(frozen=True, slots=True)
class Limits:
    """The most that a run may use; None: no limit. `calls` are those of one turn, `cost` is in US dollars."""

    turns: int = 15
    calls: int = 32
    tokens: int | None = None
    cost: Decimal | None = None
    seconds: float | None = None


@dataclass(slots=True)
class Budget:
    """Counts what a run uses. Enough is kept back for one last request, in which what was found is summed up.

    `worked` are the seconds that it was at work before, in other processes.
    """

    limits: Limits = Limits()
    clock: Callable[[], float] = time.monotonic
    worked: float = 0
    tokens: int = 0
    cost: Decimal = Decimal(0)
    began: float = field(init=False)
    _largest_reply: int = LEAST_REPLY
    _dearest: Decimal = Decimal(0)

    def __post_init__(self) -> None:
        self.began = self.clock() - self.worked

    def spend(self, usage: Usage, cost: Decimal | None) -> None:
        """Count one model call."""
        self.tokens += usage.prompt + usage.completion
        self.cost += cost or 0
        self._largest_reply = max(self._largest_reply, usage.completion)
        self._dearest = max(self._dearest, cost or Decimal(0))

    def reached(self, turn: int, prompt: float) -> str:
        """Return the limit because of which a turn's request must be the last; `prompt` is its size in tokens."""
        limits, call = self.limits, prompt + self._largest_reply
        if limits.seconds is not None and self.left(last=False) <= 0:
            return "timeout"
        if limits.tokens is not None and self.tokens + 2 * call > limits.tokens:
            return "budget"
        if limits.cost is not None and self._dearest and self.cost + 2 * self._dearest > limits.cost:
            return "budget"
        return "max_turns" if turn > limits.turns else ""

    def spare(self, prompt: float) -> float:
        """Return the tokens by which a prompt may grow before its request, as the last one, is over the limit."""
        if self.limits.tokens is None:
            return float("inf")
        return self.limits.tokens - self.tokens - prompt - 2 * self._largest_reply

    def left(self, last: bool) -> float:
        """Return the seconds that are left for work, or for the last request."""
        if self.limits.seconds is None:
            return float("inf")
        return self.limits.seconds * (1 if last else WORK_SHARE) - (self.clock() - self.began)
