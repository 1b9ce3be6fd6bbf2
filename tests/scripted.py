"""An endpoint that answers as its script says, through the real openai client, and keeps what it was asked.

A script is a list of replies, used in order; a request past its end is an error, and `done()` fails where some are
left over. A reply is a list of chunks (dicts, sent as server-sent events), or anything made with `Body`.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx2

from chat.wire.endpoint import Endpoint

Chunk = dict[str, Any]


@dataclass
class Body:
    """A reply as bytes: `parts` in order. With `hold`, it waits until that is set, then goes on with `after`.

    With `breaks`, the connection breaks at its end.
    """

    parts: Sequence[bytes]
    status: int = 200
    headers: dict[str, str] = field(default_factory=lambda: {"content-type": "text/event-stream"})
    hold: asyncio.Event | None = None
    after: Sequence[bytes] = ()
    breaks: bool = False


class _Stream(httpx2.AsyncByteStream):
    def __init__(self, body: Body, transport: "Scripted") -> None:
        self.body, self.transport = body, transport

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for part in self.body.parts:
            yield part
        if self.body.hold:
            await self.body.hold.wait()
        for part in self.body.after:
            yield part
        if self.body.breaks:
            raise httpx2.ReadError("The connection broke.")

    async def aclose(self) -> None:
        self.transport.closed += 1


class Scripted(httpx2.AsyncBaseTransport):
    def __init__(self, *replies: Sequence[Chunk] | Body) -> None:
        self.replies = list(replies)
        self.listed: object = [{"id": "scripted", "object": "model"}]
        self.requests: list[dict[str, Any]] = []
        self.bodies: list[bytes] = []
        self.headers: list[dict[str, str]] = []
        self.closed = 0

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        body = await request.aread()
        self.headers.append(dict(request.headers))
        if request.method == "GET":
            return httpx2.Response(200, json={"object": "list", "data": self.listed})
        self.bodies.append(body)
        self.requests.append(json.loads(body))
        assert self.replies, "The script is over, and here is one more request."
        reply = self.replies.pop(0)
        if not isinstance(reply, Body):
            reply = Body([*(event(chunk) for chunk in reply), b"data: [DONE]\n\n"])
        return httpx2.Response(reply.status, headers=reply.headers, stream=_Stream(reply, self))

    def done(self) -> None:
        assert not self.replies, f"{len(self.replies)} replies of the script were not asked for."


def endpoint(*replies: Sequence[Chunk] | Body, key: str = "sk-test") -> tuple[Endpoint, Scripted]:
    transport = Scripted(*replies)
    return Endpoint("http://scripted.invalid/v1", key, transport), transport


def event(chunk: Chunk) -> bytes:
    return f"data: {json.dumps(chunk)}\n\n".encode()


def delta(finish: str | None = None, **fields: Any) -> Chunk:
    return {
        "id": "c",
        "object": "chat.completion.chunk",
        "choices": [{"index": 0, "delta": fields, "finish_reason": finish}],
    }


def says(*pieces: str, finish: str = "stop", usage: dict[str, Any] | None = None) -> list[Chunk]:
    """A reply of text in pieces."""
    chunks = [delta(role="assistant", content=""), *(delta(content=piece) for piece in pieces), delta(finish)]
    return [*chunks, {"choices": [], "usage": usage}] if usage else chunks


def call(name: str, arguments: Any, id: str = "", index: int = 0) -> dict[str, Any]:
    text = arguments if isinstance(arguments, str) else json.dumps(arguments)
    return {
        "index": index,
        "id": id or f"call_{index}",
        "type": "function",
        "function": {"name": name, "arguments": text},
    }


def asks(*calls: dict[str, Any], text: str = "", finish: str = "tool_calls") -> list[Chunk]:
    """A reply that asks for tools."""
    said = [delta(content=text)] if text else []
    return [*said, delta(tool_calls=list(calls)), delta(finish)]


def fragment(arguments: Any = None, *, name: str | None = None, **rest: Any) -> dict[str, Any]:
    """A piece of a tool call, with nothing in it but what is given."""
    function = {key: value for key, value in (("name", name), ("arguments", arguments)) if value is not None}
    return {**rest, "function": function}


def fragments(*pieces: dict[str, Any], finish: str | None = "tool_calls") -> list[Chunk]:
    """A reply that asks for tools, a chunk for each piece."""
    return [*(delta(tool_calls=[piece]) for piece in pieces), *([delta(finish)] if finish else [])]
