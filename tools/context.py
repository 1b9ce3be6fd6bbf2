"""What a tool may ask for: who it works for, and small protocols for memory and outbound requests."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol


class ToolError(Exception):
    """Raised by a tool to tell the model something in its own words: the model reads "Error: <message>"."""


class HttpError(ToolError):
    """An outbound request was refused or failed. The message never holds credentials or query values."""


class Memory(Protocol):
    """What is remembered of the user. Each method returns a sentence for the model, or raises ToolError."""

    async def remember(self, fact: str) -> str: ...

    async def prefer(self, key: str, value: str) -> str: ...

    async def forget(self, text: str) -> str: ...


class Http(Protocol):
    """Outbound requests, checked. Raises HttpError."""

    async def get_json(
        self,
        url: str,
        params: Mapping[str, str | int | float] = {},
        timeout: float = 10.0,  # noqa: ASYNC109
    ) -> object: ...


@dataclass(frozen=True)
class ToolContext:
    """Filled in for every call of a tool that has a parameter of this type; the model never sees it.

    `options` is what the site's settings say to tools, such as {"weather_source": "auto"}.
    """

    user: str
    conversation: str
    run: str
    memory: Memory
    http: Http
    options: Mapping[str, str]
