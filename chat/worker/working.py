"""The life of a worker: it fetches jobs until it is told to stop, then drains as a server does."""

import asyncio
import signal
import socket
from contextlib import nullcontext, suppress
from typing import Any

import structlog
from django.conf import settings
from procrastinate import App
from procrastinate.contrib.django import app as the_app
from procrastinate.exceptions import ConnectorException

from chat import process
from chat.draining import drain
from chat.worker.watched import watched

RUNS_AT_ONCE = 20  # they mostly wait for an endpoint
POLL_SECONDS = 0.5  # a conversation's lock that comes free is told by nobody
HEARTBEAT_SECONDS = 2.0
STALLED_SECONDS = 10.0  # a worker without a heartbeat for so long is dead, and its jobs are anybody's
AWAY_SECONDS = 0.5

log = structlog.get_logger("agentsite.worker")


async def work(app: App, listener: socket.socket | None = None, **options: Any) -> None:
    """Fetch jobs, with Procrastinate's own `options`, until SIGTERM or Ctrl-C; then let live runs end, or leave them.

    Told to stop once more, it leaves them at once. On `listener` it says how it is.
    """
    with watched(listener) if listener else nullcontext():
        await _work(app, options)


async def _work(app: App, options: dict[str, Any]) -> None:
    process.start(serving=False, sweeping=True)
    told, hurry = asyncio.Event(), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, lambda: (hurry if told.is_set() else told).set())
    fetching = asyncio.create_task(_fetch(app, options, told))
    retrying = asyncio.create_task(process.every(HEARTBEAT_SECONDS, retry_stalled))
    telling = asyncio.create_task(told.wait())
    log.info("worker started")
    await asyncio.wait({fetching, telling}, return_when=asyncio.FIRST_COMPLETED)
    for task in (fetching, retrying, telling):
        task.cancel()
    await drain(settings.DRAIN_SECONDS, hurry)
    with suppress(asyncio.CancelledError):
        await fetching


async def _fetch(app: App, options: dict[str, Any], told: asyncio.Event) -> None:
    """Fetch jobs; begin again where the database was away, which ends a worker of Procrastinate's but no run."""
    goes_on = options.get("wait", True)
    ours = {
        "concurrency": RUNS_AT_ONCE,
        "fetch_job_polling_interval": POLL_SECONDS,
        "update_heartbeat_interval": HEARTBEAT_SECONDS,
        "stalled_worker_timeout": STALLED_SECONDS,
        # Jobs go back at once, and the runs themselves are waited for; unless it ends when there are no more jobs.
        "shutdown_graceful_timeout": 0 if goes_on else None,
        "delete_jobs": "always",
        "install_signal_handlers": False,
    }
    while not told.is_set():
        try:
            await app.run_worker_async(**ours | options)
        except ConnectorException as error:
            log.warning("worker begins again", error=type(error.__cause__).__name__)
        if not goes_on:
            return
        await asyncio.sleep(AWAY_SECONDS)


async def retry_stalled() -> None:
    """Put back the jobs of workers that are dead, so that what waits behind them in a conversation is fetched."""
    manager = the_app.job_manager
    try:
        await manager.prune_stalled_workers(STALLED_SECONDS)
        for job in await manager.get_stalled_jobs(seconds_since_heartbeat=STALLED_SECONDS):
            await manager.retry_job(job)
    except ConnectorException as error:  # another worker was faster, or the database is away
        log.info("stalled jobs not put back", error=type(error.__cause__).__name__)
