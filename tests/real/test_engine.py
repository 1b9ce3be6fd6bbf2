"""The loop, the client and a real engine: what llama.cpp does, and not what a script says that it would."""

import asyncio
import re
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest

from chat.agent.asking import Asking
from chat.agent.events import Ended, Event, ModelEnded, ModelFailed, TextDelta
from chat.agent.fitting import Fitting
from chat.agent.limits import Budget, Limits
from chat.agent.loop import run
from chat.agent.task import Task
from chat.agent.transcript import Frozen, Said
from chat.local.process import Engine
from chat.wire.endpoint import Endpoint, Target
from tools.registry import ToolContext, ToolResult, registry

STOPPED_WITHIN = 2.0
STORY = "Tell me a long story about a lighthouse."


@pytest.fixture
async def endpoint(engine: Engine) -> AsyncIterator[Endpoint]:
    opened = Endpoint(engine.base_url, engine.key)
    yield opened
    await opened.close()


def task(engine: Engine, endpoint: Endpoint, question: str, tools: bool = False, mode: str = "") -> Task:
    frozen = Frozen("You are brief.", registry.schemas() if tools else (), mode)
    asking = Asking([Target(endpoint, engine.name)], Budget(Limits(turns=3)), first_wait=0)
    return Task([Said("user", question)], Fitting(frozen, asked=0), asking)


async def call_tool(name: str, arguments: dict[str, Any]) -> ToolResult:
    context: ToolContext = None  # type: ignore[assignment]  # no tool of these questions asks for it
    return await registry.call(name, arguments, context)


async def events(work: Task) -> list[Event]:
    return [event async for batch in run(work, call_tool) for event in batch]


def of_kind(found: list[Event], kind: type[ModelEnded] | type[ModelFailed] | type[Ended]) -> Any:
    """The last event of a kind."""
    return [event for event in found if isinstance(event, kind)][-1]


async def on_its_side(engine: Engine, path: str) -> str:
    """What the engine says of itself."""
    address = engine.base_url.removesuffix("/v1")
    async with httpx2.AsyncClient(headers={"Authorization": f"Bearer {engine.key}"}, trust_env=False) as client:
        return (await client.get(f"{address}/{path}")).raise_for_status().text


async def counted(engine: Engine, name: str) -> int:
    found = re.search(rf"^llamacpp:{name} (\d+)", await on_its_side(engine, "metrics"), re.MULTILINE)
    assert found, name
    return int(found[1])


async def is_at_work(engine: Engine) -> bool:
    return '"is_processing":true' in await on_its_side(engine, "slots")


async def test_a_reply_arrives_in_pieces_and_is_their_sum(engine: Engine, endpoint: Endpoint) -> None:
    found = await events(task(engine, endpoint, "Say: one two three four five."))
    pieces = [event.text for event in found if isinstance(event, TextDelta)]
    assert len(pieces) >= 3
    assert "".join(pieces).strip() == of_kind(found, Ended).text.strip()
    assert of_kind(found, Ended).stop_reason in ("done", "length")
    assert of_kind(found, ModelEnded).first_token


async def test_the_step_holds_the_tokens_that_the_engine_counted_itself(engine: Engine, endpoint: Endpoint) -> None:
    said, read = await counted(engine, "tokens_predicted_total"), await counted(engine, "prompt_tokens_total")
    usage = of_kind(await events(task(engine, endpoint, "Name a colour.")), ModelEnded).reply.usage
    assert usage.output == await counted(engine, "tokens_predicted_total") - said
    assert usage.input == await counted(engine, "prompt_tokens_total") - read


async def test_stop_in_mid_stream_ends_the_work_on_the_engines_side(talkative: Engine) -> None:
    endpoint, speaking = Endpoint(talkative.base_url, talkative.key), asyncio.Event()

    async def drive() -> None:
        async for batch in run(task(talkative, endpoint, STORY), call_tool):
            if isinstance(batch[0], TextDelta):
                speaking.set()

    driving = asyncio.create_task(drive())
    await speaking.wait()
    assert await is_at_work(talkative)
    driving.cancel()
    async with asyncio.timeout(STOPPED_WITHIN):
        while await is_at_work(talkative):
            pass
    await endpoint.close()
    assert driving.cancelled()


async def test_more_than_fits_is_said_in_the_engines_words_and_ends_for_that_reason(
    engine: Engine, endpoint: Endpoint
) -> None:
    found = await events(task(engine, endpoint, "word " * 9000))
    assert "exceeds the available context size" in of_kind(found, ModelFailed).error
    ended = of_kind(found, Ended)
    assert (ended.status, ended.stop_reason) == ("failed", "context")


async def test_tools_that_are_offered_are_accepted(engine: Engine, endpoint: Endpoint) -> None:
    ended = of_kind(await events(task(engine, endpoint, "What is 17 * 23?", tools=True)), Ended)
    assert ended.stop_reason in ("done", "length")
    assert ended.text


async def test_who_does_not_know_the_key_is_refused(engine: Engine) -> None:
    stranger = Endpoint(engine.base_url, "sk-another")
    ended = of_kind(await events(task(engine, stranger, "Hello")), Ended)
    await stranger.close()
    assert ended.stop_reason == "error"
    assert "refused the key (401)" in ended.error
