"""One request, until there is a whole reply: what is waited for, what is taken over, and what is never shown twice."""

import asyncio
from typing import Any

import httpx2
import pytest

from chat.agent.asking import ATTEMPTS, Asking
from chat.agent.events import (
    Ended,
    Event,
    ModelEnded,
    ModelFailed,
    ModelStarted,
    TextDelta,
    ToolEnded,
    WaitEnded,
    WaitStarted,
)
from chat.agent.limits import Budget, Limits
from chat.agent.loop import run
from chat.agent.transcript import Frozen
from chat.wire.endpoint import Endpoint, Target
from chat.wire.gate import Gate
from tests.agent.working import ended, events, of, refusal, task
from tests.scripted import Body, Chunk, Scripted, asks, call, delta, event, says
from tests.scripted import endpoint as scripted
from tools.registry import ToolResult

# The model that takes over.


async def test_after_all_attempts_the_fallback_takes_over_and_stays() -> None:
    main, first = scripted(*[refusal("on fire", 500)] * ATTEMPTS)
    other, second = scripted(asks(call("look", {"place": "here"})), says("A tree."))
    found = await events(task(Target(main, "strong"), Target(other, "spare")))
    assert ended(found).text == "A tree."
    assert [one.model for one in of(ModelStarted, found)] == ["strong"] * ATTEMPTS + ["spare"] * 2
    waits = of(WaitStarted, found)
    assert waits[-1].reason.endswith("The model spare takes over.")
    assert "on fire" in waits[-1].reason
    assert len(of(WaitEnded, found)) == len(waits) == ATTEMPTS
    first.done()
    second.done()


@pytest.mark.parametrize(
    "said", [refusal("bad key", 401), refusal("gone", 404), refusal("wait", 429, **{"retry-after": "600"})]
)
async def test_what_will_not_pass_goes_to_the_fallback_at_once(said: Body) -> None:
    main, first = scripted(said)
    other, _ = scripted(says("Here I am."))
    assert ended(await events(task(Target(main, "strong"), Target(other, "spare")))).text == "Here I am."
    first.done()


async def test_where_the_fallback_fails_too_its_reason_is_the_one_that_is_said() -> None:
    main, _ = scripted(refusal("bad key", 401))
    other, _ = scripted(refusal("no such thing", 404))
    found = await events(task(Target(main, "strong"), Target(other, "spare")))
    assert "no such thing" in ended(found).error


async def test_the_reasoning_of_one_endpoint_is_not_sent_to_the_one_that_takes_over() -> None:
    main, _ = scripted(
        [delta(reasoning_content="Hm"), *asks(call("look", {"place": "here"}))], refusal("no credit left", 402)
    )
    transport = Scripted(says("A tree."))
    other = Endpoint("http://elsewhere.invalid/v1", "sk-other", transport)
    await events(task(Target(main, "strong"), Target(other, "spare")))
    assert "reasoning_content" not in transport.bodies[0].decode()


# What came of an attempt that was lost.


@pytest.mark.parametrize("mode", ["", "react"])
async def test_the_text_of_a_lost_attempt_is_another_steps_and_not_in_the_answer(mode: str) -> None:
    cut = Body([event(delta(content=piece)) for piece in ("Thought: Hm.\nAns", "wer: Half", " an answer")])
    whole = says("Thought: Hm.\nAnswer: ", "The whole.")
    served, _ = scripted(cut, whole)
    found = await events(task(Target(served, "m"), frozen=Frozen("Be brief.", [], mode)))
    first, second = (one.number for one in of(ModelStarted, found))
    by_step = {n: "".join(one.text for one in of(TextDelta, found) if one.number == n) for n in (first, second)}
    assert "Half an answer" in by_step[first]
    assert "Half" not in by_step[second]
    (failed,) = of(ModelFailed, found)
    assert (failed.text.endswith("Half an answer"), failed.thought) == (True, "Hm.\n" if mode else "")
    assert ended(found).text == ("The whole." if mode else "Thought: Hm.\nAnswer: The whole.")


async def test_what_came_of_the_answer_is_kept_without_its_thought_where_no_attempt_succeeds() -> None:
    cut = Body([event(delta(content=piece)) for piece in ("Thought: Secret.\n", "Answer: Half an answer")])
    served, _ = scripted(*[cut] * ATTEMPTS)
    found = await events(task(Target(served, "m"), frozen=Frozen("Be brief.", [], "react")))
    assert (ended(found).status, ended(found).text) == ("failed", "Half an answer")
    assert of(ModelFailed, found)[-1].thought == "Secret.\n"


# What takes too long.


class Alive(Scripted):
    """An endpoint that sends the beginning of a reply, and from then on only comments that keep the connection."""

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        await request.aread()

        class Stream(httpx2.AsyncByteStream):
            async def __aiter__(self) -> Any:
                yield event(delta(content="Half"))
                while True:
                    yield b": keep-alive\n\n"
                    await asyncio.sleep(0.001)

        return httpx2.Response(200, headers={"content-type": "text/event-stream"}, stream=Stream())


async def test_a_stream_that_says_nothing_counts_as_cut_even_if_it_is_kept_alive() -> None:
    served = Endpoint("http://scripted.invalid/v1", "sk-test", Alive(), idle=0.03)
    found = await events(task(Target(served, "m")))
    assert len(of(ModelFailed, found)) == ATTEMPTS
    assert "said nothing for 0.03 s" in ended(found).error
    assert ended(found).text == "Half"


async def test_a_stream_that_is_silent_is_asked_for_again() -> None:
    silent = Body([event(delta(content="Half"))], hold=asyncio.Event())
    transport = Scripted(silent, says("The whole."))
    served = Endpoint("http://scripted.invalid/v1", "sk-test", transport, idle=0.03)
    assert ended(await events(task(Target(served, "m")))).text == "The whole."
    assert transport.closed == 2


SECONDS = Limits(seconds=0.4)


async def test_when_the_time_is_up_in_mid_stream_what_was_found_is_summed_up() -> None:
    endless = Body([event(delta(content="Once upon a time"))], hold=asyncio.Event())
    served, script = scripted(endless, says("It was about a time."))
    found = await events(task(Target(served, "m"), limits=SECONDS))
    assert (ended(found).status, ended(found).stop_reason) == ("done", "timeout")
    assert ended(found).text == "It was about a time."
    assert [one.text for one in of(ModelFailed, found)] == ["Once upon a time"]
    assert "time for this run is up" in script.requests[1]["messages"][-1]["content"]
    assert "tools" not in script.requests[1]
    assert script.closed == 2


class Whole(Scripted):
    """An endpoint that streams nothing: its reply is one JSON text, of which blanks come and come."""

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        await request.aread()

        class Stream(httpx2.AsyncByteStream):
            async def __aiter__(self) -> Any:
                while True:
                    yield b" "
                    await asyncio.sleep(0.001)

        return httpx2.Response(200, headers={"content-type": "application/json"}, stream=Stream())


async def test_a_whole_reply_that_does_not_end_is_over_when_the_time_is_up() -> None:
    served = Endpoint("http://scripted.invalid/v1", "sk-test", Whole())
    async with asyncio.timeout(10):
        found = await events(task(Target(served, "m"), limits=SECONDS))
    assert (ended(found).status, ended(found).stop_reason) == ("done", "timeout")
    assert len(of(ModelStarted, found)) == 2  # for the work, and for summing up


async def test_when_not_even_the_summing_up_comes_in_time_what_came_of_it_is_kept() -> None:
    endless = [Body([event(delta(content=text))], hold=asyncio.Event()) for text in ("Once", "It began")]
    served, _ = scripted(*endless)
    found = await events(task(Target(served, "m"), limits=SECONDS))
    assert (ended(found).status, ended(found).stop_reason, ended(found).text) == ("done", "timeout", "It began")


async def test_when_the_time_is_up_a_tool_is_cancelled_and_answered() -> None:
    cancelled = asyncio.Event()

    async def hang(name: str, arguments: dict[str, Any]) -> ToolResult:
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()
        raise AssertionError

    served, script = scripted(asks(call("look", {"place": "here"})), says("Nothing was found."))
    found = await events(task(Target(served, "m"), limits=SECONDS), hang)
    assert ended(found).stop_reason == "timeout"
    (result,) = of(ToolEnded, found)
    assert "the time for this run was up" in result.error
    assert cancelled.is_set()
    assert script.requests[1]["messages"][-2]["content"] == result.text


async def test_when_the_time_is_up_in_the_queue_the_wait_ends() -> None:
    gate = Gate(None, 1)
    served = Endpoint("http://scripted.invalid/v1", "sk-test", Scripted(), gate=gate)
    async with asyncio.timeout(10):
        with await gate.join("another"):
            found = await events(task(Target(served, "m"), limits=SECONDS))
    assert [one.kind for one in of(WaitStarted, found)] == ["wait", "wait"]  # for the work, and for summing up
    assert len(of(WaitEnded, found)) == 2
    assert ended(found).stop_reason == "timeout"


# What is waited for.


async def test_who_wants_to_be_left_alone_for_long_is_not_waited_for_and_the_seconds_are_said() -> None:
    served, script = scripted(refusal("quota", 429, **{"retry-after": "600"}))
    found = await events(task(Target(served, "m")))
    assert (ended(found).status, ended(found).stop_reason) == ("failed", "rate_limited")
    assert "left alone for 10 minutes" in ended(found).error
    assert "Wait a moment" not in ended(found).error
    assert not of(WaitStarted, found)
    script.done()


async def test_a_wait_for_ones_turn_is_a_step_with_what_is_waited_for() -> None:
    gate = Gate(None, 1)
    transport = Scripted(says("Now."))
    served = Endpoint("http://scripted.invalid/v1", "sk-test", transport, gate=gate)
    stored: list[Event] = []
    other = await gate.join("another")
    async for batch in run(task(Target(served, "m")), see_nothing):
        stored += batch
        if isinstance(batch[-1], WaitStarted):
            assert not transport.bodies
            gate.leave(other)
    kinds = [type(one) for one in stored if not isinstance(one, TextDelta)]
    assert kinds == [WaitStarted, WaitEnded, ModelStarted, ModelEnded, Ended]
    (wait,) = of(WaitStarted, stored)
    assert (wait.kind, wait.reason) == ("wait", "one of 1 places")


async def see_nothing(name: str, arguments: dict[str, Any]) -> ToolResult:
    raise AssertionError


async def test_a_place_at_the_endpoint_is_free_again_after_a_failure_and_after_a_stop() -> None:
    gate = Gate(None, 1)
    transport = Scripted(refusal("no"), Body([event(delta(content="Once"))], hold=asyncio.Event()), says("Hello"))
    served = Endpoint("http://scripted.invalid/v1", "sk-test", transport, gate=gate)
    await events(task(Target(served, "m")))
    stopped = run(task(Target(served, "m")), see_nothing)
    async for batch in stopped:
        if isinstance(batch[0], TextDelta):
            break
    await stopped.aclose()
    async with asyncio.timeout(5):
        found = await events(task(Target(served, "m")))
    assert ended(found).text == "Hello"
    assert not of(WaitStarted, found)


# Empty replies.


@pytest.mark.parametrize("reply", [says(), says("  ", "\n"), says(finish="tool_calls"), [delta("stop")]])
async def test_an_empty_reply_is_asked_for_once_more_and_then_it_is_over(reply: list[Chunk]) -> None:
    served, script = scripted(reply, reply)
    found = await events(task(Target(served, "m")))
    assert (ended(found).status, ended(found).stop_reason) == ("failed", "empty")
    assert "empty" in ended(found).error
    script.done()


async def test_tokens_and_cost_of_every_reply_are_counted_empty_ones_too() -> None:
    usage = {"prompt_tokens": 100, "completion_tokens": 5, "cost": 0.25}
    served, _ = scripted(says(usage=usage), says("Hello", usage=usage))
    budget = Budget(Limits())
    work = task(Target(served, "m"))
    work.asking = Asking([Target(served, "m")], budget, first_wait=0)
    await events(work)
    assert (budget.tokens, float(budget.cost)) == (210, 0.5)
