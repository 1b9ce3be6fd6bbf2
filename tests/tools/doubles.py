"""What stands behind a tool's context in these tests: a memory of plain lists, scripted replies, a clock."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from tools.registry import Http, HttpError, ToolContext, ToolError


@dataclass
class ListMemory:
    facts: list[str] = field(default_factory=list)
    preferences: dict[str, str] = field(default_factory=dict)

    async def remember(self, fact: str) -> str:
        self.facts.append(fact)
        return f"Remembered: {fact}"

    async def prefer(self, key: str, value: str) -> str:
        self.preferences[key] = value
        return f"Remembered: {key} is {value}"

    async def forget(self, text: str) -> str:
        if text not in self.facts:
            raise ToolError("nothing like that is remembered")
        self.facts.remove(text)
        return f"Forgotten: {text}"


@dataclass
class ScriptedHttp:
    """Answers each request with the next reply; an exception is raised. With none left, nothing can be reached."""

    replies: list[object] = field(default_factory=list)
    asked: list[tuple[str, dict[str, str | int | float]]] = field(default_factory=list)

    async def get_json(
        self,
        url: str,
        params: Mapping[str, str | int | float] = {},
        timeout: float = 10.0,  # noqa: ASYNC109
    ) -> object:
        self.asked.append((url, dict(params)))
        if not self.replies:
            raise HttpError("there is no network")
        reply = self.replies.pop(0)
        if isinstance(reply, Exception):
            raise reply
        return reply


def context(http: Http | None = None, **options: str) -> ToolContext:
    return ToolContext(
        user="alice",
        conversation="conversation",
        run="run",
        memory=ListMemory(),
        http=http or ScriptedHttp(),
        options=options,
    )
