"""What this process does by itself: keeps texts and leases; while it serves, takes abandoned runs, watches sessions."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial

import structlog
from django.conf import settings

from agentsite.runner import hands_on
from chat import away, hints, rows, runs, store
from chat.agent.clock import now
from chat.away import Away
from chat.db import read_soon, write_lightly
from chat.sessions import close_ended_sessions
from chat.sweep import sweep, take_back

FLUSH_SECONDS = 1.0
SESSION_SECONDS = 1.0
OWNERSHIP_SECONDS = 1.0
LEASE_SECONDS = 5.0
SWEEP_SECONDS = 2.0
LOOK_SECONDS = 5.0
LISTEN_SECONDS = 1.0  # until it listens again, if that ever ended

log = structlog.get_logger("agentsite.process")

_tasks: list["asyncio.Task[None]"] = []


def start(serving: bool = True, sweeping: bool | None = None) -> None:
    """Start the background work of this process, once; called with the event loop running.

    A process that ends soon is not `serving`: it keeps its own runs, and takes over none. `sweeping` is what takes
    over runs: workers, and where there are none whoever serves.
    """
    if sweeping is None:
        sweeping = serving and not hands_on()
    if _tasks and not all(task.done() for task in _tasks):
        return
    _tasks[:] = [
        asyncio.create_task(every(FLUSH_SECONDS, flush_previews)),
        asyncio.create_task(every(OWNERSHIP_SECONDS, drop_lost_runs)),
        asyncio.create_task(every(LEASE_SECONDS, keep_leases)),
        asyncio.create_task(every(LOOK_SECONDS, hints.look)),
    ]
    _tasks.append(asyncio.create_task(every(SWEEP_SECONDS, take_abandoned if sweeping else take_back)))
    if serving:
        _tasks.append(asyncio.create_task(every(SESSION_SECONDS, close_ended_sessions)))
    if settings.REDIS_URL:
        from chat.shared_hints import listen  # its client comes with an extra

        _tasks.append(asyncio.create_task(every(LISTEN_SECONDS, partial(listen, drop_lost_runs))))


async def every(seconds: float, work: Callable[[], Awaitable[None]]) -> None:
    """Do some work again and again; a failure is logged and the next time is tried again."""
    while True:
        try:
            await work()
        except Away as gone:
            away.complain(gone.reason)
        except Exception:
            log.exception("background work failed", work=getattr(work, "func", work).__name__)
        await asyncio.sleep(seconds)


async def flush_previews() -> None:
    """Keep in their rows the texts that live runs have said since the last time, all in one transaction."""
    pieces, grown = [], []
    for work in tuple(runs.live.values()):
        showing = work.preview
        if showing and showing.number and (length := len(showing.read()) + len(showing.thought)) > showing.flushed:
            pieces.append((work.run, work.attempt, showing.number, showing.text, showing.thought))
            grown.append((showing, showing.number, length))
    if pieces:
        await write_lightly(store.flush, pieces)
    for showing, number, length in grown:
        if showing.number == number:  # else it says something else by now, of which nothing is kept
            showing.flushed = length
        hints.tell_others(showing.conversation)  # pages of this process have more than that


async def drop_lost_runs() -> None:
    """Let go of runs that are to stop, and of those not ours any more: taken over, or deleted with their person."""
    working = set(runs.live)
    if working:
        kept = await read_soon(rows.runs_of, runs.PROCESS)
        for run in working - kept:
            runs.drop(run)


async def keep_leases() -> None:
    """Renew the leases of our runs."""
    if runs.live:
        await write_lightly(store.renew, list(runs.live), runs.PROCESS, now())


async def take_abandoned() -> None:
    """Go on with the runs that no process works on."""
    await sweep()
