"""`manage.py sweepruns`, and what becomes of runs whose conversation or account goes."""

import asyncio
from collections.abc import Iterator
from io import StringIO

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from structlog.testing import capture_logs

from agentsite.health import draining
from chat import process, runs, store
from chat.agent.clock import now
from chat.db import read, write
from chat.models import Run, Step
from chat.wire.endpoint import Endpoint
from tests.cases.running import answering, finished, until
from tests.faults.dying import DEAD
from tests.scripted import Body, Scripted, delta, event

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def _serving_again() -> Iterator[None]:
    """A command ends its process, and with it the mark that nothing new begins here."""
    yield
    draining.clear()


def swept(*options: str) -> str:
    out = StringIO()
    call_command("sweepruns", *options, stdout=out)
    return out.getvalue()


def abandoned(user: User) -> tuple[Run, Run]:
    """A run of a process that is dead, and one that waits behind it."""
    first = store.start_conversation(user.pk, "What is 6 * 7?", "a", "demo", DEAD, now())
    second = store.send(first.conversation, user.pk, "What is 6 * 8?", "b", "demo", DEAD, now())
    return Run.objects.get(pk=first.run), Run.objects.get(pk=second.run)


@pytest.mark.usefixtures("_serving_again")
def test_it_works_on_abandoned_runs_until_they_end_and_on_what_waited_behind_them(alice: User) -> None:
    first, second = abandoned(alice)
    said = swept()
    assert said == (
        f"{first.pk} is taken over.\n{second.pk} waited, and is begun.\n"
        f"{first.pk} ended: done.\n{second.pk} ended: done.\n"
    )
    for run, answer in ((first, "42"), (second, "48")):
        run.refresh_from_db()
        assert (run.status, run.stop_reason) == ("done", "done")
        assert answer in run.answer.text


@pytest.mark.usefixtures("_serving_again")
def test_with_end_they_end_as_crashed(alice: User) -> None:
    first, second = abandoned(alice)
    assert swept("--end") == (
        f"{first.pk} ended: crashed. "
        "The server stopped while this run was at work. What it had found stands in its trace.\n"
    )
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.status, second.status) == ("failed", "queued")


@pytest.mark.usefixtures("_serving_again")
def test_what_others_work_on_is_left_alone(alice: User) -> None:
    sent = store.start_conversation(alice.pk, "Hello", "a", "demo", "another-machine:1:x", now())
    assert swept() == "There is nothing to take over.\n1 run left to the processes that work on them.\n"
    assert Run.objects.get(pk=sent.run).attempt == 1


async def test_a_run_that_is_deleted_before_it_reads_what_it_begins_with_is_no_crash(alice: User) -> None:
    sent = await write(store.start_conversation, alice.pk, "Hello", "a", "demo", runs.PROCESS, now())
    await write(store.delete_conversations, [sent.conversation], now())
    with capture_logs() as logs:
        runs.begin(sent.run, sent.attempt, sent.conversation)
        await runs.live[sent.run].task
    assert [line["event"] for line in logs] == ["run lost"]


async def test_an_account_that_is_deleted_ends_its_runs_and_leaves_no_rows(alice: User) -> None:
    script = Scripted(Body([event(delta(content="Once"))], hold=asyncio.Event()))
    async with answering(Endpoint("http://scripted.invalid/v1", "", script)):
        sent = await runs.send(alice.pk, "Hello", "a", "", None)
        async with asyncio.timeout(20):
            await until(lambda: runs.live[sent.run].said)
        await write(store.delete_accounts, [alice.pk])
        await process.drop_lost_runs()
        await finished(sent)
    assert sent.run not in runs.live
    assert not await read(Run.objects.exists)
    assert not await read(Step.objects.exists)
