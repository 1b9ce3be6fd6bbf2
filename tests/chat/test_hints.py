"""Hints: who is woken, by whom, and what finds that one was lost."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest
from channels_redis.pubsub import RedisPubSubChannelLayer
from django.contrib.auth.models import User
from pytest_django.fixtures import Settings

from chat import hints, shared_hints, store
from chat.db import read, write
from chat.once_a_minute import OnceAMinute
from tests.chat.made import conversation_of

PATIENCE = 20


@pytest.fixture
async def other(redis_url: str, settings: Settings) -> AsyncIterator[Any]:
    """The layer of another process, and a Redis for this one."""
    config = {"hosts": [redis_url], "prefix": f"agentsite-{uuid4().hex}"}
    settings.REDIS_URL = redis_url
    settings.CHANNEL_LAYERS = {
        "default": {"BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer", "CONFIG": config}
    }
    layer = RedisPubSubChannelLayer(**config)
    yield layer
    await layer.flush()


async def test_those_are_woken_who_watch_the_conversation() -> None:
    mine, others = uuid4(), uuid4()
    woken: list[str] = []
    watching, elsewhere = (lambda: woken.append("mine")), (lambda: woken.append("other"))
    hints.watch(mine, watching)
    hints.watch(others, elsewhere)
    hints.tell_here(mine)
    hints.unwatch(mine, watching)
    hints.unwatch(others, elsewhere)
    hints.tell_here(mine)
    assert woken == ["mine"]
    assert not hints._watchers


@pytest.mark.django_db(transaction=True)
async def test_a_look_wakes_the_viewers_of_what_went_on_without_a_hint(alice: User) -> None:
    conversation = await read(conversation_of, alice)
    woken: list[bool] = []
    wake = lambda: woken.append(True)  # noqa: E731
    hints.watch(conversation.pk, wake)
    await hints.look()
    del woken[:]
    await hints.look()
    assert woken == []
    await write(store.raise_conversation, conversation.pk)
    await hints.look()
    assert woken == [True]
    hints.unwatch(conversation.pk, wake)


async def test_a_hint_reaches_another_process_and_one_of_its_own_does_not_come_back(other: Any) -> None:
    conversation, woken, stops = uuid4(), asyncio.Event(), asyncio.Event()

    async def stopped() -> None:
        stops.set()

    hints.watch(conversation, woken.set)
    listening = asyncio.create_task(shared_hints.listen(stopped))
    name = await other.new_channel()
    await other.group_add(shared_hints.PROCESSES, name)
    async with asyncio.timeout(PATIENCE):
        hints.tell_others(conversation, stop=True)
        heard = await other.receive(name)
        assert (heard["conversation"], heard["stop"]) == (conversation.hex, True)
        while not woken.is_set():  # it may not listen yet
            await other.group_send(shared_hints.PROCESSES, {**heard, "from": "another"})
            await asyncio.sleep(0.05)
        await stops.wait()
    stops.clear()
    woken.clear()
    async with asyncio.timeout(PATIENCE):
        hints.tell_others(conversation, stop=True)
        while (await other.receive(name))["from"] != shared_hints._me:
            pass
        await other.group_send(shared_hints.PROCESSES, {**heard, "from": "another", "stop": False})
        await woken.wait()
    assert not stops.is_set()  # of the two, in this order, only the second came from another
    hints.unwatch(conversation, woken.set)
    listening.cancel()
    await asyncio.wait({listening})


async def test_neither_a_hint_that_makes_no_sense_nor_a_failing_look_ends_the_listening(other: Any) -> None:
    conversation, woken, looked = uuid4(), asyncio.Event(), asyncio.Event()

    async def stopped() -> None:
        looked.set()
        raise RuntimeError("The database is away.")

    hints.watch(conversation, woken.set)
    listening = asyncio.create_task(shared_hints.listen(stopped))
    told = {"type": "hint", "from": "another", "conversation": conversation.hex, "stop": True}
    nonsense = [{}, {**told, "conversation": "x"}, {**told, "conversation": None}, {**told, "stop": False, "from": 7}]
    shard = other._get_layer()._shards[0]
    async with asyncio.timeout(PATIENCE):
        for _ in range(2):
            while not (woken.is_set() and looked.is_set()):  # it may not listen yet
                await shard.publish(f"{other.prefix}__group__{shared_hints.PROCESSES}", b"no message at all")
                for said in [*nonsense, told]:
                    await other.group_send(shared_hints.PROCESSES, said)
                await asyncio.sleep(0.05)
            woken.clear()
            looked.clear()
    assert not listening.done()
    hints.unwatch(conversation, woken.set)
    listening.cancel()
    await asyncio.wait({listening})


async def test_hints_to_a_redis_that_is_away_hold_nobody_up_and_are_logged_once(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    config = {"hosts": ["redis://127.0.0.1:1/0"]}
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    settings.CHANNEL_LAYERS = {
        "default": {"BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer", "CONFIG": config}
    }
    shared_hints._complaints = OnceAMinute()
    for _ in range(3):
        hints.tell(uuid4())
    assert shared_hints._posting
    async with asyncio.timeout(PATIENCE):
        await shared_hints._posting
    assert [record.name for record in caplog.records if "redis does not answer" in record.getMessage()] == [
        "agentsite.hints"
    ]


async def test_the_listening_ends_when_it_is_told_to_however_far_it_had_come(other: Any) -> None:
    """Its client of Redis forgets that, where it is told in the moment in which it connects."""

    async def nothing() -> None: ...

    for hundredth in range(400):
        listening = asyncio.create_task(shared_hints.listen(nothing))
        await asyncio.sleep(hundredth / 100_000)
        listening.cancel()
        ended, _ = await asyncio.wait({listening}, timeout=PATIENCE)
        assert ended, f"It still listens, told to end after {hundredth / 100} ms."
