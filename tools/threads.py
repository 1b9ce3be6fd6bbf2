"""Threads for blocking work, which can be answered for at a limit even when a thread never comes back."""

import asyncio
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, TypeVar

Result = TypeVar("Result")

LEAK_LIMIT = 100  # threads that never came back; past so many, they keep their places and work waits for one


@dataclass(eq=False)
class _Job:
    work: Callable[[], Any]
    future: Future[Any]
    abandoned: bool = False

    def run(self) -> None:
        if not self.future.set_running_or_notify_cancel():
            return
        try:
            self.future.set_result(self.work())
        except BaseException as error:  # SystemExit from a tool is an answer, not the end of the thread
            self.future.set_exception(error)


class Threads:
    """At most `size` jobs at a time, oldest first; a job nobody waits for any longer gives its place away.

    `concurrent.futures` would not do: a hung thread keeps its place there for good, and the interpreter waits
    for it at exit. These threads are daemons.
    """

    def __init__(self, size: int, name: str, leak_limit: int = LEAK_LIMIT) -> None:
        self.size = size
        self.name = name
        self.leak_limit = leak_limit
        self.busy = 0
        self.leaked = 0
        self._waiting: deque[_Job] = deque()
        self._lock = threading.Lock()

    async def run(self, work: Callable[[], Result]) -> Result:
        """The work's result. Cancelled before it began, work never runs; afterwards its result is dropped."""
        job = _Job(work, Future())
        with self._lock:
            self._waiting.append(job)
            self._start()
        try:
            result: Result = await asyncio.wrap_future(job.future)
            return result
        finally:
            self._leave(job)

    def _start(self) -> None:
        """Start a thread if there is a free place and a job for it. Call with the lock held."""
        if self.busy < self.size and self._waiting:
            self.busy += 1
            job = self._waiting.popleft()
            threading.Thread(target=self._work, args=(job,), name=self.name, daemon=True).start()

    def _work(self, job: _Job | None) -> None:
        while job is not None:
            job.run()
            job = self._next(job)

    def _next(self, finished: _Job) -> _Job | None:
        with self._lock:
            if finished.abandoned:
                self.leaked -= 1  # its place was given away: this thread ends
                return None
            if self._waiting:
                return self._waiting.popleft()
            self.busy -= 1
            return None

    def _leave(self, job: _Job) -> None:
        """Called once nobody waits for the job any more, whether it is finished or not."""
        with self._lock:
            if job in self._waiting:
                self._waiting.remove(job)
            elif not job.future.done() and self.leaked < self.leak_limit:
                job.abandoned = True
                self.leaked += 1
                self.busy -= 1
                self._start()
