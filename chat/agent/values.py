"""The values the engine works on: a tool call, a model's reply, what it used."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

JSON = None | bool | int | float | str | list["JSON"] | dict[str, "JSON"]


@dataclass(frozen=True, slots=True)
class Call:
    """One tool call of a reply. `problem` says why it must not run; then `arguments` is empty.

    `raw` is what the model wrote, for the trace; what goes back on the wire is `arguments`, which is always an object.
    `extra` are fields an endpoint wants back with the call (Gemini's `extra_content`).
    """

    id: str
    name: str
    arguments: dict[str, JSON]
    raw: str = ""
    problem: str = ""
    extra: Mapping[str, JSON] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Usage:
    """Disjoint token counts of one model call; None where the endpoint did not report one."""

    input: int | None = None
    cache_read: int | None = None
    cache_write: int | None = None
    reasoning: int | None = None
    output: int | None = None
    cost: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """The model's part of a turn, whole: what it said, what it reasoned, which tools it asked for.

    `reasoning_field` is the field in which this endpoint sends its reasoning.
    """

    text: str = ""
    reasoning: str = ""
    calls: tuple[Call, ...] = ()
    finish: str = ""
    refusal: str = ""
    model: str = ""
    usage: Usage = Usage()
    reasoning_field: str = ""
