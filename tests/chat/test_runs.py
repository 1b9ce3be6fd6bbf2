"""Runs from the message to the last row, with a scripted endpoint: what is stored, in which order, and what can be
made again from it."""

import asyncio
import hashlib
import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import User

from chat import rows, runs, store
from chat.agent.events import ModelStarted
from chat.db import read, write
from chat.history import request_again
from chat.models import Conversation, Fact, Message, Run, Step, ToolCall
from chat.store import Sent
from tests.chat.conftest import Script
from tests.scripted import Body, asks, call, delta, event, says
from tools.registry import tool

pytestmark = pytest.mark.django_db(transaction=True)

NOW = datetime(2026, 1, 1, tzinfo=UTC)
WEATHER = asks(call("get_weather", {"city": "London"}, index=0), call("get_weather", {"city": "Tokyo"}, index=1))
USAGE = {"prompt_tokens": 100, "completion_tokens": 7}


began = asyncio.Event()


@tool(outside=False)
async def hang() -> None:
    """Hang until stopped."""
    began.set()
    await asyncio.Event().wait()


async def ask(user: User, text: str = "Hello", conversation: Any = None) -> Sent:
    return await runs.send(user.pk, text, str(uuid4()), "", conversation)


async def answered(user: User, text: str = "Hello", conversation: Any = None) -> Run:
    sent = await ask(user, text, conversation)
    await finished(sent)
    return await read(Run.objects.select_related("answer").get, pk=sent.run)


async def finished(sent: Sent) -> None:
    async with asyncio.timeout(20):
        while sent.run in runs.live:
            await asyncio.wait({runs.live[sent.run].task})


async def test_a_run_is_stored_with_its_steps_its_answer_and_its_sums(alice: User, script: Script) -> None:
    script(WEATHER, says("Warm", " in Tokyo.", usage=USAGE))
    run = await answered(alice, "What's the weather in London and Tokyo?")
    assert (run.status, run.stop_reason, run.answer.text) == ("done", "done", "Warm in Tokyo.")
    assert (run.turns, run.tools) == (2, {"get_weather": 2})
    reported = await read(lambda: [(s.tokens, s.estimated) for s in run.steps.filter(kind="model").order_by("number")])
    assert reported[1] == (107, False)
    assert reported[0][1]  # of the first reply the endpoint reported nothing, so that is a guess, and the sum is one
    assert run.estimated
    assert run.tokens == sum(tokens or 0 for tokens, _ in reported)
    steps = await read(lambda: [(s.number, s.kind, s.name, s.status) for s in run.steps.order_by("number")])
    assert steps == [
        (1, "memory", "Memory", "done"),
        (2, "model", "scripted", "done"),
        (3, "tool", "get_weather", "done"),
        (4, "tool", "get_weather", "done"),
        (5, "model", "scripted", "done"),
    ]
    first = await read(ToolCall.objects.get, run=run, number=3)
    assert first.input["arguments"] == {"city": "London"}
    assert json.loads(first.output["text"])["temperature_celsius"] == 14


async def test_every_request_can_be_made_again_from_rows_byte_for_byte(alice: User, script: Script) -> None:
    await read(Fact.objects.create, owner=alice, text="Lives in Berlin")
    scripted = script(
        WEATHER, says("Warm."), asks(call("calculate", {"expression": "1/0"}), text="Let me see."), says("It fails.")
    )
    first = await answered(alice, "What's the weather in London and Tokyo?")
    await answered(alice, "And 1/0?", first.conversation_id)
    steps = await read(lambda: list(Step.objects.filter(kind="model").select_related("run").order_by("id")))
    assert len(steps) == 4
    for step, sent in zip(steps, scripted.bodies, strict=True):
        assert await read(request_again, step) == sent
        assert hashlib.sha256(sent).hexdigest() == step.input["sha256"]
    assert "Lives in Berlin" in scripted.bodies[0].decode()


async def test_a_run_of_two_turns_and_a_tool_takes_at_most_six_commits(alice: User, script: Script) -> None:
    script(asks(call("calculate", {"expression": "6 * 7"})), says("4", "2"))
    run = await answered(alice)
    # The message and its run are one; each revision of the run is one more.
    assert 1 + run.revision <= 6
    conversation = await read(Conversation.objects.get, pk=run.conversation_id)
    assert conversation.revision == 2  # its messages came, and its run ended


async def test_revisions_of_a_run_have_no_gap(alice: User, script: Script) -> None:
    script(WEATHER, says("Warm."))
    run = await answered(alice)
    born = await read(lambda: set(run.steps.values_list("born", flat=True)))
    changed = await read(lambda: set(run.steps.values_list("revision", flat=True)))
    assert max(changed) == run.revision
    assert born | changed <= set(range(1, run.revision + 1))


async def test_an_intent_is_stored_before_its_effect(alice: User, script: Script) -> None:
    hold = asyncio.Event()
    scripted = script(Body([event(delta(content="Once"))], hold=hold))
    sent = await ask(alice)
    async with asyncio.timeout(20):
        while not scripted.bodies:  # noqa: ASYNC110  The endpoint tells nobody that it was asked.
            await asyncio.sleep(0)
    step = await read(Step.objects.get, run=sent.run, kind="model")
    assert step.status == "running"
    await runs.stop(sent.conversation)
    await finished(sent)


async def test_a_stopped_run_keeps_what_was_said_and_the_conversation_goes_on(alice: User, script: Script) -> None:
    scripted = script(Body([event(delta(content="Once upon"))], hold=asyncio.Event()), says("Well."))
    sent = await ask(alice, "Tell me a story")
    async with asyncio.timeout(20):
        while not runs.live[sent.run].said:  # noqa: ASYNC110  What is said wakes viewers, and a test is none.
            await asyncio.sleep(0)
    assert await runs.stop(sent.conversation)
    await finished(sent)
    run = await read(Run.objects.select_related("answer").get, pk=sent.run)
    assert (run.status, run.stop_reason, run.answer.text) == ("stopped", "stopped", "Once upon")
    assert scripted.closed == 1
    assert (await answered(alice, "Go on", sent.conversation)).status == "done"
    assert scripted.requests[1]["messages"][-2:] == [
        {"role": "assistant", "content": "Once upon"},
        {"role": "user", "content": "Go on"},
    ]


async def test_tools_that_were_stopped_are_answered_so_that_the_conversation_stays_valid(
    alice: User, script: Script
) -> None:
    scripted = script(asks(call("hang", {})), says("Well."))
    sent = await ask(alice)
    async with asyncio.timeout(20):
        await began.wait()
    await runs.stop(sent.conversation)
    await finished(sent)
    step = await read(ToolCall.objects.get, run=sent.run)
    assert step.status == "stopped"
    await answered(alice, "Go on", sent.conversation)
    assert "stopped by the user" in scripted.requests[1]["messages"][-2]["content"]


async def test_a_second_message_waits_for_the_first_and_knows_its_answer(alice: User, script: Script) -> None:
    hold = asyncio.Event()
    last = event(delta("stop")) + b"data: [DONE]\n\n"
    scripted = script(Body([event(delta(content="One."))], hold=hold, after=[last]), says("Two."))
    first = await ask(alice, "First")
    second = await ask(alice, "Second", first.conversation)
    assert second.attempt == 0
    assert (await read(Run.objects.get, pk=second.run)).status == "queued"
    hold.set()
    async with asyncio.timeout(20):
        while second.run not in runs.live:  # noqa: ASYNC110  It begins when the first one is over.
            await asyncio.sleep(0)
    await finished(second)
    assert [message["content"] for message in scripted.requests[1]["messages"][1:]] == ["First", "One.", "Second"]


async def test_a_stale_owner_is_refused_and_changes_nothing(alice: User, script: Script) -> None:
    script(says("Hello"))
    run = await answered(alice)
    with pytest.raises(store.StaleOwner):
        await write(store.raise_run, run.pk, run.attempt)
    assert (await read(Run.objects.get, pk=run.pk)).revision == run.revision


async def test_writes_that_wait_together_fail_alone(alice: User) -> None:
    def refuse() -> None:
        Conversation.objects.update(title="changed")
        raise store.Refused("no")

    conversation = await read(lambda: Conversation.objects.create(owner=alice, title="a", created=NOW, updated=NOW))
    results = await asyncio.gather(
        write(store.raise_conversation, conversation.pk),
        write(refuse),
        write(store.raise_conversation, conversation.pk),
        return_exceptions=True,
    )
    assert results[0] == 1
    assert isinstance(results[1], store.Refused)
    assert results[2] == 2
    assert (await read(Conversation.objects.get, pk=conversation.pk)).title == "a"


async def test_a_resend_of_the_first_message_is_the_same_conversation(alice: User, script: Script) -> None:
    script(says("Hello"))
    client_id = str(uuid4())
    first = await runs.send(alice.pk, "Hello", client_id, "", None)
    again = await runs.send(alice.pk, "Hello", client_id, "", None)
    await finished(first)
    assert (again.conversation, again.message, again.fresh) == (first.conversation, first.message, False)
    assert await read(Message.objects.count) == 2


async def test_a_run_that_is_ended_as_crashed_keeps_what_it_had_said(alice: User, script: Script) -> None:
    def begin() -> Sent:
        sent = store.start_conversation(alice.pk, "Hello", "id", "m", "gone:1:x", NOW)
        store.apply(sent.run, sent.attempt, (ModelStarted(1, NOW, 1, "m", 0, "", 0),))
        store.flush([(sent.run, sent.attempt, 1, "Half an ans", "")])
        return sent

    sent = await write(begin)
    await write(lambda: store.end_abandoned(Run.objects.get(pk=sent.run), NOW))
    run = await read(Run.objects.select_related("answer").get, pk=sent.run)
    assert (run.status, run.stop_reason, run.answer.text) == ("failed", "crashed", "Half an ans")
    assert await read(lambda: list(run.steps.values_list("status", flat=True))) == ["unknown"]


async def test_an_endpoint_that_fails_is_a_failed_run_with_words_for_a_person(alice: User, script: Script) -> None:
    script(Body([b'{"error": {"message": "bad key"}}'], 401, {"content-type": "application/json"}))
    run = await answered(alice)
    assert (run.status, run.stop_reason) == ("failed", "error")
    assert "refused the key" in run.error


async def test_known_prices_become_a_cost(alice: User, script: Script) -> None:
    script(says("Hi", usage={"prompt_tokens": 10, "completion_tokens": 1, "cost": 0.00025}))
    assert (await answered(alice)).cost == Decimal("0.00025")


async def test_a_deleted_conversation_ends_its_run_and_leaves_no_rows(alice: User, script: Script) -> None:
    script(Body([event(delta(content="Once"))], hold=asyncio.Event()))
    sent = await ask(alice)
    async with asyncio.timeout(20):
        while not runs.live[sent.run].said:  # noqa: ASYNC110  What is said wakes viewers, and a test is none.
            await asyncio.sleep(0)
    await write(lambda: Conversation.objects.filter(pk=sent.conversation).delete())
    await runs.stop(sent.conversation)
    await finished(sent)
    assert not await read(Run.objects.exists)
    assert not await read(Step.objects.exists)


async def test_a_sender_that_goes_away_in_the_middle_leaves_a_run_that_is_begun(alice: User, script: Script) -> None:
    script(says("Hello"))
    client_id = str(uuid4())
    sending = asyncio.create_task(runs.send(alice.pk, "Hello", client_id, "", None))
    await asyncio.sleep(0)
    sending.cancel()
    await asyncio.wait({sending})
    again = await runs.send(alice.pk, "Hello", client_id, "", None)
    await finished(again)
    assert (await read(Run.objects.get, pk=again.run)).status == "done"


async def test_a_conversation_can_be_deleted_while_its_run_writes(alice: User, script: Script) -> None:
    script(Body([event(delta(content="Once"))], hold=asyncio.Event()))
    sent = await ask(alice)
    async with asyncio.timeout(20):
        while not runs.live[sent.run].said:  # noqa: ASYNC110  What is said wakes viewers, and a test is none.
            await asyncio.sleep(0)
    await runs.delete(sent.conversation)
    await finished(sent)
    assert not await read(Conversation.objects.exists)


async def test_a_page_never_gets_a_step_twice(alice: User, script: Script) -> None:
    script(WEATHER, says("Warm."))
    run = await answered(alice)
    early = await read(Run.objects.get, pk=run.pk)
    early.revision = 2  # as it was read a moment before
    held = {step.pk for step in await read(rows.run_steps, early)}
    found = await read(rows.run_since, run.pk, 2)
    assert found is not None
    assert not held & {step.pk for step in found[1] if step.born > 2}
