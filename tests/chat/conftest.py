"""A scripted endpoint for the runs of a test, which are all over at its end."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence

import pytest

from chat import endpoints, runs
from tests.scripted import Body, Chunk, Scripted, endpoint

Script = Callable[..., Scripted]


@pytest.fixture
async def script() -> AsyncIterator[Script]:
    """`script(reply, …)` puts a scripted endpoint in place; every reply of it must have been asked for."""
    made: list[Scripted] = []

    def use(*replies: Sequence[Chunk] | Body) -> Scripted:
        served, transport = endpoint(*replies)
        endpoints.use(served)
        made.append(transport)
        return transport

    yield use
    for work in tuple(runs.live.values()):
        work.task.cancel()
        await asyncio.wait({work.task})
    endpoints.use(None)
    for transport in made:
        transport.done()
