"""Keeps a run's requests within the context window; each shortening is a step, and a summary one with its cost."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace

from chat.agent.asking import Asking
from chat.agent.context import Cut, shortened, shorter
from chat.agent.endpoint import Target
from chat.agent.errors import NoReply
from chat.agent.events import Batch, Shortened
from chat.agent.summary import summary_order
from chat.agent.transcript import Entry, Frozen, request, size
from chat.agent.usage import TOKENS_A_BYTE
from chat.agent.values import Usage

WINDOW = 100_000  # tokens, where nothing is known
REPLY_SHARE, LONGEST_REPLY = 0.25, 4_000  # of the window, and tokens: what is kept free for the reply
RESULT_SHARE, LONGEST_RESULT = 0.25, 20_000  # of the window, and characters: the most that a tool's result may take
TIGHTER = 0.7  # of a request that the endpoint found too long
TOO_LONG = "The message is too long for the model, even without all that was said before it."


@dataclass(slots=True)
class Fitting:
    """`window` in tokens where the target says none; `asked` the place of the question among the entries.

    `rate` is tokens a byte, as the endpoint last counted; `small` writes summaries if there is one.
    """

    frozen: Frozen
    asked: int
    cut: Cut = field(default_factory=Cut)
    window: int = WINDOW
    rate: float = TOKENS_A_BYTE
    small: Target | None = None
    most: float = float("inf")  # bytes, once the endpoint found a request too long

    async def fit(self, entries: Sequence[Entry], asking: Asking, turn: int) -> AsyncGenerator[Batch, None]:
        """Shorten what is too long. Afterwards it fits, or `asking.error` says why it does not."""
        while (cut := shorter(entries, self.cut, self.asked, self.room(asking.targets[0]))) != self.cut:
            if cut is None:
                asking.error = NoReply(TOO_LONG, "context", again=False)
                return
            if cut.folded == self.cut.folded:
                self.cut = cut
                asking.number += 1
                asking.pending += (Shortened(asking.number, asking.clock(), cut),)
                continue
            old = shortened(entries[: cut.folded], self.cut)
            targets = [self.small, *asking.targets] if self.small else [*asking.targets]
            async with aclosing(asking.attempts(summary_order(old, cut, turn, targets))) as batches:
                async for batch in batches:
                    yield batch
            if asking.error:
                return
            self.cut = replace(cut, summary=asking.reply.text)

    def room(self, target: Target) -> float:
        """Return the bytes that entries may take in a request to a target."""
        window = target.window or self.window
        tokens = window - min(window * REPLY_SHARE, LONGEST_REPLY)
        return min(self.most, tokens / self.rate - len(request(self.frozen, (), target.model)))

    def result_characters(self, target: Target) -> int:
        """Return how long a tool's result may be for a target."""
        return int(min(LONGEST_RESULT, (target.window or self.window) * RESULT_SHARE / self.rate))

    def tokens(self, entries: Sequence[Entry]) -> float:
        """Return about how many tokens the next request has."""
        return (self._bytes(entries) + len(request(self.frozen, (), ""))) * self.rate

    def learn(self, usage: Usage, sent: int) -> None:
        """Take the rate from what the endpoint counted for a request of `sent` bytes."""
        if not usage.estimated and usage.prompt and sent:
            self.rate = min(max(usage.prompt / sent, TOKENS_A_BYTE / 10), 1.0)

    def tighten(self, entries: Sequence[Entry]) -> None:
        """Take less room from here on: the endpoint found a request with these entries too long."""
        self.most = self._bytes(entries) * TIGHTER

    def _bytes(self, entries: Sequence[Entry]) -> int:
        return sum(size(entry) for entry in shortened(entries, self.cut))
