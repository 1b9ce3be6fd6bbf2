"""The only place that talks to a model: sends a request through the openai client, reads the stream."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlsplit

import httpx2
import openai

from chat.wire import strict
from chat.wire.breaker import Breaker
from chat.wire.errors import EndpointError, NoReply, StreamError
from chat.wire.explained import LONGEST_ERROR, answered, retry_after, silence, unreached
from chat.wire.gate import Gate
from chat.wire.listing import read_listing
from chat.wire.redact import Redactor
from chat.wire.refusals import ELSE_IT_IS, OF_A_MODEL, REFUSALS
from chat.wire.sse import EventSplitter
from chat.wire.stream import Assembler

CONNECT_SECONDS = 10.0
IDLE_SECONDS = 60.0
LIST_SECONDS = 5.0
DRAIN_SECONDS = 0.5
DONE = "[DONE]"
OUT_OF_TIME = "The time for this run was up."

Abilities = Mapping[str, bool | int | str]


class Endpoint:
    """An OpenAI-compatible endpoint: `base_url`, its key, and in the process of tests or the demo a transport.

    `abilities` is what is known of what it can do ("stream_options", "tools", "parallel_tools" and the like), absent
    while unknown; "tools:" and a model's name behind it where that depends on the model, and "window:" and its name for
    the tokens that it was found to take in. `gate` and `breaker` are asked before each request; `idle` are the seconds
    without a word after which a stream counts as cut.
    """

    def __init__(
        self,
        base_url: str,
        api_key: str,
        transport: httpx2.AsyncBaseTransport | None = None,
        abilities: Abilities | None = None,
        gate: Gate | None = None,
        idle: float = IDLE_SECONDS,
    ) -> None:
        self.base_url = base_url
        self.abilities = dict(abilities or {})
        self.gate = gate or Gate(None, None)
        self.breaker = Breaker()
        self.idle = idle
        self.host = urlsplit(base_url).netloc.rpartition("@")[2]
        self._key = api_key
        http = httpx2.AsyncClient(
            transport=transport,
            trust_env=False,
            timeout=httpx2.Timeout(idle, connect=CONNECT_SECONDS),
        )
        self._client = openai.AsyncOpenAI(base_url=base_url, api_key=api_key or "none", http_client=http, max_retries=0)

    async def models(self) -> list[str]:
        """Return the names of the models that the endpoint lists. Raises EndpointError."""
        return list(await self.listing())

    async def listing(self) -> dict[str, int | None]:
        """Return the models that the endpoint lists, each with the size of its context in tokens where it says so.

        Raises EndpointError.
        """
        try:
            listed = await self._client.with_options(timeout=LIST_SECONDS).get("/models", cast_to=object)
        except openai.OpenAIError as error:
            raise self._explain(error, LIST_SECONDS) from error
        except (ValueError, RecursionError):  # no JSON, though it says so
            listed = None
        return read_listing(listed, self.host, self.redactor())

    def refused(self, model: str) -> tuple[str, ...]:
        """Return what a request for a model must do without."""
        known = self.abilities
        return tuple(name for name in REFUSALS if False in (known.get(name), known.get(f"{name}:{model}")))

    def learn(self, refused: str, model: str) -> bool:
        """Remember what was refused; say whether that is news."""
        if refused in self.refused(model):
            refused = ELSE_IT_IS.get(refused, "")
        if not refused or refused in self.refused(model):
            return False
        self.abilities[f"{refused}:{model}" if refused in OF_A_MODEL else refused] = False
        return True

    def window(self, model: str) -> int | None:
        """Return how many tokens a model was found to take in, None while it refused nothing as too long."""
        known = self.abilities.get(f"window:{model}")
        return known if isinstance(known, int) and known > 0 else None

    def learn_window(self, model: str, tokens: int) -> None:
        """Remember that a request of more tokens is too long for a model."""
        self.abilities[f"window:{model}"] = min(tokens, self.window(model) or tokens)

    async def stream(
        self, body: bytes, assembler: Assembler, left: Callable[[], float] = lambda: float("inf")
    ) -> AsyncGenerator[tuple[str, str], None]:
        """Send a request and feed the reply to `assembler`, yielding (text, reasoning) as it comes.

        Raises EndpointError or StreamError, and NoReply once no seconds are `left` for it. Closing the generator
        closes the connection.
        """
        try:
            async with within(left()):
                response: httpx2.Response = await self._client.post(
                    "/chat/completions", content=body, cast_to=httpx2.Response, stream=True,
                    stream_cls=openai.AsyncStream[object],
                )  # type: ignore[assignment]  # fmt: skip
        except openai.OpenAIError as error:
            raise self._explain(error, self.idle) from error
        try:
            hide = self.redactor().hide
            async with aclosing(self._events(response, assembler, left)) as events:
                async for data in events:
                    reasoned = len(assembler.reasoning)
                    piece = assembler.feed(_parse(hide(data), self.host))
                    if piece or len(assembler.reasoning) > reasoned:
                        yield piece, assembler.reasoning[reasoned:]
        except httpx2.TimeoutException as error:
            raise StreamError(silence(self.host, self.idle)) from error
        except httpx2.HTTPError as error:
            raise StreamError(f"The connection to {self.host} broke: {type(error).__name__}.") from error
        finally:
            await response.aclose()

    def redactor(self) -> Redactor:
        """Return what hides our key in one reply."""
        return Redactor(self._key)

    async def close(self) -> None:
        await self._client.close()

    async def _events(
        self, response: httpx2.Response, assembler: Assembler, left: Callable[[], float]
    ) -> AsyncGenerator[str, None]:
        """Yield the data of each event. A comment that keeps the connection alive is no event."""
        kind = response.headers.get("content-type", "")
        if kind.startswith("application/json"):  # a whole reply to a streamed request
            async with within(left()):
                whole = await response.aread()
            assembler.done = True
            yield whole.decode("utf-8", "replace")
            return
        if kind.startswith("text/html"):
            raise StreamError(f"{self.host} answered with a web page instead of a reply. Is the base URL right?")
        splitter, heard, clock = EventSplitter(), 0.0, asyncio.get_running_loop().time
        chunks = response.aiter_bytes()
        while (chunk := await self._next(chunks, left(), clock() - heard if heard else 0)) is not None:
            events = splitter.feed(chunk)
            heard = clock() if events or not heard else heard
            for data in events:
                if data.startswith(DONE):
                    assembler.done = True
                    await _drain(chunks)
                    return
                yield data
        for data in splitter.end():
            if data.startswith(DONE):
                assembler.done = True
            else:
                yield data

    async def _next(self, chunks: AsyncIterator[bytes], left: float, silent: float) -> bytes | None:
        """Return the next bytes, None at the end. Raises StreamError where no event came for too long."""
        try:
            async with asyncio.timeout(max(0, min(left, self.idle - silent))):
                return await anext(chunks, None)
        except TimeoutError:
            if left < self.idle - silent:
                raise NoReply(OUT_OF_TIME, "timeout", again=False) from None
            raise StreamError(silence(self.host, self.idle)) from None

    def _explain(self, error: openai.OpenAIError, seconds: float) -> EndpointError:
        """Say what went wrong, and what a person can do about it; it was waited for at most so many seconds."""
        if isinstance(error.__cause__, EndpointError):  # a transport of ours says it itself
            return error.__cause__
        if isinstance(error, openai.APIConnectionError):
            return unreached(self.host, error.__cause__, seconds)
        if not isinstance(error, openai.APIStatusError):
            return EndpointError(f"The request to {self.host} failed: {type(error).__name__}.", again=False)
        whole = f"{str(error.body)[:LONGEST_ERROR]} {error.code} {error.type}"
        after = retry_after(error.response.headers, datetime.now(UTC))
        return answered(self.host, error.status_code, self._clean(error), whole, after)

    def _clean(self, error: openai.APIStatusError) -> str:
        """Return what the endpoint said of the error, short and without the key, which some echo."""
        body = error.body
        said = str(body.get("message") or body) if isinstance(body, dict) else str(body or "")
        return self.redactor().hide(said)[:300]


@asynccontextmanager
async def within(seconds: float) -> AsyncGenerator[None, None]:
    """Bound what is waited for inside. Raises NoReply with the reason "timeout" once that many seconds are over."""
    bound = asyncio.timeout(None if seconds == float("inf") else max(seconds, 0))
    try:
        async with bound:
            yield
    except TimeoutError:
        if bound.expired():
            raise NoReply(OUT_OF_TIME, "timeout", again=False) from None
        raise


@dataclass(frozen=True, slots=True)
class Target:
    """Where a request goes. `window` is how many tokens the model takes in, None where that is not known."""

    endpoint: Endpoint
    model: str
    window: int | None = None


async def _drain(chunks: AsyncIterator[bytes]) -> None:
    """Read to the end, for a moment at most, so that the connection can be used again."""
    with suppress(TimeoutError, httpx2.HTTPError):
        async with asyncio.timeout(DRAIN_SECONDS):
            async for _ in chunks:
                pass


def _parse(data: str, host: str) -> object:
    try:
        return strict.loads(data)
    except ValueError as error:
        raise StreamError(f"{host} sent a line that is no JSON: {data[:80]!r}") from error
