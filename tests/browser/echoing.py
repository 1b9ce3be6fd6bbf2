"""Tools for a site of the browser's tests, named in its TOOL_MODULES: they say what they are told to."""

from tools.registry import ToolError, tool


@tool
async def echo(text: str) -> str:
    """Give a text back.

    Args:
        text: any text
    """
    return text


@tool
async def fail(words: str) -> str:
    """Fail in these words.

    Args:
        words: any words
    """
    raise ToolError(words)
