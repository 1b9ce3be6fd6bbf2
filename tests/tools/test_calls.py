"""One call of a tool: what it may return, and what is said when it does not end or gets no thread."""

import asyncio
import gc
import io
import logging
import threading
from collections.abc import AsyncIterator, Callable, Iterator

import pytest

from tests.tools.test_threads import wait_until
from tools.calls import abandoned, run_within
from tools.context import ToolError
from tools.result import ToolResult
from tools.text import MAX_ITEMS, MORE
from tools.threads import Threads


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """What the process logs meanwhile."""
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    logging.root.addHandler(handler)
    yield written
    logging.root.removeHandler(handler)


async def call(function: Callable[[], object], limit: float = 30, threads: Threads | None = None) -> ToolResult:
    return await run_within(limit, function.__name__, function, {}, threads or Threads(4, "test"), grace=0)


# What a tool returns


async def test_a_generator_is_run_and_its_items_are_the_result() -> None:
    here = threading.get_ident()

    def count() -> Iterator[object]:
        yield 1
        yield threading.get_ident() != here

    async def make() -> Iterator[object]:
        return iter([1, True])

    for function in (count, make):
        assert (await call(function)).text == "[1,true]"


async def test_an_async_generator_is_run_too_whichever_way_it_is_returned() -> None:
    async def count() -> AsyncIterator[int]:
        yield 1
        await asyncio.sleep(0)
        yield 2

    def returned() -> AsyncIterator[int]:
        return count()

    async def later() -> AsyncIterator[int]:
        return count()

    for function in (count, returned, later):
        assert (await call(function)).text == "[1,2]"


async def test_what_a_generator_raises_is_an_error_of_the_tool() -> None:
    def plain() -> Iterator[int]:
        yield 1
        raise ToolError("the second page is missing")

    async def coroutine() -> AsyncIterator[int]:
        yield 1
        raise ToolError("the second page is missing")

    for function in (plain, coroutine):
        assert await call(function) == ToolResult(
            "Error: the second page is missing", ok=False, error="the second page is missing"
        )


async def test_a_generator_without_end_is_cut_with_a_mark() -> None:
    async def for_ever() -> AsyncIterator[int]:
        while True:
            yield 0

    def plainly() -> Iterator[int]:
        while True:
            yield 0

    for function in (for_ever, plainly):
        text = (await call(function)).text
        assert text.count("0") == MAX_ITEMS
        assert text.endswith(f',"{MORE}"]')


async def test_a_coroutine_that_a_plain_function_returns_is_awaited() -> None:
    ran = []

    async def work(word: str) -> str:
        ran.append(word)
        return word

    async def fail() -> str:
        raise SystemExit(3)

    def forward() -> object:
        return work("done")

    def forward_to_failure() -> object:
        return fail()

    assert await call(forward) == ToolResult("done", ok=True)
    assert ran == ["done"]
    assert (await call(forward_to_failure)).error == "SystemExit: 3"


# Left behind


async def test_a_thread_that_does_not_come_back_is_reported_with_its_tools_name(log: io.StringIO) -> None:
    threads, release = Threads(1, "test"), threading.Event()

    def hang() -> None:
        release.wait(30)

    assert "did not finish within 0.01 s" in (await call(hang, 0.01, threads)).text
    await wait_until(lambda: "tool thread leaked" in log.getvalue())
    assert "'tool': 'hang'" in log.getvalue()
    assert "'leaked': 1" in log.getvalue()
    release.set()
    await wait_until(lambda: threads.leaked == 0)


async def test_a_plain_tool_that_gets_no_thread_says_that_it_was_not_run_and_why() -> None:
    threads, release, ran = Threads(2, "test", leak_limit=1), threading.Event(), threading.Event()

    def hang() -> None:
        release.wait(30)

    def quick() -> str:
        ran.set()
        return "done"

    for _ in range(2):  # one leaks, the next keeps its place
        await call(hang, 0.01, threads)
    busy = asyncio.create_task(call(hang, 30, threads))
    await wait_until(lambda: threads.busy == 2)
    assert (await call(quick, 0.01, threads)).text == (
        "Error: quick was not run: all 2 threads for tools were busy for 0.01 s, "
        "1 of them with tools that never came back"
    )
    busy.cancel()
    await asyncio.wait({busy})
    result = await call(quick, 0.01, threads)
    assert result.text == ("Error: quick was not run: all 2 threads for tools are held by tools that never came back")
    assert (result.ok, result.traceback) == (False, "")
    release.set()
    await wait_until(lambda: (threads.leaked, threads.held, threads.busy) == (0, 0, 0))
    assert not ran.is_set()
    assert (await call(quick, 30, threads)).text == "done"


async def test_threads_that_are_merely_busy_are_called_that() -> None:
    threads, release = Threads(1, "test"), threading.Event()

    def work() -> None:
        release.wait(30)

    def quick() -> None: ...

    busy = asyncio.create_task(call(work, 30, threads))
    await wait_until(lambda: threads.busy == 1)
    error = (await call(quick, 0.01, threads)).error
    assert error == "quick was not run: all 1 threads for tools were busy for 0.01 s"
    release.set()
    assert (await busy).ok


async def test_an_async_tool_that_ignores_its_cancellation_is_counted_and_reported(log: io.StringIO) -> None:
    release = asyncio.Event()

    async def stubborn() -> None:
        while not release.is_set():
            try:
                await release.wait()
            except asyncio.CancelledError:
                continue

    before = len(abandoned)
    assert "did not finish within 0.01 s" in (await call(stubborn, 0.01)).text
    await wait_until(lambda: "tool ignores its cancellation" in log.getvalue())
    assert "'tool': 'stubborn'" in log.getvalue()
    assert len(abandoned) == before + 1
    release.set()
    await wait_until(lambda: len(abandoned) == before)


async def test_a_tool_that_ends_when_it_is_cancelled_is_not_reported(log: io.StringIO) -> None:
    async def fair() -> None:
        await asyncio.Event().wait()

    before = len(abandoned)
    await call(fair, 0.01)
    await wait_until(lambda: len(abandoned) == before)
    await asyncio.sleep(0)
    assert log.getvalue() == ""


async def test_a_call_that_is_cancelled_before_its_first_step_leaves_nothing_behind() -> None:
    threads, ran = Threads(1, "test"), threading.Event()
    release = threading.Event()
    hung = threads.put(lambda: release.wait(30))

    def late() -> None:
        ran.set()

    for function in (late, asyncio.Event().wait):
        calling = asyncio.create_task(run_within(30, "late", function, {}, threads, grace=0))
        await asyncio.sleep(0)
        calling.cancel()
        with pytest.raises(asyncio.CancelledError):
            await calling
    assert threads.waiting == 0
    release.set()
    await wait_until(hung.future.done)
    gc.collect()  # a coroutine that was never awaited would be an error here
    assert not ran.is_set()
