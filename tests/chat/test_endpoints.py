"""Which endpoint answers for which model, with which key, and what is known of it."""

import asyncio
import gc
from collections.abc import AsyncIterator, Iterator
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.test import Client, override_settings
from redis.asyncio import Redis

from chat import connections, endpoints, runs, store
from chat.agent.clock import now
from chat.db import read, write
from chat.endpoints import NoModel
from chat.models import Endpoint, EndpointModel, Run
from tests.chat.stored import Answers, scripts, stored
from tests.scripted import Body, Scripted, delta, event, says

pytestmark = pytest.mark.django_db(transaction=True)

ONE, TWO, ENVIRONMENT = "http://one.invalid/v1", "http://two.invalid/v1", "http://environment.invalid/v1"
ENVIRONMENTS = {"OPENAI_BASE_URL": ENVIRONMENT, "OPENAI_API_KEY": "sk-environment", "AGENT_MODELS": ["big", "mini"]}


@pytest.fixture
def answers() -> Iterator[Answers]:
    with scripts() as answers:
        yield answers


@pytest.fixture
async def at_once() -> AsyncIterator[None]:
    """What is changed in the database is seen at once."""
    endpoints.FRESH_SECONDS, usual = 0.0, endpoints.FRESH_SECONDS
    yield
    endpoints.FRESH_SECONDS = usual


async def ask(user: User, model: str) -> Run:
    sent = await runs.send(user.pk, "Hello", str(uuid4()), model, None)
    async with asyncio.timeout(20):
        while sent.run in runs.live:
            await asyncio.wait({runs.live[sent.run].task})
    return await read(Run.objects.select_related("answer").get, pk=sent.run)


def key_sent(script: Scripted) -> set[str]:
    return {headers["authorization"].removeprefix("Bearer ") for headers in script.headers}


# Which models there are


async def test_with_nothing_set_up_there_is_the_demo_model() -> None:
    assert await endpoints.models() == ["demo"]
    assert await endpoints.is_demo()
    assert (await endpoints.target("demo")).endpoint.base_url == connections.DEMO_URL


async def test_the_environments_models_come_first_then_the_others_by_position() -> None:
    await read(stored, "Two", TWO, "", "c", "a")
    await read(stored, "One", ONE, "", "b")

    assert await endpoints.models() == ["c", "b", "a"]
    assert not await endpoints.is_demo()
    with override_settings(**ENVIRONMENTS):
        assert await endpoints.models() == ["big", "mini", "c", "b", "a"]
        assert await endpoints.chosen("") == "big"
        assert await endpoints.chosen("a") == "a"


async def test_without_names_the_environments_endpoint_is_asked_for_them(answers: Answers) -> None:
    answers(ENVIRONMENT)

    with override_settings(**ENVIRONMENTS | {"AGENT_MODELS": []}):
        assert await endpoints.models() == ["scripted"]
        assert (await endpoints.target("scripted")).endpoint.base_url == ENVIRONMENT


async def test_a_model_that_two_have_is_listed_once_and_is_the_environments() -> None:
    await read(stored, "One", ONE, "", "big")

    with override_settings(**ENVIRONMENTS):
        assert await endpoints.models() == ["big", "mini"]
        assert (await endpoints.target("big")).endpoint.base_url == ENVIRONMENT


async def test_of_an_endpoint_that_is_switched_off_nothing_is_offered(at_once: None) -> None:
    await read(stored, "One", ONE, "", "a", enabled=False)

    assert await endpoints.models() == ["demo"]
    with pytest.raises(NoModel, match="The model a is not there any more"):
        await endpoints.target("a")


async def test_a_model_that_is_not_offered_still_answers_by_its_name() -> None:
    await read(stored, "One", ONE, "", "a", "b")
    await read(EndpointModel.objects.filter(name="b").update, offered=False)

    assert await endpoints.models() == ["a"]
    assert (await endpoints.target("b")).model == "b"


def test_the_notice_of_the_demo_model_goes_when_there_is_another(alice_client: Client) -> None:
    assert "The demo model answers" in alice_client.get("/").content.decode()

    stored("One", ONE, "", "a", "b")
    endpoints.use(None)

    page = alice_client.get("/").content.decode()
    assert "The demo model answers" not in page
    assert "<option selected>a</option>" in page


# Who is asked, with which key


async def test_two_endpoints_at_once_get_each_its_own_key_and_model(alice: User, answers: Answers) -> None:
    one, two = answers(ONE, says("From one")), answers(TWO, says("From two"))
    await read(stored, "One", ONE, "sk-of-one", "model-one")
    await read(stored, "Two", TWO, "sk-of-two", "model-two")

    first, second = await asyncio.gather(ask(alice, "model-one"), ask(alice, "model-two"))

    assert (first.answer.text, second.answer.text) == ("From one", "From two")
    assert (key_sent(one), key_sent(two)) == ({"sk-of-one"}, {"sk-of-two"})
    assert (one.requests[0]["model"], two.requests[0]["model"]) == ("model-one", "model-two")


async def test_an_endpoint_without_a_key_gets_none(alice: User, answers: Answers) -> None:
    script = answers(ONE, says("Hi"))
    await read(stored, "One", ONE, "", "a")

    with override_settings(**ENVIRONMENTS):
        await ask(alice, "a")

    assert key_sent(script) == {"none"}


async def test_a_key_goes_to_no_other_base_url_than_the_one_it_was_saved_with(
    alice: User, answers: Answers, at_once: None
) -> None:
    other = answers(TWO)
    await read(stored, "One", ONE, "sk-of-one", "a")
    await endpoints.target("a")

    await read(Endpoint.objects.update, base_url=TWO)
    run = await ask(alice, "a")

    assert (run.status, run.stop_reason) == ("failed", "error")
    assert run.error == "The key of One cannot be read. An administrator has to type it again."
    assert other.headers == []


async def test_a_run_whose_model_is_gone_says_so(alice: User, at_once: None) -> None:
    sent = await write(store.start_conversation, alice.pk, "Hello", "c-1", "a", runs.PROCESS, now())
    runs.begin(sent.run, sent.attempt, sent.conversation)
    await asyncio.wait({runs.live[sent.run].task})

    run = await read(Run.objects.get, pk=sent.run)
    assert (run.status, run.error) == ("failed", "The model a is not there any more. Choose another one.")


# Connections


async def test_one_endpoint_is_kept_until_its_url_key_or_limits_change(at_once: None) -> None:
    row = await read(stored, "One", ONE, "sk-1", "a")
    first = (await endpoints.target("a")).endpoint
    await read(Endpoint.objects.update, name="Other")
    assert (await endpoints.target("a")).endpoint is first

    await read(Endpoint.objects.update, requests_per_minute=7)
    slower = (await endpoints.target("a")).endpoint
    assert slower is not first

    row.set_key("sk-2")
    await read(row.save)
    assert (await endpoints.target("a")).endpoint not in (first, slower)


async def test_an_endpoint_that_was_replaced_is_closed_when_the_last_run_lets_go_of_it(at_once: None) -> None:
    arrived, gone = asyncio.Event(), asyncio.Event()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 11\r\n\r\n{"data":[]}')
        arrived.set()
        assert await reader.read() == b""  # it hung up
        writer.close()
        gone.set()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        row = await read(stored, "One", f"http://127.0.0.1:{port}/v1", "sk-1", "a")
        held = (await endpoints.target("a")).endpoint
        await held.models()
        row.set_key("sk-2")
        await read(row.save)
        await endpoints.target("a")
        assert arrived.is_set()
        assert not gone.is_set()

        del held
        gc.collect()
        async with asyncio.timeout(5):
            await gone.wait()


async def test_with_an_endpoint_that_was_replaced_its_pace_leaves_redis(redis_url: str, at_once: None) -> None:
    named = f"pace-{uuid4().hex}"
    row = await read(stored, "One", "http://127.0.0.1:9/v1", "sk-1", "a")
    async with Redis.from_url(redis_url) as server:

        async def connected() -> int:
            return sum(client["name"] == named for client in await server.client_list())

        with override_settings(REDIS_URL=f"{redis_url}?client_name={named}"):
            held = (await endpoints.target("a")).endpoint
            with await held.gate.join("alice"):
                assert await connected() == 1
            row.set_key("sk-2")
            await read(row.save)
            await endpoints.target("a")
        del held
        gc.collect()
        async with asyncio.timeout(5):
            while await connected():  # noqa: ASYNC110  Redis tells nobody who left.
                await asyncio.sleep(0.01)


async def test_the_database_is_asked_once_in_a_while_and_not_for_each_question(at_once: None) -> None:
    await read(stored, "One", ONE, "", "a")
    endpoints.FRESH_SECONDS = 3600.0
    await endpoints.models()
    await read(EndpointModel.objects.update, name="b")

    assert await endpoints.models() == ["a"]
    endpoints.FRESH_SECONDS = 0.0
    assert await endpoints.models() == ["b"]


# What it can do


async def test_what_is_learned_of_a_stored_endpoint_is_stored(at_once: None) -> None:
    row = await read(stored, "One", ONE, "", "a", abilities={"tools": True, "stream_options": True})
    target = await endpoints.target("a")
    assert target.endpoint.abilities == {"tools": True, "stream_options": True}

    await endpoints.learned(target.endpoint, {"stream_options": False, "id_form": "nine"})

    learned = {"tools": True, "stream_options": False, "id_form": "nine"}
    await read(row.refresh_from_db)
    assert row.abilities == learned
    assert (await endpoints.target("a")).endpoint is target.endpoint
    assert target.endpoint.abilities == learned
    endpoints.use(None)  # as after a restart
    assert (await endpoints.target("a")).endpoint.abilities == learned


async def test_what_is_refused_is_stored_though_the_run_is_stopped(alice: User, answers: Answers) -> None:
    said = event({"error": {"message": "Unknown parameter: 'stream_options'."}})
    script = answers(ONE, Body([said]), Body([event(delta(content="Once"))], hold=asyncio.Event()))
    row = await read(stored, "One", ONE, "", "a")

    sent = await runs.send(alice.pk, "Hello", "c-1", "a", None)
    async with asyncio.timeout(20):
        while len(script.requests) < 2:  # noqa: ASYNC110  A script tells nobody that it is asked.
            await asyncio.sleep(0.01)
        task = runs.live[sent.run].task
        await runs.stop(sent.conversation)
        await asyncio.wait({task})

    await read(row.refresh_from_db)
    assert row.abilities == {"stream_options": False}
    assert (await read(Run.objects.get, pk=sent.run)).status == "stopped"


async def test_what_another_process_or_a_test_finds_is_taken_over(at_once: None) -> None:
    await read(stored, "One", ONE, "", "a", abilities={"tools": False})
    target = await endpoints.target("a")

    await read(Endpoint.objects.update, abilities={"tools": True})
    await endpoints.target("a")

    assert target.endpoint.abilities == {"tools": True}


async def test_what_is_learned_of_the_environments_endpoint_lasts_as_long_as_the_process() -> None:
    with override_settings(**ENVIRONMENTS):
        await endpoints.learned((await endpoints.target("big")).endpoint, {"stream_options": False})

        assert (await endpoints.target("mini")).endpoint.abilities == {"stream_options": False}


async def test_a_window_that_is_known_comes_with_its_model(answers: Answers) -> None:
    await read(stored, "One", ONE, "", "a", "b")
    await read(EndpointModel.objects.filter(name="a").update, context_tokens=8192)

    assert (await endpoints.target("a")).window == 8192
    assert (await endpoints.target("b")).window is None


# The small model and the fallback


async def test_the_small_model_is_the_admins_else_the_environments_else_there_is_none(at_once: None) -> None:
    assert await endpoints.small() is None
    with override_settings(**ENVIRONMENTS, AGENT_SMALL_MODEL="tiny"):
        found = await endpoints.small()
        assert found is not None
        assert (found.endpoint.base_url, found.model) == (ENVIRONMENT, "tiny")

        await read(stored, "One", ONE, "", "a", "b")
        await read(_mark, "b", small=True)
        found = await endpoints.small()
        assert found is not None
        assert (found.endpoint.base_url, found.model) == (ONE, "b")


async def test_the_fallback_is_another_model_or_none(at_once: None) -> None:
    await read(stored, "One", ONE, "", "a", "b")
    assert await endpoints.fallback("a") is None

    await read(_mark, "b", fallback=True)

    found = await endpoints.fallback("a")
    assert found is not None
    assert found.model == "b"
    assert await endpoints.fallback("b") is None


async def test_a_small_model_whose_key_is_lost_is_none(at_once: None) -> None:
    await read(stored, "One", ONE, "sk-of-one", "a")
    await read(_mark, "a", small=True, fallback=True)
    await read(Endpoint.objects.update, sealed_key="garbage")

    assert await endpoints.small() is None
    assert await endpoints.fallback("big") is None


async def test_at_most_one_model_is_small_and_one_the_fallback() -> None:
    await read(stored, "One", ONE, "", "a", "b")
    await read(_mark, "a", small=True, fallback=True)
    await read(_mark, "b", small=True)

    marked = await read(lambda: list(EndpointModel.objects.values_list("name", "small", "fallback")))

    assert marked == [("a", False, True), ("b", True, False)]


def _mark(name: str, **marks: Any) -> None:
    model = EndpointModel.objects.get(name=name)
    for mark, value in marks.items():
        setattr(model, mark, value)
    model.save()
