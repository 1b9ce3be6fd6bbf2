"""Runs whose process dies at a chosen moment, played in this process: from there on nothing of it is written."""

from collections.abc import Callable
from contextlib import aclosing
from uuid import UUID

from chat import runs, store
from chat.agent import loop
from chat.agent.events import Batch
from chat.agent.values import JSON
from chat.db import read, write
from chat.models import Run
from chat.prepare import prepare
from tools.registry import ToolContext, ToolResult, registry

DEAD = runs.PROCESS.rpartition(":")[0] + ":gone"  # a process that had our number before us
Dies = Callable[[Batch], bool]


async def die(run: UUID, when: Dies, context: ToolContext, stored: bool = True) -> bool:
    """Work on a run until a tuple of events comes at which its process dies; say whether one came.

    What is `stored` when it dies are all before it, and itself.
    """
    attempt = (await read(Run.objects.get, pk=run)).attempt
    prepared = await prepare(run)

    async def call_tool(name: str, arguments: dict[str, JSON]) -> ToolResult:
        return await registry.call(name, arguments, context)

    async with aclosing(loop.run(prepared.task, call_tool)) as batches:
        async for batch in batches:
            dies = when(batch)
            if not dies or stored:
                await write(store.apply, run, attempt, batch)
            if dies:
                return True
    return False
