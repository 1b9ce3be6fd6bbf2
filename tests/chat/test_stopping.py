"""A stop is stored, and whoever works on the run acts on it."""

import asyncio
from uuid import uuid4

import pytest
from django.contrib.auth.models import User

from chat import process, rows, runs, store
from chat.db import read, write
from chat.models import Run
from tests.cases.running import answering, finished, in_memory, send, until
from tests.chat.made import NOW
from tests.scripted import Body, Scripted, delta, event

pytestmark = pytest.mark.django_db(transaction=True)
OTHER = "elsewhere:1:abc"


async def test_a_stop_here_is_kept_for_the_process_that_works_on_the_run(alice: User) -> None:
    sent = await write(store.start_conversation, alice.pk, "Hello", str(uuid4()), "m", OTHER, NOW)
    assert await read(rows.runs_of, OTHER) == {sent.run}
    assert await runs.stop(sent.conversation)
    assert (await read(Run.objects.get, pk=sent.run)).stopping
    assert await read(rows.runs_of, OTHER) == set()


async def test_nothing_to_stop_is_said() -> None:
    assert not await runs.stop(uuid4())


async def test_a_run_that_waits_is_not_stopped_with_the_one_before_it(alice: User) -> None:
    first = await write(store.start_conversation, alice.pk, "Hello", str(uuid4()), "m", OTHER, NOW)
    second = await write(store.send, first.conversation, alice.pk, "And?", str(uuid4()), "m", OTHER, NOW)
    await runs.stop(first.conversation)
    assert not (await read(Run.objects.get, pk=second.run)).stopping


async def test_a_stop_from_elsewhere_ends_a_run_of_ours_with_what_it_had_said(alice: User) -> None:
    scripted = Scripted(Body([event(delta(content="Once upon"))], hold=asyncio.Event()))
    async with in_memory(scripted) as served, answering(served):
        sent = await send("Tell me a story")
        await until(lambda: runs.live[sent.run].said)
        await write(store.ask_to_stop, sent.conversation)  # as another process does
        await process.drop_lost_runs()
        await finished(sent)
    run = await read(Run.objects.select_related("answer").get, pk=sent.run)
    assert (run.status, run.stop_reason, run.answer.text) == ("stopped", "stopped", "Once upon")
