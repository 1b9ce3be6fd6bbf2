"""The protocol, as the real openai client reads it."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import openai
import pytest
from openai.types.chat import ChatCompletionChunk

from chat.demo.model import Call
from chat.demo.transport import DemoTransport
from tests.demo.dialogue import answered, system, tools

URL = "http://demo.invalid/v1"


@pytest.fixture
async def client() -> AsyncIterator[openai.AsyncOpenAI]:
    http = httpx2.AsyncClient(transport=DemoTransport(pace=0))
    async with openai.AsyncOpenAI(base_url=URL, api_key="none", http_client=http, max_retries=0) as client:
        yield client


@pytest.fixture
async def http() -> AsyncIterator[httpx2.AsyncClient]:
    async with httpx2.AsyncClient(transport=DemoTransport(pace=0), base_url=URL) as http:
        yield http


def question(text: str) -> list[dict[str, Any]]:
    return [system(), {"role": "user", "content": text}]


async def asked(client: openai.AsyncOpenAI, messages: list[dict[str, Any]], **options: Any) -> Any:
    """A completion, or its stream; the client's own types of messages are too narrow for tables."""
    create: Any = client.chat.completions.create
    return await create(**{"model": "demo", "messages": messages, "tools": tools(), **options})


async def streamed(client: openai.AsyncOpenAI, text: str, **options: Any) -> list[ChatCompletionChunk]:
    return [chunk async for chunk in await asked(client, question(text), stream=True, **options)]


async def test_there_is_one_model(client: openai.AsyncOpenAI) -> None:
    assert [model.id async for model in client.models.list()] == ["demo"]


async def test_text_comes_in_small_pieces_after_the_role(client: openai.AsyncOpenAI) -> None:
    chunks = await streamed(client, "count to 50")
    first, *middle, last = chunks
    assert (first.choices[0].delta.role, first.choices[0].delta.content) == ("assistant", "")
    pieces = [chunk.choices[0].delta.content or "" for chunk in middle]
    assert "".join(pieces) == ", ".join(map(str, range(1, 51))) + "."
    assert max(map(len, pieces)) <= 16
    assert last.choices[0].finish_reason == "stop"
    assert len({chunk.id for chunk in chunks}) == 1


async def test_several_calls_are_streamed_in_fragments_by_index(client: openai.AsyncOpenAI) -> None:
    chunks = await streamed(client, "What's the weather like in London and Tokyo?")
    assert chunks[0].choices[0].delta.content is None
    assert chunks[-1].choices[0].finish_reason == "tool_calls"
    fragments = [call for chunk in chunks for call in chunk.choices[0].delta.tool_calls or ()]
    for index, city in enumerate(["London", "Tokyo"]):
        first, *rest = [fragment for fragment in fragments if fragment.index == index]
        assert first.id
        assert first.function
        assert (first.type, first.function.name, first.function.arguments) == ("function", "get_weather", "")
        assert len(rest) > 1
        assert all(fragment.id is None and fragment.function and not fragment.function.name for fragment in rest)
        whole = "".join((fragment.function.arguments or "") if fragment.function else "" for fragment in rest)
        assert json.loads(whole) == {"city": city}
    assert len({fragment.id for fragment in fragments if fragment.id}) == 2


async def test_usage_comes_last_and_only_if_asked_for(client: openai.AsyncOpenAI) -> None:
    assert all(chunk.usage is None for chunk in await streamed(client, "hello"))
    chunks = await streamed(client, "hello", stream_options={"include_usage": True})
    assert chunks[-1].choices == []
    usage = chunks[-1].usage
    assert usage is not None
    assert usage.total_tokens == usage.prompt_tokens + usage.completion_tokens
    assert usage.prompt_tokens > 50
    assert all(chunk.usage is None for chunk in chunks[:-1])


async def test_a_stream_and_a_whole_reply_say_the_same(client: openai.AsyncOpenAI) -> None:
    whole = await asked(client, question("hello"))
    chunks = await streamed(client, "hello", stream_options={"include_usage": True})
    assert whole.choices[0].message.content == "".join(c.choices[0].delta.content or "" for c in chunks[:-1])
    assert whole.choices[0].finish_reason == "stop"
    assert whole.usage == chunks[-1].usage


async def test_an_agent_loop_over_the_client_reaches_the_answer(client: openai.AsyncOpenAI) -> None:
    messages = question("What's the square root of the humidity in Sydney?")
    names = []
    for _ in range(3):
        whole = await asked(client, messages)
        message = whole.choices[0].message
        if not message.tool_calls:
            break
        messages.append(message.model_dump(exclude_none=True))
        for call in message.tool_calls:
            names.append(call.function.name)
            made = Call(call.function.name, json.loads(call.function.arguments))
            messages.append({"role": "tool", "tool_call_id": call.id, "content": answered(made)})
    assert names == ["get_weather", "calculate"]
    assert "**9.2195**" in (message.content or "")


async def test_ids_of_calls_differ_from_turn_to_turn(client: openai.AsyncOpenAI) -> None:
    ids = set()
    for text in ("weather in London", "weather in Paris", "weather in London and Paris"):
        chunks = await streamed(client, text)
        ids |= {call.id for chunk in chunks for call in chunk.choices[0].delta.tool_calls or () if call.id}
    assert len(ids) == 4


async def test_the_bytes_are_server_sent_events(http: httpx2.AsyncClient) -> None:
    body = {"model": "demo", "messages": question("hello"), "stream": True}
    response = await http.post("/chat/completions", json=body)
    assert response.headers["content-type"].startswith("text/event-stream")
    events = response.text.split("\n\n")
    assert events[-2:] == ["data: [DONE]", ""]
    assert all(json.loads(event.removeprefix("data: "))["object"] == "chat.completion.chunk" for event in events[:-2])


async def test_text_that_is_no_utf_8_does_not_break_the_stream(http: httpx2.AsyncClient) -> None:
    messages = question("remember that I like \ud800")
    body = json.dumps({"model": "demo", "messages": messages, "tools": tools(), "stream": True})
    response = await http.post("/chat/completions", content=body)
    assert response.status_code == 200
    assert "[DONE]" in response.text


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        ("{", 400, "parse the JSON"),
        ("[]", 400, "JSON object"),
        ("{}", 400, "model parameter"),
        ('{"model": "demo"}', 400, "messages"),
        ('{"model": "demo", "messages": []}', 400, "messages"),
        ('{"model": "demo", "messages": ["hello"]}', 400, "messages"),
        ('{"model": "gpt-9", "messages": [{"role": "user", "content": "hello"}]}', 404, "`gpt-9` does not exist"),
        ("[" * 100_000, 400, "parse the JSON"),
    ],
)
async def test_wrong_requests_get_errors_in_the_usual_shape(
    http: httpx2.AsyncClient, body: str, status: int, said: str
) -> None:
    response = await http.post("/chat/completions", content=body)
    assert response.status_code == status
    error = response.json()["error"]
    assert said in error["message"]
    assert error["type"] == "invalid_request_error"


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/chat/completions"), ("POST", "/models"), ("POST", "/embeddings")]
)
async def test_other_addresses_are_not_found(http: httpx2.AsyncClient, method: str, path: str) -> None:
    response = await http.request(method, path, json={})
    assert response.status_code == 404
    assert response.json()["error"]["code"] == "unknown_url"


async def test_the_client_raises_its_own_errors(client: openai.AsyncOpenAI) -> None:
    with pytest.raises(openai.NotFoundError, match="does not exist"):
        await asked(client, question("hello"), model="other")


async def test_a_closed_stream_makes_no_more_pieces(http: httpx2.AsyncClient) -> None:
    body = {"model": "demo", "messages": question("count to 1000"), "stream": True}
    async with http.stream("POST", "/chat/completions", json=body) as response:
        pieces = response.aiter_raw()
        assert b"assistant" in await anext(pieces)
        await response.aclose()
        assert [piece async for piece in pieces] == []


async def test_a_paced_stream_can_be_stopped_while_it_waits() -> None:
    http = httpx2.AsyncClient(transport=DemoTransport(pace=3600), base_url=URL)
    body = {"model": "demo", "messages": question("count to 1000"), "stream": True}

    async def read(started: asyncio.Event) -> None:
        async with http.stream("POST", "/chat/completions", json=body) as response:
            async for _ in response.aiter_raw():
                started.set()

    started = asyncio.Event()
    reading = asyncio.create_task(read(started))
    await started.wait()
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    await http.aclose()
