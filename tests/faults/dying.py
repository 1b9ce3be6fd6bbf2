"""Runs whose process dies at a chosen moment, played in this process: from there on nothing of it is written."""

import json
from contextlib import aclosing
from dataclasses import replace
from typing import Any
from uuid import UUID

import httpx2

from chat import store
from chat.agent import loop
from chat.agent.events import TextDelta
from chat.agent.summary import ENTITLE, SUMMARISE
from chat.db import read, write
from chat.models import Run
from chat.owners import this_process
from chat.prepare import prepare
from chat.wire.values import JSON
from tests.scripted import Body, Chunk, Scripted, says
from tools.registry import ToolContext, ToolResult, registry

DEAD = str(replace(this_process(), start="1"))  # a process that had our number before us


async def die(run: UUID, at: int, stored: bool = True) -> bool:
    """Work on a run until its process dies, at the tuple of events of that number; say whether there was one.

    All tuples before it are stored, and it is, too, if it was `stored` when the process died.
    """
    attempt = (await read(Run.objects.get, pk=run)).attempt
    prepared = await prepare(run)
    async with aclosing(loop.run(prepared.task, _call)) as batches:
        async for batch in batches:
            at -= 1
            if (at or stored) and not isinstance(batch[0], TextDelta):
                await write(store.apply, run, attempt, batch)
            if not at:
                return True
    return False


async def _call(name: str, arguments: dict[str, JSON]) -> ToolResult:
    context: ToolContext = None  # type: ignore[assignment]  # no tool of these runs asks for it
    return await registry.call(name, arguments, context)


class ByTurn(Scripted):
    """Answers a request by how many turns it holds, however often it is asked."""

    def __init__(self, *turns: list[Chunk] | Body) -> None:
        super().__init__()
        self.turns = turns

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        if request.method == "POST":
            self.replies = [self.reply_to(json.loads(await request.aread()))]
        return await super().handle_async_request(request)

    def reply_to(self, request: dict[str, Any]) -> list[Chunk] | Body:
        system, *messages = request["messages"]
        if system["content"] in (ENTITLE, SUMMARISE):
            return says("Looking around")
        if "tools" not in request:
            return says("All that was found.")
        asked_last = max(n for n, message in enumerate(messages) if message["role"] == "user")
        return self.turns[sum("tool_calls" in message for message in messages[asked_last:])]
