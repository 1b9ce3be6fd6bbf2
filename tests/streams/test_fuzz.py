"""Recorded streams cut, broken off and split anywhere, through the real client and a whole run.

A seeded sample of all places; with FUZZ=all (`make fuzz`), every one of them.
"""

import os
import random
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx2
import pytest

from chat.agent.asking import ATTEMPTS, Asking
from chat.agent.events import Ended, Event, ModelStarted
from chat.agent.fitting import Fitting
from chat.agent.loop import run
from chat.agent.task import Task
from chat.agent.transcript import Frozen, Said
from chat.wire.endpoint import Endpoint, Target
from chat.wire.values import JSON
from tests.cases.rules import Ran, check_transcript
from tests.scripted import Body, Scripted, says
from tests.streams.recorded import STREAMS, content_type, read_stream
from tools.registry import ToolResult

SAMPLE = 2_000
SEED = 3
KINDS = ("cut", "broken", "split")
TOOLS: list[JSON] = [
    {"type": "function", "function": {"name": name, "parameters": {"type": "object"}}} for name in ("look", "wait")
]


def places() -> Mapping[str, Sequence[tuple[str, int]]]:
    """Return what is done to each stream, and where: a sample of it all, the same each time."""
    found = [(name, kind, at) for name in STREAMS for kind in KINDS for at in range(len(read_stream(name)) + 1)]
    if os.environ.get("FUZZ") != "all":
        found = random.Random(SEED).sample(found, SAMPLE)  # noqa: S311  No secret.
    grouped: dict[str, list[tuple[str, int]]] = defaultdict(list)
    for name, kind, at in found:
        grouped[name].append((kind, at))
    return grouped


PLACES = places()


class Fuzzed(Scripted):
    """Answers the first request with a stream that something was done to, a repeated one with it whole, results with
    an answer."""

    def __init__(self, name: str, kind: str, at: int) -> None:
        super().__init__()
        stream, headers = read_stream(name), {"content-type": content_type(name)}
        rest = [stream[at:]] if kind == "split" else []
        self.first = Body([stream[:at], *rest], headers=headers, breaks=kind == "broken")
        self.whole = Body([stream], headers=headers)

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        if b'"role":"tool"' in await request.aread():
            self.replies.append(says("Done."))
        else:
            self.replies.append(self.whole if self.requests else self.first)
        return await super().handle_async_request(request)


@dataclass
class Driven:
    """A run without a database: its events, its requests, and what its tools were called with."""

    events: list[Event]
    requests: list[dict[str, Any]]
    ran: list[Ran] = field(default_factory=list)

    @property
    def ended(self) -> Ended:
        last = self.events[-1]
        assert isinstance(last, Ended)
        return last


async def drive(scripted: Scripted) -> Driven:
    """Drive the loop to its end."""
    driven = Driven([], scripted.requests)

    async def call_tool(name: str, arguments: Mapping[str, Any]) -> ToolResult:
        driven.ran.append((name, dict(arguments)))
        return ToolResult("seen", ok=True)

    target = Target(Endpoint("http://scripted.invalid/v1", "sk-test", scripted), "m")
    task = Task([Said("user", "Look!")], Fitting(Frozen("Be brief.", TOOLS), asked=0), Asking([target], first_wait=0))
    async for batch in run(task, call_tool):
        driven.events += batch
    return driven


@pytest.mark.parametrize("name", PLACES)
async def test_whatever_happens_to_a_stream_the_three_rules_hold(name: str) -> None:
    for kind, at in PLACES[name]:
        try:
            check(await drive(Fuzzed(name, kind, at)), name, kind)
        except Exception as error:
            raise AssertionError(f"{name}, {kind} at byte {at}") from error


def check(driven: Driven, name: str, kind: str) -> None:
    recorded, ended = STREAMS[name], driven.ended
    for request in driven.requests:
        check_transcript(request)

    assert driven.ran == [*recorded.calls][: len(driven.ran)]  # each at most once, and only whole ones
    assert sum(isinstance(one, Ended) for one in driven.events) == 1
    if ended.status == "done":
        assert ended.stop_reason == "done"
        assert ended.text == ("Done." if recorded.calls or recorded.problems else recorded.text)
        assert driven.ran or not recorded.calls
    else:
        assert ended.stop_reason in ("error", "empty", "content_filter", "refusal")
        assert ended.text == recorded.text

    asked = sum(isinstance(one, ModelStarted) for one in driven.events)
    if kind == "split":
        assert driven.ran == [*recorded.calls]
        assert asked == (ATTEMPTS if recorded.fails else 2 if recorded.calls or recorded.problems else 1)
    assert asked <= ATTEMPTS + 1
