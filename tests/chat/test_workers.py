"""What a job does with its run: begins it, waits for it, and takes nothing from it when it is cancelled."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from django.contrib.auth.models import User

from chat import hints, runs, store
from chat.agent.events import Ended
from chat.db import read, write
from chat.models import Run
from chat.store import Sent
from chat.wire.endpoint import Endpoint
from chat.worker import tasks
from tests.cases.running import PATIENCE, answering, until
from tests.chat.made import NOW
from tests.scripted import Body, Chunk, Scripted, delta, event, says

pytestmark = pytest.mark.django_db(transaction=True)
OTHER = "elsewhere:1:abc"


def endpoint(*replies: Sequence[Chunk] | Body) -> Endpoint:
    return Endpoint("http://scripted.invalid/v1", "", Scripted(*replies))


def stored(user: User, conversation: UUID | None = None, process: str = "") -> Sent:
    """A message whose run no process has begun, unless one is named."""
    if conversation:
        return store.send(conversation, user.pk, "And?", str(uuid4()), "m", process, NOW)
    return store.start_conversation(user.pk, "Hello", str(uuid4()), "m", process, NOW)


async def row(sent: Sent) -> Run:
    return await read(Run.objects.select_related("answer").get, pk=sent.run)


async def test_a_job_begins_its_run_and_is_done_when_that_has_ended(alice: User) -> None:
    sent = await write(stored, alice)
    async with answering(endpoint(says("Hi."))), asyncio.timeout(PATIENCE):
        await tasks.wait_for(sent.run)
    run = await row(sent)
    assert (run.status, run.answer.text, run.owner, run.attempt) == ("done", "Hi.", runs.PROCESS, 1)


async def test_a_job_that_is_cancelled_takes_nothing_from_its_run(alice: User) -> None:
    go_on = asyncio.Event()
    sent = await write(stored, alice)
    async with answering(endpoint(Body([event(delta(content="Hi."))], hold=go_on))), asyncio.timeout(PATIENCE):
        job = asyncio.create_task(tasks.wait_for(sent.run))
        await until(lambda: sent.run in runs.live and runs.live[sent.run].said)
        job.cancel()
        await asyncio.wait({job})
        assert job.cancelled()
        assert not runs.live[sent.run].stopping
        assert (await row(sent)).status == "running"


async def test_a_job_begins_nothing_that_another_process_works_on_and_waits_for_its_end(alice: User) -> None:
    sent = await write(stored, alice, None, OTHER)
    async with answering(endpoint()), asyncio.timeout(PATIENCE):
        job = asyncio.create_task(tasks.wait_for(sent.run))
        await until(lambda: sent.conversation in hints._watchers)
        await write(store.apply, sent.run, 1, (Ended(NOW, "done", "done", "Hi."),))
        hints.tell_here(sent.conversation)
        await job
    assert (await row(sent)).owner == OTHER


async def test_a_job_whose_run_is_over_or_deleted_is_done_at_once(alice: User) -> None:
    sent = await write(stored, alice, None, OTHER)
    await write(store.apply, sent.run, 1, (Ended(NOW, "done", "done", "Hi."),))
    async with asyncio.timeout(PATIENCE):
        await tasks.wait_for(sent.run)
        await tasks.wait_for(uuid4())


def test_what_waits_is_stopped_only_where_nothing_is_at_work(alice: User) -> None:
    first = stored(alice, None, OTHER)
    second = stored(alice, first.conversation)
    assert store.end_waiting(first.conversation, NOW) == 0
    store.apply(first.run, 1, (Ended(NOW, "done", "done", "Hi."),))
    assert store.end_waiting(first.conversation, NOW) == 1
    run = Run.objects.get(pk=second.run)
    assert (run.status, run.stop_reason, run.lease_until) == ("stopped", "stopped", None)


def test_what_was_stored_first_begins_first_whatever_the_clock_of_its_process_said(alice: User) -> None:
    first = store.start_conversation(alice.pk, "One", "a", "m", "", NOW)
    store.send(first.conversation, alice.pk, "Two", "b", "m", "", NOW - timedelta(hours=1))
    assert store.take_queued(first.conversation, OTHER, NOW) == (first.run, 1)
