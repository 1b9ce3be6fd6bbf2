"""Ends the work of this process in good order: nothing new, what is live may end, the rest goes on elsewhere."""

import asyncio

import structlog

from agentsite.health import draining
from chat import runs, sessions

LEAVE_SECONDS = 2.0  # for runs to let go
PAGES_SECONDS = 0.2  # for pages to be shown how their runs ended, and then to be told to come back

log = structlog.get_logger("agentsite.process")


async def drain(seconds: float, hurry: asyncio.Event | None = None) -> None:
    """Take nothing new, let live runs end for some seconds, or until told to `hurry`; then give up the rest.

    A run that is given up is not ended: the next process goes on with it. At last the open pages are told to come back.
    """
    draining.set()
    if runs.live or runs.starting:
        await _let_runs_end(seconds, hurry or asyncio.Event())
        await asyncio.sleep(PAGES_SECONDS)
    if sessions.open_sockets:
        await sessions.close_all()
        await asyncio.sleep(PAGES_SECONDS)


async def _let_runs_end(seconds: float, hurry: asyncio.Event) -> None:
    log.info("draining", runs=len(runs.live), seconds=seconds)
    ending, hurrying = asyncio.create_task(_all_ended()), asyncio.create_task(hurry.wait())
    await asyncio.wait({ending, hurrying}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    for run in tuple(runs.live):
        log.info("run given up", run=str(run))
        runs.leave(run)
    await asyncio.wait({ending}, timeout=LEAVE_SECONDS)  # what begins meanwhile is left as it does
    ending.cancel()
    hurrying.cancel()


async def _all_ended() -> None:
    while at_work := {work.task for work in runs.live.values()} | runs.starting:
        await asyncio.wait(at_work)
