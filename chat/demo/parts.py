"""What the demo model answers with: text, or tool calls."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Call:
    """One tool call, its arguments as a JSON object."""

    name: str
    arguments: dict[str, object]


@dataclass(frozen=True)
class Reply:
    """One whole turn of the model: text for the reader, or calls to be answered first."""

    text: str
    calls: tuple[Call, ...] = ()
