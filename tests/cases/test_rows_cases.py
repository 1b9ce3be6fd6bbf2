"""Cases 61 to 64 and 77 to 80: what stops, dies, is cut in two or comes at once leaves rows to go on from."""

import asyncio
import socket
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.contrib.auth.models import User
from django.template.loader import render_to_string

from chat import rows, runs, store, trace
from chat.agent.events import ModelEnded, ModelStarted, ToolEnded, ToolStarted
from chat.db import read, write
from chat.frames import Send, parse
from chat.models import Message, Run, Step
from chat.viewer import Viewer
from chat.wire.values import Call, Reply
from tests import network
from tests.cases.rules import check_transcript
from tests.cases.running import PATIENCE, Outcome, Tools, answering, finished, in_memory, look, run_script, send, until
from tests.scripted import Body, Scripted, asks, call, delta, event, says

pytestmark = pytest.mark.django_db(transaction=True)

NOW = datetime(2026, 1, 1, tzinfo=UTC)


async def test_case_61_a_stop_in_mid_stream_closes_the_connection_and_keeps_what_was_said() -> None:
    async def told() -> None:
        await until(lambda: any(work.said for work in runs.live.values()))

    begun = [delta(content="Once upon"), *asks(call("look", '{"place": "Lon'))[:1]]
    outcome = await run_script(Body([event(chunk) for chunk in begun], hold=asyncio.Event()), stop_when=told)
    assert outcome.stopped_in < 1
    assert outcome.closed == 1
    assert (outcome.ending, outcome.answer) == (("stopped", "stopped"), "Once upon")
    assert outcome.of("model")[0].output["text"] == "Once upon"
    assert not outcome.ran
    assert not outcome.asked  # no call dangles


async def test_case_62_a_stop_during_tools_keeps_what_finished_and_answers_the_rest() -> None:
    async def hang() -> None:
        """Hang until stopped."""
        await asyncio.Event().wait()

    async def looked() -> None:
        await until(lambda: len(tools.ran) == 2)
        while not await read(Step.objects.filter(name="look", status="done").exists):  # noqa: ASYNC110  A row tells nobody that it changed.
            await asyncio.sleep(0)

    tools = Tools(look, hang)
    both = asks(call("look", {"place": "London"}, index=0), call("hang", {}, index=1))
    outcome = await run_script(both, tools=tools, stop_when=looked)
    assert outcome.stopped_in < 1
    assert outcome.ending == ("stopped", "stopped")
    assert [step.status for step in outcome.of("tool")] == ["done", "stopped"]
    assert outcome.results[0] == "London seen"
    assert "stopped by the user" in outcome.results[1]


def half_a_turn(results: int) -> store.Sent:
    """Leave a run as a process does that dies after the reply and so many of its two results."""
    owner = User.objects.create_user("alice").pk
    sent = store.start_conversation(owner, "Look!", str(uuid4()), "scripted", "gone:1:x", NOW)
    calls = tuple(Call(id_, "look", {"place": id_}) for id_ in "ab")
    store.apply(sent.run, sent.attempt, (ModelStarted(1, NOW, 1, "scripted", 0, "", 0),))
    started = [ToolStarted(number, NOW, 1, called) for number, called in enumerate(calls, 2)]
    store.apply(sent.run, sent.attempt, (ModelEnded(1, NOW, None, Reply("Let me look.", calls=calls), None), *started))
    for number in range(2, 2 + results):
        store.apply(sent.run, sent.attempt, (ToolEnded(number, NOW, "seen"),))
    return sent


async def request_after(conversation: UUID) -> dict[str, Any]:
    """Return the request that the next message of a conversation leads to, twice the same and valid."""
    bodies = []
    for _ in range(2):
        scripted = Scripted(says("Well."))
        async with in_memory(scripted) as served, answering(served):
            await finished(sent := await send("Go on", conversation))
        check_transcript(scripted.requests[0])
        bodies.append(scripted.requests[0])
        await write(Message.objects.filter(pk__gte=sent.message).delete)
    assert bodies[0] == bodies[1]
    return bodies[0]


@pytest.mark.parametrize("results", [0, 1, 2])
async def test_case_63_calls_that_a_dead_process_left_are_answered_and_the_conversation_goes_on(results: int) -> None:
    sent = await write(half_a_turn, results)
    await write(lambda: store.end_abandoned(Run.objects.get(pk=sent.run), NOW))
    request = await request_after(sent.conversation)
    contents = [message["content"] for message in request["messages"] if message["role"] == "tool"]
    assert contents[:results] == ["seen"] * results
    assert all("unknown" in content for content in contents[results:])
    assert len(contents) == 2


@pytest.mark.parametrize("lost", ["first result", "both results", "the calls", "doubled", "turned round"])
async def test_case_64_a_history_that_is_broken_is_repaired(lost: str) -> None:
    def breaks() -> store.Sent:
        sent = half_a_turn(2)
        store.end_abandoned(Run.objects.get(pk=sent.run), NOW)
        tools = Step.objects.filter(run=sent.run, kind="tool").order_by("number")
        model = Step.objects.filter(run=sent.run, kind="model")
        match lost:
            case "first result":
                Step.objects.filter(pk=tools[0].pk).delete()
            case "both results":
                tools.delete()
            case "the calls":
                tools.update(parent=None)
                model.delete()
            case "doubled":
                again = tools[1]
                again.pk, again.number, again.output = None, 9, {"text": "seen again"}
                again.save(force_insert=True)
            case "turned round":
                model.update(number=9)
        return sent

    sent = await write(breaks)
    request = await request_after(sent.conversation)
    contents = [message["content"] for message in request["messages"] if message["role"] == "tool"]
    seen = {"first result": 1, "both results": 0, "the calls": 0}.get(lost, 2)
    assert contents.count("seen") == seen
    assert len(contents) == (0 if lost == "the calls" else 2)


async def test_case_77_lone_surrogates_and_nul_survive_the_database_the_request_and_the_page() -> None:
    async def odd(text: str) -> str:
        """Return something odd."""
        return "\ud800 and \x00"

    frame = parse('{"client_id": "a", "message": "odd \\u0000 and \\ud800"}')
    assert isinstance(frame, Send)
    ask = asks(call("odd", '{"text": "\\ud83d\\u0000"}'), text="\udc00\x00")
    answer = [delta(content="Two halves: \ud83d"), delta(content="\ude00, one: \ud83d"), delta("stop")]
    outcome = await run_script(ask, answer, tools=Tools(odd), message=frame.message)
    assert outcome.answer == "Two halves: 😀, one: \ufffd"
    assert outcome.results == ["\ufffd and \ufffd"]
    for body in outcome.scripted.bodies:
        assert "\x00" not in body.decode("utf-8")
    page = await read(page_from, outcome.run.conversation_id)
    assert "\x00" not in page
    assert "😀, one: \ufffd" in page
    assert page.encode("utf-8")


def page_from(conversation: UUID, since: int = 0) -> str:
    """Return what a page is sent that has a conversation up to a revision."""
    viewer = Viewer(conversation)
    viewer.resume(since)
    return str(viewer.catch_up())


async def test_case_78_of_two_messages_the_second_waits_its_turn_and_is_seen_to() -> None:
    hold = asyncio.Event()
    rest = [event(chunk) for chunk in says(" And that is it.")] + [b"data: [DONE]\n\n"]
    scripted = Scripted(Body([event(delta(content="One."))], hold=hold, after=rest), says("Two."))
    async with in_memory(scripted) as served, answering(served), asyncio.timeout(PATIENCE):
        first = await send("First")
        second = await send("Second", first.conversation)
        assert (await read(Run.objects.get, pk=second.run)).status == "queued"
        assert 'data-status="queued"' in await read(page_from, first.conversation)
        await until(lambda: scripted.requests)
        assert len(scripted.requests) == 1
        hold.set()
        await finished(first)
        await finished(second)
    said = [message["content"] for message in scripted.requests[1]["messages"][1:]]
    assert said == ["First", "One. And that is it.", "Second"]
    check_transcript(scripted.requests[1])


def drawn(steps: list[Step], run: Run) -> dict[int, str]:
    """Draw steps, each by itself."""
    rowed = {step.pk: trace.row(step, run, 1) for step in steps}
    return {pk: render_to_string("chat/_step.html", {"row": row}) for pk, row in rowed.items()}


async def test_case_79_rows_read_from_any_revision_on_give_the_screen_that_all_rows_give() -> None:
    seen: dict[int, dict[int, str]] = {}

    def watch(run_id: UUID) -> None:
        run = Run.objects.get(pk=run_id)
        seen[run.revision] = drawn(rows.run_steps(run), run)

    async def look_and_watch(place: str) -> str:
        """Look at a place.

        Args:
            place: where
        """
        await read(watch, next(iter(runs.live)))
        return f"{place} seen"

    calls = [call("look_and_watch", {"place": place}, index=index) for index, place in enumerate(("London", "Tokyo"))]
    broken = Body([event(delta(content="Half"))])
    outcome = await run_script(
        asks(*calls, text="Let me look."), broken, asks(calls[0]), says("Seen."), tools=Tools(look_and_watch)
    )
    await read(follow, outcome, seen)


def follow(outcome: Outcome, seen: dict[int, dict[int, str]]) -> None:
    """From each page that was seen, and from an empty one, what is newer leads to what there is."""
    run = Run.objects.get(pk=outcome.run.pk)
    whole = drawn(rows.run_steps(run), run)
    assert len(seen) > 1
    for since, page in {0: {}, **seen}.items():
        found = rows.run_since(run.pk, since)
        assert found
        assert page | drawn(found[1], run) == whole
        assert [*page] == [*whole][: len(page)]
    assert rows.run_since(run.pk, run.revision) is None


async def test_case_80_a_tool_that_reaches_for_the_network_finds_none() -> None:
    def reach() -> None:
        """Reach for another machine."""
        with socket.socket() as found:
            found.connect(("192.0.2.1", 80))

    outcome = await run_script(asks(call("reach", {})), says("No."), tools=Tools(reach))
    assert "OutsideCall" in outcome.results[0]
    assert network.tried == ["socket.connect '192.0.2.1'"]
    network.tried.clear()


async def test_case_80_a_run_reaches_for_no_other_machine() -> None:
    await run_script(asks(call("look", {"place": "London"})), says("Seen."))
    assert network.tried == []
