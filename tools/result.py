"""Runs one function to a result: its value as text, or what it raised as an error that a model can act on."""

import contextvars
import inspect
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from tools.context import ToolError
from tools.text import clean, text_of
from tools.threads import Threads

THREADS = Threads(size=16, name="tool")  # for tools that are plain functions
MAX_ERROR = 200  # characters of the short form of an error


@dataclass(frozen=True)
class ToolResult:
    """The answer to one call: `text` is for the model, `traceback` for the trace only."""

    text: str
    ok: bool
    error: str = ""  # one short line, "" when ok
    traceback: str = ""  # "" unless the tool itself raised


async def run(function: Callable[..., object], arguments: dict[str, object]) -> ToolResult:
    """Run a tool to a result. Nothing it raises gets out, for a SystemExit in a task would end the server."""
    if not inspect.iscoroutinefunction(inspect.unwrap(function)):
        context = contextvars.copy_context()
        return await THREADS.run(partial(context.run, _run_plain, function, arguments))
    try:
        value = function(**arguments)
        if inspect.isawaitable(value):  # a decorator around an async function may have awaited it already
            value = await value
    except BaseException as error:
        return _raised(error)
    return ToolResult(text_of(value), ok=True)


def _run_plain(function: Callable[..., object], arguments: dict[str, object]) -> ToolResult:
    try:
        value = function(**arguments)
    except BaseException as error:
        return _raised(error)
    return ToolResult(text_of(value), ok=True)


def _raised(error: BaseException) -> ToolResult:
    if isinstance(error, ToolError):
        return failure(str(error) or "the tool failed")
    return failure(words(error), clean("".join(traceback.format_exception(error))))


def failure(message: str, trace: str = "") -> ToolResult:
    message = clean(message)
    short = " ".join(message.split())
    short = short if len(short) <= MAX_ERROR else short[: MAX_ERROR - 1] + "…"
    return ToolResult(f"Error: {message}", ok=False, error=short, traceback=trace)


def words(error: BaseException) -> str:
    try:
        text = str(error)
    except BaseException:  # an exception whose own message fails is still an answer
        text = ""
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
