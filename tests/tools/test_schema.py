"""What a model is shown of a function, and what is let through to it."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from enum import Enum
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field, field_validator

from tools.registry import ToolContext
from tools.schema import ArgumentsError, signature_of


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


class Point(BaseModel):
    """A point on the map."""

    lat: float
    title: str = "here"


@dataclass
class Size:
    width: int


class Tree(BaseModel):
    name: str
    children: "list[Tree]" = []


class Picky(BaseModel):
    word: str

    @field_validator("word")
    @classmethod
    def check(cls, word: str) -> str:
        raise RuntimeError("a bug in a validator")


def plain(city: str, days: int = 3, units: Literal["celsius", "fahrenheit"] = "celsius") -> None:
    """Forecast the weather.

    For a few days.

    Args:
        city: The city's name,
            with its country.
        units: The scale.

    Returns:
        Nothing at all.
    """


def rich(
    context: ToolContext,
    colour: Colour,
    title: str | None = None,
    points: list[Point] = [],  # noqa: B006
    size: Size | None = None,
    on: date = date(2026, 1, 1),
    share: float = 0.5,
    json: Annotated[str, Field(max_length=3)] = "x",
) -> None:
    """Draw."""


def read(function: Callable[..., object], /, **arguments: Any) -> dict[str, object]:
    return signature_of(function).read(arguments)


def refused(function: Callable[..., object], /, **arguments: Any) -> str:
    with pytest.raises(ArgumentsError) as error:
        signature_of(function).read(arguments)
    return str(error.value)


def test_the_schema_is_the_signature_and_the_docstring() -> None:
    signature = signature_of(plain)
    assert signature.description == "Forecast the weather.\n\nFor a few days."
    assert signature.parameters == {
        "type": "object",
        "properties": {
            "city": {"type": "string", "description": "The city's name, with its country."},
            "days": {"type": "integer", "default": 3},
            "units": {
                "type": "string",
                "enum": ["celsius", "fahrenheit"],
                "default": "celsius",
                "description": "The scale.",
            },
        },
        "required": ["city"],
        "additionalProperties": False,
    }


def test_nested_types_are_written_out_closed_and_without_titles() -> None:
    properties = signature_of(rich).parameters["properties"]
    assert properties["colour"] == {"type": "string", "enum": ["red", "blue"]}
    assert properties["title"] == {"anyOf": [{"type": "string"}, {"type": "null"}], "default": None}
    assert properties["points"]["items"] == {
        "type": "object",
        "description": "A point on the map.",
        "properties": {"lat": {"type": "number"}, "title": {"type": "string", "default": "here"}},
        "required": ["lat"],
        "additionalProperties": False,
    }
    assert properties["size"]["anyOf"][0]["additionalProperties"] is False
    assert properties["on"] == {"type": "string", "format": "date", "default": "2026-01-01"}
    assert "$ref" not in json.dumps(properties)


def test_the_context_is_named_and_never_shown() -> None:
    signature = signature_of(rich)
    assert signature.context_parameter == "context"
    assert "context" not in signature.parameters["properties"]
    assert "unknown argument" in refused(rich, colour="red", context="mine")


def test_a_type_that_contains_itself_keeps_its_references() -> None:
    def grow(tree: Tree) -> None:
        """Grow."""

    signature = signature_of(grow)
    assert signature.parameters["$defs"]["Tree"]["additionalProperties"] is False
    assert signature.read({"tree": {"name": "a", "children": [{"name": "b"}]}})


def test_arguments_arrive_as_the_types_of_the_signature() -> None:
    arguments = read(
        rich,
        colour="blue",
        points=[{"lat": 1}],
        size={"width": 2},
        on="2026-11-22",
        share=1,
        json="abc",
    )
    assert arguments == {
        "colour": Colour.BLUE,
        "points": [Point(lat=1.0)],
        "size": Size(2),
        "on": date(2026, 11, 22),
        "share": 1.0,
        "json": "abc",
    }


def test_what_was_not_given_is_left_to_the_function() -> None:
    assert read(plain, city="Paris") == {"city": "Paris"}


def test_a_missing_argument_is_named_with_its_type() -> None:
    assert refused(plain) == "city: missing, expected string"
    assert refused(rich) == 'colour: missing, expected one of "red", "blue"'
    assert "points.0.lat: missing, expected number" in refused(rich, colour="red", points=[{}])


def test_a_wrong_type_is_named_with_what_was_given() -> None:
    assert refused(plain, city="Paris", days="3") == 'days: expected a valid integer, got "3"'
    assert refused(plain, city=5) == "city: expected a valid string, got 5"
    assert "expected 'celsius' or 'fahrenheit', got \"kelvin\"" in refused(plain, city="P", units="kelvin")


@pytest.mark.parametrize("days", ["3", True, 3.5, None, [3], {"n": 3}])
def test_nonsense_is_never_made_into_an_integer(days: object) -> None:
    assert "days" in refused(plain, city="Paris", days=days)


@pytest.mark.parametrize("share", ["0.5", True, float("nan"), float("inf"), None])
def test_nonsense_is_never_made_into_a_number(share: object) -> None:
    refused(rich, colour="red", share=share)


def test_an_unknown_argument_is_an_error_that_lists_the_known_ones() -> None:
    assert refused(plain, city="P", town="Q") == "town: unknown argument, known here: city, days, units"


@pytest.mark.parametrize("extra", [{"points": [{"lat": 1, "lon": 2}]}, {"size": {"width": 1, "depth": 2}}])
def test_an_unknown_argument_is_an_error_inside_nested_types_too(extra: dict[str, object]) -> None:
    assert "unknown argument, known here:" in refused(rich, colour="red", **extra)


def test_many_problems_are_named_up_to_a_number() -> None:
    assert "and 15 more" in refused(plain, city="P", **{f"x{n}": n for n in range(20)})


def test_a_long_wrong_value_is_cut() -> None:
    assert len(refused(plain, city="P", days="9" * 10_000)) < 200


@pytest.mark.parametrize("arguments", [{"city": {1, 2}}, {"city": b"x"}, {"city": 10**5000}])
def test_arguments_that_are_no_json_are_refused(arguments: dict[str, object]) -> None:
    with pytest.raises(ArgumentsError, match="not JSON"):
        signature_of(plain).read(arguments)


def test_arguments_nested_without_end_are_refused() -> None:
    deep: list[object] = []
    for _ in range(5000):
        deep = [deep]
    refused(plain, city=deep)


def test_lone_surrogates_are_replaced_before_the_tool_sees_them() -> None:
    assert read(plain, city="a\ud800") == {"city": "a\N{REPLACEMENT CHARACTER}"}


def test_a_validator_that_raises_is_an_answer_too() -> None:
    def choose(word: Picky) -> None:
        """Choose."""

    assert "a bug in a validator" in refused(choose, word={"word": "x"})


def test_a_tool_without_arguments_takes_none() -> None:
    def now() -> None:
        """Say when."""

    assert read(now) == {}
    assert refused(now, x=1) == "x: unknown argument, known here: none"


def test_a_function_that_cannot_be_shown_to_a_model_is_refused_by_name() -> None:
    def no_docstring(x: int) -> None: ...

    def no_type(x) -> None:  # type: ignore[no-untyped-def]
        """Do."""

    def stars(*words: str) -> None:
        """Do."""

    def misspelt(city: str) -> None:
        """Do.

        Args:
            town: The town.
        """

    def garbled(city: str) -> None:
        """Do.

        Args:
            the city
        """

    wrong: list[tuple[Callable[..., object], str]] = [
        (no_docstring, "needs a docstring"),
        (no_type, "'x' has no type"),
        (stars, "by name"),
        (misspelt, "'town', which is not a parameter"),
        (garbled, "cannot read 'the city'"),
    ]
    for function, reason in wrong:
        with pytest.raises(TypeError, match=reason) as error:
            signature_of(function)
        assert function.__name__ in str(error.value)
