"""The database from async code: one thread that writes, a few that read, each with a connection it keeps.

The writer commits everything that waits in one transaction. If that fails, each write is done again alone, so that
one that is refused fails alone. Readers and writer never share Django's thread of sync code with anyone.
"""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from queue import Empty, SimpleQueue
from typing import Any, ParamSpec, TypeVar

from django.db import Error, connection

from chat.away import Away
from chat.transact import Clash, Locked, again, is_clash, is_locked, once, wait_a_moment, without_pool

P = ParamSpec("P")
T = TypeVar("T")

READERS = 4
GROUP = 64

_readers = ThreadPoolExecutor(READERS, "db-reader", without_pool)


async def read(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run a function that only reads, outside any transaction. It may be run twice. Raises Away."""
    return await asyncio.get_running_loop().run_in_executor(_readers, again, lambda: function(*args, **kwargs))


async def read_soon(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """As `read`, for what comes again anyway: it raises Away within seconds, and holds no reader up meanwhile."""
    work = partial(again, lambda: function(*args, **kwargs), soon=True)
    return await asyncio.get_running_loop().run_in_executor(_readers, work)


async def write(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run a function that writes, in a transaction; return when that is committed.

    A caller that is cancelled while it waits does not undo the write. `function` may be run twice, so it does
    nothing but write to the database. Raises what `function` raises, and Away.
    """
    return await _write(lambda: function(*args, **kwargs), kept=True)


async def write_lightly(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """As `write`, for what can be done again: a power cut before the next `write` may take it back from SQLite.

    It does not wait for the disk, unless something that is committed with it does.
    """
    return await _write(lambda: function(*args, **kwargs), kept=False)


async def _write(work: Callable[[], T], kept: bool) -> T:
    loop = asyncio.get_running_loop()
    job = _Job(work, loop, loop.create_future(), kept)
    _writer.put(job)
    result: T = await job.future
    return result


def writes_waiting() -> int:
    """Return how many writes wait for the one thread that writes."""
    return _writer.jobs.qsize()


@dataclass(slots=True)
class _Job:
    run: Callable[[], Any]
    loop: asyncio.AbstractEventLoop
    future: "asyncio.Future[Any]"
    kept: bool = True
    waited: bool = False  # in vain, for a lock of one that it shared a transaction with, or its own

    def settle(self, result: object, error: BaseException | None) -> None:
        def tell() -> None:
            if self.future.done():  # its caller went away
                return
            if error is None:
                self.future.set_result(result)
            else:
                self.future.set_exception(error)

        with suppress(RuntimeError):  # the loop is closed, nobody waits any more
            self.loop.call_soon_threadsafe(tell)


@dataclass(slots=True)
class _Writer:
    jobs: "SimpleQueue[_Job]" = field(default_factory=SimpleQueue)
    thread: threading.Thread | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)

    def put(self, job: _Job) -> None:
        self.jobs.put(job)
        if self.thread is None:
            with self.lock:
                if self.thread is None:
                    self.thread = threading.Thread(target=self._work, name="db-writer", daemon=True)
                    self.thread.start()

    def _work(self) -> None:
        without_pool()
        while True:
            waiting = [self.jobs.get()]
            with suppress(Empty):
                while len(waiting) < GROUP:
                    waiting.append(self.jobs.get_nowait())
            commit(waiting)


def commit(jobs: list[_Job]) -> None:
    """Do all in one transaction, or if that fails each in its own."""
    try:
        _wait_for_disk(any(job.kept for job in jobs))
        results = once(lambda: _together(jobs))
    except Away as error:  # doing each alone would take as long again, or do twice what was done
        for job in jobs:
            job.settle(None, error)
    except Exception as error:
        connection.close_if_unusable_or_obsolete()
        if len(jobs) == 1:
            jobs[0].settle(None, error)
        else:
            for job in jobs:
                job.waited = isinstance(error, Locked)
                commit([job])
    else:
        for job, result in zip(jobs, results, strict=True):
            job.settle(result, None)


def _wait_for_disk(waits: bool) -> None:
    """Let this thread's next commit to SQLite wait until the disk has it, or not. A new connection waits."""
    if connection.vendor == "sqlite" and connection.connection is not None:
        connection.connection.execute(f"PRAGMA synchronous = {'FULL' if waits else 'NORMAL'}")


def _together(jobs: list[_Job]) -> list[Any]:
    """Do all; two groups that clash would do so again, and each with more that waits for it."""
    try:
        if any(job.waited for job in jobs):
            wait_a_moment()
        return [job.run() for job in jobs]
    except Error as error:
        if len(jobs) > 1 and is_locked(error):
            raise Locked from error
        if len(jobs) > 1 and is_clash(error):
            raise Clash from error
        raise


_writer = _Writer()
