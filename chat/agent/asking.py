"""One request of a turn, sent again where that may help. Each attempt is a step, and so is each wait between two."""

import asyncio
import hashlib
import random
from collections.abc import AsyncGenerator, Callable, Collection
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, datetime

from chat.agent.endpoint import Endpoint
from chat.agent.errors import NoReply
from chat.agent.events import Batch, Ended, ModelEnded, ModelFailed, ModelStarted, RetryEnded, RetryStarted, TextDelta
from chat.agent.stream import Assembler
from chat.agent.usage import price
from chat.agent.values import Reply

ATTEMPTS = 3
FIRST_WAIT = 0.5
LONGEST_WAIT = 60.0
EMPTY = "The model's reply was empty."

Clock = Callable[[], datetime]


def now() -> datetime:
    return datetime.now(UTC)


@dataclass(slots=True)
class Asking:
    """Asks an endpoint. `number` is that of the last step written; `first_wait` the seconds before a second attempt.

    When `attempts` is through, `ended` tells of the whole reply, for the caller to yield; None: the run is over.
    """

    endpoint: Endpoint
    model: str
    number: int
    clock: Clock = now
    first_wait: float = FIRST_WAIT
    ended: ModelEnded | None = None

    async def attempts(
        self, body: bytes, turn: int, last: bool, taken: Collection[str], pending: Batch
    ) -> AsyncGenerator[Batch, None]:
        """Send a request until there is a whole reply, or no use in trying again. `taken`: call ids used before."""
        after, digest, self.ended = self.number, hashlib.sha256(body).hexdigest(), None
        for attempt in range(1, ATTEMPTS + 1):
            self.number += 1
            number, assembler, first_token = self.number, Assembler(self.endpoint.redactor()), None
            asked = ModelStarted(number, self.clock(), turn, self.model, after, digest, len(body), tools=not last)
            yield (*pending, asked)
            try:
                async with aclosing(self.endpoint.stream(body, assembler)) as pieces:
                    async for piece in pieces:
                        first_token = first_token or self.clock()
                        yield (TextDelta(number, piece),)
                ended = self._whole(number, first_token, assembler.reply(turn, taken))
                if not is_empty(ended.reply) or attempt > 1:
                    self.ended = ended
                    return
                result: ModelEnded | ModelFailed = ended
                error = NoReply(EMPTY, "empty")
            except NoReply as failure:
                result = ModelFailed(number, self.clock(), str(failure), assembler.text)
                error = failure
            seconds = self._wait(error, attempt)
            if seconds is None:
                yield result, Ended(self.clock(), "failed", error.reason, assembler.text, str(error))
                return
            self.number += 1
            yield result, RetryStarted(self.number, self.clock(), seconds, str(error))
            await asyncio.sleep(seconds)
            pending = (RetryEnded(self.number, self.clock()),)

    def _whole(self, number: int, first_token: datetime | None, reply: Reply) -> ModelEnded:
        cost = price(reply.usage, self.model, self.endpoint.base_url)
        return ModelEnded(number, self.clock(), first_token, reply, cost)

    def _wait(self, error: NoReply, attempt: int) -> float | None:
        """Return the seconds to wait before the next attempt; None: give up. What the endpoint asks for is given.

        Otherwise the wait doubles, and varies by a quarter so that many runs do not come back as one.
        """
        if not error.again or attempt == ATTEMPTS or (error.after or 0) > LONGEST_WAIT:
            return None
        if error.after is not None:
            return error.after
        return self.first_wait * float(2 ** (attempt - 1)) * random.uniform(0.75, 1.25)  # noqa: S311  No secret.


def is_empty(reply: Reply) -> bool:
    """Say whether a reply says nothing at all, for no reason that it gives."""
    said = reply.text.strip() or reply.calls or reply.refusal
    return not said and reply.finish not in ("length", "content_filter")
