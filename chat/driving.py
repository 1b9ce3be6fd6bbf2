"""Drives a run: stores each tuple of the loop's events before the loop goes on, and tells viewers of it.

Exactly one place ends a run. One whose events cannot be stored, because the database is away, is let go of as it
stands: the sweep goes on with it when the database is there again.
"""

import asyncio
import time
import uuid
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass, field
from functools import partial

import structlog
from django.conf import settings

from chat import endpoints, hints, preview, rows, store
from chat.agent import loop
from chat.agent.clock import Clock, now
from chat.agent.events import Batch, Ended, ModelEnded, ModelFailed, TextDelta, ToolStarted
from chat.away import Away
from chat.db import read, write, write_lightly
from chat.memory import TurnMemory
from chat.prepare import prepare
from chat.preview import Preview
from chat.telemetry import Observed
from chat.wire.values import JSON
from tools.http import OutboundHttp
from tools.registry import ToolContext, ToolResult, registry

BROKE = "Something on the server failed. Press Retry; if it happens again, give your administrator this run's id."
LOST = "another process took it over, or it was deleted"
LONGEST_PAUSE = 60.0  # seconds

log = structlog.get_logger("agentsite.runs")
http = OutboundHttp()


@dataclass(slots=True)
class Live:
    """A run that this process works on, until it is `stopping`; one that is `leaving` goes on in another process.

    `times` is how often it was let go of since a model last answered in it.
    """

    run: uuid.UUID
    attempt: int
    conversation: uuid.UUID
    task: "asyncio.Task[None]" = field(init=False)
    preview: Preview | None = None
    observed: Observed = field(default_factory=Observed)
    clock: Clock = now
    answer: str = ""
    stopping: bool = False
    leaving: bool = False
    outside_ran: bool = False
    times: int = 0

    @property
    def said(self) -> str:
        """What it has said so far: its whole answer, or the text of its model step that is not stored yet."""
        return self.answer or (self.preview.read() if self.preview else "")


@dataclass(frozen=True, slots=True)
class LetGo:
    """A run of this process that nobody works on, as the database was away. It goes on at `since` + `pause`, or stops.

    The pause grows: where a little can be stored and more cannot, each attempt may cost a request to a model.
    """

    stopping: bool
    times: int
    since: float = field(default_factory=time.monotonic)

    @property
    def due(self) -> bool:
        return time.monotonic() >= self.since + min(LONGEST_PAUSE, 2.0 ** (self.times - 1) - 1)


let_go: dict[uuid.UUID, LetGo] = {}


async def drive(work: Live) -> None:
    """Work on a run to its end, whatever happens. Where the database is away it is let go of."""
    structlog.contextvars.bind_contextvars(run=str(work.run))
    try:
        await _finish(work)
    except Away as gone:
        let_go[work.run] = LetGo(work.stopping and not work.leaving, work.times + 1)
        log.warning("run let go", reason=gone.reason)
        hints.tell_here(work.conversation)
    except Exception:
        log.exception("run could not be ended")  # the sweep finds that nobody works on it
    finally:
        preview.close_preview(work.run)


async def _finish(work: Live) -> None:
    try:
        await _work(work)
    except asyncio.CancelledError:
        await (_give_up(work) if work.leaving else _end(work, "stopped", "stopped"))
    except store.StaleOwner:
        log.info("run lost", reason=LOST)
    except endpoints.NoModel as gone:
        await _end(work, "failed", "error", str(gone))
    except Away:
        raise
    except Exception:
        if not await read(rows.is_there, work.run):  # it was deleted while it read what it begins with
            log.info("run lost", reason=LOST)
            return
        log.exception("run crashed")
        await _end(work, "failed", "crashed", BROKE)


async def _work(work: Live) -> None:
    """Drive the loop to its end."""
    prepared = await prepare(work.run)
    run, task, work.outside_ran = prepared.run, prepared.task, prepared.outside_ran
    work.observed.model, work.clock = run.model, task.asking.clock
    if run.continues_id:
        work.outside_ran = True  # what it goes on from may have read anything
    if task.begun:
        work.observed.turn = task.turn
        work.answer = "" if task.asking.reply.calls else task.asking.reply.text
    work.preview = preview.open_preview(run.pk, run.conversation_id, run.answer_id)
    call = partial(_write, work)
    memory = TurnMemory(run.message.owner_id, run.message_id, run.message.text, lambda: work.outside_ran, call)
    context = ToolContext(
        user=str(run.message.owner_id), conversation=str(run.conversation_id), run=str(run.pk), memory=memory,
        http=http, options={"weather_source": settings.WEATHER_SOURCE},
    )  # fmt: skip
    asked = [*task.asking.targets, *filter(None, [task.fitting.small])]
    known = [(target.endpoint, dict(target.endpoint.abilities)) for target in asked]
    try:
        async with aclosing(loop.run(task, partial(_call, work, context))) as batches:
            async for batch in batches:
                if isinstance(batch[0], TextDelta):
                    work.preview.add(batch[0].number, batch[0].text, batch[0].thought)
                else:
                    await _store(work, batch)
    finally:  # what an endpoint refused holds, however the run ends
        for endpoint, before in known:
            if news := {name: value for name, value in endpoint.abilities.items() if before.get(name) != value}:
                await endpoints.learned(endpoint, news)


async def _call(work: Live, context: ToolContext, name: str, arguments: dict[str, JSON]) -> ToolResult:
    tool = registry.get(name)
    result = await registry.call(name, arguments, context, settings.AGENT_TOOL_TIMEOUT)
    work.outside_ran = work.outside_ran or (tool is not None and tool.outside)
    return result


async def _write(work: Live, function: Callable[..., str], /, *arguments: object) -> str:
    """Do what a tool writes, as long as the run is ours. Raises store.StaleOwner."""
    return await write(store.within_run, work.run, work.attempt, function, *arguments)


async def _store(work: Live, batch: Batch) -> None:
    """Store events and tell viewers. The preview is emptied before its step's final write."""
    if work.preview and any(isinstance(event, ModelEnded | ModelFailed) for event in batch):
        work.preview.empty()
    for event in batch:
        if isinstance(event, ModelEnded) and event.purpose == "answer" and not event.reply.calls:
            work.answer = event.reply.text  # a title may still be made for it
    # What is lost in a power cut is done again, but for the intent of what must not be.
    acts = any(isinstance(event, ToolStarted) for event in batch)
    await (write if acts else write_lightly)(store.apply, work.run, work.attempt, batch)
    work.times = 0 if any(isinstance(event, ModelEnded) for event in batch) else work.times
    work.observed.see(batch)
    hints.tell(work.conversation)


async def _end(work: Live, status: str, reason: str, error: str = "") -> None:
    """End a run from outside its loop, with what it had said so far."""
    ended = Ended(work.clock(), status, reason, work.said, error)
    try:
        await write(store.apply, work.run, work.attempt, (ended,))
    except store.StaleOwner:
        log.info("run lost", reason=LOST)
        return
    work.observed.see((ended,))
    hints.tell(work.conversation)


async def _give_up(work: Live) -> None:
    """Keep what a run had said so far, and let another process go on with it."""
    if (showing := work.preview) and showing.number:
        await write(store.flush, [(work.run, work.attempt, showing.number, showing.read(), showing.thought)])
    await write(store.give_up, work.run, work.attempt, now())
