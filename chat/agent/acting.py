"""Runs the tool calls of one turn side by side, and answers each, whatever happens."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence

from chat.agent.clock import Clock
from chat.agent.events import ToolEnded, ToolStarted
from chat.wire.values import JSON, Call
from tools.registry import ToolResult
from tools.text import clean, first

OUT_OF_TIME = "stopped, because the time for this run was up; whether it took effect is unknown"

CallTool = Callable[[str, dict[str, JSON]], Awaitable[ToolResult]]


async def run_tools(
    started: Sequence[ToolStarted], call_tool: CallTool, clock: Clock, seconds: Callable[[], float], most: int
) -> AsyncGenerator[tuple[ToolEnded, ...], None]:
    """Yield results as they come; those that come together, together. `most` bytes of each go to the model.

    When no `seconds` are left, what is still running is cancelled and answered so.
    """
    waiting = {asyncio.create_task(answer(one.number, one.call, call_tool, clock, most)): one for one in started}
    try:
        while waiting:
            left = seconds()
            bound = None if left == float("inf") else max(left, 0)
            done, _ = await asyncio.wait(waiting, timeout=bound, return_when=asyncio.FIRST_COMPLETED)
            if not done:
                yield tuple(_out_of_time(one.number, clock) for one in waiting.values())
                return
            for task in done:
                del waiting[task]
            yield tuple(sorted((task.result() for task in done), key=lambda result: result.number))
    finally:
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)


async def answer(number: int, call: Call, call_tool: CallTool, clock: Clock, most: int) -> ToolEnded:
    """Run one call. What is wrong with it is a result too, which the model can react to."""
    if call.problem:
        return ToolEnded(number, clock(), f"Error: {call.name} was not run: {call.problem}", call.problem)
    result = await call_tool(call.name, call.arguments)
    whole = clean(result.text)
    shown = first(whole, most)
    if shown == whole:
        return ToolEnded(number, clock(), whole, result.error, result.traceback)
    text = f"{shown}\n[cut here: the first {len(shown):,} of {len(whole):,} characters]"
    return ToolEnded(number, clock(), text, result.error, result.traceback, whole)


def _out_of_time(number: int, clock: Clock) -> ToolEnded:
    return ToolEnded(number, clock(), f"Error: {OUT_OF_TIME}", OUT_OF_TIME)
