"""Runs a script from the message to the last row: the real client, the real loop, the real store.

Every run is held to the three rules, and so is the next message of its conversation, which shows that it goes on. Its
requests are made again from its rows.
"""

import asyncio
import functools
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass
from time import monotonic
from typing import Any, Unpack
from uuid import UUID, uuid4

from django.contrib.auth.models import User

from chat import endpoints, runs
from chat.db import read, write
from chat.history import request_again
from chat.models import Run, Step
from chat.store import Sent
from chat.wire.endpoint import Endpoint
from tests.cases.rules import Ran, check_arguments, check_ending, check_transcript
from tests.scripted import Body, Chunk, Scripted, says
from tools.registry import Options as ToolOptions
from tools.registry import Registry, Tool, ToolContext, registry

PATIENCE = 20.0
Through = Callable[[Scripted], AbstractAsyncContextManager[Endpoint]]


class Tools(Registry):
    """The tools of a run. `ran` is what they were called with, in the order in which they began."""

    def __init__(self, *functions: Callable[..., object]) -> None:
        super().__init__()
        self.ran: list[Ran] = []
        for function in functions:
            self.add(function)

    def add(self, function: Callable[..., object], **options: Unpack[ToolOptions]) -> Tool:
        @functools.wraps(function)
        def noted(**arguments: Any) -> object:
            given = {name: value for name, value in arguments.items() if not isinstance(value, ToolContext)}
            self.ran.append((function.__name__, given))
            return function(**arguments)

        return super().add(noted, **options)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Put these tools in the place of the site's, for a while."""
        before = registry._tools, registry._schemas
        registry._tools, registry._schemas = self._tools, self._schemas
        try:
            yield
        finally:
            registry._tools, registry._schemas = before


async def look(place: str) -> str:
    """Look at a place.

    Args:
        place: where
    """
    return f"{place} seen"


async def wait() -> str:
    """Do nothing."""
    return "nothing"


@dataclass(frozen=True)
class Outcome:
    """What came of a run. `requests` are its own; `next` is that of the message after it."""

    run: Run
    steps: Sequence[Step]
    requests: Sequence[dict[str, Any]]
    next: dict[str, Any]
    ran: Sequence[Ran]
    scripted: Scripted
    closed: int  # connections, at its end
    stopped_in: float  # seconds from the stop to its end

    @property
    def answer(self) -> str:
        return self.run.answer.text

    @property
    def ending(self) -> tuple[str, str]:
        return self.run.status, self.run.stop_reason

    def of(self, kind: str) -> list[Step]:
        return [step for step in self.steps if step.kind == kind]

    @property
    def asked(self) -> list[dict[str, Any]]:
        """The calls of the run, as the next message's request has them."""
        return [call for message in self.next["messages"] for call in message.get("tool_calls", ())]

    @property
    def results(self) -> list[str]:
        """What the model reads as their results, there."""
        return [message["content"] for message in self.next["messages"] if message["role"] == "tool"]


async def run_script(
    *replies: Sequence[Chunk] | Body,
    tools: Tools | None = None,
    message: str = "Look!",
    stop_when: Callable[[], Awaitable[object]] | None = None,
    through: Through | None = None,
) -> Outcome:
    """Send a message that is answered by `replies`, all of them, then another one; return what came of the first.

    Once `stop_when` returns, the run is stopped. The script goes through memory unless `through` says how else.
    """
    tools = tools or Tools(look, wait)
    scripted = Scripted(*replies, says("Well."))
    with tools.alone():
        async with (through or in_memory)(scripted) as served, answering(served):
            sent = await send(message)
            async with asyncio.timeout(PATIENCE):
                await (stop_when() if stop_when else finished(sent))
            stopped, before = await runs.stop(sent.conversation), monotonic()
            assert stopped is bool(stop_when), "The run was over before it could be stopped."
            await finished(sent)
            seconds, closed, asked = monotonic() - before, scripted.closed, len(scripted.requests)
            await finished(await send("Go on", sent.conversation))
    assert asked == len(replies), f"{asked} requests were made, and {len(replies)} replies were there"
    run, steps = await read(stored, sent.run)
    *requests, after = scripted.requests
    outcome = Outcome(run, steps, requests, after, tools.ran, scripted, closed, seconds)
    check(outcome, replies)
    made = [step for step in steps if "sha256" in step.input]
    assert [await read(request_again, step) for step in made] == scripted.bodies[: len(requests)]
    return outcome


def check(outcome: Outcome, replies: Sequence[Sequence[Chunk] | Body]) -> None:
    """Hold a run to the three rules; what was sent once is sent again at the beginning of all that follows.

    That may be otherwise only where a step says that something was shortened.
    """
    for request in (*outcome.requests, outcome.next):
        check_transcript(request)
    for request in outcome.requests if not outcome.of("context") else ():
        sent = request["messages"] if "tools" in request else request["messages"][:-1]
        assert outcome.next["messages"][: len(sent)] == sent
    assert outcome.next["messages"][-1] == {"role": "user", "content": "Go on"}
    check_arguments(outcome.ran, replies)
    check_ending(*outcome.ending, outcome.answer, replies)
    assert not [step for step in outcome.steps if step.status == "running"]


async def send(text: str, conversation: UUID | None = None) -> Sent:
    """Send a message as alice."""
    owner = await write(lambda: User.objects.get_or_create(username="alice")[0].pk)
    return await runs.send(owner, text, str(uuid4()), "", conversation)


async def finished(sent: Sent) -> None:
    async with asyncio.timeout(PATIENCE):
        while sent.run in runs.live:
            await asyncio.wait({runs.live[sent.run].task})


async def until(holds: Callable[[], object]) -> None:
    """Wait for what tells nobody that it came about."""
    while not holds():  # noqa: ASYNC110
        await asyncio.sleep(0)


@asynccontextmanager
async def answering(served: Endpoint) -> AsyncIterator[None]:
    """Let an endpoint answer all runs for a while; at the end nothing is at work."""
    endpoints.use(served)
    try:
        yield
    finally:
        for work in tuple(runs.live.values()):
            work.task.cancel()
            await asyncio.wait({work.task})
        endpoints.use(None)


@asynccontextmanager
async def in_memory(scripted: Scripted) -> AsyncIterator[Endpoint]:
    yield Endpoint("http://scripted.invalid/v1", "sk-test", scripted)


def stored(run: UUID) -> tuple[Run, list[Step]]:
    """Read a run with its answer, and its steps in order."""
    row = Run.objects.select_related("answer").get(pk=run)
    return row, list(row.steps.select_related("payload", "run__message").order_by("number"))
