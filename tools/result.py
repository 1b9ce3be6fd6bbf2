"""The answer to one call of a tool: its value as text, or what it raised as an error that a model can act on."""

import traceback
from dataclasses import dataclass

from tools.context import ToolError
from tools.text import clean, is_iterator, taken, text_of

MAX_ERROR = 200  # characters of the short form of an error


@dataclass(frozen=True)
class ToolResult:
    """The answer to one call: `text` is for the model, `traceback` for the trace only."""

    text: str
    ok: bool
    error: str = ""  # one short line, "" when ok
    traceback: str = ""  # "" unless the tool itself raised


def answered(value: object) -> ToolResult:
    """The result of a tool that returned. A generator only runs now, so what it raises is raised here."""
    return ToolResult(text_of(taken(value) if is_iterator(value) else value), ok=True)


def raised(error: BaseException) -> ToolResult:
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
