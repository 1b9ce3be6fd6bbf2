"""Numbers with their unit and place, and how they are written in an answer or an expression."""

import math
from dataclasses import dataclass

Number = int | float


@dataclass(frozen=True)
class Value:
    """A number: `unit` is "°C", "°F", "%", "degrees" or empty; `place` and `quantity` say what was measured where."""

    number: Number
    unit: str = ""
    place: str = ""
    quantity: str = ""


def clean(number: Number) -> str:
    """For a reader: 18 and not 18.0, at most four decimals, powers of ten only where those would hide the number."""
    if isinstance(number, int) or not math.isfinite(number):
        return str(number)
    if number == int(number) and abs(number) < 1e15:
        return str(int(number))
    if abs(number) >= 1e15 or abs(number) < 1e-3:
        return f"{number:.4g}"
    return f"{number:.4f}".rstrip("0").rstrip(".")


def exact(number: Number) -> str:
    """For the calculator: every digit."""
    return str(int(number)) if isinstance(number, float) and number.is_integer() and abs(number) < 1e15 else str(number)


def with_unit(value: Value) -> str:
    gap = "" if value.unit in ("", "%") else " "
    return f"{clean(value.number)}{gap}{value.unit}"


def number_in(value: object) -> Number | None:
    """A number from a tool's result, which may have sent it as text."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return value
    try:
        return float(value) if isinstance(value, str) else None
    except ValueError:
        return None


def joined(words: list[str], last: str = "and") -> str:
    """As in "a, b and c"."""
    return f" {last} ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else "".join(words)
