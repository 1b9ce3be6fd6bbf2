"""A tool's result becomes the same text every time, and never a failure."""

import json
from array import array
from collections import OrderedDict, UserDict, deque
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum, IntEnum, IntFlag
from fractions import Fraction
from itertools import count
from pathlib import PurePosixPath
from typing import NamedTuple, NoReturn
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, RootModel

from tools.text import MAX_ITEMS, MORE, clean, text_of


class Colour(Enum):
    RED = "red"


@dataclass
class Point:
    x: int
    y: float


class Place(BaseModel):
    name: str
    point: Point


class Level(IntEnum):
    LOW = 1


class Access(IntFlag):
    READ = 1
    WRITE = 2


class Spot(NamedTuple):
    name: str
    point: Point


class Names(RootModel[list[str]]):
    pass


class Scalar:
    """As numpy's and torch's: no number of Python's, and gives one."""

    def tolist(self) -> object:
        return 3


class Endless:
    """As a test double does: every attribute is another one of its kind."""

    def __getattr__(self, name: str) -> "Endless":
        return Endless()

    def __call__(self) -> "Endless":
        return Endless()


class Liar:
    @property  # type: ignore[misc]
    def __class__(self) -> NoReturn:  # type: ignore[override]
        raise RuntimeError("I am nothing")


class Shouting(str):
    def __str__(self) -> NoReturn:
        raise RuntimeError("too loud")


class Plain:
    pass


class Speaking:
    def __repr__(self) -> str:
        return "Speaking()"


class Failing:
    def __repr__(self) -> str:
        raise RuntimeError("no words")


class Leaving:
    def __repr__(self) -> str:
        raise SystemExit


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("as it is\n", "as it is\n"),
        (None, "null"),
        (True, "true"),
        (3, "3"),
        (0.5, "0.5"),
        ({"city": "Zürich", "n": [1, 2]}, '{"city":"Zürich","n":[1,2]}'),
        (OrderedDict(b=1, a=2), '{"b":1,"a":2}'),
        ((1, "two"), '[1,"two"]'),
        (b"caf\xc3\xa9", "café"),
        (b"\xff\x00", r"b'\xff\x00'"),
        ({10, 9, 1}, "[1,9,10]"),
        ({"b", "a"}, '["a","b"]'),
        (frozenset({"a", 1, None}), '[1,"a",null]'),
        (Point(1, 2.5), '{"x":1,"y":2.5}'),
        (Place(name="home", point=Point(1, 2)), '{"name":"home","point":{"x":1,"y":2}}'),
        (datetime(2026, 11, 22, 9, 30, tzinfo=UTC), "2026-11-22T09:30:00+00:00"),
        ([date(2026, 11, 22), time(9, 30)], '["2026-11-22","09:30:00"]'),
        (timedelta(days=1, hours=2), "1 day, 2:00:00"),
        (Decimal("1.10"), "1.10"),
        ({"price": Decimal("1.10")}, '{"price":"1.10"}'),
        (float("nan"), "nan"),
        ([float("inf"), float("-inf")], '["inf","-inf"]'),
        (Colour.RED, "red"),
        ({"level": Level.LOW, "access": Access.READ | Access.WRITE}, '{"level":1,"access":3}'),
        (Spot("home", Point(1, 2)), '{"name":"home","point":{"x":1,"y":2}}'),
        (Names(["a", "b"]), '["a","b"]'),
        (Scalar(), "3"),
        ({"mean": Scalar()}, '{"mean":3}'),
        (array("i", [1, 2]), "[1,2]"),
        (bytearray(b"caf\xc3\xa9"), "café"),
        (memoryview(b"abc"), "abc"),
        (range(3), "[0,1,2]"),
        (deque([1, {2}]), "[1,[2]]"),
        (UserDict(a=(1,)), '{"a":[1]}'),
        ({"a": 1, "b": 2}.values(), "[1,2]"),
        ({"a": 1, "b": 2}.items(), '[["a",1],["b",2]]'),
        ([(n * n for n in range(3)), map(str, [1])], '[[0,1,4],["1"]]'),
        (Fraction(1, 3), "Fraction(1, 3)"),
        (ValueError("no"), "ValueError('no')"),
        ([1, Shouting("hey")], '[1,"<Shouting>"]'),
        ([1, Leaving(), 2], '[1,"<Leaving>",2]'),
        ({float("nan"), 1}, '[1,"nan"]'),
        ({10**5000, 2} - {10**5000}, "[2]"),
        (UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (PurePosixPath("/tmp/x"), "/tmp/x"),
        ({1: "a", None: "b", (1, 2): "c"}, '{"1":"a","null":"b","[1,2]":"c"}'),
        (Speaking(), "Speaking()"),
        (Failing(), "<Failing>"),
        ([1, Failing(), 2], '[1,"<Failing>",2]'),
        (Leaving(), "<Leaving>"),
        (1 + 2j, "(1+2j)"),
        (int, "<class 'int'>"),
    ],
)
def test_every_kind_of_value_has_its_text(value: object, text: str) -> None:
    assert text_of(value) == text


def test_an_object_without_words_is_named_without_its_address() -> None:
    assert text_of(Plain()) == text_of(Plain())
    assert "Plain object" in text_of(Plain())


def test_an_integer_that_python_will_not_write_in_decimal_is_written_in_hex() -> None:
    assert text_of(10**5000).startswith("0x")
    assert json.loads(text_of([10**5000]))[0].startswith("0x")


def test_a_value_that_contains_itself_ends() -> None:
    loop: list[object] = [1]
    loop.append(loop)
    assert text_of(loop) == '[1,"<the same again>"]'


def test_a_value_that_lies_about_its_class_is_named_by_its_type() -> None:
    assert text_of([1, Liar()]) == '[1,"<Liar>"]'
    assert text_of(Liar()) == "<Liar>"


def test_records_that_contain_themselves_end_too() -> None:
    @dataclass
    class Node:
        next: object = None

    class Model(BaseModel):
        next: object = None

    for made in (Node(), Model()):
        made.next = made
        assert text_of([made, 1]).endswith(",1]")


def test_what_never_ends_is_cut_with_a_mark() -> None:
    assert json.loads(text_of({"numbers": count()}))["numbers"] == [*range(MAX_ITEMS), MORE]
    assert text_of(Endless())


def test_an_iterator_that_fails_inside_a_result_does_not_hide_the_rest() -> None:
    assert text_of([1, (1 / n for n in (1, 0)), 2]) == '[1,"<generator>",2]'


def test_the_same_value_twice_is_no_loop() -> None:
    part = [1]
    assert text_of([part, part]) == "[[1],[1]]"


def test_a_value_nested_without_end_is_cut() -> None:
    deep: list[object] = []
    for _ in range(5000):
        deep = [deep]
    assert "<list>" in text_of(deep)


def test_lone_surrogates_and_nul_are_replaced_wherever_they_stand() -> None:
    assert clean("a\x00b\ud800c") == "a\N{REPLACEMENT CHARACTER}b\N{REPLACEMENT CHARACTER}c"
    assert text_of({"k\udfff": ["v\x00"]}) == '{"k\N{REPLACEMENT CHARACTER}":["v\N{REPLACEMENT CHARACTER}"]}'
    assert clean("👩‍💻") == "👩‍💻"


scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.binary()
    | st.decimals(allow_nan=False)
    | st.datetimes()
)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner) | st.dictionaries(st.text() | st.integers(), inner) | st.frozensets(scalars) | st.tuples(inner)
    ),
    max_leaves=20,
)


@given(values)
def test_any_value_has_a_storable_text_that_does_not_change(value: object) -> None:
    text = text_of(value)
    assert text == text_of(value)
    assert "\x00" not in text
    text.encode("utf-8")
