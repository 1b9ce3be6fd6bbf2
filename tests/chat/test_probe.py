"""What a probe finds out about an endpoint, and that nothing an endpoint does makes it fail or wait for long."""

import asyncio
import json
from typing import Any

import pytest

from chat.probe import probe
from chat.wire.endpoint import Endpoint
from tests.scripted import Body, asks, call, endpoint, says
from tools.text import clean

JSON = {"content-type": "application/json"}
USAGE = {"prompt_tokens": 9, "completion_tokens": 19}
COUNTED = says("1 ", "2 ", "3", usage=USAGE)
ONE = asks(call("add", {"a": 2, "b": 3}))
TWO = asks(call("add", {"a": 2, "b": 3}, index=0), call("add", {"a": 4, "b": 5}, index=1))
KEY = "sk-canary-0123456789"


def refusal(message: str, status: int = 400) -> Body:
    return Body([json.dumps({"error": {"message": message}}).encode()], status, JSON)


async def test_of_an_endpoint_that_can_do_everything_all_is_found() -> None:
    served, script = endpoint(COUNTED, ONE, TWO)

    found = await probe(served, "m")

    assert found.models == {"scripted": None}
    assert found.problems == ()
    assert found.abilities == {
        "streaming": True,
        "stream_options": True,
        "usage_in_stream": True,
        "tools:m": True,
        "parallel_tools:m": True,
    }
    script.done()
    assert [request["model"] for request in script.requests] == ["m"] * 3
    assert ["tools" in request for request in script.requests] == [False, True, True]


async def test_without_a_model_the_first_that_is_listed_is_asked() -> None:
    served, script = endpoint(COUNTED, ONE, TWO)

    await probe(served)

    assert script.requests[0]["model"] == "scripted"


async def test_without_any_model_it_says_so_and_asks_nothing() -> None:
    served, script = endpoint()
    script.listed = []

    found = await probe(served)

    assert found.problems == ("There is no model to ask. Name one.",)
    assert not script.requests


@pytest.mark.parametrize(
    ("entry", "window"),
    [
        ({"max_model_len": 32768}, 32768),  # vLLM
        ({"context_length": 200000, "top_provider": {"context_length": 1}}, 200000),  # OpenRouter
        ({"meta": {"n_ctx_train": 131072}}, 131072),  # llama.cpp
        ({"meta": {"n_ctx_train": 131072, "n_ctx": 4096}}, 4096),
        ({"max_context_length": 8192}, 8192),  # LM Studio
        ({"max_context_length": 8192, "loaded_context_length": 4096}, 4096),
        ({"context_window": 131072}, 131072),  # Groq
        ({}, None),
        ({"max_model_len": True, "meta": []}, None),
        ({"max_model_len": -1, "context_length": "many", "meta": {"n_ctx": 0}}, None),
        ({"max_model_len": 10**30}, None),
    ],
)
async def test_the_size_of_a_context_is_read_wherever_a_list_says_it(entry: dict[str, Any], window: int | None) -> None:
    served, script = endpoint()
    script.listed = [{"id": "m", **entry}]

    assert await served.listing() == {"m": window}


async def test_refused_stream_options_are_found_and_left_out() -> None:
    served, script = endpoint(refusal("Unknown field stream_options"), says("1 ", "2"), ONE, TWO)

    found = await probe(served, "m")

    assert found.abilities["stream_options"] is False
    assert found.abilities["usage_in_stream"] is False
    assert "refuses stream_options" in found.problems[0]
    assert "Unknown field stream_options" in found.problems[0]
    assert "stream_options" not in script.requests[1]


async def test_a_reply_in_one_piece_is_no_stream() -> None:
    whole = {"choices": [{"message": {"content": "1 2 3"}, "finish_reason": "stop"}], "usage": USAGE}
    served, _ = endpoint(Body([json.dumps(whole).encode()], headers=JSON), ONE, TWO)

    found = await probe(served, "m")

    assert found.abilities["streaming"] is False
    assert found.problems == ("The reply came in one piece: it does not stream.",)


async def test_refused_tools_are_found_and_not_asked_for_again() -> None:
    served, script = endpoint(COUNTED, refusal("m does not support tools"))

    found = await probe(served, "m")

    assert found.abilities["tools:m"] is False
    assert "parallel_tools:m" not in found.abilities
    assert "m does not support tools" in found.problems[0]
    script.done()


async def test_a_model_that_calls_no_tool_proves_nothing() -> None:
    served, _ = endpoint(COUNTED, says("2 + 3 is 5."))

    found = await probe(served, "m")

    assert "tools:m" not in found.abilities
    assert found.problems == ("m did not call the tool that it was asked to call.",)


async def test_one_call_where_two_were_asked_for_is_no_parallel_call() -> None:
    served, _ = endpoint(COUNTED, ONE, ONE)

    found = await probe(served, "m")

    assert (found.abilities["tools:m"], found.abilities["parallel_tools:m"]) == (True, False)
    assert found.problems == ("Of two tool calls asked for at once it made one.",)


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (refusal(f"Incorrect API key {KEY}", 401), "refused the key (401)"),
        (refusal("no such model", 404), "knows no such model"),
        (refusal("down", 500), "status 500"),
        (refusal("slow down", 429), "slow down"),
        (Body([b"<html>"], headers={"content-type": "text/html"}), "web page"),
        (Body([b"data: nonsense\n\n"]), "no JSON"),
        (Body([]), "cut off"),
        (Body([b'{"choices": 7}'], headers=JSON), "was empty"),
    ],
)
async def test_whatever_an_endpoint_answers_is_a_sentence_without_its_key(reply: Body, words: str) -> None:
    served, _ = endpoint(reply, reply, reply, reply, key=KEY)

    found = await probe(served, "m")

    assert words in " ".join(found.problems)
    assert KEY not in " ".join(found.problems)


async def test_what_no_database_takes_is_not_in_a_sentence() -> None:
    served, _ = endpoint(*[refusal("Well\x00 then\ud800.", 500)] * 2)

    [problem] = (await probe(served, "m")).problems

    assert problem.encode() == clean(problem).encode()
    assert "Well" in problem


async def test_an_endpoint_that_cannot_be_reached_is_said() -> None:
    found = await probe(Endpoint("http://127.0.0.1:9/v1", "k"), "m")

    assert found.abilities == {}
    assert all("could not be reached" in problem for problem in found.problems)


async def test_one_question_and_all_together_take_no_longer_than_they_may() -> None:
    never = asyncio.Event()
    served, script = endpoint(Body([], hold=never), Body([], hold=never))

    one = await probe(served, "m", each=0.05)
    every = await probe(served, "m", whole=0.05)

    assert one.problems == ("scripted.invalid took more than 0.05 seconds to reply.",)
    assert every.problems == ("scripted.invalid took more than 0.05 seconds in all. The rest was not tried.",)
    assert script.closed == 2
