"""Turns whatever a tool returned into text, the same text every time, without ever failing."""

import dataclasses
import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence, ValuesView
from collections.abc import Set as AbstractSet
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from itertools import islice
from pathlib import PurePath
from typing import Any
from uuid import UUID

from pydantic import BaseModel

MAX_DEPTH = 50  # deeper values are named by their type; JSON of this depth is of no use to a model either

MAX_ITEMS = 10_000  # of what has no length, such as a generator
MORE = "<and more>"

_ADDRESS = re.compile(r" at 0x[0-9A-Fa-f]+")
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def clean(text: str) -> str:
    """Replace NUL and lone surrogates, which databases and sockets refuse, by U+FFFD.

    The two halves of one character become that character again: endpoints cut their JSON anywhere.
    """
    if not _UNSTORABLE.search(text):
        return text
    whole = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return whole.replace("\x00", "\N{REPLACEMENT CHARACTER}")


def cleaned(value: Any) -> Any:
    """Return JSON in which every string, keys too, is clean."""
    match value:
        case str():
            return clean(value)
        case dict():
            return {clean(str(key)): cleaned(item) for key, item in value.items()}
        case list() | tuple():
            return [cleaned(item) for item in value]
    return value


def first(text: str, size: int) -> str:
    """Return the beginning of a text, of at most that many bytes. No character is cut in two."""
    if len(text) * 4 <= size:
        return text
    return text.encode("utf-8", "replace")[: max(size, 0)].decode("utf-8", "ignore")


def text_of(value: object) -> str:
    """Text for the model: strings as they are, everything else as compact JSON or its own plain form.

    It runs after a tool took effect, so it must not raise: what cannot be written is named by its type.
    """
    try:
        plain = _plain(value, ())
        if isinstance(plain, str):
            return plain
        return json.dumps(plain, ensure_ascii=False, separators=(",", ":"))
    except BaseException:  # a repr() may raise anything, SystemExit too, and the effect has already happened
        return _type_name(value)


def is_iterator(value: object) -> bool:
    """Say whether a value is a generator or another iterator, which gives its items only once."""
    return hasattr(type(value), "__next__")


def taken(items: Any) -> list[object]:
    """The items of what may never end, with a mark where some were left. Raises what the items raise."""
    found = list(islice(items, MAX_ITEMS + 1))
    return found if len(found) <= MAX_ITEMS else [*found[:MAX_ITEMS], MORE]


def _plain(value: object, above: tuple[int, ...]) -> object:
    """The value in JSON's own types. `above` holds the ids of the containers around it."""
    if id(value) in above:
        return "<the same again>"
    if len(above) > MAX_DEPTH:
        return _type_name(value)
    try:
        plain = _container(value, (*above, id(value)))
        return clean(plain) if isinstance(plain, str) else plain
    except BaseException:  # one part that cannot be read must not hide the others
        return _type_name(value)


def _container(value: object, above: tuple[int, ...]) -> object:
    match value:
        case Enum():
            return _plain(value.value, above)
        case BaseModel():
            return _plain(value.model_dump(), above)
        case _ if dataclasses.is_dataclass(value) and not isinstance(value, type):
            return {field.name: _plain(getattr(value, field.name), above) for field in dataclasses.fields(value)}
        case Mapping():
            return {_key(key): _plain(part, above) for key, part in value.items()}
        case list() | tuple() if not hasattr(value, "_fields"):
            return [_plain(part, above) for part in value]
        case tuple():
            return {str(name): _plain(getattr(value, name), above) for name in value._fields}  # type: ignore[attr-defined]
        case AbstractSet():
            return _sorted([_plain(part, above) for part in value])
        case str() | bytes() | bytearray() | memoryview():
            return _leaf(value)
        case _ if callable(getattr(value, "tolist", None)):  # numpy, torch and pandas have it
            return _plain(value.tolist(), above)  # type: ignore[attr-defined]
        case Sequence() | ValuesView() | Iterator():
            return [_plain(part, above) for part in taken(value)]
        case _:
            return _leaf(value)


def _leaf(value: object) -> object:
    match value:
        case None | bool():
            return value
        case str():
            return str(value)
        case int():
            return _integer(value)
        case float():
            return value if math.isfinite(value) else str(value)  # JSON has no NaN and no infinity
        case datetime() | date() | time():
            return value.isoformat()
        case bytes() | bytearray() | memoryview():
            return _bytes(bytes(value))
        case Decimal() | timedelta() | UUID() | PurePath():
            return str(value)
        case _:
            return _ADDRESS.sub("", repr(value))  # an address in memory differs from run to run


def _sorted(parts: list[object]) -> list[object]:
    """A set has no order of its own: numbers by size, everything else by its text."""
    numbers = [part for part in parts if isinstance(part, int | float)]
    return [
        *sorted(numbers),
        *sorted((part for part in parts if not isinstance(part, int | float)), key=text_of),
    ]


def _integer(value: int) -> object:
    try:
        str(value)
    except ValueError:  # Python writes at most 4,300 decimal digits
        return hex(value)
    return value


def _bytes(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return repr(value)


def _key(key: object) -> str:
    plain = _plain(key, ())
    return plain if isinstance(plain, str) else text_of(plain)


def _type_name(value: object) -> str:
    return f"<{type(value).__name__}>"
