"""Runs one call of a tool within its limit. What goes on after that is left behind: counted, and reported."""

import asyncio
import contextvars
import inspect
from collections.abc import AsyncIterator, Callable
from functools import partial

import structlog

from tools.result import ToolResult, answered, failure, raised
from tools.text import MAX_ITEMS, MORE
from tools.threads import Job, Threads

THREADS = Threads(size=16, name="tool")  # for tools that are plain functions
GRACE = 1.0  # seconds that a tool has to end once nobody waits for it, before it is reported

abandoned: set["asyncio.Task[ToolResult]"] = set()  # cancelled and not over yet

log = structlog.get_logger("agentsite.tools")


async def run_within(
    limit: float,
    name: str,
    function: Callable[..., object],
    arguments: dict[str, object],
    threads: Threads = THREADS,
    grace: float = GRACE,
) -> ToolResult:
    """Run a tool and answer within `limit` seconds, whatever it does.

    Raises only CancelledError, when the caller is cancelled. Then, or past its limit, the tool is cancelled and not
    waited for; a plain function goes on in its thread and its result is dropped.
    """
    work = partial(contextvars.copy_context().run, _in_thread, function, arguments)
    job = threads.put(work) if _is_plain(function) else None
    # A task of its own keeps the tool's CancelledError apart from one that is meant for the caller.
    task = asyncio.create_task(_run(function, arguments, job), name=f"tool {name}")
    never_began = False
    try:
        await asyncio.wait({task}, timeout=limit)
    finally:
        if job:
            never_began = threads.leave(job)
        if not task.done():
            abandoned.add(task)  # the event loop itself keeps only weak references
            task.add_done_callback(abandoned.discard)
            task.cancel()
            asyncio.get_running_loop().call_later(grace, _report, name, task, job, threads)
    if never_began:
        return failure(f"{name} was not run: {_why_not(threads, limit)}")
    if not task.done():
        return failure(f"{name} did not finish within {limit:g} s")
    if task.cancelled():  # it cancelled itself with its last breath
        return failure("CancelledError")
    return task.result()


async def _run(function: Callable[..., object], arguments: dict[str, object], job: Job | None) -> ToolResult:
    """Run a tool to a result. Nothing it raises gets out, for a SystemExit in a task would end the server."""
    try:
        value = await asyncio.wrap_future(job.future) if job else function(**arguments)
        if inspect.isawaitable(value):  # a decorator around an async function may have awaited it already
            value = await value
        if isinstance(value, AsyncIterator):
            value = await _all_of(value)
        return value if isinstance(value, ToolResult) else answered(value)
    except BaseException as error:
        return raised(error)


def _in_thread(function: Callable[..., object], arguments: dict[str, object]) -> object:
    """The result, or what has to be awaited first, on the event loop."""
    try:
        value = function(**arguments)
        return value if inspect.isawaitable(value) or isinstance(value, AsyncIterator) else answered(value)
    except BaseException as error:
        return raised(error)


def _is_plain(function: Callable[..., object]) -> bool:
    function = inspect.unwrap(function)
    return not (inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function))


async def _all_of(items: AsyncIterator[object]) -> list[object]:
    found: list[object] = []
    async for item in items:
        if len(found) == MAX_ITEMS:
            return [*found, MORE]
        found.append(item)
    return found


def _why_not(threads: Threads, limit: float) -> str:
    if threads.held >= threads.size:
        return f"all {threads.size} threads for tools are held by tools that never came back"
    why = f"all {threads.size} threads for tools were busy for {limit:g} s"
    return f"{why}, {threads.held} of them with tools that never came back" if threads.held else why


def _report(name: str, task: "asyncio.Task[ToolResult]", job: Job | None, threads: Threads) -> None:
    """Say that a tool goes on though nobody waits for it: in its thread, or as a task that will not be cancelled."""
    if job and not job.future.done():
        places = f"{threads.held} of {threads.size}"
        log.warning("tool thread leaked", tool=name, leaked=threads.leaked + threads.held, places_held=places)
    elif not task.done():
        log.warning("tool ignores its cancellation", tool=name, abandoned=len(abandoned))
