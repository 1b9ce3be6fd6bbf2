"""A model with three turns, told by the last message's words: it looks and notes, looks again, and tells.

"Slowly" lets it write a hundred words one by one instead, "Say" a few at once; at "stumbling" it is first overloaded.
Asked for a title or a summary, it gives one.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from uuid import uuid4

import httpx2

from chat.agent.summary import ENTITLE, SUMMARISE
from tests.scripted import Chunk, asks, call, event, says

WORDS = [f"word{n} " for n in range(100)]
PACE = 0.02  # seconds between the words of a slow answer


class Model(httpx2.AsyncBaseTransport):
    def __init__(self, pace: float = PACE) -> None:
        self.pace = pace
        self.stumbled: set[str] = set()

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        if request.method == "GET":
            return httpx2.Response(200, json={"object": "list", "data": [{"id": "demo", "object": "model"}]})
        messages = json.loads(await request.aread())["messages"]
        last = max(n for n, message in enumerate(messages) if message["role"] == "user")
        turn = sum("tool_calls" in message for message in messages[last:])
        asked = messages[last]["content"]
        told, pace = _told(messages[0]["content"], asked), self.pace if "Slowly" in asked else 0
        if "stumbling" in asked and not told and asked not in self.stumbled:
            self.stumbled.add(asked)
            return httpx2.Response(503, json={"error": {"message": "Overloaded."}})
        chunks = told or (says(*WORDS) if pace else _turns(asked)[turn])
        headers = {"content-type": "text/event-stream"}
        return httpx2.Response(200, headers=headers, stream=_Paced(chunks, pace))


def _told(system: str, asked: str) -> list[Chunk]:
    """Return what it says at once, without tools; nothing where it uses some."""
    if system in (ENTITLE, SUMMARISE):
        return says("A walk" if system == ENTITLE else "They walked.")
    return says("It is", " said.") if asked.startswith("Say") else []


def _turns(asked: str) -> list[list[Chunk]]:
    ids = [f"call_{uuid4().hex[:12]}" for _ in range(3)]
    first = asks(call("look", {"place": "here"}, ids[0], 0), call("note", {"line": asked}, ids[1], 1))
    return [first, asks(call("look", {"place": "there"}, ids[2])), says("All", " was", " seen.")]


class _Paced(httpx2.AsyncByteStream):
    def __init__(self, chunks: Sequence[Chunk], pace: float) -> None:
        self.chunks, self.pace = chunks, pace

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for chunk in self.chunks:
            yield event(chunk)
            await asyncio.sleep(self.pace)
        yield b"data: [DONE]\n\n"
