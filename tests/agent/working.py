"""A task to work on, and an endpoint that answers by a rule instead of a script."""

import json
import re
from collections.abc import Callable, Sequence
from typing import Any

import httpx2

from chat.agent.asking import Asking
from chat.agent.events import Ended, Event
from chat.agent.fitting import Fitting
from chat.agent.limits import Budget, Limits
from chat.agent.loop import run
from chat.agent.task import Task
from chat.agent.transcript import Entry, Frozen, Said
from chat.wire.endpoint import Endpoint, Target
from chat.wire.values import JSON
from tests.scripted import Body, Chunk, Scripted
from tools.registry import ToolResult

LOOK: dict[str, JSON] = {
    "type": "function",
    "function": {
        "name": "look",
        "description": "Look at a place.",
        "parameters": {"type": "object", "properties": {"place": {"type": "string"}}},
    },
}
Reply = Sequence[Chunk] | Body
Rule = Callable[[dict[str, Any]], Reply]


class Ruled(Scripted):
    """Answers by `rule`, and counts tokens by a rule of its own: one for 3.5 bytes, and four for each message.

    With a `window` it refuses what is longer, as OpenAI does, or as those do that name none. With `reports` it says
    what it counted. `refuses` are fields of a request that it does not take, and its words for that.
    """

    def __init__(
        self, rule: Rule, window: int | None = None, reports: bool = True, refuses: dict[str, str] | None = None
    ) -> None:
        super().__init__()
        self.rule, self.window, self.reports, self.refuses = rule, window, reports, refuses or {}
        self.names_window = True
        self.counted: list[int] = []
        self.refused = 0

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        self.replies.append(self._reply(json.loads(await request.aread())))
        return await super().handle_async_request(request)

    def _reply(self, asked: dict[str, Any]) -> Reply:
        tokens = counted(asked)
        self.counted.append(tokens)
        if self.window and tokens > self.window:
            self.refused += 1
            named = f" is {self.window} tokens, and this has {tokens}" if self.names_window else " is exceeded"
            return refusal(f"This model's maximum context length{named}.")
        for name, words in self.refuses.items():
            if name in asked:
                return refusal(words)
        reply = self.rule(asked)
        usage = {"choices": [], "usage": {"prompt_tokens": tokens, "completion_tokens": 20}}
        return [*reply, usage] if self.reports and not isinstance(reply, Body) else reply


def ruled(rule: Rule, window: int | None = None, **options: Any) -> tuple[Endpoint, Ruled]:
    transport = Ruled(rule, window, **options)
    return Endpoint("http://ruled.invalid/v1", "sk-test", transport), transport


def counted(asked: dict[str, Any]) -> int:
    """Count the tokens of a request: of all text in it, and of each message and tool."""
    parts = [*asked["messages"], *asked.get("tools", ())]
    return sum(round(len(json.dumps(part, ensure_ascii=False).encode()) / 3.5) + 4 for part in parts)


def refusal(message: str, status: int = 400, **headers: str) -> Body:
    """An error as a reply of a script."""
    said = json.dumps({"error": {"message": message}}).encode()
    return Body([said], status, {"content-type": "application/json", **headers})


def is_summary(asked: dict[str, Any]) -> bool:
    """Say whether a request is for a summary."""
    return str(asked["messages"][0]["content"]).startswith("You write the summary")


def task(*targets: Target, said: Sequence[Entry] = (Said("user", "Look!"),), **options: Any) -> Task:
    """A task whose question is the last thing said; `options` are those of its fitting, and `limits`."""
    limits, frozen = options.pop("limits", Limits()), options.pop("frozen", Frozen("Be brief.", [LOOK]))
    fitting = Fitting(frozen, len(said) - 1, **options)
    return Task([*said], fitting, Asking([*targets], Budget(limits), first_wait=0))


async def see(name: str, arguments: dict[str, Any]) -> ToolResult:
    """The tool of these tests: it says what it sees."""
    return ToolResult(f"a tree at {arguments.get('place')}", ok=True)


def of(kind: type[Any], found: Sequence[Event]) -> list[Any]:
    return [one for one in found if isinstance(one, kind)]


def ended(found: Sequence[Event]) -> Ended:
    last = found[-1]
    assert isinstance(last, Ended)
    return last


async def events(work: Task, call_tool: Any = see) -> list[Event]:
    return [one async for batch in run(work, call_tool) for one in batch]


def number_of(asked: dict[str, Any], pattern: str) -> int:
    """Return the last number that stands behind a pattern in a request."""
    return max((int(found) for found in re.findall(pattern + r"(\d+)", json.dumps(asked))), default=0)
