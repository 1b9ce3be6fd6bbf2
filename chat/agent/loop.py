"""The loop: ask the model, run the tools it asks for, give it the results, until it answers.

One async generator of events. Whoever drives it stores each tuple before it asks for the next one; so a request is
sent, and a tool is run, only after it is written down that it will be. To stop a run, cancel the task that drives it.
"""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import replace
from functools import partial

from chat.agent.acting import CallTool, run_tools
from chat.agent.asking import Asking, Order
from chat.agent.context import shortened
from chat.agent.events import Batch, Ended, LimitReached, ModelFailed, ToolStarted
from chat.agent.limits import WORDS
from chat.agent.task import Task
from chat.agent.transcript import Answered, Asked, request
from chat.wire.endpoint import Target
from chat.wire.errors import NoReply
from chat.wire.values import Call, Reply

REPEATS = 3  # the third time in a row that a model asks for the same, it is told so; the fourth ends the run
SAME_CALL = "the same was asked for twice before, with the results above; use them, or ask for something else"
SAME_AGAIN = "The model asked for the same tools with the same arguments again and again."
TOO_MANY = "more than {} calls were asked for at once; ask again for those that are still needed"


async def run(task: Task, call_tool: CallTool) -> AsyncGenerator[Batch, None]:
    """Work on a task until it ends. The last tuple holds `Ended`, with the reason."""
    while True:
        if not task.begun:
            async with aclosing(_ask(task)) as batches:
                async for batch in batches:
                    yield batch
        if ended := _end(task):
            if task.entitle and ended.stop_reason == "done":
                async with aclosing(task.asking.attempts(task.entitle)) as batches:
                    async for batch in batches:
                        yield batch
            yield (*task.asking.pending, replace(ended, at=task.asking.clock()))
            return
        if task.asking.error:  # it is asked again: with less, or for the last time
            task.asking.error = None
            continue
        async with aclosing(_act(task, call_tool)) as batches:
            async for batch in batches:
                yield batch
        task.turn, task.begun = task.turn + 1, None


async def _ask(task: Task) -> AsyncGenerator[Batch, None]:
    """Make what was said fit, look at the limits, and ask the model."""
    fitting, asking = task.fitting, task.asking
    async with aclosing(fitting.fit(task.entries, asking, task.turn)) as batches:
        async for batch in batches:
            yield batch
    task.fits = asking.error is None
    if not task.fits:
        return
    reached = task.last or asking.budget.reached(task.turn, fitting.tokens(task.entries, asking.targets[0]))
    if reached and not task.last:
        task.last = reached
        asking.number += 1
        asking.pending += (LimitReached(asking.number, asking.clock(), reached),)
    async with aclosing(asking.attempts(order(task))) as batches:
        async for batch in batches:
            yield batch


def _end(task: Task) -> Ended | None:
    """Decide what follows: return how the run ends, or None if it goes on."""
    asking, error, reply = task.asking, task.asking.error, task.asking.reply
    if error:
        if task.fits and error.reason == "context" and task.tightened < task.turn:
            task.tightened = task.turn
            task.fitting.find_window(task.entries, asking.targets[0], error.window)
            task.fitting.tighten(task.entries)
            return None
        if task.fits and error.reason == "timeout" and not task.last:
            return None  # the time for work is up, and the time for summing up begins
        return failure(error, asking, task.fits)
    task.fitting.learn(reply.usage, asking.sent, asking.targets[0])
    if task.last or not reply.calls:
        return ending(reply, asking, task.last)
    task.count_repeats(reply.calls)
    if task.repeats > REPEATS:
        return Ended(asking.clock(), "failed", "loop", reply.text, SAME_AGAIN)
    return None


async def _act(task: Task, call_tool: CallTool) -> AsyncGenerator[Batch, None]:
    """Run the tools that the reply asks for, but for those that are answered, and add both to what was said."""
    asking, reply, clock, begun = task.asking, task.asking.reply, task.asking.clock, task.begun
    calls, parent = _allowed(task, reply.calls), begun.number if begun else asking.number
    open_ = [call for call in calls if not begun or call.id not in begun.answered]
    if not begun:
        said = (reply.text, calls, reply.reasoning, reply.reasoning_field, asking.host, reply.details)
        task.entries.append(Asked(*said))
    if not open_:
        return
    started = [ToolStarted(n, clock(), parent, call) for n, call in enumerate(open_, asking.number + 1)]
    asking.number = started[-1].number
    yield (*asking.pending, *started)
    texts: dict[int, str] = {}
    most, left = task.fitting.result_bytes(task.entries, asking, len(open_)), partial(asking.budget.left, last=False)
    async with aclosing(run_tools(started, call_tool, clock, left, most)) as results:
        async for asking.pending in results:
            texts |= {result.number: result.text for result in asking.pending}
            if len(texts) < len(open_):  # the last one shares its transaction with the next request
                yield asking.pending
    task.entries += [Answered(start.call.id, texts[start.number]) for start in started]


def _allowed(task: Task, calls: Sequence[Call]) -> tuple[Call, ...]:
    """Return the calls of a turn, those that must not run with the reason."""
    budget = task.asking.budget
    limit = budget.reached(0, task.asking.sent * task.fitting.rate)
    all_of_them = WORDS[limit].lower() if limit else SAME_CALL if task.repeats == REPEATS else ""
    most = budget.limits.calls
    problems = [all_of_them or (TOO_MANY.format(most) if n >= most else "") for n in range(len(calls))]
    return tuple(replace(call, problem=call.problem or why) for call, why in zip(calls, problems, strict=True))


def order(task: Task) -> Order:
    """Return the request of a turn."""
    frozen, entries, last = task.fitting.frozen, task.entries, task.last
    shown = shortened(entries, task.fitting.cut)

    def body(target: Target, without: tuple[str, ...]) -> bytes:
        return request(frozen, shown, target.model, target.endpoint.host, without, last)

    taken = {call.id for entry in entries if isinstance(entry, Asked) for call in entry.calls}
    return Order(body, task.turn, mode=frozen.mode, tools=bool(frozen.tools), last=last, taken=taken)


def ending(reply: Reply, asking: Asking, last: str) -> Ended:
    """Say how a run ends whose last reply asked for no tool (or was the last that it could have)."""
    at = asking.clock()
    if reply.refusal:
        return Ended(at, "failed", "refusal", reply.text, f"The model refused: {reply.refusal}")
    if reply.finish == "content_filter":
        return Ended(at, "failed", "content_filter", reply.text, "The endpoint's content filter stopped the reply.")
    if reply.finish == "length":
        return Ended(at, "done", "length", reply.text)
    return Ended(at, "done", last or "done", reply.text)


def failure(error: NoReply, asking: Asking, answering: bool) -> Ended:
    """Say how a run ends whose last request got no reply; what had come of it, if of the answer, is kept."""
    text = next((event.text for event in asking.pending if isinstance(event, ModelFailed) and answering), "")
    status = "done" if error.reason == "timeout" else "failed"
    return Ended(asking.clock(), status, error.reason, text, str(error))
