"""What a sweep takes over, whatever is wrong with a run before it."""

from collections.abc import AsyncIterator, Callable

import pytest
import structlog
from django.contrib.auth.models import User

from chat import driving, endpoints, process, runs, store
from chat.agent.clock import now
from chat.db import read, write
from chat.driving import Live
from chat.models import Run, Step
from chat.preview import Preview
from chat.store import Sent
from chat.sweep import sweep
from tests.cases.running import finished
from tests.faults.dying import DEAD
from tests.scripted import Scripted, endpoint, says

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
async def answers() -> AsyncIterator[Callable[[], Scripted]]:
    def use() -> Scripted:
        served, script = endpoint(says("Hi."))
        endpoints.use(served)
        return script

    yield use
    endpoints.use(None)


def begun(user: User, name: str, owner: str) -> Sent:
    return store.start_conversation(user.pk, name, name, "scripted", owner, now())


def make_bad(run: Run) -> None:
    """Give a run a row that nobody can make sense of."""
    Step.objects.create(
        run=run, number=1, kind="resumed", name="Resumed", status="done", started=now(), born=1, revision=1, input=[]
    )  # fmt: skip


async def test_a_run_that_cannot_be_taken_over_holds_up_none_behind_it_and_is_told_of_once(
    alice: User, answers: Callable[[], Scripted]
) -> None:
    answers()
    bad, good = [await write(begun, alice, name, DEAD) for name in ("bad", "good")]
    await write(lambda: make_bad(Run.objects.get(pk=bad.run)))
    with structlog.testing.capture_logs() as logs:
        swept = await sweep()
        await finished(good)
        assert (await sweep()).taken == []
    assert (swept.taken, swept.elsewhere) == ([good.run], [bad.run])
    assert (await read(Run.objects.get, pk=good.run)).status == "done"
    assert [line["what"] for line in logs if line["event"] == "not swept"] == [str(bad.run)]


async def test_a_run_that_was_let_go_of_goes_on_here_and_says_why_and_one_that_was_to_stop_is_stopped(
    alice: User, answers: Callable[[], Scripted]
) -> None:
    answers()
    goes_on, stops = [await write(begun, alice, name, runs.PROCESS) for name in ("goes on", "stops")]
    driving.let_go[goes_on.run], driving.let_go[stops.run] = driving.LetGo(False, 1), driving.LetGo(True, 1)
    swept = await sweep()
    await finished(goes_on)
    await sweep()
    assert (swept.taken, swept.ended, driving.let_go) == ([goes_on.run], [stops.run], {})
    step = await read(Step.objects.get, run=goes_on.run, kind="resumed")
    assert step.input == {"attempt": 2, "away": True}
    ended = [await read(Run.objects.get, pk=sent.run) for sent in (goes_on, stops)]
    assert [run.stop_reason for run in ended] == ["done", "stopped"]


async def test_text_counts_as_kept_only_once_it_is_stored(alice: User) -> None:
    sent = await write(begun, alice, "Hello", runs.PROCESS)
    showing = Preview(sent.conversation, 1)
    showing.add(1, "Once upon a time")
    work = runs.live[sent.run] = Live("no id", 1, sent.conversation, preview=showing)  # type: ignore[arg-type]
    try:
        with pytest.raises(Exception, match="no id"):
            await process.flush_previews()
        assert showing.flushed == 0
        work.run = sent.run
        await process.flush_previews()
        assert showing.flushed == len("Once upon a time")
    finally:
        del runs.live[sent.run]
