"""The values the engine works on: a tool call, a model's reply, what it used."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

JSON = None | bool | int | float | str | list["JSON"] | dict[str, "JSON"]
Wire = dict[str, JSON]  # a message as the Chat Completions API has it


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
    """Disjoint token counts of one model call; None where the endpoint did not report one.

    `estimated`: the endpoint reported nothing, and these are our own guess.
    """

    input: int | None = None
    cache_read: int | None = None
    cache_write: int | None = None
    reasoning: int | None = None
    output: int | None = None
    cost: Decimal | None = None
    estimated: bool = False

    @property
    def prompt(self) -> int:
        """All that was read."""
        return (self.input or 0) + (self.cache_read or 0) + (self.cache_write or 0)

    @property
    def completion(self) -> int:
        """All that was written."""
        return (self.reasoning or 0) + (self.output or 0)


@dataclass(frozen=True, slots=True)
class Reply:
    """The model's part of a turn, whole: what it said, what it reasoned, which tools it asked for.

    `reasoning_field` is the field in which this endpoint sends its reasoning, `details` what it sends of it in
    pieces of its own making. `thought` is what it wrote before the answer, in ReAct mode.
    """

    text: str = ""
    reasoning: str = ""
    calls: tuple[Call, ...] = ()
    finish: str = ""
    refusal: str = ""
    model: str = ""
    usage: Usage = Usage()
    reasoning_field: str = ""
    details: tuple[JSON, ...] = ()
    thought: str = ""


def known_sum(*counts: int | None) -> int | None:
    """Return the sum of what is known; None, and never 0, where nothing is."""
    known = [count for count in counts if count is not None]
    return sum(known) if known else None


def new_id(turn: int, number: int, taken: Collection[str]) -> str:
    """Make a call's id of nine letters and digits, the form that every endpoint takes (Mistral takes no other)."""
    while (id_ := f"call{turn % 1000:03d}{number % 100:02d}") in taken:
        number += 1
        turn += number % 100 == 0
    return id_
