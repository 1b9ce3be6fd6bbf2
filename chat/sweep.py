"""Finds runs that no process works on any more, and goes on with them here."""

import time
import uuid
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import datetime

from agentsite.health import draining
from chat import rows, runs, store, telemetry
from chat.agent.asking import now
from chat.db import read, write
from chat.models import Run
from chat.owners import is_dead
from chat.store import leases
from tools.registry import registry

MISSED_SECONDS = 10.0  # without a renewal, of a lease that is over; a process that works renews it twice in that time


@dataclass(slots=True)
class Watch:
    """What was seen of leases, and since when, by a clock that nobody sets.

    A lease is over when its time is, by the clock of this machine, and nobody renews it; or when nobody renewed it for
    as long as a lease lasts, whatever the clocks say. So a clock that is set forward ends no run that is at work, and
    one that is set back leaves none without a process.
    """

    clock: Callable[[], float] = time.monotonic
    seen: dict[uuid.UUID, tuple[str, datetime | None, float]] = field(default_factory=dict)

    def abandoned(self, run: Run, at: datetime) -> bool:
        """Say whether no process works on a run: its owner gave it up, is known to be dead, or lost its lease."""
        if not run.owner or is_dead(run.owner, runs.PROCESS):
            return True
        owner, until, since = self.seen.get(run.pk, ("", None, 0.0))
        if (owner, until) != (run.owner, run.lease_until):
            since = self.clock()
            self.seen[run.pk] = (run.owner, run.lease_until, since)
        is_over = run.lease_until is not None and run.lease_until < at
        return self.clock() - since >= (MISSED_SECONDS if is_over else leases.LEASE.total_seconds())

    def doubtful(self, at: datetime) -> bool:
        """Say whether there is a lease that is over, and only the time that passes can tell whether it is renewed."""
        return any(until is not None and until < at for _, until, _ in self.seen.values())

    def keep_only(self, found: Collection[uuid.UUID]) -> None:
        for pk in self.seen.keys() - set(found):
            del self.seen[pk]


@dataclass(slots=True)
class Swept:
    """What a sweep did: runs taken over here, runs ended, and runs that other processes work on, as far as it knows."""

    taken: list[uuid.UUID] = field(default_factory=list)
    ended: list[uuid.UUID] = field(default_factory=list)
    elsewhere: list[uuid.UUID] = field(default_factory=list)


watch = Watch()


async def sweep(conversation: uuid.UUID | None = None, end: bool = False) -> Swept:
    """Take over the runs that no process works on, and begin those that waited behind them; or `end` them all.

    With a `conversation`, only those in it. Without, what waits is left to workers, if there are any.
    """
    swept = Swept()
    if draining.is_set():
        return swept
    found = await read(store.busy)
    watch.keep_only([run.pk for run in found])
    for run in found:
        if run.pk in runs.live or conversation not in (None, run.conversation_id):
            continue
        if not watch.abandoned(run, now()):
            swept.elsewhere.append(run.pk)
            continue
        try:
            await (_end(run, swept) if end or run.stopping else runs.to_its_end(_take(run, swept)))
        except store.StaleOwner:  # its owner is alive after all, or somebody else was faster
            swept.elsewhere.append(run.pk)
    if end:
        return swept
    if conversation is None and store.jobs.are_used():
        await write(store.enqueue_forgotten)
        return swept
    for waiting in await read(rows.only_queued):
        if conversation in (None, waiting):
            await runs.begin_next(waiting)
    return swept


async def _take(run: Run, swept: Swept) -> None:
    again = frozenset(name for name in registry.names() if (tool := registry.get(name)) and tool.idempotent)
    attempt = await write(store.take_over, run, runs.PROCESS, again, now())
    if attempt:
        telemetry.taken_over(run.pk, attempt)
        runs.begin(run.pk, attempt, run.conversation_id)
    else:
        telemetry.abandoned(run.conversation_id, "crashed")
    (swept.taken if attempt else swept.ended).append(run.pk)
    await runs.hint(run.conversation_id)


async def _end(run: Run, swept: Swept) -> None:
    reason = await write(store.end_abandoned, run, now())
    telemetry.abandoned(run.conversation_id, reason)
    swept.ended.append(run.pk)
    await runs.hint(run.conversation_id)
