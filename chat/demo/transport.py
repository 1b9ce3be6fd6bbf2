"""The demo model behind an HTTP client: a transport that answers Chat Completions requests in the process."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator

import httpx2

from chat.demo import wire
from chat.demo.model import reply

PACE = 0.015


class DemoTransport(httpx2.AsyncBaseTransport):
    """Give it to an `httpx2.AsyncClient`. `pace`: seconds between the pieces of a streamed answer."""

    def __init__(self, pace: float = PACE) -> None:
        self._pace = pace

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        path = request.url.path.rstrip("/")
        if request.method == "GET" and path.endswith("/models"):
            return _json(200, wire.models())
        if request.method == "POST" and path.endswith("/chat/completions"):
            return self._completion(await request.aread())
        message = f"Invalid URL ({request.method} {request.url.path})"
        return _json(404, wire.error(message, "unknown_url"))

    def _completion(self, sent: bytes) -> httpx2.Response:
        try:
            body = json.loads(sent)
        except (ValueError, RecursionError):
            return _json(400, wire.error("We could not parse the JSON body of your request."))
        if refused := _refusal(body):
            return refused
        answer, id_ = reply(body), wire.completion_id(sent)
        if body.get("stream") is not True:
            return _json(200, wire.completion(answer, id_, body))
        stream = _Stream(wire.chunks(answer, id_, body), self._pace)
        return httpx2.Response(200, headers={"content-type": "text/event-stream; charset=utf-8"}, stream=stream)


class _Stream(httpx2.AsyncByteStream):
    """Server-sent events at an even pace. Once closed it makes no more of them."""

    def __init__(self, chunks: Iterator[wire.Json], pace: float) -> None:
        self._chunks = chunks
        self._pace = pace
        self._closed = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for chunk in self._chunks:
            yield wire.event(chunk)
            await asyncio.sleep(self._pace)
            if self._closed:
                return
        yield wire.DONE

    async def aclose(self) -> None:
        self._closed = True


def _json(status: int, data: wire.Json) -> httpx2.Response:
    return httpx2.Response(status, headers={"content-type": "application/json"}, content=wire.document(data))


def _refusal(body: object) -> httpx2.Response | None:
    """The error for a request that no model could answer."""
    if not isinstance(body, dict):
        return _json(400, wire.error("The body must be a JSON object."))
    model, messages = body.get("model"), body.get("messages")
    if not isinstance(model, str):
        return _json(400, wire.error("you must provide a model parameter", param="model"))
    if model != wire.MODEL:
        message = f"The model `{model}` does not exist: with no endpoint configured there is only `{wire.MODEL}`."
        return _json(404, wire.error(message, "model_not_found", "model"))
    if not isinstance(messages, list) or not messages or not all(isinstance(m, dict) for m in messages):
        message = "'messages' must be a list of at least one message object."
        return _json(400, wire.error(message, param="messages"))
    return None
