"""Finds runs that no process works on any more, and goes on with them here."""

import time
import uuid
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import structlog

from agentsite.health import draining
from agentsite.runner import hands_on
from chat import driving, rows, runs, store, telemetry
from chat.agent.clock import now
from chat.away import Away
from chat.db import read_soon, write
from chat.models import Run
from chat.owners import is_dead
from chat.store import leases
from tools.registry import registry

MISSED_SECONDS = 10.0  # without a renewal, of a lease that is over; a process that works renews it twice in that time
OURS_SECONDS = 1.0  # for which a run may be ours in its row and not be at work yet

log = structlog.get_logger("agentsite.sweep")


@dataclass(slots=True)
class Watch:
    """What was seen of leases, and since when, by a clock that nobody sets.

    A lease is over when its time is, by the clock of this machine, and nobody renews it; or when nobody renewed it for
    as long as a lease lasts, whatever the clocks say. So a clock that is set forward ends no run that is at work, and
    one that is set back leaves none without a process.
    """

    clock: Callable[[], float] = time.monotonic
    seen: dict[uuid.UUID, tuple[str, datetime | None, float]] = field(default_factory=dict)
    bad: set[uuid.UUID] = field(default_factory=set)

    def abandoned(self, run: Run, at: datetime) -> bool:
        """Say whether no process works on a run that is not at work here.

        Its owner gave it up, is known to be dead, or lost its lease; or this process let go of it, or lost it.
        """
        if not run.owner or is_dead(run.owner, runs.PROCESS):
            return True
        if run.owner == runs.PROCESS and (left := driving.let_go.get(run.pk)):
            return left.due
        owner, until, since = self.seen.get(run.pk, ("", None, 0.0))
        if (owner, until) != (run.owner, run.lease_until):
            since = self.clock()
            self.seen[run.pk] = (run.owner, run.lease_until, since)
        if run.owner == runs.PROCESS:
            return self.clock() - since >= OURS_SECONDS
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
    found = await read_soon(store.busy, conversation)
    if conversation is None:
        _keep_only(found)
    for run in found:
        if run.pk in runs.live:
            continue
        ends = end or run.stopping
        if not (
            watch.abandoned(run, now()) and await _alone(run.pk, runs.to_its_end((_end if ends else _take)(run, swept)))
        ):
            swept.elsewhere.append(run.pk)
    for one in [] if end else await _waiting(conversation):
        await _alone(one, runs.begin_next(one))
    return swept


def _keep_only(found: Sequence[Run]) -> None:
    """Forget what is known of runs that are not at work any more."""
    watch.keep_only([run.pk for run in found])
    for gone in driving.let_go.keys() - {run.pk for run in found if run.owner == runs.PROCESS}:
        del driving.let_go[gone]


async def take_back() -> None:
    """Go on with the runs that this process let go of, in one that takes over no others."""
    if not driving.let_go:
        return
    found = await read_soon(store.busy)
    _keep_only(found)
    for conversation in {run.conversation_id for run in found if run.pk in driving.let_go}:
        await sweep(conversation)


async def _waiting(conversation: uuid.UUID | None) -> list[uuid.UUID]:
    """Return the conversations in which this process begins what waits; what workers begin gets its job."""
    if conversation is None and hands_on():
        await write(store.enqueue_forgotten)
        return []
    return await read_soon(rows.only_queued, conversation)


async def _alone(pk: uuid.UUID, work: Awaitable[None]) -> bool:
    """Do what concerns one run or conversation; say whether that went. What is wrong with it holds up no other."""
    try:
        await work
    except (store.StaleOwner, store.Refused):  # somebody is at work on it after all, or was faster, or deleted it
        return False
    except Away:
        raise
    except Exception:
        if pk not in watch.bad:  # it is tried again and again, and told once
            log.exception("not swept", what=str(pk))
        watch.bad.add(pk)
        return False
    watch.bad.discard(pk)
    return True


async def _take(run: Run, swept: Swept) -> None:
    again = frozenset(name for name in registry.names() if (tool := registry.get(name)) and tool.idempotent)
    left = driving.let_go.get(run.pk)
    if left and left.stopping:
        await write(store.ask_to_stop, run.conversation_id, run.pk)
        run.stopping = True
        await _end(run, swept)
        return
    taken = await write(store.take_over, run, runs.PROCESS, again, now(), away=left is not None)
    if isinstance(taken, int):
        telemetry.taken_over(run.pk, taken)
        runs.begin(run.pk, taken, run.conversation_id)
        swept.taken.append(run.pk)
    else:
        telemetry.abandoned(run.conversation_id, taken)
        swept.ended.append(run.pk)
    await runs.hint(run.conversation_id)


async def _end(run: Run, swept: Swept) -> None:
    reason = await write(store.end_abandoned, run, now())
    telemetry.abandoned(run.conversation_id, reason)
    swept.ended.append(run.pk)
    await runs.hint(run.conversation_id)
