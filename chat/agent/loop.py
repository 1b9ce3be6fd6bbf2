"""The loop: ask the model, run the tools it asks for, give it the results, until it answers.

One async generator of events. Whoever drives it stores each tuple before it asks for the next one; so a request is
sent, and a tool is run, only after it is written down that it will be. To stop a run, cancel the task that drives it.
"""

import asyncio
import json
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import count

from chat.agent.asking import EMPTY, FIRST_WAIT, Asking, Clock, now
from chat.agent.endpoint import Endpoint
from chat.agent.events import Batch, Ended, ToolEnded, ToolStarted
from chat.agent.transcript import Answered, Asked, Wire, call_ids, request, wire
from chat.agent.values import JSON, Call, Reply
from tools.registry import ToolResult

RESULT_CHARACTERS = 20_000
REPEATS = 3  # the third time in a row that a model asks for the same, it is told so; the fourth ends the run
SAME_CALL = "the same was asked for twice before, with the results above; use them, or ask for something else"
SAME_AGAIN = "The model asked for the same tools with the same arguments again and again."

CallTool = Callable[[str, dict[str, JSON]], Awaitable[ToolResult]]


@dataclass(frozen=True, slots=True)
class Task:
    """What a run is given. `number` is that of the last step written; `opening` joins the first transaction.

    `first_wait` are the seconds before a failed request is sent again the first time.
    """

    model: str
    messages: Sequence[Wire]
    tools: Sequence[object]
    max_turns: int
    number: int = 0
    opening: Batch = ()
    first_wait: float = FIRST_WAIT


async def run(task: Task, endpoint: Endpoint, call_tool: CallTool, clock: Clock = now) -> AsyncGenerator[Batch, None]:
    """Work on a task until it ends. The last tuple holds `Ended`, with the reason."""
    messages, pending = list(task.messages), task.opening
    before, repeats = "", 0
    asking = Asking(endpoint, task.model, task.number, clock, task.first_wait)
    for turn in count(1):
        last = turn > task.max_turns
        body = request(task.model, messages, task.tools, last)
        taken = [id_ for message in messages for id_ in call_ids(message)]
        async with aclosing(asking.attempts(body, turn, last, taken, pending)) as batches:
            async for batch in batches:
                yield batch
        ended = asking.ended
        if ended is None:
            return
        reply = ended.reply
        if last or not reply.calls:
            yield ended, ending(reply, clock(), last)
            return

        repeats = repeats + 1 if asked_for(reply) == before else 1
        before = asked_for(reply)
        if repeats > REPEATS:
            yield ended, Ended(clock(), "failed", "loop", reply.text, SAME_AGAIN)
            return
        if repeats == REPEATS:
            reply = replace(reply, calls=tuple(replace(call, problem=SAME_CALL) for call in reply.calls))
        calls = [ToolStarted(n, clock(), ended.number, call) for n, call in enumerate(reply.calls, ended.number + 1)]
        asking.number = calls[-1].number
        yield ended, *calls
        texts: dict[int, str] = {}
        async with aclosing(run_tools(calls, call_tool, clock)) as results:
            async for pending in results:
                texts |= {result.number: result.text for result in pending}
                if len(texts) < len(calls):  # the last one shares its transaction with the next request
                    yield pending
        messages.append(wire(Asked(reply.text, reply.calls, reply.reasoning, reply.reasoning_field)))
        messages += [wire(Answered(start.call.id, texts[start.number])) for start in calls]


def asked_for(reply: Reply) -> str:
    """Return what a reply asks for, so that two can be compared."""
    return json.dumps([[call.name, call.arguments] for call in reply.calls], sort_keys=True)


async def run_tools(
    started: Sequence[ToolStarted], call_tool: CallTool, clock: Clock
) -> AsyncGenerator[tuple[ToolEnded, ...], None]:
    """Run the calls of a turn side by side, yielding results as they come; those that come together, together."""
    waiting = {asyncio.create_task(answer(start.number, start.call, call_tool, clock)) for start in started}
    try:
        while waiting:
            done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            yield tuple(sorted((task.result() for task in done), key=lambda result: result.number))
    finally:
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)


async def answer(number: int, call: Call, call_tool: CallTool, clock: Clock) -> ToolEnded:
    """Run one call. What is wrong with it is a result too, which the model can react to."""
    if call.problem:
        text = f"Error: {call.name} was not run: {call.problem}"
        return ToolEnded(number, clock(), text, call.problem)
    result = await call_tool(call.name, call.arguments)
    text = result.text
    if len(text) > RESULT_CHARACTERS:
        text = f"{text[:RESULT_CHARACTERS]}\n[cut here: the first {RESULT_CHARACTERS:,} of {len(text):,} characters]"
    whole = result.text if text != result.text else ""
    return ToolEnded(number, clock(), text, result.error, result.traceback, whole)


def ending(reply: Reply, at: datetime, last: bool) -> Ended:
    """Say how a run ends whose last reply asked for no tool (or was the last that it could have)."""
    if reply.refusal:
        return Ended(at, "failed", "refusal", reply.text, f"The model refused: {reply.refusal}")
    if reply.finish == "content_filter":
        return Ended(at, "failed", "content_filter", reply.text, "The endpoint's content filter stopped the reply.")
    if reply.finish == "length":
        return Ended(at, "done", "length", reply.text)
    if not reply.text.strip():
        return Ended(at, "failed", "empty", "", EMPTY)
    return Ended(at, "done", "max_turns" if last else "done", reply.text)
