"""The job that a run is handed to workers with. It begins the run, or waits for it; it never works on it itself.

So a job that is cancelled, because its worker stops or has lost the database, takes nothing from the run: it goes
back into the queue, and whoever fetches it waits on, or goes on with a run that nobody works on any more.
"""

import asyncio
import uuid
from contextlib import suppress

from procrastinate import RetryStrategy
from procrastinate.contrib.django import app

from chat import hints, rows, runs
from chat.db import read
from chat.store.jobs import QUEUE, TASK
from chat.sweep import Swept, sweep

POLL_SECONDS = 1.0

_sweeps: set["asyncio.Task[Swept]"] = set()


# Its type of exceptions is too narrow: a job that is cancelled ends with this one.
@app.task(name=TASK, queue=QUEUE, retry=RetryStrategy(retry_exceptions=[asyncio.CancelledError]))  # type: ignore[list-item]
async def work_on(run: str) -> None:
    """Begin a run if no process works on it; return when it has ended, wherever that was."""
    await wait_for(uuid.UUID(run))


async def wait_for(run: uuid.UUID) -> None:
    while conversation := await read(rows.conversation_of_live, run):
        if work := runs.live.get(run):
            await asyncio.wait({work.task})
            continue
        await _take(conversation)
        if run not in runs.live:
            await _news(conversation)


async def _take(conversation: uuid.UUID) -> None:
    """Take what nobody works on in a conversation; a job that is cancelled meanwhile leaves nothing half taken."""
    sweeping = asyncio.create_task(sweep(conversation))
    _sweeps.add(sweeping)
    sweeping.add_done_callback(_sweeps.discard)
    await asyncio.shield(sweeping)


async def _news(conversation: uuid.UUID) -> None:
    """Wait until another process tells of a conversation, or for a moment."""
    told = asyncio.Event()
    hints.watch(conversation, told.set)
    try:
        with suppress(TimeoutError):
            async with asyncio.timeout(POLL_SECONDS):
                await told.wait()
    finally:
        hints.unwatch(conversation, told.set)
