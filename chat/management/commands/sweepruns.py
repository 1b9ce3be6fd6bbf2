"""`python manage.py sweepruns`: by hand what a serving process does by itself with runs whose process died."""

import asyncio
import uuid
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from collections.abc import Iterable
from typing import Any

from django.core.management.base import BaseCommand
from django.core.management.base import CommandParser as Parser

from chat import process, runs
from chat.agent.clock import now
from chat.db import read
from chat.draining import drain
from chat.local import site
from chat.models import Run
from chat.sweep import MISSED_SECONDS, Swept, sweep, watch
from chat.words import how_it_ended, plural

HELP = """\
Takes over the runs whose process died, works on them and on what waits until they end, and says how each ended.

A serving process does the same by itself: at its start and every few seconds. A run counts as abandoned when its owner
gave it up, is known to be dead, or did not renew its lease; a lease that is over is watched for some seconds first.
What a run had done stays; a tool that was at work runs again only if it is marked idempotent. Runs that other
processes work on are left alone. Ctrl-C gives the runs up again; the next process goes on with them.

With --end the abandoned runs are not worked on: they end as crashed, with what they had said so far.
"""


class Command(BaseCommand):
    help = HELP

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> Parser:
        return super().create_parser(prog_name, subcommand, formatter_class=RawDescriptionHelpFormatter, **kwargs)

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--end", action="store_true", help="end them as crashed instead")

    def handle(self, **options: Any) -> None:
        site.start_if_set()
        asyncio.run(self._sweep(options["end"]))

    async def _sweep(self, end: bool) -> None:
        process.start(serving=False)
        try:
            swept = await self._look(end)
            for pk in swept.taken:
                self.stdout.write(f"{pk} is taken over.")
            worked = set(swept.taken)
            while runs.live:
                for pk in runs.live.keys() - worked:
                    self.stdout.write(f"{pk} waited, and is begun.")
                worked |= runs.live.keys()
                await asyncio.wait({work.task for work in runs.live.values()}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            await drain(0)
        for run in await read(_rows, [*worked, *swept.ended]):
            self.stdout.write(f"{run.pk} ended: {run.stop_reason}. {how_it_ended(run)}".strip())
        if not (worked or swept.ended):
            self.stdout.write("There is nothing to take over.")
        if swept.elsewhere:
            self.stdout.write(f"{plural(len(swept.elsewhere), 'run')} left to the processes that work on them.")

    async def _look(self, end: bool) -> Swept:
        """Sweep; where leases are over whose owners may be alive, watch them first, and sweep again."""
        swept = await sweep(end=end)
        if watch.doubtful(now()):
            self.stdout.write(f"Watching for {MISSED_SECONDS:g} s whether leases that are over are renewed ...")
            await asyncio.sleep(MISSED_SECONDS)
            again = await sweep(end=end)
            swept = Swept(swept.taken + again.taken, swept.ended + again.ended, again.elsewhere)
        return swept


def _rows(taken: Iterable[uuid.UUID]) -> list[Run]:
    return list(Run.objects.filter(pk__in=list(taken)).order_by("created"))
