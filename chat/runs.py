"""Starts runs, drives them, stops them. A run is a task of the process, not of any socket.

A run is driven by storing each tuple of the loop's events before the loop goes on, and telling viewers of it.
"""

import asyncio
import uuid
from collections.abc import Callable, Coroutine
from contextlib import aclosing
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

import structlog
from django.conf import settings

from agentsite.health import draining
from chat import endpoints, hints, preview, rows, store
from chat.agent import loop
from chat.agent.asking import Clock, now
from chat.agent.events import Batch, Ended, ModelEnded, ModelFailed, TextDelta
from chat.db import read, write
from chat.memory import TurnMemory
from chat.owners import this_process
from chat.prepare import prepare
from chat.preview import Preview
from chat.store import Sent, jobs
from chat.telemetry import Observed
from chat.wire.values import JSON
from tools.http import OutboundHttp
from tools.registry import ToolContext, ToolResult, registry

T = TypeVar("T")

LOST = "another process took it over, or it was deleted"
PROCESS = str(this_process())

log = structlog.get_logger("agentsite.runs")
http = OutboundHttp()


@dataclass(slots=True)
class Live:
    """A run that this process works on, until it is `stopping`; one that is `leaving` goes on in another process."""

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

    @property
    def said(self) -> str:
        """What it has said so far: its whole answer, or the text of its model step that is not stored yet."""
        return self.answer or (self.preview.read() if self.preview else "")


live: dict[uuid.UUID, Live] = {}
starting: set["asyncio.Task[Any]"] = set()  # what may begin a run, or more, and is not to be cut off


async def send(
    owner: int,
    text: str,
    client_id: str,
    model: str,
    conversation: uuid.UUID | None,
    mode: str | None = None,
    here: bool = False,
) -> Sent:
    """Store a message, in a new conversation if there is none yet, and begin its run. `mode` None: as it was.

    Where there are workers the run is handed to them, unless it is to be worked on `here`. Raises store.Refused or
    endpoints.NoModel, whose words are for the person.
    """
    if conversation is None:
        return await start(store.start_conversation, owner, text, client_id, model=model, here=here, mode=mode or "")
    return await start(store.send, conversation, owner, text, client_id, model=model, here=here, mode=mode)


async def start(stored: Callable[..., Sent], *said: object, model: str, here: bool = False, **more: object) -> Sent:
    """Store, by a function of the store, what makes a run, and begin that. Raises as `send` does."""

    async def work() -> Sent:
        chosen = await endpoints.chosen(model)
        sent = await write(stored, *said, model=chosen, process=_taker(here), at=now(), **more)
        await _begin(sent)
        return sent

    return await to_its_end(work())


async def fork(conversation: uuid.UUID, message: int, client_id: str) -> uuid.UUID:
    """Copy a conversation up to a message; return the new one's id. Raises store.Refused."""

    async def work() -> uuid.UUID:
        forked, sent = await write(store.fork, conversation, message, client_id, _taker(), now())
        if sent:
            await _begin(sent)
        return forked

    return await to_its_end(work())


async def to_its_end(work: Coroutine[Any, Any, T]) -> T:
    """Do some work whole. Who asks for it may go away in the middle: what is stored is begun."""
    task = asyncio.create_task(work)
    starting.add(task)
    task.add_done_callback(starting.discard)
    return await asyncio.shield(task)


def _taker(here: bool = False) -> str:
    """Return who takes a new run: this process, or none, and then it waits: while this one drains, and for workers."""
    return "" if draining.is_set() or (jobs.are_used() and not here) else PROCESS


async def _begin(sent: Sent) -> None:
    if sent.attempt:
        begin(sent.run, sent.attempt, sent.conversation)
    await hint(sent.conversation)


def begin(run: uuid.UUID, attempt: int, conversation: uuid.UUID) -> None:
    """Start to work on a run that this process holds the lease of; or let go of it, where it has begun to drain."""
    work = Live(run, attempt, conversation)
    live[run] = work
    work.task = asyncio.create_task(_drive(work), name=f"run {run}")
    if draining.is_set():
        leave(run)


async def stop(conversation: uuid.UUID, spared: uuid.UUID | None = None) -> bool:
    """Stop the runs at work in a conversation, but for one, whichever process works on them; say if there were any.

    Those of this process stop at once. What is stored reaches the others, and whoever takes over where one dies.
    Where there are workers, and none of them has taken the run yet, it is ended as it is.
    """
    here = [work.run for work in live.values() if work.conversation == conversation and work.run != spared]
    for run in here:
        drop(run)
    asked = await write(store.ask_to_stop, conversation, spared)
    if asked:
        hints.tell_others(conversation, stop=True)
    elif jobs.are_used() and not here and not spared and await read(rows.has_queued, conversation):
        asked = await write(store.end_waiting, conversation, now())
        await hint(conversation)
    return bool(here or asked)


async def stop_and_send(conversation: uuid.UUID, message: int) -> None:
    """Stop what is at work in a conversation, and begin the run of a message that waits. Raises store.Refused."""
    first = await write(store.put_first, conversation, message)
    if not await stop(conversation, spared=first) and not jobs.are_used():
        await begin_next(conversation)


async def delete(conversation: uuid.UUID) -> None:
    """Delete a conversation with all that is in it; what is at work in it is stopped."""
    await stop(conversation)
    await write(store.delete_conversation, conversation, now())
    await hint(conversation)


def drop(run: uuid.UUID) -> None:
    """Cancel the work on a run, once."""
    work = live.get(run)
    if work and not work.stopping:
        work.stopping = True
        # After the task's own first step, so that it is inside the code that ends its run.
        asyncio.get_running_loop().call_soon(work.task.cancel)


def leave(run: uuid.UUID) -> None:
    """Let go of a run without ending it, so that another process goes on with it at once."""
    if work := live.get(run):
        work.leaving = True
        drop(run)


async def hint(conversation: uuid.UUID) -> None:
    """Tell every viewer of a conversation, in any process, that there is something newer to read."""
    hints.tell(conversation)


async def _drive(work: Live) -> None:
    """Work on a run to its end, whatever happens, then begin the one that waits behind it."""
    structlog.contextvars.bind_contextvars(run=str(work.run))
    try:
        await _finish(work)
    except Exception:
        log.exception("run could not be ended")  # its lease runs out, and the sweep ends it
    finally:
        preview.close_preview(work.run)
        live.pop(work.run, None)
        if not jobs.are_used():  # else its own job does, in whichever worker has a place for it
            await begin_next(work.conversation)


async def _finish(work: Live) -> None:
    try:
        await _work(work)
    except asyncio.CancelledError:
        await (_give_up(work) if work.leaving else _end(work, "stopped", "stopped"))
    except store.StaleOwner:
        log.info("run lost", reason=LOST)
    except endpoints.NoModel as gone:
        await _end(work, "failed", "error", str(gone))
    except Exception:
        log.exception("run crashed")
        await _end(work, "failed", "crashed", "Something in the server failed. The log says more.")


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
    async with aclosing(loop.run(task, partial(_call, work, context))) as batches:
        async for batch in batches:
            if isinstance(batch[0], TextDelta):
                work.preview.add(batch[0].number, batch[0].text, batch[0].thought)
            else:
                await _store(work, batch)
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
    await write(store.apply, work.run, work.attempt, batch)
    work.observed.see(batch)
    await hint(work.conversation)


async def _end(work: Live, status: str, reason: str, error: str = "") -> None:
    """End a run from outside its loop, with what it had said so far."""
    ended = Ended(work.clock(), status, reason, work.said, error)
    try:
        await write(store.apply, work.run, work.attempt, (ended,))
    except store.StaleOwner:
        log.info("run lost", reason=LOST)
        return
    work.observed.see((ended,))
    await hint(work.conversation)


async def _give_up(work: Live) -> None:
    """Keep what a run had said so far, and let another process go on with it."""
    if (showing := work.preview) and showing.number:
        await write(store.flush, [(work.run, work.attempt, showing.number, showing.read(), showing.thought)])
    await write(store.give_up, work.run, work.attempt, now())


async def begin_next(conversation: uuid.UUID) -> None:
    """Begin the run that waits in a conversation, if there is one, and this process takes new ones."""
    if not draining.is_set() and await read(rows.has_queued, conversation):
        await to_its_end(_take_next(conversation))


async def _take_next(conversation: uuid.UUID) -> None:
    try:
        taken = await write(store.take_queued, conversation, PROCESS, now())
    except store.Refused:  # the conversation was deleted
        return
    if taken:
        begin(*taken, conversation)
        await hint(conversation)
