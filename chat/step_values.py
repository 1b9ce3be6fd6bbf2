"""What a step stored, read back as the values that the engine works on.

While a newer version of the site replaces this one, rows may hold keys that are not known here. They are left out.
"""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from chat.agent.context import Cut
from chat.models import Step
from chat.wire.values import Call, Reply, Usage


def reply_of(step: Step) -> Reply:
    """Return the reply that a model step stored."""
    kept = _known(Reply, step.output)
    calls = tuple(call_of(call) for call in kept.pop("calls", ()))
    details = tuple(kept.pop("details", ()))
    return Reply(**kept, calls=calls, details=details, usage=usage_of(step))


def call_of(stored: Mapping[str, Any]) -> Call:
    """Return one of the calls that a model step stored."""
    return Call(**_known(Call, stored))


def usage_of(step: Step) -> Usage:
    """Return the tokens that a step used."""
    return Usage(
        step.input_tokens, step.cache_read_tokens, step.cache_write_tokens, step.reasoning_tokens, step.output_tokens,
        step.cost, step.estimated,
    )  # fmt: skip


def cut_of(step: Step) -> Cut:
    """Return how the entries are shortened from a context step on."""
    return Cut(**_known(Cut, step.input["cut"]))


def _known(kind: type, stored: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is stored of the fields of a dataclass."""
    return {field.name: stored[field.name] for field in fields(kind) if field.name in stored}
