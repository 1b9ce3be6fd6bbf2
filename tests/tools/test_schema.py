"""What a model is shown of a function, and what is let through to it."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum, IntEnum
from pathlib import Path
from typing import Annotated, Any, Literal, NotRequired
from uuid import UUID

import pytest
from pydantic import BaseModel, Field, create_model, field_validator
from typing_extensions import TypedDict

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


class Level(IntEnum):
    LOW = 1
    HIGH = 2


class Spot(TypedDict):
    lat: float
    name: NotRequired[str]


class Circle(BaseModel):
    kind: Literal["circle"]
    radius: float


class Square(BaseModel):
    kind: Literal["square"]
    side: float


Shape = Annotated[Circle | Square, Field(discriminator="kind")]


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


def taking(hint: Any, default: Any = ...) -> Callable[..., object]:
    """A tool with one parameter, x."""

    def use(x) -> None:  # type: ignore[no-untyped-def]
        """Use it."""

    use.__annotations__ = {"x": hint}
    use.__defaults__ = None if default is ... else (default,)
    return use


def shown(hint: Any, default: Any = ...) -> Any:
    return signature_of(taking(hint, default)).parameters["properties"]["x"]


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


@pytest.mark.parametrize(
    ("hint", "schema"),
    [
        (Level, {"type": "integer", "enum": [1, 2]}),
        (Literal[1, "a"], {"enum": [1, "a"]}),
        (int | str, {"anyOf": [{"type": "integer"}, {"type": "string"}]}),
        (Annotated[int, Field(ge=1, le=5)], {"type": "integer", "minimum": 1, "maximum": 5}),
        (Annotated[str, Field(pattern="^a", description="A word.")],
         {"type": "string", "pattern": "^a", "description": "A word."}),
        (datetime, {"type": "string", "format": "date-time"}),
        (UUID, {"type": "string", "format": "uuid"}),
        (list[date], {"type": "array", "items": {"type": "string", "format": "date"}}),
        (set[int], {"type": "array", "items": {"type": "integer"}, "uniqueItems": True}),
        (dict[str, Level], {"type": "object", "additionalProperties": {"type": "integer", "enum": [1, 2]}}),
        (tuple[int, str],
         {"type": "array", "minItems": 2, "maxItems": 2, "prefixItems": [{"type": "integer"}, {"type": "string"}]}),
        (Spot, {"type": "object", "properties": {"lat": {"type": "number"}, "name": {"type": "string"}},
                "required": ["lat"], "additionalProperties": False}),
        (Any, {}),
    ],
    ids=str,
)  # fmt: skip
def test_every_kind_of_type_has_its_schema(hint: object, schema: dict[str, object]) -> None:
    assert shown(hint) == schema


@pytest.mark.parametrize(
    ("hint", "default", "as_json"),
    [
        (Colour, Colour.RED, "red"),
        (Level, Level.HIGH, 2),
        (set[int], {1}, [1]),
        (Point | None, Point(lat=1), {"lat": 1.0, "title": "here"}),
        (Size, Size(2), {"width": 2}),
        (UUID, UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (int | None, None, None),
    ],
)
def test_a_default_is_shown_as_json(hint: object, default: object, as_json: object) -> None:
    assert shown(hint, default)["default"] == as_json


@pytest.mark.parametrize("default", [float("nan"), float("inf"), object()])
def test_a_default_that_json_has_no_form_for_is_left_out_and_the_argument_stays_optional(default: object) -> None:
    parameters = signature_of(taking(float, default)).parameters
    assert parameters["properties"]["x"] == {"type": "number"}
    assert "required" not in parameters


def test_choices_between_models_are_written_out_too() -> None:
    written = shown(list[Shape])["items"]
    assert [choice["properties"]["kind"]["const"] for choice in written["oneOf"]] == ["circle", "square"]
    assert "$defs" not in json.dumps(written)


@pytest.mark.parametrize(
    ("hint", "given", "arrives"),
    [
        (Level, 2, Level.HIGH),
        (int | str, "a", "a"),
        (datetime, "2026-01-01T10:00:00Z", datetime(2026, 1, 1, 10, tzinfo=UTC)),
        (time, "10:00", time(10)),
        (timedelta, "PT1H", timedelta(hours=1)),
        (UUID, "00000000-0000-0000-0000-000000000001", UUID(int=1)),
        (Decimal, "1.10", Decimal("1.10")),
        (Path, "/a", Path("/a")),
        (set[date], ["2026-01-01", "2026-01-01"], {date(2026, 1, 1)}),
        (tuple[int, str], [1, "a"], (1, "a")),
        (dict[Colour, list[Level]], {"red": [1]}, {Colour.RED: [Level.LOW]}),
        (list[Spot], [{"lat": 1}], [{"lat": 1.0}]),
        (Shape, {"kind": "square", "side": 1}, Square(kind="square", side=1)),
        (Shape | None, None, None),
    ],
)
def test_every_kind_of_type_arrives_as_itself(hint: object, given: object, arrives: object) -> None:
    assert read(taking(hint), x=given) == {"x": arrives}


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


@pytest.mark.parametrize(
    ("hint", "given", "said"),
    [
        (Level, 3, "x: expected 1 or 2, got 3"),
        (Colour | None, "green", "x: expected 'red' or 'blue', got \"green\""),
        (list[dict[str, list[Level]]], [{"a": [1, 7]}], "x.0.a.1: expected 1 or 2, got 7"),
        (Size | None, {"width": "1"}, 'x.width: expected a valid integer, got "1"'),
        (Size | None, {}, "x.width: missing, expected integer"),
        (Size | None, {"width": 1, "depth": 2}, "x.depth: unknown argument, known here: width"),
        (int | str, 1.5, "x: expected integer or string, got 1.5"),
        (int | list[date] | None, [1], "x: expected integer or array of string (date) or null, got [1]"),
        (list[Circle | str], ["a", 5], 'x.1: expected object {kind: "circle", radius: number} or string, got 5'),
        (Spot | dict[str, int] | tuple[int, str], 5,
         "x: expected object {lat: number, name?: string} or object of integer or array [integer, string], got 5"),
        (dict | list | bool, "a", 'x: expected object or array or boolean, got "a"'),
        (Colour | Literal["none"], 5, 'x: expected one of "red", "blue" or "none", got 5'),
        (Shape, {"kind": "circle", "radius": "1"}, 'x.radius: expected a valid number, got "1"'),
        (Shape | None, {"kind": "circle"}, "x.radius: missing, expected number"),
        (Tree, {"name": "a", "children": [{}]}, "x.children.0.name: missing, expected string"),
        (list[Tree | int], ["a"], 'x.0: expected Tree or integer, got "a"'),
        (tuple[int, str], [1], "x.1: missing, expected string"),
        (Annotated[int, Field(ge=1)], 0, "x: expected greater than or equal to 1, got 0"),
        (Shape, None, "x: expected an object, got null"),
    ],
    ids=str,
)  # fmt: skip
def test_a_problem_names_its_place_what_is_expected_there_and_what_was_given(
    hint: object, given: object, said: str
) -> None:
    assert refused(taking(hint), x=given) == said


def test_what_a_union_expects_is_cut_where_it_is_long() -> None:
    wide = create_model("Wide", **{f"field_{n}": (int, 0) for n in range(100)})  # type: ignore[call-overload]
    assert len(refused(taking(wide | int), x="a")) < 400


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

    def unknown_type(city: "Nowhere") -> None:  # type: ignore[name-defined]  # noqa: F821
        """Do."""

    def callback(then: Callable[[], int]) -> None:
        """Do."""

    wrong: list[tuple[Callable[..., object], str]] = [
        (no_docstring, "needs a docstring"),
        (no_type, "'x' has no type"),
        (stars, "by name"),
        (misspelt, "'town', which is not a parameter"),
        (garbled, "cannot read 'the city'"),
        (unknown_type, "'Nowhere' is not defined"),
        (callback, "CallableSchema"),
        (taking(object()), "object object"),
    ]
    for function, reason in wrong:
        with pytest.raises(TypeError, match=reason) as error:
            signature_of(function)
        assert function.__name__ in str(error.value)
