"""Reads a function's signature and docstring: the JSON schema for the model, the check of its arguments."""

import inspect
import json
import re
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, PydanticUserError, ValidationError, create_model
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaWarningKind

from tools.context import ToolContext
from tools.problems import Schema, explain
from tools.text import clean

_ARGS_ENTRY = re.compile(r"(\w+): *(.*)")


class ArgumentsError(Exception):
    """The arguments do not fit the signature. The message says which, what is wrong, and what is expected."""


@dataclass(frozen=True)
class Signature:
    """A function's interface as a model sees it."""

    description: str
    parameters: Schema
    context_parameter: str | None
    _names: tuple[str, ...]
    _model: type[BaseModel]

    def read(self, arguments: Mapping[str, object]) -> dict[str, object]:
        """The arguments as the function's own types, only those that were given. Raises ArgumentsError.

        Nothing is guessed: a number in quotes is not a number, an argument too many is an error.
        """
        try:
            text = clean(json.dumps(arguments, ensure_ascii=False, allow_nan=False))
        except (TypeError, ValueError, RecursionError) as error:
            raise ArgumentsError(f"the arguments are not JSON: {error}") from error
        try:
            read = self._model.model_validate_json(text, strict=True, extra="forbid")
        except ValidationError as error:
            raise ArgumentsError(explain(error, arguments, self.parameters)) from error
        except Exception as error:  # a validator of the tool's own types, which may raise anything
            raise ArgumentsError(f"{type(error).__name__}: {error}") from error
        return {
            name: getattr(read, field)
            for name, field in zip(self._names, type(read).model_fields, strict=True)
            if field in read.model_fields_set
        }


def signature_of(function: Callable[..., object]) -> Signature:
    """The signature of a function with a docstring and a type on every parameter, else TypeError."""
    where = f"{function.__module__}.{function.__qualname__}"
    description, texts = _docstring(function, where)
    try:
        hints = typing.get_type_hints(function, include_extras=True)
    except NameError as error:
        raise TypeError(f"{where}: {error}") from error
    context_parameter = None
    fields: dict[str, tuple[Any, Any]] = {}
    for parameter in inspect.signature(function).parameters.values():
        if parameter.kind not in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY):
            raise TypeError(f"{where}: a model passes arguments by name, so '{parameter}' cannot be filled in")
        if parameter.name not in hints:
            raise TypeError(f"{where}: the parameter '{parameter.name}' has no type")
        if hints[parameter.name] is ToolContext:
            context_parameter = parameter.name
        else:
            fields[parameter.name] = (
                hints[parameter.name],
                _field(parameter, texts.pop(parameter.name, None)),
            )
    if texts:
        raise TypeError(f"{where}: the docstring describes '{next(iter(texts))}', which is not a parameter")
    try:
        model = _model_of(fields)
        parameters = _schema_of(model)
    except PydanticUserError as error:  # a type that JSON has no form for
        raise TypeError(f"{where}: {str(error).splitlines()[0]}") from error
    return Signature(description, parameters, context_parameter, tuple(fields), model)


def _model_of(fields: dict[str, tuple[Any, Any]]) -> type[BaseModel]:
    """Parameters may have names that pydantic keeps for itself ("json", "copy"), so the fields are numbered."""
    numbered: dict[str, Any] = {f"p{number}": field for number, field in enumerate(fields.values())}
    return create_model("Arguments", __config__=ConfigDict(extra="forbid", strict=True), **numbered)


def _field(parameter: inspect.Parameter, text: str | None) -> Any:
    default = ... if parameter.default is parameter.empty else parameter.default
    # Where the docstring says nothing, what Annotated[..., Field(description=...)] says must stand.
    described: Any = {"description": text} if text else {}
    return Field(default, alias=parameter.name, **described)


def _docstring(function: Callable[..., object], where: str) -> tuple[str, dict[str, str]]:
    """The text before the line "Args:", and below it the text of each parameter.

    A parameter is an indented line "name: text"; lines indented further go on with it.
    The first line after it that is not indented ends the list, and what follows is not for the model.
    """
    text, _, args = (inspect.getdoc(function) or "").partition("\nArgs:\n")
    if not text.strip():
        raise TypeError(f"{where}: a tool needs a docstring, it is what a model goes by")
    texts: dict[str, str] = {}
    name, margin = "", 0
    for line in args.splitlines():
        indent = len(line) - len(line.lstrip())
        if not line.strip():
            continue
        if indent == 0:
            break
        if name and indent > margin:
            texts[name] += " " + line.strip()
        elif entry := _ARGS_ENTRY.fullmatch(line.strip()):
            name, margin = entry[1], indent
            texts[name] = entry[2]
        else:
            raise TypeError(f"{where}: cannot read '{line.strip()}' under Args; write 'name: text'")
    return text.strip(), texts


class _Quiet(GenerateJsonSchema):
    """A default that JSON has no form for is the function's own affair: it is not shown, and no warning is given."""

    ignored_warning_kinds: set[JsonSchemaWarningKind] = {  # noqa: RUF012  As there.
        "skipped-choice",
        "non-serializable-default",
    }


def _schema_of(model: type[BaseModel]) -> Schema:
    """The model's JSON schema with definitions written out in place: small servers read no "$ref"."""
    schema = model.model_json_schema(schema_generator=_Quiet)
    definitions = schema.pop("$defs", {})
    try:
        written_out: Schema = _plain(schema, definitions)
    except RecursionError:  # a type that contains itself has no end when written out
        kept: Schema = _plain(schema, {})
        return kept | {"$defs": {name: _plain(definition, {}) for name, definition in definitions.items()}}
    return written_out


def _plain(node: Any, definitions: Schema) -> Any:
    """The schema without pydantic's titles, and with every object closed to further properties."""
    if isinstance(node, list):
        return [_plain(part, definitions) for part in node]
    if not isinstance(node, dict):
        return node
    name = str(node.get("$ref", "")).removeprefix("#/$defs/")
    if name in definitions:
        beside = {key: value for key, value in node.items() if key != "$ref"}
        return _plain({**definitions[name], **beside}, definitions)
    plain: Schema = {}
    for key, value in node.items():
        if key == "properties":  # the keys below are parameters' names, which may well be "title"
            plain[key] = {field: _plain(part, definitions) for field, part in value.items()}
        elif key in ("default", "enum", "const", "examples"):
            plain |= {key: value} if _is_json(value) else {}
        elif key not in ("title", "discriminator"):  # the latter is OpenAPI's, and names definitions
            plain[key] = _plain(value, definitions)
    return plain | {"additionalProperties": False} if "properties" in plain else plain


def _is_json(value: object) -> bool:
    try:
        json.dumps(value, allow_nan=False)
    except ValueError:  # NaN or an infinity, with which the request would be no JSON
        return False
    return True
