"""The loop, through the real openai client: what it asks, what it runs, how it ends."""

import asyncio
import json
from collections.abc import AsyncGenerator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import httpx2
import pytest

from chat.agent.asking import ATTEMPTS, Asking
from chat.agent.events import (
    Batch,
    Ended,
    Event,
    ModelEnded,
    ModelFailed,
    ModelStarted,
    TextDelta,
    ToolEnded,
    ToolStarted,
    WaitEnded,
    WaitStarted,
)
from chat.agent.fitting import Fitting
from chat.agent.limits import Budget, Limits
from chat.agent.loop import run as run_task
from chat.agent.task import Task
from chat.agent.transcript import Frozen, Said
from chat.wire.endpoint import Endpoint, Target
from chat.wire.errors import EndpointError
from tests.scripted import Body, Scripted, asks, call, delta, endpoint, event, says
from tools.registry import Registry, ToolContext, ToolResult

registry = Registry()


async def look(place: str) -> dict[str, str]:
    """Look at a place.

    Args:
        place: where
    """
    if place == "nowhere":
        raise LookupError("there is no such place")
    return {"place": place, "seen": "a tree"}


registry.add(look)


async def run_tool(name: str, arguments: dict[str, Any]) -> ToolResult:
    context: ToolContext = None  # type: ignore[assignment]  # no tool here asks for it
    return await registry.call(name, arguments, context)


def task(served: Endpoint, **limits: Any) -> Task:
    frozen = Frozen("Be brief.", registry.schemas())
    asking = Asking([Target(served, "m")], Budget(Limits(**limits)), first_wait=0)
    return Task([Said("user", "Look!")], Fitting(frozen, asked=0), asking)


def run(served: Endpoint, call_tool: Any, **limits: Any) -> AsyncGenerator[Batch, None]:
    return run_task(task(served, **limits), call_tool)


async def events(served: Endpoint, **options: Any) -> list[Event]:
    return [event async for batch in run(served, run_tool, **options) for event in batch]


async def test_an_answer_without_tools_is_one_request_and_one_reply() -> None:
    served, script = endpoint(says("Hel", "lo"))
    found = await events(served)
    assert [type(one) for one in found] == [ModelStarted, TextDelta, TextDelta, ModelEnded, Ended]
    assert found[-1] == Ended(found[-1].at, "done", "done", "Hello")  # type: ignore[union-attr]
    assert script.requests[0]["messages"][-1] == {"role": "user", "content": "Look!"}
    script.done()


async def test_the_request_holds_no_null_and_nothing_that_was_not_set() -> None:
    served, script = endpoint(asks(call("look", {"place": "here"})), says("A tree."))
    await events(served)
    assert "null" not in script.bodies[1].decode()
    assistant = script.requests[1]["messages"][2]
    assert set(assistant) == {"role", "tool_calls"}


async def test_calls_of_one_turn_run_side_by_side_and_are_answered_in_order() -> None:
    both = asyncio.Barrier(2)

    async def meet(name: str, arguments: dict[str, Any]) -> ToolResult:
        await both.wait()  # neither would get past here alone
        return await run_tool(name, arguments)

    served, script = endpoint(
        asks(call("look", {"place": "a"}, index=0), call("look", {"place": "b"}, index=1)), says("Done.")
    )
    async with asyncio.timeout(5):
        found = [one async for batch in run(served, meet) for one in batch]
    assert sum(isinstance(one, ToolEnded) for one in found) == 2
    messages = script.requests[1]["messages"][-2:]
    assert [json.loads(message["content"])["place"] for message in messages] == ["a", "b"]
    assert [message["tool_call_id"] for message in messages] == ["call_0", "call_1"]


async def test_a_tool_that_fails_is_a_result_the_model_reads() -> None:
    served, script = endpoint(asks(call("look", {"place": "nowhere"})), says("It is not there."))
    found = await events(served)
    assert script.requests[1]["messages"][-1]["content"] == "Error: LookupError: there is no such place"
    assert found[-1].stop_reason == "done"  # type: ignore[union-attr]


@pytest.mark.parametrize("name", ["unknown", "multi_tool_use.parallel"])
async def test_an_unknown_tool_is_answered_with_the_tools_there_are(name: str) -> None:
    served, script = endpoint(asks(call(name, {})), says("Sorry."))
    await events(served)
    assert "look" in script.requests[1]["messages"][-1]["content"]


@pytest.mark.parametrize("arguments", ['{"place": "her', '["here"]', "7", "{place: here}"])
async def test_no_tool_runs_on_arguments_that_are_no_object(arguments: str) -> None:
    served, script = endpoint(asks(call("look", arguments)), says("Sorry."))
    found = await events(served)
    ended = next(one for one in found if isinstance(one, ToolEnded))
    assert "was not run" in ended.text
    assert script.requests[1]["messages"][2]["tool_calls"][0]["function"]["arguments"] == "{}"


async def test_at_the_limit_of_turns_one_last_request_without_tools_is_sent() -> None:
    more = asks(call("look", {"place": "here"}))
    other = asks(call("look", {"place": "there"}))
    served, script = endpoint(more, other, says("What I found: a tree."))
    found = await events(served, turns=2)
    assert found[-1].stop_reason == "max_turns"  # type: ignore[union-attr]
    assert found[-1].text == "What I found: a tree."  # type: ignore[union-attr]
    assert "tools" not in script.requests[2]
    assert "limit of turns" in script.requests[2]["messages"][-1]["content"]


@pytest.mark.parametrize(
    ("reply", "status", "reason"),
    [
        (says(), "failed", "empty"),
        (says("Half an ans", finish="length"), "done", "length"),
        (says(finish="content_filter"), "failed", "content_filter"),
        ([delta(refusal="I would rather not."), delta("stop")], "failed", "refusal"),
    ],
)
async def test_each_ending_has_its_reason(reply: Any, status: str, reason: str) -> None:
    served, _ = endpoint(reply, reply)
    last = (await events(served))[-1]
    assert isinstance(last, Ended)
    assert (last.status, last.stop_reason) == (status, reason)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (
            Body([b'{"error": {"message": "bad key sk-test"}}'], 401, {"content-type": "application/json"}),
            "refused the key",
        ),
        (
            Body([b'{"error": {"message": "no model"}}'], 404, {"content-type": "application/json"}),
            "no such model",
        ),
        (Body([b"<html>hi</html>"], 200, {"content-type": "text/html"}), "web page"),
        (Body([event(delta(content="Half"))]), "cut off"),
        (Body([event(delta(content="Half")), event({"error": {"message": "overloaded"}})]), "overloaded"),
        (Body([b"data: {nonsense\n\n"]), "no JSON"),
    ],
)
async def test_what_an_endpoint_does_wrong_is_said_in_words_without_the_key(body: Body, words: str) -> None:
    served, _ = endpoint(*[body] * ATTEMPTS)
    found = await events(served)
    failed, ended = found[-2:]
    assert isinstance(failed, ModelFailed)
    assert isinstance(ended, Ended)
    assert words in failed.error
    assert "sk-test" not in failed.error
    assert ended.status == "failed"


def refusal(status: int, **headers: str) -> Body:
    return Body([b'{"error": {"message": "no"}}'], status, {"content-type": "application/json", **headers})


@pytest.mark.parametrize(
    "first",
    [
        *(refusal(status) for status in (408, 409, 429, 500, 502, 503)),
        refusal(429, **{"retry-after": "0"}),
        Body([event(delta(content="Half an ans"))]),
        Body([event(delta(content="Half")), event({"error": {"message": "overloaded", "code": 503}})]),
        Body([b"<html>"], 200, {"content-type": "text/html"}),
        Body([b"data: {nonsense\n\n"]),
        Body([event(delta(tool_calls=[call("look", '{"place": "he')]))]),
    ],
)
async def test_what_may_pass_is_asked_again_and_each_attempt_and_wait_is_a_step(first: Body) -> None:
    served, script = endpoint(first, says("The whole answer"))
    found = await events(served)
    kinds = [type(one) for one in found if not isinstance(one, TextDelta)]
    assert kinds == [ModelStarted, ModelFailed, WaitStarted, WaitEnded, ModelStarted, ModelEnded, Ended]
    assert [one.number for one in found if isinstance(one, ModelStarted)] == [1, 3]
    assert script.bodies[0] == script.bodies[1]
    assert found[-1].text == "The whole answer"  # type: ignore[union-attr]


@pytest.mark.parametrize("status", [400, 401, 403, 404, 422])
async def test_what_will_not_pass_is_not_asked_again(status: int) -> None:
    served, script = endpoint(refusal(status))
    assert isinstance((await events(served))[-1], Ended)
    script.done()


async def test_an_endpoint_that_wants_to_be_left_alone_for_long_is_not_waited_for() -> None:
    served, _ = endpoint(refusal(429, **{"retry-after": "600"}))
    last = (await events(served))[-1]
    assert last.stop_reason == "rate_limited"  # type: ignore[union-attr]


async def test_the_wait_that_an_endpoint_asks_for_is_kept() -> None:
    served, _ = endpoint(refusal(429, **{"retry-after": "0.01"}), says("Now."))
    waits = [one.seconds for one in await events(served) if isinstance(one, WaitStarted)]
    assert waits == [0.01]


async def test_a_wait_until_a_date_is_kept_or_too_long_and_said_as_one_in_seconds() -> None:
    over, ahead = (format_datetime(datetime.now(UTC) + timedelta(hours=n), usegmt=True) for n in (-1, 1))
    served, script = endpoint(
        refusal(429, **{"retry-after": over}), says("Now."), refusal(429, **{"retry-after": ahead})
    )
    waits = [one.seconds for one in await events(served) if isinstance(one, WaitStarted)]
    assert waits == [0]
    last = (await events(served))[-1]
    assert last.stop_reason == "rate_limited"  # type: ignore[union-attr]
    assert "left alone for 1 hour;" in last.error or "left alone for 59 minutes" in last.error  # type: ignore[union-attr]
    script.done()


async def test_it_gives_up_after_three_attempts() -> None:
    served, script = endpoint(*[refusal(500)] * 3)
    found = await events(served)
    assert sum(isinstance(one, ModelStarted) for one in found) == 3
    assert found[-1].status == "failed"  # type: ignore[union-attr]
    script.done()


async def test_an_empty_reply_is_asked_for_once_more() -> None:
    served, _ = endpoint(says(), says("Here I am."))
    found = await events(served)
    assert sum(isinstance(one, ModelEnded) for one in found) == 2
    assert found[-1].text == "Here I am."  # type: ignore[union-attr]


async def test_a_request_whose_tools_ran_is_never_sent_again() -> None:
    served, script = endpoint(asks(call("look", {"place": "here"})), refusal(500), says("A tree."))
    await events(served)
    assert script.bodies[0] != script.bodies[1] == script.bodies[2]


async def test_a_key_that_the_endpoint_echoes_is_hidden_in_errors_and_in_the_reply() -> None:
    told = Body([event({"error": {"message": "Bad key: sk-test", "code": 400}})])
    served, _ = endpoint(told)
    assert "sk-test" not in str(await events(served))
    served, _ = endpoint(says("Your key is sk-test."))
    assert (await events(served))[-1].text == "Your key is ***."  # type: ignore[union-attr]


@pytest.mark.parametrize("listed", [{"data": None}, {"models": []}, [], {"data": [{"id": None}, {"id": "x" * 999}]}])
async def test_a_list_of_models_that_is_none_is_said_or_empty(listed: Any) -> None:
    class Odd(Scripted):
        async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
            return httpx2.Response(200, json=listed)

    try:
        assert await Endpoint("http://scripted.invalid/v1", "k", Odd()).models() == []
    except EndpointError as error:
        assert "lists no models" in str(error)  # noqa: PT017  Either is fine.


async def test_a_whole_reply_to_a_streamed_request_is_read() -> None:
    body = {
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "All at once"}, "finish_reason": "stop"}]
    }
    served, _ = endpoint(Body([json.dumps(body).encode()], 200, {"content-type": "application/json"}))
    assert (await events(served))[-1].text == "All at once"  # type: ignore[union-attr]


async def test_a_cancelled_run_closes_the_connection_at_once() -> None:
    served, script = endpoint(Body([event(delta(content="Once upon"))], hold=asyncio.Event()))
    told = asyncio.Event()

    async def drive() -> None:
        async for batch in run(served, run_tool):
            if isinstance(batch[0], TextDelta):
                told.set()

    driven = asyncio.create_task(drive())
    async with asyncio.timeout(5):
        await told.wait()
        driven.cancel()
        await asyncio.gather(driven, return_exceptions=True)
        while not script.closed:  # noqa: ASYNC110  Closing takes a few turns of the event loop.
            await asyncio.sleep(0)


async def test_a_cancelled_run_cancels_its_tools() -> None:
    began, ended = asyncio.Event(), asyncio.Event()

    async def hang(name: str, arguments: dict[str, Any]) -> ToolResult:
        began.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()
        raise AssertionError

    served, _ = endpoint(asks(call("look", {"place": "here"})))

    async def drive() -> None:
        async for _ in run(served, hang):
            pass

    driven = asyncio.create_task(drive())
    async with asyncio.timeout(5):
        await began.wait()
        driven.cancel()
        await asyncio.gather(driven, return_exceptions=True)
        await ended.wait()


async def test_nothing_takes_effect_before_its_tuple_was_taken() -> None:
    served, script = endpoint(asks(call("look", {"place": "here"})), says("A tree."))
    ran: list[str] = []

    async def note(name: str, arguments: dict[str, Any]) -> ToolResult:
        ran.append(name)
        return await run_tool(name, arguments)

    batches = run(served, note)
    assert isinstance((await anext(batches))[0], ModelStarted)
    assert not script.requests
    second = await anext(batches)
    assert isinstance(second[-1], ToolStarted)
    assert not ran
    await batches.aclose()


async def test_the_last_result_and_the_next_request_share_a_tuple() -> None:
    served, _ = endpoint(asks(call("look", {"place": "here"})), says("A tree."))
    stored = [batch async for batch in run(served, run_tool) if not isinstance(batch[0], TextDelta)]
    assert [[type(one).__name__ for one in batch] for batch in stored] == [
        ["ModelStarted"],
        ["ModelEnded", "ToolStarted"],
        ["ToolEnded", "ModelStarted"],
        ["ModelEnded", "Ended"],
    ]


async def test_the_same_call_again_and_again_is_warned_of_and_then_ends_the_run() -> None:
    same = asks(call("look", {"place": "here"}))
    served, script = endpoint(same, same, same, same)
    found = await events(served, turns=9)
    assert "asked for twice before" in script.requests[3]["messages"][-1]["content"]
    assert found[-1].stop_reason == "loop"  # type: ignore[union-attr]
    assert sum(isinstance(one, ToolStarted) for one in found) == 3


async def test_the_same_call_with_another_one_between_is_no_loop() -> None:
    here, there = asks(call("look", {"place": "here"})), asks(call("look", {"place": "there"}))
    served, _ = endpoint(here, there, here, there, here, says("Done."))
    assert (await events(served, turns=9))[-1].stop_reason == "done"  # type: ignore[union-attr]


async def test_a_long_result_is_cut_with_a_mark_and_kept_whole() -> None:
    async def flood(name: str, arguments: dict[str, Any]) -> ToolResult:
        return ToolResult("x" * 50_000, ok=True)

    served, script = endpoint(asks(call("look", {"place": "here"})), says("Long."))
    found = [one async for batch in run(served, flood) for one in batch]
    ended = next(one for one in found if isinstance(one, ToolEnded))
    assert len(ended.whole) == 50_000
    assert "cut here" in script.requests[1]["messages"][-1]["content"]


def test_a_script_that_is_left_over_fails() -> None:
    with pytest.raises(AssertionError):
        Scripted(says("x")).done()
