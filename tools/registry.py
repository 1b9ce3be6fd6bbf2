"""Makes functions callable by a model: @tool, and the registry that checks, runs and answers every call."""

import importlib
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypedDict, TypeVar, Unpack, overload

from tools.calls import run_within
from tools.context import Http, HttpError, Memory, ToolContext, ToolError
from tools.problems import Schema
from tools.result import ToolResult, failure, words
from tools.schema import ArgumentsError, Signature, signature_of

__all__ = [
    "Http",
    "HttpError",
    "Memory",
    "Registry",
    "Tool",
    "ToolContext",
    "ToolError",
    "ToolResult",
    "registry",
    "tool",
]

TIMEOUT = 30.0  # seconds, for a tool that says nothing else

_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")  # what OpenAI accepts

Function = TypeVar("Function", bound=Callable[..., object])


class Options(TypedDict, total=False):
    """What `@tool(...)` takes, explained at Tool."""

    name: str | None
    timeout: float | None
    idempotent: bool
    writes: bool
    outside: bool


@dataclass(frozen=True)
class Tool:
    """A function a model may call."""

    name: str
    function: Callable[..., object]
    signature: Signature
    timeout: float | None = None  # seconds; None: the caller's limit
    idempotent: bool = False  # may be run again after a crash, with the same effect
    writes: bool = False  # changes something outside the conversation
    outside: bool = True  # its result holds text from outside this program

    @property
    def description(self) -> str:
        return self.signature.description

    @property
    def parameters(self) -> Schema:
        return self.signature.parameters

    @property
    def origin(self) -> str:
        return f"{self.function.__module__}.{self.function.__qualname__}"


class Registry:
    """Tools by name, in the order they were added."""

    def __init__(self) -> None:
        self._tools: dict[str, Tool] = {}
        self._schemas: list[Schema] = []

    def add(
        self,
        function: Callable[..., object],
        *,
        name: str | None = None,
        timeout: float | None = None,
        idempotent: bool = False,
        writes: bool = False,
        outside: bool = True,
    ) -> Tool:
        """Make the function a tool; the options are the fields of Tool.

        TypeError for a signature that cannot be shown to a model, ValueError for a name that cannot be used.
        """
        name = name or function.__name__
        added = Tool(name, function, signature_of(function), timeout, idempotent, writes, outside)
        if not _NAME.fullmatch(name):
            raise ValueError(f"{added.origin}: a tool's name is up to 64 letters, digits, _ and -, not {name!r}")
        if name in self._tools:
            raise ValueError(f"two tools are named {name!r}: {self._tools[name].origin} and {added.origin}")
        self._tools[name] = added
        shown = {"name": name, "description": added.description, "parameters": added.parameters}
        self._schemas.append({"type": "function", "function": shown})
        return added

    def get(self, name: str) -> Tool | None:
        return self._tools.get(name)

    def names(self) -> list[str]:
        return list(self._tools)

    def schemas(self) -> list[Schema]:
        """The tools as OpenAI's API takes them. The same objects every time: not to be changed."""
        return list(self._schemas)

    @staticmethod
    def load(modules: Iterable[str]) -> None:
        """Import modules, whose functions under @tool join the default registry. Raises ImportError."""
        for name in modules:
            try:
                importlib.import_module(name)
            except Exception as error:  # whatever a module does wrong, the start says which module it was
                raise ImportError(f"cannot load the tool module {name!r}: {words(error)}") from error

    async def call(
        self,
        name: str,
        arguments: Mapping[str, object],
        context: ToolContext,
        timeout: float = TIMEOUT,  # noqa: ASYNC109
    ) -> ToolResult:
        """Run a tool and answer, whatever it does. Raises only CancelledError, when the caller is cancelled."""
        tool = self.get(name)
        if tool is None:
            known = ", ".join(self._tools) or "none"
            return failure(f"there is no tool named {name[:80]!r}; the tools are: {known}")
        try:
            ready = tool.signature.read(arguments)
        except ArgumentsError as error:
            return failure(f"{name} was not run: {error}")
        if tool.signature.context_parameter:
            ready[tool.signature.context_parameter] = context
        return await run_within(tool.timeout or timeout, name, tool.function, ready)


registry = Registry()


@overload
def tool(function: Function, /) -> Function: ...


@overload
def tool(**options: Unpack[Options]) -> Callable[[Function], Function]: ...


def tool(function: Function | None = None, /, **options: Unpack[Options]) -> Any:
    """Make a function callable by a model: `@tool`, or `@tool(timeout=5)`. The function itself is unchanged.

    Its docstring is what the model reads; below a line "Args:" it describes the parameters, as "name: text".
    A parameter of type ToolContext is filled in and never shown. A function that is not async runs in a
    thread.
    """

    def join(function: Function) -> Function:
        registry.add(function, **options)
        return function

    return join if function is None else join(function)
