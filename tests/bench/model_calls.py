"""Measures what the loop adds to a model call: `make bench`, or python -m tests.bench.model_calls

A run of 100 turns, each a streamed reply that asks for one tool, nothing stored; against the same requests and streams
through the SDK's client with plain dicts, in the same process, in turn. The ratio counts, not the milliseconds.
"""

import asyncio
import gc
import json
import statistics
import time
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import openai

from chat.agent.asking import Asking
from chat.agent.fitting import Fitting
from chat.agent.limits import Budget, Limits
from chat.agent.loop import run
from chat.agent.task import Task
from chat.agent.transcript import Frozen, Said
from chat.wire.endpoint import Endpoint, Target
from tests.scripted import asks, call, delta, event, says
from tools.registry import ToolResult

TURNS, ROUNDS, PIECES = 100, 5, 20
RESULT = json.dumps({"place": "here", "seen": "a tree", "more": "x" * 200})
TOOLS: list[Any] = [{"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}]
USAGE = {"prompt_tokens": 50, "completion_tokens": 30}
SYSTEM, QUESTION = "Be brief.", "Look around."


class Turns(httpx2.AsyncBaseTransport):
    """Answers each request with the next turn of the run, as bytes made before."""

    def __init__(self) -> None:
        text = [delta(content="word ") for _ in range(PIECES)]
        turns = [[*text, *asks(call("look", {"place": n}, id=f"call{n:05d}"))] for n in range(TURNS - 1)]
        replies = [[*turn, {"choices": [], "usage": USAGE}] for turn in turns] + [
            says(*["word "] * PIECES, usage=USAGE)
        ]
        self.bodies = [b"".join(map(event, reply)) + b"data: [DONE]\n\n" for reply in replies]
        self.next = 0

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        await request.aread()
        body = self.bodies[self.next]
        self.next += 1
        return httpx2.Response(200, headers={"content-type": "text/event-stream"}, stream=_Bytes(body))


class _Bytes(httpx2.AsyncByteStream):
    def __init__(self, body: bytes) -> None:
        self.body = body

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for at in range(0, len(self.body), 400):
            yield self.body[at : at + 400]


async def plain_client() -> None:
    """What nobody can do without: the client, its request and its stream, and dicts that grow."""
    http = httpx2.AsyncClient(transport=Turns())
    client = openai.AsyncOpenAI(base_url="http://bench.invalid/v1", api_key="none", http_client=http)
    messages: list[Any] = [{"role": "system", "content": SYSTEM}, {"role": "user", "content": QUESTION}]
    for _ in range(TURNS):
        body = {"model": "m", "messages": messages, "tools": TOOLS, "stream": True}
        stream: Any = await client.post(
            "/chat/completions", body=body, cast_to=object, stream=True, stream_cls=openai.AsyncStream[object]
        )
        text, calls = "", list[Any]()
        async for chunk in stream:
            for choice in chunk["choices"]:
                text += choice["delta"].get("content") or ""
                calls += choice["delta"].get("tool_calls") or []
        if not calls:
            break
        asked = {"role": "assistant", "content": text, "tool_calls": [{**one, "index": None} for one in calls]}
        messages += [asked, {"role": "tool", "tool_call_id": calls[0]["id"], "content": RESULT}]
    await client.close()


async def whole_loop() -> None:
    endpoint = Endpoint("http://bench.invalid/v1", "none", Turns())
    asking = Asking([Target(endpoint, "m", 10**9)], Budget(Limits(turns=TURNS)))
    task = Task([Said("user", QUESTION)], Fitting(Frozen(SYSTEM, TOOLS), asked=0), asking)

    async def call_tool(name: str, arguments: dict[str, Any]) -> ToolResult:
        return ToolResult(RESULT, ok=True)

    async for _ in run(task, call_tool):
        pass
    assert asking.budget.tokens == TURNS * 80, asking.error
    await endpoint.close()


def seconds(work: Any) -> float:
    gc.collect()
    began = time.process_time()
    asyncio.run(work())
    return time.process_time() - began


def main() -> None:
    seconds(plain_client), seconds(whole_loop)  # once for nothing: imports and caches
    pairs = [(seconds(plain_client), seconds(whole_loop)) for _ in range(ROUNDS)]
    plain, loop = (statistics.median(column) / TURNS * 1000 for column in zip(*pairs, strict=True))
    ratio = statistics.median(loop / plain for plain, loop in pairs)
    print(f"a model call in a run of {TURNS} turns: client {plain:.2f} ms, loop {loop:.2f} ms, ratio {ratio:.2f}")


if __name__ == "__main__":
    main()
