"""Daphne's server, which cuts nothing off when it is told to stop. Its import takes the main thread's event loop."""

import asyncio
import signal
from typing import Any

from daphne.server import Server, twisted_loop  # isort:skip  It has to come before anything else of Twisted's.

from daphne.http_protocol import WebRequest
from django.conf import settings
from twisted.internet.defer import Deferred

from chat.draining import drain

ANSWER_SECONDS = 2.0


class DrainingServer(Server):
    """Serves until it is told to stop, then drains for DRAIN_SECONDS at most; told once more, it stops at once."""

    def kill_all_applications(self) -> Any:
        """What Daphne does first when it is told to stop, and its reactor waits for."""
        hurry = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: twisted_loop.call_soon_threadsafe(hurry.set))
        drained = Deferred.fromFuture(twisted_loop.create_task(self.drain(hurry)))
        return drained.addBoth(lambda _: super(DrainingServer, self).kill_all_applications())

    async def drain(self, hurry: asyncio.Event) -> None:
        """Let runs end, or leave them; then let requests be answered that came before."""
        await drain(settings.DRAIN_SECONDS, hurry)
        requests = [about for door, about in self.connections.items() if isinstance(door, WebRequest)]
        at_work = [work for about in requests if (work := about.get("application_instance")) and not work.done()]
        if at_work:
            await asyncio.wait(at_work, timeout=ANSWER_SECONDS)
