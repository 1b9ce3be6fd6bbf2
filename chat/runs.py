"""Starts runs, drives them, stops them. A run is a task of the process, not of any socket.

A run is driven by storing each tuple of the loop's events before the loop goes on, and telling viewers of it.
"""

import asyncio
import os
import socket
import uuid
from contextlib import aclosing
from dataclasses import dataclass, field
from functools import partial

import structlog
from channels.layers import get_channel_layer
from django.conf import settings

from chat import endpoints, preview, rows, store
from chat.agent import loop
from chat.agent.asking import now
from chat.agent.events import Batch, Ended, ModelEnded, ModelFailed, TextDelta
from chat.agent.values import JSON
from chat.db import read, write
from chat.memory import TurnMemory
from chat.prepare import prepare
from chat.preview import Preview
from chat.store import Sent
from chat.telemetry import Observed
from tools.http import OutboundHttp
from tools.registry import ToolContext, ToolResult, registry

PROCESS = f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"

log = structlog.get_logger("agentsite.runs")
http = OutboundHttp()


@dataclass(slots=True)
class Live:
    """A run that this process works on."""

    run: uuid.UUID
    attempt: int
    conversation: uuid.UUID
    task: "asyncio.Task[None]" = field(init=False)
    preview: Preview | None = None
    observed: Observed = field(default_factory=Observed)
    answer: str = ""
    stopping: bool = False
    outside_ran: bool = False

    @property
    def said(self) -> str:
        """What it has said so far: its whole answer, or the text of its model step that is not stored yet."""
        return self.answer or (self.preview.read() if self.preview else "")


live: dict[uuid.UUID, Live] = {}
_sending: set["asyncio.Task[Sent]"] = set()


async def send(
    owner: int, text: str, client_id: str, model: str, conversation: uuid.UUID | None, mode: str | None = None
) -> Sent:
    """Store a message, in a new conversation if there is none yet, and begin its run. `mode` None: as it was.

    Raises store.Refused or endpoints.NoModel, whose words are for the person. A sender who goes away in the middle
    changes nothing: what is stored is begun.
    """
    sending = asyncio.create_task(_send(owner, text, client_id, model, conversation, mode))
    _sending.add(sending)
    sending.add_done_callback(_sending.discard)
    return await asyncio.shield(sending)


async def _send(
    owner: int, text: str, client_id: str, model: str, conversation: uuid.UUID | None, mode: str | None
) -> Sent:
    model, at = await endpoints.chosen(model), now()
    if conversation is None:
        sent = await write(store.start_conversation, owner, text, client_id, model, PROCESS, at, mode or "")
    else:
        sent = await write(store.send, conversation, owner, text, client_id, model, PROCESS, at, mode)
    if sent.attempt:
        begin(sent.run, sent.attempt, sent.conversation)
    await hint(sent.conversation)
    return sent


def begin(run: uuid.UUID, attempt: int, conversation: uuid.UUID) -> None:
    """Start to work on a run that this process holds the lease of."""
    work = Live(run, attempt, conversation)
    live[run] = work
    work.task = asyncio.create_task(_drive(work), name=f"run {run}")


async def stop(conversation: uuid.UUID) -> bool:
    """Stop the runs of a conversation that this process works on; say whether there were any."""
    working = [work.run for work in live.values() if work.conversation == conversation]
    for run in working:
        drop(run)
    return bool(working)


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


async def hint(conversation: uuid.UUID) -> None:
    """Tell every viewer of a conversation, in any process, that there is something newer to read."""
    await get_channel_layer().group_send(group(conversation), {"type": "hint"})


def group(conversation: uuid.UUID) -> str:
    """Return the name of the channel layer's group for a conversation."""
    return f"conversation.{conversation.hex}"


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
        await begin_next(work.conversation)


async def _finish(work: Live) -> None:
    try:
        await _work(work)
    except asyncio.CancelledError:
        await _end(work, "stopped", "stopped")
    except store.StaleOwner:
        log.warning("run lost", reason="another process took it over, or it was deleted")
    except endpoints.NoModel as gone:
        await _end(work, "failed", "error", str(gone))
    except Exception:
        log.exception("run crashed")
        await _end(work, "failed", "crashed", "Something in the server failed. The log says more.")


async def _work(work: Live) -> None:
    """Drive the loop to its end."""
    run, task = await prepare(work.run)
    work.observed.model = run.model
    work.preview = preview.open_preview(run.pk, run.conversation_id, run.answer_id)
    memory = TurnMemory(run.message.owner_id, run.message_id, run.message.text, lambda: work.outside_ran, write)
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
    ended = Ended(now(), status, reason, work.said, error)
    try:
        await write(store.apply, work.run, work.attempt, (ended,))
    except store.StaleOwner:
        return
    work.observed.see((ended,))
    await hint(work.conversation)


async def begin_next(conversation: uuid.UUID) -> None:
    """Begin the run that waits in a conversation, if there is one."""
    if not await read(rows.has_queued, conversation):
        return
    try:
        taken = await write(store.take_queued, conversation, PROCESS, now())
    except store.Refused:  # the conversation was deleted
        return
    if taken:
        begin(*taken, conversation)
        await hint(conversation)
