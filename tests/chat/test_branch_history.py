"""What a model is sent on a branch: what was said there, and nothing of the branches beside it."""

import asyncio
import hashlib
from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.contrib.auth.models import User

from chat import acts, runs, store
from chat.agent.transcript import GO_ON
from chat.db import read, write
from chat.frames import Continue, Edit, Regenerate, Show, StopAndSend, Unqueue
from chat.history import request_again
from chat.models import Conversation, Fact, Message, Run, Step
from tests.cases.rules import check_transcript
from tests.chat.conftest import Script
from tests.scripted import Body, Scripted, asks, call, delta, event, says

pytestmark = pytest.mark.django_db(transaction=True)

RESULT = '{"expression":"6*7","result":42}'


async def ask(user: User, text: str, conversation: UUID | None = None) -> UUID:
    sent = await runs.send(user.pk, text, str(uuid4()), "", conversation)
    await idle()
    return sent.conversation


async def idle() -> None:
    """Wait until nothing is at work, nor begins: between two runs that follow each other none is live."""
    async with asyncio.timeout(20):
        while at_work := {work.task for work in runs.live.values()} | runs.starting:
            await asyncio.wait(at_work)


async def do(user: User, conversation: UUID, frame: Any) -> str:
    text = await acts.act(user.pk, await read(Conversation.objects.get, pk=conversation), frame)
    await idle()
    return text


async def named(conversation: UUID, text: str) -> int:
    return (await read(Message.objects.get, conversation=conversation, text=text)).pk


def told(request: dict[str, Any]) -> list[str]:
    return [message["content"] for message in request["messages"][1:] if "content" in message]


async def made_again(scripted: Scripted) -> None:
    """Every request is made again from rows, byte for byte."""
    steps = await read(lambda: list(Step.objects.filter(kind="model").select_related("run").order_by("id")))
    kept = {hashlib.sha256(body).hexdigest(): body for body in scripted.bodies}
    for step in steps:
        assert await read(request_again, step) == kept[step.input["sha256"]]


async def test_an_edited_message_is_sent_without_what_the_old_one_led_to(alice: User, script: Script) -> None:
    scripted = script(says("One."), asks(call("calculate", {"expression": "6*7"})), says("42."), says("Edited."))
    here = await ask(alice, "A")
    await ask(alice, "B", here)
    await do(alice, here, Edit(action="edit", message_id=await named(here, "B"), message="B2"))

    assert told(scripted.requests[-1]) == ["A", "One.", "B2"]
    await made_again(scripted)


async def test_a_regenerated_answer_is_asked_for_with_the_same_request_as_the_first(
    alice: User, script: Script
) -> None:
    scripted = script(says("One."), says("Two."), says("Two again."))
    here = await ask(alice, "A")
    await ask(alice, "B", here)
    await do(alice, here, Regenerate(action="regenerate", message_id=await named(here, "Two.")))

    assert scripted.bodies[2] == scripted.bodies[1]


async def test_each_branch_goes_on_with_its_own_past(alice: User, script: Script) -> None:
    scripted = script(says("One."), says("Other."), says("To the first."), says("To the other."))
    here = await ask(alice, "A")
    await do(alice, here, Edit(action="edit", message_id=await named(here, "A"), message="A2"))
    await do(alice, here, Show(action="show", message_id=await named(here, "A")))
    await ask(alice, "B", here)
    assert told(scripted.requests[-1]) == ["A", "One.", "B"]
    await do(alice, here, Show(action="show", message_id=await named(here, "A2")))
    await ask(alice, "C", here)
    assert told(scripted.requests[-1]) == ["A2", "Other.", "C"]
    await made_again(scripted)


async def test_a_run_that_goes_on_has_the_turns_of_the_one_before_and_is_told_to_go_on(
    alice: User, script: Script
) -> None:
    hold = asyncio.Event()
    looking = asks(call("calculate", {"expression": "6*7"}))
    scripted = script(looking, Body([event(delta(content="It is 4"))], hold=hold), says("2."), says("Well."))
    sent = await runs.send(alice.pk, "A", str(uuid4()), "", None)
    async with asyncio.timeout(20):
        while not runs.live[sent.run].said:  # noqa: ASYNC110  What is said wakes viewers, and a test is none.
            await asyncio.sleep(0)
    await runs.stop(sent.conversation)
    await idle()
    await do(
        alice, sent.conversation, Continue(action="continue", message_id=await named(sent.conversation, "It is 4"))
    )

    check_transcript(scripted.requests[2])
    assert told(scripted.requests[2]) == ["A", RESULT, "It is 4", GO_ON]
    assert (await read(Run.objects.exclude(continues=None).get)).continues_id == sent.run

    await ask(alice, "B", sent.conversation)
    assert told(scripted.requests[3]) == ["A", RESULT, "It is 4", GO_ON, "2.", "B"]
    await made_again(scripted)


async def test_a_run_that_goes_on_remembers_nothing_because_what_was_before_may_be_from_outside(
    alice: User, script: Script
) -> None:
    script(says("Half"), asks(call("remember", {"fact": "I live in Berlin"})), says("Well."))
    here = await ask(alice, "Remember that I live in Berlin")
    await read(Run.objects.update, status="stopped", stop_reason="stopped")
    await do(alice, here, Continue(action="continue", message_id=await named(here, "Half")))

    assert "text from outside" in (await read(Step.objects.get, name="remember")).output["text"]
    assert not await read(Fact.objects.exists)


async def test_a_forks_requests_are_made_again_from_its_own_rows(alice: User, script: Script) -> None:
    scripted = script(asks(call("calculate", {"expression": "6*7"})), says("42."), says("Well."))
    here = await ask(alice, "A")
    there = await runs.fork(here, await named(here, "42."), "fork")
    await runs.delete(here)
    await ask(alice, "B", there)

    assert told(scripted.requests[2]) == ["A", RESULT, "42.", "B"]
    await made_again(scripted)


async def test_a_fork_from_a_question_is_answered_in_the_fork(alice: User, script: Script) -> None:
    scripted = script(says("One."), says("Another."))
    here = await ask(alice, "A")
    there = await runs.fork(here, await named(here, "A"), "fork")
    await idle()

    assert scripted.bodies[0] == scripted.bodies[1]
    assert await named(there, "Another.")


async def held(
    alice: User, script: Script, *replies: Sequence[dict[str, Any]] | Body
) -> tuple[UUID, store.Sent, store.Sent]:
    """A conversation whose first message is being answered, and two that wait."""
    script(Body([event(delta(content="On and"))], hold=asyncio.Event()), *replies)
    first = await runs.send(alice.pk, "A", str(uuid4()), "", None)
    waiting = [await runs.send(alice.pk, text, str(uuid4()), "", first.conversation) for text in "BC"]
    await said(first)
    return first.conversation, waiting[0], waiting[1]


async def said(sent: store.Sent) -> None:
    """Wait until a run that waits has begun and said something. That wakes viewers, and a test is none."""
    async with asyncio.timeout(20):
        while not (sent.run in runs.live and runs.live[sent.run].said):  # noqa: ASYNC110
            await asyncio.sleep(0)


def slowly(hold: asyncio.Event, text: str) -> Body:
    """A reply of one word, and of this text once it is let go on."""
    return Body([event(delta(content="Well. "))], hold=hold, after=[*map(event, says(text)), b"data: [DONE]\n\n"])


async def test_stop_and_send_stops_what_is_at_work_and_begins_the_one_it_names(alice: User, script: Script) -> None:
    here, _, third = await held(alice, script, says("Third."), says("Second."))

    await do(alice, here, StopAndSend(action="stop_and_send", message_id=third.message))

    said = await read(lambda: dict(Run.objects.values_list("message__text", "answer__text")))
    assert said == {"A": "On and", "B": "Second.", "C": "Third."}
    began = await read(lambda: list(Run.objects.order_by("started").values_list("message__text", "status")))
    assert began == [("A", "stopped"), ("C", "done"), ("B", "done")]


async def test_what_is_taken_back_is_never_sent(alice: User, script: Script) -> None:
    here, second, _ = await held(alice, script, says("Third."))

    assert await acts.act(
        alice.pk, await read(Conversation.objects.get, pk=here), Unqueue(action="unqueue", message_id=second.message)
    ) == "B"  # fmt: skip
    await runs.stop(here)
    await idle()

    assert not await read(Message.objects.filter(text="B").exists)
    assert await named(here, "Third.")


async def test_a_second_stop_and_send_for_the_same_message_stops_nothing(alice: User, script: Script) -> None:
    hold = asyncio.Event()
    here, second, _ = await held(alice, script, slowly(hold, "Second."), says("Third."))
    frame = StopAndSend(action="stop_and_send", message_id=second.message)
    await runs.stop_and_send(here, second.message)
    await said(second)
    with pytest.raises(store.Refused, match="does not wait any more"):
        await acts.act(alice.pk, await read(Conversation.objects.get, pk=here), frame)
    hold.set()
    await idle()
    assert await named(here, "Well. Second.")
    assert await named(here, "Third.")


async def test_what_begins_between_the_two_halves_of_a_stop_and_send_is_not_stopped(
    alice: User, script: Script
) -> None:
    """What was at work may end by itself just then, and what follows may be over soon, too."""
    hold = asyncio.Event()
    here, second, third = await held(alice, script, says("Third."), slowly(hold, "Second."))
    at_work = await write(store.put_first, here, third.message)
    await runs.stop(here)
    await said(second)
    assert not await runs.stop(here, only=at_work)
    hold.set()
    await idle()
    assert await named(here, "Third.")
    assert (await read(Run.objects.get, pk=second.run)).status == "done"
