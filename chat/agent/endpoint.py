"""The only place that talks to a model: sends a request through the openai client, reads the stream."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import suppress
from urllib.parse import urlsplit

import httpx2
import openai

from chat.agent import strict
from chat.agent.errors import EndpointError, StreamError
from chat.agent.redact import Redactor
from chat.agent.sse import EventSplitter
from chat.agent.stream import LONGEST_NAME, Assembler

CONNECT_SECONDS = 10.0
IDLE_SECONDS = 60.0
LIST_SECONDS = 5.0
DRAIN_SECONDS = 0.5
DONE = "[DONE]"
TOO_LONG = (
    "context_length",
    "context length",
    "context window",
    "context size",
    "maximum context",
    "too many tokens",
    "prompt is too long",
)

REFUSED = ("refused the request ({status}).", "error")
ADVICE = {
    401: ("refused the key (401). Check it.", "error"),
    403: ("refused the key (403). Check what it may do.", "error"),
    404: ("knows no such model or address (404). Check both.", "error"),
    429: ("asks to slow down (429). Wait a moment, then send the message again.", "rate_limited"),
}


class Endpoint:
    """An OpenAI-compatible endpoint: `base_url`, its key, and in the process of tests or the demo a transport."""

    def __init__(self, base_url: str, api_key: str, transport: httpx2.AsyncBaseTransport | None = None) -> None:
        self.base_url = base_url
        self.host = urlsplit(base_url).netloc.rpartition("@")[2]
        self._key = api_key
        http = httpx2.AsyncClient(
            transport=transport,
            trust_env=False,
            timeout=httpx2.Timeout(IDLE_SECONDS, connect=CONNECT_SECONDS),
        )
        self._client = openai.AsyncOpenAI(base_url=base_url, api_key=api_key or "none", http_client=http, max_retries=0)

    async def models(self) -> list[str]:
        """Return the ids of the models that the endpoint lists. Raises EndpointError."""
        try:
            page = await self._client.with_options(timeout=LIST_SECONDS).models.list()
            names = [model.id for model in page.data]
        except openai.OpenAIError as error:
            raise self._explain(error) from error
        except (ValueError, TypeError, AttributeError) as error:
            raise EndpointError(f"{self.host} lists no models. Is its address right?", again=False) from error
        return [name for name in names if isinstance(name, str) and 0 < len(name) <= LONGEST_NAME]

    async def stream(self, body: bytes, assembler: Assembler) -> AsyncGenerator[str, None]:
        """Send a request and feed the reply to `assembler`, yielding each piece of text as it comes.

        Raises EndpointError or StreamError. Closing the generator closes the connection.
        """
        try:
            response: httpx2.Response = await self._client.post(
                "/chat/completions", content=body, cast_to=httpx2.Response, stream=True,
                stream_cls=openai.AsyncStream[object],
            )  # type: ignore[assignment]  # fmt: skip
        except openai.OpenAIError as error:
            raise self._explain(error) from error
        try:
            async for data in self._events(response, assembler):
                if piece := assembler.feed(_parse(self.redactor().hide(data))):
                    yield piece
        except httpx2.HTTPError as error:
            raise StreamError(f"The connection to {self.host} broke: {type(error).__name__}.") from error
        finally:
            await response.aclose()

    def redactor(self) -> Redactor:
        """Return what hides our key in one reply."""
        return Redactor(self._key)

    async def close(self) -> None:
        await self._client.close()

    async def _events(self, response: httpx2.Response, assembler: Assembler) -> AsyncGenerator[str, None]:
        kind = response.headers.get("content-type", "")
        if kind.startswith("application/json"):  # a whole reply to a streamed request
            yield (await response.aread()).decode("utf-8", "replace")
            assembler.done = True
            return
        if kind.startswith("text/html"):
            raise StreamError(f"{self.host} answered with a web page instead of a reply. Is the base URL right?")
        splitter = EventSplitter()
        chunks = response.aiter_bytes()
        async for chunk in chunks:
            for data in splitter.feed(chunk):
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

    def _explain(self, error: openai.OpenAIError) -> EndpointError:
        """Say what went wrong, and what a person can do about it."""
        if isinstance(error.__cause__, EndpointError):  # a transport of ours says it itself
            return error.__cause__
        if isinstance(error, openai.APITimeoutError):
            return EndpointError(f"{self.host} did not answer in time. Try again in a moment.")
        if isinstance(error, openai.APIConnectionError):
            cause = type(error.__cause__).__name__ if error.__cause__ else "no connection"
            return EndpointError(f"{self.host} could not be reached ({cause}). Is it running, and its address right?")
        if not isinstance(error, openai.APIStatusError):
            return EndpointError(f"The request to {self.host} failed: {type(error).__name__}.", again=False)
        said = self._clean(error)
        words, reason = ADVICE.get(
            error.status_code, ("answered with status {status}. Try again in a moment.", "error")
        )
        if error.status_code in (400, 413, 422):
            too_long = any(phrase in said.lower() for phrase in TOO_LONG)
            words, reason = ("says that this is too long for the model.", "context") if too_long else REFUSED
        again = error.status_code in (408, 409, 429) or error.status_code >= 500
        message = f"{self.host} {words.format(status=error.status_code)} {said}".strip()
        return EndpointError(message, reason, again, _retry_after(error.response.headers) if again else None)

    def _clean(self, error: openai.APIStatusError) -> str:
        """Return what the endpoint said of the error, short and without the key, which some echo."""
        body = error.body
        said = str(body.get("message") or body) if isinstance(body, dict) else str(body or "")
        return self.redactor().hide(said)[:300]


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds that an endpoint asks to be left alone, if it says so in seconds."""
    try:
        seconds = float(headers.get("retry-after", ""))
    except ValueError:
        return None
    return seconds if 0 <= seconds < float("inf") else None


async def _drain(chunks: AsyncIterator[bytes]) -> None:
    """Read to the end, for a moment at most, so that the connection can be used again."""
    with suppress(TimeoutError, httpx2.HTTPError):
        async with asyncio.timeout(DRAIN_SECONDS):
            async for _ in chunks:
                pass


def _parse(data: str) -> object:
    try:
        return strict.loads(data)
    except ValueError as error:
        raise StreamError(f"The endpoint sent a line that is no JSON: {data[:80]!r}") from error
