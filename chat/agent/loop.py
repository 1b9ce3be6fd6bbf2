"""The loop: ask the model, run the tools it asks for, give it the results, until it answers.

One async generator of events. Whoever drives it stores each tuple before it asks for the next one; so a request is
sent, and a tool is run, only after it is written down that it will be. To stop a run, cancel the task that drives it.
"""

import asyncio
import hashlib
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count

from chat.agent.endpoint import Endpoint, EndpointError
from chat.agent.events import (
    Batch,
    Ended,
    ModelEnded,
    ModelFailed,
    ModelStarted,
    TextDelta,
    ToolEnded,
    ToolStarted,
)
from chat.agent.stream import Assembler, StreamCut, StreamError
from chat.agent.transcript import Answered, Asked, Wire, call_ids, request, wire
from chat.agent.usage import price
from chat.agent.values import JSON, Call, Reply
from tools.registry import ToolResult

RESULT_CHARACTERS = 20_000

CallTool = Callable[[str, dict[str, JSON]], Awaitable[ToolResult]]
Clock = Callable[[], datetime]


def now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Task:
    """What a run is given. `number` is that of the last step written; `opening` joins the first transaction."""

    model: str
    messages: Sequence[Wire]
    tools: Sequence[object]
    max_turns: int
    number: int = 0
    opening: Batch = ()


async def run(task: Task, endpoint: Endpoint, call_tool: CallTool, clock: Clock = now) -> AsyncGenerator[Batch, None]:
    """Work on a task until it ends. The last tuple holds `Ended`, with the reason."""
    messages, number, pending = list(task.messages), task.number, task.opening
    for turn in count(1):
        last = turn > task.max_turns
        body = request(task.model, messages, task.tools, last)
        asked = started(number + 1, clock(), turn, task.model, number, body, last)
        yield (*pending, asked)

        assembler, first_token = Assembler(), None
        try:
            async with aclosing(endpoint.stream(body, assembler)) as pieces:
                async for piece in pieces:
                    first_token = first_token or clock()
                    yield (TextDelta(asked.number, piece),)
            reply = assembler.reply(turn, [id_ for message in messages for id_ in call_ids(message)])
        except (EndpointError, StreamError, StreamCut) as error:
            yield failed(asked.number, clock(), error, assembler.text)
            return
        cost = price(reply.usage, task.model, endpoint.base_url)
        ended = ModelEnded(asked.number, clock(), first_token, reply, cost)
        if last or not reply.calls:
            yield ended, ending(reply, clock(), last)
            return

        calls = [ToolStarted(n, clock(), asked.number, call) for n, call in enumerate(reply.calls, asked.number + 1)]
        yield ended, *calls
        texts: dict[int, str] = {}
        async with aclosing(run_tools(calls, call_tool, clock)) as batches:
            async for pending in batches:
                texts |= {result.number: result.text for result in pending}
                if len(texts) < len(calls):  # the last one shares its transaction with the next request
                    yield pending
        messages.append(wire(Asked(reply.text, reply.calls, reply.reasoning, reply.reasoning_field)))
        messages += [wire(Answered(start.call.id, texts[start.number])) for start in calls]
        number = calls[-1].number


def started(number: int, at: datetime, turn: int, model: str, after: int, body: bytes, last: bool) -> ModelStarted:
    return ModelStarted(number, at, turn, model, after, hashlib.sha256(body).hexdigest(), len(body), tools=not last)


def failed(number: int, at: datetime, error: Exception, text: str) -> Batch:
    """Say how a run ends whose request got no whole reply, only `text`."""
    reason = error.reason if isinstance(error, EndpointError) else "error"
    return ModelFailed(number, at, str(error), text), Ended(at, "failed", reason, text, str(error))


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
        return Ended(at, "failed", "empty", "", "The model's reply was empty.")
    return Ended(at, "done", "max_turns" if last else "done", reply.text)
