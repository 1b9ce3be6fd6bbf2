"""One request, sent again where that may help. Each attempt is a step, and so is each wait."""

import asyncio
import hashlib
import random
import time
from collections.abc import AsyncGenerator, Callable, Collection
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import datetime

from chat.agent import react
from chat.agent.clock import Clock, now
from chat.agent.context import Cut
from chat.agent.events import Batch, ModelEnded, ModelFailed, ModelStarted, TextDelta, WaitEnded, WaitStarted
from chat.agent.limits import Budget
from chat.agent.react import Voices
from chat.wire.endpoint import Target, within
from chat.wire.errors import EndpointError, NoReply
from chat.wire.explained import spoken
from chat.wire.gate import Ticket
from chat.wire.stream import Assembler
from chat.wire.usage import estimated, price
from chat.wire.values import Reply

ATTEMPTS = 3
FIRST_WAIT = 0.5
LONGEST_WAIT = 60.0
EMPTY = "The model's reply was empty."


@dataclass(frozen=True, slots=True)
class Order:
    """A request to be made. `body` writes it for a model, without what is refused; `targets` replace the run's own.

    `taken` are call ids used before; `last` is the limit that makes it the last one; `cut` is what its summary is of.
    `attempts` is how often each target is asked at most, `seconds` how long one of them may take.
    """

    body: Callable[[Target, tuple[str, ...]], bytes]
    turn: int
    purpose: str = "answer"
    mode: str = ""
    tools: bool = False
    last: str = ""
    cut: Cut | None = None
    taken: Collection[str] = ()
    targets: list[Target] | None = None
    attempts: int = ATTEMPTS
    seconds: float = float("inf")

    @property
    def for_person(self) -> bool:
        """Whether what is said is for the person, who then sees it as it comes; else it is a summary or a title."""
        return self.purpose == "answer"

    def textual(self, target: Target) -> bool:
        """Say whether tools are called by lines of text, because this target takes no others."""
        return self.tools and "tools" in target.endpoint.refused(target.model)


@dataclass(slots=True)
class Asking:
    """Asks the first of `targets` for `user`, and where that fails the next. `number` is that of the last step written.

    When `attempts` is through there is an `error`, or else a `reply` of `host` to a request of `sent` bytes. `pending`
    are events that are not yielded yet: the caller yields them with what it does next.
    """

    targets: list[Target]
    budget: Budget = field(default_factory=Budget)
    user: str = ""
    number: int = 0
    clock: Clock = now
    first_wait: float = field(default_factory=lambda: FIRST_WAIT)  # seconds before a second attempt
    pending: Batch = ()
    error: NoReply | None = None
    reply: Reply = field(default_factory=Reply)
    host: str = ""
    sent: int = 0

    async def attempts(self, order: Order) -> AsyncGenerator[Batch, None]:
        """Send a request until there is a whole reply, or no use in trying again."""
        after, attempt, targets = self.number, 1, order.targets or self.targets
        while True:
            async with aclosing(self._attempt(order, targets[0], after)) as batches:
                async for batch in batches:
                    yield batch
            again = self._again(order, self.error, attempt, targets) if self.error else None
            if again is None:
                return
            seconds, reason, attempt = again
            self.number += 1
            yield (*self.pending, WaitStarted(self.number, self.clock(), "retry", reason, seconds))
            await asyncio.sleep(max(0, min(seconds, self.budget.left(bool(order.last)))))
            self.pending = (WaitEnded(self.number, self.clock()),)

    async def _attempt(self, order: Order, target: Target, after: int) -> AsyncGenerator[Batch, None]:
        """Send a request once. An empty reply is an error, too."""
        redactor, textual, self.error = target.endpoint.redactor(), order.textual(target), None
        one = _Attempt(order, target, after, Assembler(redactor), Voices(order.mode == "react", textual), textual)
        try:
            _spare(target)
            async with aclosing(self._send(one)) as batches:
                async for batch in batches:
                    yield batch
            self._take(one)
        except NoReply as failure:
            self._fail(one, failure)

    async def _send(self, one: "_Attempt") -> AsyncGenerator[Batch, None]:
        """Wait for a turn, send the request, and take the reply in, showing it as it comes."""
        order, endpoint, left = one.order, one.target.endpoint, self._left(one.order)
        with await endpoint.gate.join(self.user) as ticket:
            if not ticket.admitted:
                self.number += 1
                yield (*self.pending, WaitStarted(self.number, self.clock(), "wait", ticket.why))
                await self._pass(ticket, left())
            without = endpoint.refused(one.target.model)
            body = order.body(one.target, without)
            self.number += 1
            one.number, one.sent = self.number, len(body)
            yield (*self.pending, self._started(one, body, without))
            async with aclosing(endpoint.stream(body, one.assembler, left)) as pieces:
                async for text, reasoning in pieces:
                    one.first_token = one.first_token or self.clock()
                    for delta in one.hear(text, reasoning):
                        yield (delta,)

    def _take(self, one: "_Attempt") -> None:
        """Read the reply, count it, and say that it is whole."""
        order, target = one.order, one.target
        whole = estimated(one.assembler.reply(order.turn, order.taken), one.sent)
        reply = react.read(whole, order.mode, one.textual, order.turn, order.taken)
        cost = price(reply.usage, target.model, target.endpoint.base_url)
        self.budget.spend(reply.usage, cost)
        self.pending = (ModelEnded(one.number, self.clock(), one.first_token, reply, cost, order.purpose),)
        self.reply, self.host, self.sent = reply, target.endpoint.host, one.sent
        self.error = NoReply(EMPTY, "empty") if is_empty(reply, order.for_person) else None
        target.endpoint.breaker.succeeded()

    def _fail(self, one: "_Attempt", failure: NoReply) -> None:
        """Keep what had come of the reply, and tell the breaker whose fault it was."""
        self.error, breaker = failure, one.target.endpoint.breaker
        one.voices.feed(one.assembler.held)
        if one.number:
            said = (one.voices.answer, one.voices.thought)
            self.pending = (ModelFailed(one.number, self.clock(), str(failure), *said),)
        if failure.again and failure.reason == "error":
            breaker.failed()
        elif one.number and failure.reason != "timeout":
            breaker.succeeded()  # it is there, though it refuses

    def _left(self, order: Order) -> Callable[[], float]:
        """Return what tells how many seconds there are for an attempt that begins now."""
        end = time.monotonic() + order.seconds
        return lambda: min(self.budget.left(bool(order.last)), end - time.monotonic())

    async def _pass(self, ticket: Ticket, left: float) -> None:
        """Wait for a turn at the endpoint, as long as there is time."""
        try:
            async with within(left):
                await ticket.wait()
        finally:
            self.pending = (WaitEnded(self.number, self.clock()),)

    def _started(self, one: "_Attempt", body: bytes, without: tuple[str, ...]) -> ModelStarted:
        order, target = one.order, one.target
        return ModelStarted(
            one.number, self.clock(), order.turn, target.model, one.after, hashlib.sha256(body).hexdigest(), one.sent,
            order.purpose, target.endpoint.host, without, order.last, order.cut,
        )  # fmt: skip

    def _again(
        self, order: Order, error: NoReply, attempt: int, targets: list[Target]
    ) -> tuple[float, str, int] | None:
        """Return the seconds to wait, why, and the number of the attempt that follows; None: give up.

        What an endpoint asks for is given. Otherwise the wait doubles, and varies by a quarter so that many runs do
        not come back as one.
        """
        target, reason = targets[0], str(error)
        if error.after:
            target.endpoint.gate.rest(min(error.after, LONGEST_WAIT))
        if target.endpoint.learn(error.refuses, target.model):
            return 0, f"{reason} It is asked without that from now on.", attempt
        most = min(2 if error.reason == "empty" else ATTEMPTS, order.attempts)
        if error.again and attempt < most and (error.after or 0) <= LONGEST_WAIT:
            wait = self.first_wait * float(2 ** (attempt - 1)) * random.uniform(0.75, 1.25)  # noqa: S311  No secret.
            return wait if error.after is None else error.after, reason, attempt + 1
        if len(targets) > 1 and error.reason != "timeout" and not (error.reason == "context" and order.for_person):
            del targets[0]
            return 0, f"{reason} The model {targets[0].model} takes over.", 1
        return None


@dataclass(slots=True)
class _Attempt:
    """One request on its way: the `number` of its step once that is written, and what came of the reply so far.

    `after` is the last step whose result it holds; it has `sent` bytes.
    """

    order: Order
    target: Target
    after: int
    assembler: Assembler
    voices: Voices
    textual: bool
    number: int = 0
    sent: int = 0
    first_token: datetime | None = None

    def hear(self, text: str, reasoning: str) -> list[TextDelta]:
        """Take in a piece of the reply; return what of it is shown."""
        thought, answer = self.voices.feed(text)
        if not self.order.for_person:
            return []
        shown = [TextDelta(self.number, reasoning + thought, thought=True)] if reasoning or thought else []
        return [*shown, TextDelta(self.number, answer)] if answer else shown


def _spare(target: Target) -> None:
    """Raise EndpointError for an endpoint that failed so often that it is left alone for a while."""
    if seconds := target.endpoint.breaker.open_for():
        raise EndpointError(
            f"{target.endpoint.host} failed again and again, so it is left alone for {spoken(seconds)} more.",
            again=False,
        )


def is_empty(reply: Reply, for_person: bool) -> bool:
    """Say whether a reply says nothing, for no reason that it gives; of a summary or a title only text counts."""
    excused = reply.calls or reply.refusal or reply.finish in ("length", "content_filter")
    return not reply.text.strip() and not (for_person and excused)
