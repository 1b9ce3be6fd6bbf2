"""Keeps a run's requests within the context window; each shortening is a step, and a summary one with its cost."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace

from chat.agent.asking import Asking
from chat.agent.context import SUMMARY_SHARE, Cut, shortened, shorter
from chat.agent.events import Batch, Shortened
from chat.agent.summary import summary_order
from chat.agent.transcript import Entry, Frozen, request, size
from chat.wire.endpoint import Target
from chat.wire.errors import NoReply
from chat.wire.usage import TOKENS_A_BYTE, tokens_a_byte
from chat.wire.values import Usage

WINDOW = 100_000  # tokens, where nothing is known
BUDGET_SHARE = 0.25  # of a run's tokens, for one request; with more there would be no second one
REPLY_SHARE, LONGEST_REPLY = 0.25, 4_000  # of the window, and tokens: what is kept free for the reply
RESULT_SHARE, LONGEST_RESULT, SHORTEST_RESULT = 0.25, 20_000, 200  # of the room for a turn's results; bytes of one
LEAST_ROOM = 8_000  # bytes beside the question, whatever the budget: for a summary in any script, or for results
TIGHTER = 0.7  # of a request that the endpoint found too long
TOO_LONG = (
    "The message is too long for the model, even without all that was said before it. "
    "Shorten it, or choose a model that takes in more."
)


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
    frames: dict[tuple[str, ...], int] = field(default_factory=dict)
    most: float = float("inf")  # bytes, once the endpoint found a request too long
    found: tuple[Target, int | None] | None = None  # a window, as named, until a shorter request proves it

    async def fit(self, entries: Sequence[Entry], asking: Asking, turn: int) -> AsyncGenerator[Batch, None]:
        """Shorten what is too long. Afterwards it fits, or `asking.error` says why it does not."""
        while (cut := shorter(entries, self.cut, self.asked, self.room(entries, asking))) != self.cut:
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
            if asking.error is None:
                self.cut = replace(cut, summary=asking.reply.text)
            elif asking.error.reason == "context":  # even this is too long, so less is summed up at a time
                asking.error = None
                self.tighten(entries[: cut.folded])
            else:
                return

    def room(self, entries: Sequence[Entry], asking: Asking) -> float:
        """Return the bytes that entries may take in a request to the first target.

        A budget may leave less than one request takes. That is for the budget to say, so the question always has room.
        """
        target, limit = asking.targets[0], asking.budget.limits.tokens
        frame, window = self._frame(target), self._window(target)
        room = (window - min(window * REPLY_SHARE, LONGEST_REPLY)) / self.rate - frame
        if limit is not None:
            least = size(entries[self.asked]) / (1 - SUMMARY_SHARE) + LEAST_ROOM
            room = min(room, max(limit * BUDGET_SHARE / self.rate - frame, least))
        return min(self.most, room)

    def result_bytes(self, entries: Sequence[Entry], asking: Asking, calls: int) -> int:
        """Return how long each result of so many calls may be: they fit together, and within the budget."""
        spare = asking.budget.spare(asking.sent * self.rate) / self.rate
        together = min(self.room(entries, asking) * RESULT_SHARE, spare)
        return int(min(LONGEST_RESULT, max(together / calls, SHORTEST_RESULT)))

    def tokens(self, entries: Sequence[Entry], target: Target) -> float:
        """Return about how many tokens the next request has."""
        return (self._bytes(entries) + self._frame(target)) * self.rate

    def learn(self, usage: Usage, sent: int, target: Target) -> None:
        """Take the rate from what the endpoint counted for a request of `sent` bytes.

        If a longer one was too long, remember for later runs what the target takes in.
        """
        if not usage.estimated and usage.prompt and sent:
            self.rate = tokens_a_byte(usage.prompt, sent)
        if self.found and self.found[0] is target:
            target.endpoint.learn_window(target.model, self.found[1] or self._guess(target))
            self.found = None

    def find_window(self, entries: Sequence[Entry], target: Target, named: int | None) -> None:
        """Note that a target found these entries too long, and how many tokens it says that it takes in.

        What is far more than was asked is about something else.
        """
        if named is None or named < 2 * self.tokens(entries, target):
            self.found = target, named

    def tighten(self, entries: Sequence[Entry]) -> None:
        """Take less room from here on: the endpoint found a request with these entries too long."""
        self.most = min(self.most, self._bytes(entries)) * TIGHTER

    def _window(self, target: Target) -> int:
        """Return the tokens that a target takes in: as set up, and no more than it was found to."""
        known = self.window if target.window is None else target.window
        named = self.found[1] if self.found and self.found[0] is target else None
        return min(known, named or known, target.endpoint.window(target.model) or known)

    def _guess(self, target: Target) -> int:
        """Return the window in which entries have as much room as they have now."""
        taken = (self.most + self._frame(target)) * self.rate
        return round(taken + min(taken * REPLY_SHARE / (1 - REPLY_SHARE), LONGEST_REPLY))

    def _bytes(self, entries: Sequence[Entry]) -> int:
        return sum(size(entry) for entry in shortened(entries, self.cut))

    def _frame(self, target: Target) -> int:
        """Return the bytes of a request in which nothing was said yet."""
        known = (target.model, *(without := target.endpoint.refused(target.model)))
        if known not in self.frames:
            self.frames[known] = len(request(self.frozen, (), target.model, without=without))
        return self.frames[known]
