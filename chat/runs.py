"""Starts runs and stops them. A run is a task of the process, not of any socket; what it does is in `driving`."""

import asyncio
import uuid
from collections.abc import Callable, Coroutine, Iterable
from typing import Any, TypeVar

import structlog

from agentsite.health import draining
from agentsite.runner import hands_on
from chat import away, driving, endpoints, hints, rows, store
from chat.agent.clock import now
from chat.away import Away
from chat.db import read, write
from chat.driving import Live
from chat.owners import this_process
from chat.store import Sent

T = TypeVar("T")

PROCESS = str(this_process())

log = structlog.get_logger("agentsite.runs")

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
    return "" if draining.is_set() or (hands_on() and not here) else PROCESS


async def _begin(sent: Sent) -> None:
    if sent.attempt:
        begin(sent.run, sent.attempt, sent.conversation)
    await hint(sent.conversation)


def begin(run: uuid.UUID, attempt: int, conversation: uuid.UUID) -> None:
    """Start to work on a run that this process holds the lease of; or let go of it, where it has begun to drain."""
    left = driving.let_go.pop(run, None)
    work = Live(run, attempt, conversation, times=left.times if left else 0)
    live[run] = work
    work.task = asyncio.create_task(_work(work), name=f"run {run}")
    if draining.is_set():
        leave(run)


async def _work(work: Live) -> None:
    """Work on a run to its end, whatever happens, then begin the one that waits behind it."""
    try:
        await driving.drive(work)
    finally:
        live.pop(work.run, None)
    if hands_on():  # its own job does, in whichever worker has a place for it
        return
    try:
        await begin_next(work.conversation)
    except Away as gone:  # the sweep finds what waits
        away.complain(gone.reason)
    except Exception:
        log.exception("next run not begun", conversation=str(work.conversation))


async def stop(conversation: uuid.UUID, only: uuid.UUID | None = None) -> bool:
    """Stop the run at work in a conversation, or `only` this one if it is; say if there was one.

    Whichever process works on it: one of this process stops at once; what is stored reaches the others, and whoever
    takes over where one dies.
    Where there are workers, and none of them has taken the run yet, it is ended as it is.
    """
    here = [work.run for work in live.values() if work.conversation == conversation and only in (None, work.run)]
    for run in here:
        drop(run)
    only = here[0] if here else only  # the next one may begin before this is stored, and nobody asked for its end
    asked = await write(store.ask_to_stop, conversation, only)
    if asked:
        hints.tell_others(conversation, stop=True)
    elif hands_on() and not here and await read(rows.has_queued, conversation):
        asked = await write(store.end_waiting, conversation, now(), only)
        await hint(conversation)
    return bool(here or asked)


async def stop_and_send(conversation: uuid.UUID, message: int) -> None:
    """Stop what is at work in a conversation, and begin the run of a message that waits. Raises store.Refused."""
    at_work = await write(store.put_first, conversation, message)
    if not (at_work and await stop(conversation, only=at_work)) and not hands_on():
        await begin_next(conversation)


async def delete(conversation: uuid.UUID) -> None:
    """Delete a conversation with all that is in it; what is at work in it is stopped."""
    await stop(conversation)
    await forget(await write(store.delete_conversations, [conversation], now()))


async def forget(conversations: Iterable[uuid.UUID]) -> None:
    """Let go of what is at work in conversations that were deleted, in any process, and tell whoever looks at them."""
    gone = set(conversations)
    for work in tuple(live.values()):
        if work.conversation in gone:
            drop(work.run)
    for conversation in gone:
        hints.tell_here(conversation)
        hints.tell_others(conversation, stop=True)


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


async def begin_next(conversation: uuid.UUID) -> None:
    """Begin the run that waits in a conversation, if there is one, and this process takes new ones."""
    await to_its_end(_take_next(conversation))


async def _take_next(conversation: uuid.UUID) -> None:
    if draining.is_set() or not await read(rows.has_queued, conversation):
        return
    try:
        taken = await write(store.take_queued, conversation, PROCESS, now())
    except store.Refused:  # the conversation was deleted
        return
    if taken:
        begin(*taken, conversation)
        await hint(conversation)
