"""JSON as its standard has it, and of a depth that everything here can carry."""

import json
import math

from chat.wire.values import JSON

DEEPEST = 100


def loads(text: str) -> object:
    """Parse JSON. Raises ValueError, with what is wrong, for anything that could not be stored or sent again."""
    try:
        value = json.loads(text, parse_constant=_refuse, parse_float=_finite)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    if text.count("[") + text.count("{") > DEEPEST and _depth(value) > DEEPEST:
        raise ValueError("it is nested too deeply")
    return value


def read_arguments(raw: str) -> tuple[dict[str, JSON], str]:
    """Return the arguments as an object and "", or {} and what is wrong with them."""
    if not raw.strip():
        return {}, ""
    try:
        value = loads(raw)
        if isinstance(value, str):  # some models encode them twice
            value = loads(value)
    except ValueError as error:
        return {}, f"the arguments are not valid JSON: {error}"
    if not isinstance(value, dict):
        return {}, f"the arguments must be a JSON object, not {_kind(value)}"
    return value, ""


def _refuse(name: str) -> object:
    raise ValueError(f"{name} is no JSON")


def _finite(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise ValueError(f"{text[:20]} is too large a number")
    return value


def _depth(value: object) -> int:
    """Count how deep a value is nested, level by level, so that no depth is too much for the counting."""
    depth, level = 0, [value]
    while level and depth <= DEEPEST:
        depth += 1
        level = [item for one in level for item in _items(one)]
    return depth


def _items(value: object) -> list[object]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []


def _kind(value: object) -> str:
    return {list: "a list", bool: "a boolean", int: "a number", float: "a number"}.get(type(value), "null")
