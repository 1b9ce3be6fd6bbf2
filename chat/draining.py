"""Ends the work of this process in good order: nothing new, what is live may end, the rest goes on elsewhere."""

import asyncio

import structlog

from agentsite.health import draining
from chat import runs, sessions

LEAVE_SECONDS = 2.0  # for runs to let go

log = structlog.get_logger("agentsite.process")


async def drain(seconds: float, hurry: asyncio.Event | None = None) -> None:
    """Take nothing new, let live runs end for some seconds, or until told to `hurry`; then give up the rest.

    A run that is given up is not ended: the next process goes on with it. At last the open pages are told to come back.
    """
    draining.set()
    if runs.live:
        log.info("draining", runs=len(runs.live), seconds=seconds)
        finishing = asyncio.create_task(_finish())
        hurrying = asyncio.create_task((hurry or asyncio.Event()).wait())
        await asyncio.wait({finishing, hurrying}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        for run in tuple(runs.live):
            log.info("run given up", run=str(run))
            runs.leave(run)
        await asyncio.wait({finishing}, timeout=LEAVE_SECONDS)
        finishing.cancel()
        hurrying.cancel()
    await sessions.close_all()


async def _finish() -> None:
    while runs.live:
        await asyncio.wait({work.task for work in runs.live.values()})
