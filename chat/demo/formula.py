"""Arithmetic as a tree: what a sentence asks to be worked out, before and after its numbers are known."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from chat.demo.operations import FUNCTIONS, OPERATIONS
from chat.demo.values import Value, exact, joined, with_unit


@dataclass(frozen=True)
class Measure:
    """A number still to be looked up: the temperature or humidity of a city, in the units asked for, if any were."""

    city: str
    quantity: str
    units: str = ""


@dataclass(frozen=True)
class Written:
    """A chain as the user wrote it: operands with the operators between them."""

    parts: tuple["Node | str", ...]


@dataclass(frozen=True)
class Apply:
    """A named operation, one of OPERATIONS or a function of the calculator."""

    operation: str
    parts: tuple["Node", ...]


Node = Value | Measure | Written | Apply


def measures(node: Node) -> Iterator[Measure]:
    """The numbers a formula still waits for, in the order they are named."""
    match node:
        case Measure():
            yield node
        case Written(parts) | Apply(_, parts):
            for part in parts:
                if not isinstance(part, str):
                    yield from measures(part)
        case Value():
            pass


def values(node: Node) -> Iterator[Value]:
    match node:
        case Value():
            yield node
        case Written(parts) | Apply(_, parts):
            for part in parts:
                if not isinstance(part, str):
                    yield from values(part)
        case Measure():
            pass


def change(node: Node, swap: Callable[[Measure], Node]) -> Node:
    """The same tree with each Measure replaced."""
    match node:
        case Measure():
            return swap(node)
        case Apply(operation, parts):
            return Apply(operation, tuple(change(part, swap) for part in parts))
        case Written(mixed):
            return Written(tuple(part if isinstance(part, str) else change(part, swap) for part in mixed))
        case Value():
            return node


def expression(node: Node) -> str:
    """A filled formula in the calculator's notation."""
    match node:
        case Value(number):
            return exact(number)
        case Measure():
            raise ValueError("a formula is written only once its numbers are known")
        case Written(parts):
            return " ".join(part if isinstance(part, str) else _operand(part) for part in parts)
        case Apply("difference", (Value() as a, Value() as b)):
            low, high = sorted((a, b), key=lambda value: value.number)
            return f"{_operand(high)} - {_operand(low)}"
        case Apply(name, parts) if name in OPERATIONS:
            operation = OPERATIONS[name]
            texts = [expression(p) if name in FUNCTIONS else _operand(p) for p in parts]
            if operation.between and isinstance(parts[0], Value):
                texts[0] = expression(parts[0])
            return operation.expression.format(*texts, all=operation.between.join(texts), count=len(texts))
        case Apply(name, parts):
            return f"{name}({', '.join(map(expression, parts))})"


def _operand(node: Node) -> str:
    text = expression(node)
    plain = (isinstance(node, Value) and node.number >= 0) or text.isalnum()
    call = isinstance(node, Apply) and (node.operation in FUNCTIONS or node.operation not in OPERATIONS)
    return text if plain or call else f"({text})"


def words(node: Node) -> str:
    """A filled formula in words, with the measured numbers beside their places."""
    match node:
        case Value(_, _, place, quantity):
            shown = f"{place} ({with_unit(node)})" if place else with_unit(node)
            return f"the {quantity} in {shown}" if quantity else shown
        case Apply("percent" | "raised" | "lowered" | "share" as name, (Value() as a, Value() as b)) if not a.place:
            bare = [with_unit(Value(v.number)) if v.unit == "%" and not v.place else words(v) for v in (a, b)]
            return OPERATIONS[name].words.format(*bare)
        case Apply(name, parts) if name in OPERATIONS:
            texts = [words(part) for part in parts]
            return OPERATIONS[name].words.format(*texts, all=_together(parts))
        case _:
            return f"`{expression(node)}`"


def _together(parts: tuple[Node, ...]) -> str:
    """As in "the temperatures in London (14 °C) and Tokyo (22 °C)"; otherwise each part in its own words."""
    known = [part for part in parts if isinstance(part, Value) and part.place and part.quantity]
    if len(known) == len(parts) > 1 and len({part.quantity for part in known}) == 1:
        noun = "temperatures" if known[0].quantity == "temperature" else known[0].quantity
        return f"the {noun} in {joined([f'{part.place} ({with_unit(part)})' for part in known])}"
    return joined([words(part) for part in parts])


def unit_of(node: Node) -> str:
    """The unit of a result: kept by operations that keep it, where all the numbers share one."""
    match node:
        case Value():
            return node.unit
        case Apply("to fahrenheit" | "to celsius" as name):
            return "°F" if name == "to fahrenheit" else "°C"
        case Apply(name, parts) if name in OPERATIONS and OPERATIONS[name].keeps_unit:
            units = {unit_of(part) for part in parts}
            return units.pop() if len(units) == 1 else ""
        case _:
            return ""
