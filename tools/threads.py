"""Threads for blocking work, which can be answered for at a limit even when a thread never comes back."""

import asyncio
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, TypeVar

Result = TypeVar("Result")

LEAK_LIMIT = 100  # threads that never came back; past so many, they keep their places and work waits for one


@dataclass(eq=False)
class Job:
    """Work that was handed in. `left`: it had begun when nobody waited any more; `held`: it kept its place then."""

    work: Callable[[], Any]
    future: Future[Any] = field(default_factory=Future)
    left: bool = False
    held: bool = False

    def run(self) -> None:
        if not self.future.set_running_or_notify_cancel():
            return
        try:
            self.future.set_result(self.work())
        except BaseException as error:  # SystemExit from a tool is an answer, not the end of the thread
            self.future.set_exception(error)


class Threads:
    """At most `size` jobs at a time, oldest first; a job nobody waits for any longer gives its place away.

    `busy` places are taken, `held` of them by jobs that nobody waits for; `leaked` threads work without a place.
    `concurrent.futures` would not do: a hung thread keeps its place there for good, and the interpreter waits
    for it at exit. These threads are daemons.
    """

    def __init__(self, size: int, name: str, leak_limit: int = LEAK_LIMIT) -> None:
        self.size = size
        self.name = name
        self.leak_limit = leak_limit
        self.busy = 0
        self.held = 0
        self.leaked = 0
        self._waiting: deque[Job] = deque()
        self._lock = threading.Lock()

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    async def run(self, work: Callable[[], Result]) -> Result:
        """The work's result. Cancelled before it began, work never runs; afterwards its result is dropped."""
        job = self.put(work)
        try:
            result: Result = await asyncio.wrap_future(job.future)
            return result
        finally:
            self.leave(job)

    def put(self, work: Callable[[], Any]) -> Job:
        """Hand in work. `leave` must follow, whether its future was waited for or not."""
        job = Job(work)
        with self._lock:
            self._waiting.append(job)
            self._start()
        return job

    def leave(self, job: Job) -> bool:
        """Nobody waits for the job any more. True: it had not begun, and never will."""
        with self._lock:
            if job in self._waiting:
                self._waiting.remove(job)
                job.future.cancel()
                return True
            if not (job.future.done() or job.left):
                job.left = True
                self._give_place_away(job)
            return False

    def _start(self) -> None:
        """Start a thread if there is a free place and a job for it. Call with the lock held."""
        if self.busy < self.size and self._waiting:
            self.busy += 1
            job = self._waiting.popleft()
            threading.Thread(target=self._work, args=(job,), name=self.name, daemon=True).start()

    def _work(self, job: Job | None) -> None:
        while job is not None:
            job.run()
            job = self._next(job)

    def _next(self, finished: Job) -> Job | None:
        with self._lock:
            if finished.left and not finished.held:
                self.leaked -= 1  # its place was given away: this thread ends
                return None
            self.held -= finished.held
            if self._waiting:
                return self._waiting.popleft()
            self.busy -= 1
            return None

    def _give_place_away(self, job: Job) -> None:
        """Let the next job have the place of one that was left. Call with the lock held."""
        if self.leaked >= self.leak_limit:
            job.held = True
            self.held += 1
            return
        self.leaked += 1
        self.busy -= 1
        self._start()
