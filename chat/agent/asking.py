"""One request, sent again where that may help. Each attempt is a step, and so is each wait."""

import asyncio
import hashlib
import random
import time
from collections.abc import AsyncGenerator, Callable, Collection
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from chat.agent import react
from chat.agent.context import Cut
from chat.agent.events import Batch, ModelEnded, ModelFailed, ModelStarted, TextDelta, WaitEnded, WaitStarted
from chat.agent.limits import Budget
from chat.agent.react import Voices
from chat.wire.endpoint import Target, within
from chat.wire.errors import EndpointError, NoReply
from chat.wire.gate import Ticket
from chat.wire.stream import Assembler
from chat.wire.usage import estimated, price
from chat.wire.values import Reply

ATTEMPTS = 3
FIRST_WAIT = 0.5
LONGEST_WAIT = 60.0
EMPTY = "The model's reply was empty."

Clock = Callable[[], datetime]


def now() -> datetime:
    return datetime.now(UTC)


def steady() -> Clock:
    """Return a clock that shows what the machine's does now, and from here on goes by itself, however that is set."""
    at, began = now(), time.monotonic()
    return lambda: at + timedelta(seconds=time.monotonic() - began)


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
        endpoint, number, first_token, self.error = target.endpoint, 0, None, None
        assembler, textual = Assembler(endpoint.redactor()), order.textual(target)
        voices, left = Voices(order.mode == "react", textual), self._left(order)
        try:
            _spare(target)
            with await endpoint.gate.join(self.user) as ticket:
                if not ticket.admitted:
                    self.number += 1
                    yield (*self.pending, WaitStarted(self.number, self.clock(), "wait", ticket.why))
                    await self._pass(ticket, left())
                without = endpoint.refused(target.model)
                body = order.body(target, without)
                self.number = number = self.number + 1
                yield (*self.pending, self._started(order, target, body, without, after))
                async with aclosing(endpoint.stream(body, assembler, left)) as pieces:
                    async for text, reasoning in pieces:
                        first_token = first_token or self.clock()
                        thought, answer = voices.feed(text)
                        if (reasoning or thought) and order.for_person:
                            yield (TextDelta(number, reasoning + thought, thought=True),)
                        if answer and order.for_person:
                            yield (TextDelta(number, answer),)
            whole = estimated(assembler.reply(order.turn, order.taken), len(body))
            reply = react.read(whole, order.mode, textual, order.turn, order.taken)
            cost = price(reply.usage, target.model, endpoint.base_url)
            self.budget.spend(reply.usage, cost)
            self.pending = (ModelEnded(number, self.clock(), first_token, reply, cost, order.purpose),)
            self.reply, self.host, self.sent = reply, endpoint.host, len(body)
            self.error = NoReply(EMPTY, "empty") if is_empty(reply, order.for_person) else None
            endpoint.breaker.succeeded()
        except NoReply as failure:
            self.error = failure
            voices.feed(assembler.held)
            if number:
                self.pending = (ModelFailed(number, self.clock(), str(failure), voices.answer, voices.thought),)
            if failure.again and failure.reason == "error":
                endpoint.breaker.failed()
            elif number and failure.reason != "timeout":
                endpoint.breaker.succeeded()  # it is there, though it refuses

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

    def _started(self, order: Order, target: Target, body: bytes, without: tuple[str, ...], after: int) -> ModelStarted:
        return ModelStarted(
            self.number, self.clock(), order.turn, target.model, after, hashlib.sha256(body).hexdigest(), len(body),
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


def _spare(target: Target) -> None:
    """Raise EndpointError for an endpoint that failed so often that it is left alone for a while."""
    if seconds := target.endpoint.breaker.open_for():
        raise EndpointError(
            f"{target.endpoint.host} failed again and again, so it is left alone for {seconds:.0f} s more.", again=False
        )


def is_empty(reply: Reply, for_person: bool) -> bool:
    """Say whether a reply says nothing, for no reason that it gives; of a summary or a title only text counts."""
    excused = reply.calls or reply.refusal or reply.finish in ("length", "content_filter")
    return not reply.text.strip() and not (for_person and excused)
