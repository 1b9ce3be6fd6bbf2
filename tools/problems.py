"""Says what is wrong with arguments, so that a model can put it right: which one, what it takes, what was given."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError

MAX_PROBLEMS = 5  # named in one answer; a model that gets more wrong starts over anyway
MAX_SHOWN = 60  # characters of a wrong value that are shown back
MAX_EXPECTED = 300  # characters of what is expected instead

Schema = dict[str, Any]
Path = tuple[str | int, ...]


def explain(error: ValidationError, arguments: object, schema: Schema) -> str:
    """Name each problem once, by its place in the arguments. `schema` is that of all of them."""
    found = [_problem(problem, arguments, schema) for problem in error.errors(include_url=False, include_context=False)]
    lines = list(dict.fromkeys(found))  # each choice of a union fails for a reason of its own, at the same place
    if len(lines) > MAX_PROBLEMS:
        lines[MAX_PROBLEMS:] = [f"and {len(lines) - MAX_PROBLEMS} more"]
    return "; ".join(lines)


def expected(schema: Schema) -> str:
    """What a schema takes, in the fewest words: "integer", "array of string", "object {lat: number, name?: string}"."""
    if "enum" in schema:
        return "one of " + ", ".join(map(_json, schema["enum"]))
    if "const" in schema:
        return _json(schema["const"])
    if choices := schema.get("anyOf") or schema.get("oneOf"):
        return " or ".join(dict.fromkeys(map(expected, choices)))
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    kind = str(schema.get("type", "a value"))
    if within := _expected_within(schema):
        return f"{kind} {within}"
    return f"{kind} ({schema['format']})" if "format" in schema else kind


def _expected_within(schema: Schema) -> str:
    """What is expected inside an object or an array, "" where that is not said."""
    if fields := schema.get("properties"):
        needed = schema.get("required", ())
        shown = (f"{name}{'' if name in needed else '?'}: {expected(field)}" for name, field in fields.items())
        return f"{{{', '.join(shown)}}}"
    if items := schema.get("prefixItems"):
        return f"[{', '.join(map(expected, items))}]"
    for each in (schema.get("items"), schema.get("additionalProperties")):
        if each and isinstance(each, dict):
            return f"of {expected(each)}"
    return ""


def _problem(problem: Any, arguments: object, root: Schema) -> str:
    path, schema, in_union = _place(problem["loc"], root)
    where = ".".join(map(str, path)) or "arguments"
    if in_union:
        return f"{where}: expected {_cut(expected(schema), MAX_EXPECTED)}, got {_shown(_value(arguments, path))}"
    match problem["type"]:
        case "missing" | "missing_argument":
            return f"{where}: missing, expected {_cut(expected(schema), MAX_EXPECTED)}"
        case "extra_forbidden" | "unexpected_keyword_argument":
            _, above, _ = _place(problem["loc"][:-1], root)
            known = ", ".join(_choices(above, root)[0].get("properties", {})) or "none"
            return f"{where}: unknown argument, known here: {known}"
        case _:
            said = problem["msg"].replace("Input should be", "expected")
            return f"{where}: {said}, got {_shown(problem['input'])}"


def _place(location: Path, root: Schema) -> tuple[Path, Schema, bool]:
    """Where a problem is in the arguments, the schema there, and whether it is a union that has no choice for it.

    Pydantic's locations go on inside a union with a name for each of its choices, which no argument has.
    """
    path: Path = ()
    schema = root
    for step in location:
        choices = _choices(schema, root)
        if len(choices) > 1:
            tagged = [choice for choice in choices if _is_tagged(choice, step)]
            if len(tagged) != 1:
                return path, schema, True
            schema = tagged[0]
            continue
        schema, path = _below(choices[0], step), (*path, step)
    return path, schema, False


def _choices(schema: Schema, root: Schema) -> Sequence[Schema]:
    """The schemas that a value may fit, without null; a single one for what is no union."""
    schema = _referred(schema, root)
    choices = schema.get("anyOf") or schema.get("oneOf") or ()
    return [one for choice in choices if choice.get("type") != "null" for one in _choices(choice, root)] or [schema]


def _referred(schema: Schema, root: Schema) -> Schema:
    name = str(schema.get("$ref", "")).removeprefix("#/$defs/")
    found: Schema = root.get("$defs", {}).get(name, schema)
    return found


def _is_tagged(choice: Schema, tag: object) -> bool:
    """Say whether this is the choice that its values name by a field which is always the same."""
    return any(field.get("const", field) == tag for field in choice.get("properties", {}).values())


def _below(schema: Schema, step: str | int) -> Schema:
    """The schema of one field or item, {} where none is known."""
    if isinstance(step, int):
        fixed = schema.get("prefixItems", ())
        found = fixed[step] if step < len(fixed) else schema.get("items", {})
    else:
        found = schema.get("properties", {}).get(step) or schema.get("additionalProperties")
    return found if isinstance(found, dict) else {}


def _value(arguments: object, path: Path) -> object:
    for step in path:
        match arguments, step:
            case Mapping(), str():
                arguments = arguments.get(step)
            case list() | tuple(), int():
                arguments = arguments[step]
    return arguments


def _shown(value: object) -> str:
    return _cut(_json(value), MAX_SHOWN)


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else text[:length] + "…"
