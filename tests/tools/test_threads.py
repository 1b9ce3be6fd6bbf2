"""Blocking work: done in threads, answered for when it hangs, its place given to the next."""

import asyncio
import contextlib
import threading
from collections.abc import Callable

import pytest

from tools.threads import Threads


async def hang(threads: Threads, release: threading.Event) -> "asyncio.Task[bool]":
    """A job that is at work, and stays there until it is released."""
    started = threading.Event()

    def work() -> bool:
        started.set()
        return release.wait(30)

    task = asyncio.create_task(threads.run(work))
    await wait_until(started.is_set)
    return task


async def wait_until(what: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not what():  # noqa: ASYNC110  a thread sets no asyncio.Event
            await asyncio.sleep(0.001)


async def cancel(task: "asyncio.Task[bool]") -> None:
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


async def test_work_is_done_in_another_thread() -> None:
    threads = Threads(2, "test")
    assert await threads.run(threading.get_ident) != threading.get_ident()
    await wait_until(lambda: threads.busy == 0)


async def test_what_work_raises_is_raised_here() -> None:
    with pytest.raises(SystemExit):
        await Threads(1, "test").run(lambda: exit(3))


async def test_no_more_jobs_than_places_are_at_work() -> None:
    threads, release = Threads(2, "test"), threading.Event()
    hung = [await hang(threads, release) for _ in range(2)]
    third = asyncio.create_task(threads.run(lambda: True))
    await asyncio.sleep(0)
    assert threads.busy == 2
    assert not third.done()
    release.set()
    assert await asyncio.gather(*hung, third) == [True, True, True]


async def test_a_job_that_is_left_gives_its_place_away_and_counts_as_leaked() -> None:
    threads, release = Threads(1, "test"), threading.Event()
    await cancel(await hang(threads, release))
    assert threads.leaked == 1
    assert await threads.run(lambda: "next") == "next"
    release.set()
    await wait_until(lambda: threads.leaked == 0 and threads.busy == 0)


async def test_hung_jobs_never_use_up_the_places() -> None:
    threads, release = Threads(2, "test"), threading.Event()
    for _ in range(10):
        await cancel(await hang(threads, release))
    assert threads.leaked == 10
    assert await threads.run(lambda: "still here") == "still here"
    release.set()
    await wait_until(lambda: threads.leaked == 0)


async def test_past_a_limit_hung_jobs_keep_their_places() -> None:
    threads, release = Threads(1, "test", leak_limit=1), threading.Event()
    await cancel(await hang(threads, release))
    await cancel(await hang(threads, release))
    assert (threads.leaked, threads.held, threads.busy) == (1, 1, 1)
    waiting = asyncio.create_task(threads.run(lambda: True))
    await asyncio.sleep(0)
    assert not waiting.done()
    assert threads.waiting == 1
    release.set()
    assert await waiting
    await wait_until(lambda: (threads.leaked, threads.held, threads.busy) == (0, 0, 0))


async def test_a_job_is_left_once_however_often_that_is_said() -> None:
    threads, release = Threads(1, "test"), threading.Event()
    job = threads.put(lambda: release.wait(30))
    assert [threads.leave(job), threads.leave(job)] == [False, False]
    assert threads.leaked == 1
    release.set()
    await wait_until(lambda: threads.leaked == 0)
    assert threads.leave(job) is False


async def test_a_job_that_is_left_before_it_began_says_so_and_never_runs() -> None:
    threads, release = Threads(1, "test"), threading.Event()
    first = threads.put(lambda: release.wait(30))
    second = threads.put(release.set)
    assert threads.leave(second) is True
    assert not release.is_set()
    release.set()
    await wait_until(first.future.done)
    assert second.future.cancelled()


async def test_a_job_cancelled_before_it_began_never_runs() -> None:
    threads, release, ran = Threads(1, "test"), threading.Event(), threading.Event()

    def mark() -> bool:
        ran.set()
        return True

    hung = await hang(threads, release)
    waiting = asyncio.create_task(threads.run(ran.is_set))
    late = asyncio.create_task(threads.run(mark))
    await asyncio.sleep(0)
    await cancel(late)
    release.set()
    assert await hung
    assert await waiting is False
    await wait_until(lambda: threads.busy == 0)
    assert not ran.is_set()


async def test_the_threads_do_not_keep_the_program_alive() -> None:
    assert await Threads(1, "test").run(lambda: threading.current_thread().daemon)
