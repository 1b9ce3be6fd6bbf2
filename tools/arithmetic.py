"""Arithmetic on a syntax tree, without eval: every bound is checked before the work is done."""

import ast
import math
import operator
from collections.abc import Callable

from tools.context import ToolError

# Python refuses to write integers of more than 4,300 digits. 4,000 stays below, and takes microseconds.
MAX_DIGITS = 4000
MAX_BITS = int(MAX_DIGITS * math.log2(10))
MAX_PLACES = 100  # of round(), which builds 10**places

TOO_LARGE = f"a number is too large (whole ones have at most {MAX_DIGITS} digits, others end at 1.8e308)"

Number = int | float

CONSTANTS: dict[str, float] = {"pi": math.pi, "e": math.e}


def value_of(node: ast.expr) -> Number:
    """The value of a syntax tree of bounded size. ToolError says what cannot be done, and where."""
    match node:
        case ast.Constant(value=int() | float() as number) if not isinstance(number, bool):
            return _checked(node, lambda: number)
        case ast.Name(id=name) if name in CONSTANTS:
            return CONSTANTS[name]
        case ast.Name(id=name) if name in FUNCTIONS:
            raise ToolError(f"{name} is a function: write {name}(...)")
        case ast.Name(id=name) | ast.Call(func=ast.Name(id=name)) if name not in FUNCTIONS:
            raise ToolError(f"unknown name {name!r}; known: {', '.join([*FUNCTIONS, *CONSTANTS])}")
        case ast.UnaryOp(op=ast.USub() | ast.UAdd() as sign, operand=operand):
            return -value_of(operand) if isinstance(sign, ast.USub) else value_of(operand)
        case ast.BinOp(left=left, op=sign, right=right) if type(sign) in OPERATORS:
            one, two = value_of(left), value_of(right)
            return _checked(node, lambda: OPERATORS[type(sign)](one, two))
        case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]):
            function, least, most = FUNCTIONS[name]
            if not least <= len(arguments) <= most:
                raise ToolError(f"{name} takes {least if least == most else f'{least} or {most}'} numbers")
            numbers = [value_of(argument) for argument in arguments]
            return _checked(node, lambda: function(*numbers))
        case ast.Tuple():
            raise ToolError("a comma stands between the numbers of a function only: write 1000 for 1,000")
        case _:
            raise ToolError(f"only arithmetic is understood, not what is at character {node.col_offset + 1}")


def tidy(value: Number) -> Number:
    """The number as people write it: 5 for 5.0, and 0.3 for 0.30000000000000004, which is 0.1 + 0.2."""
    if isinstance(value, int):
        return value
    short = float(f"{value:.15g}")
    # Where rounding off the last two digits clears at least three more, they were noise.
    value = short if len(repr(short)) <= len(repr(value)) - 5 else value
    return int(value) if value.is_integer() and abs(value) < 2**53 else value


def _checked(node: ast.expr, work: Callable[[], Number]) -> Number:
    """The work's result, if it is a finite number of bounded size."""
    place = f"at character {node.col_offset + 1}"
    try:
        result = work()
    except ZeroDivisionError:
        raise ToolError(f"division by zero {place}") from None
    except OverflowError:
        raise ToolError(f"{TOO_LARGE} {place}") from None
    except ValueError:
        raise ToolError(f"not defined for these numbers {place}") from None
    too_large = result.bit_length() > MAX_BITS if isinstance(result, int) else not math.isfinite(result)
    if too_large:
        raise ToolError(f"{TOO_LARGE} {place}")
    return result


def _times(one: Number, two: Number) -> Number:
    if isinstance(one, int) and isinstance(two, int) and one.bit_length() + two.bit_length() > MAX_BITS + 1:
        raise OverflowError
    return one * two


def _power(base: Number, exponent: Number) -> Number:
    whole = isinstance(base, int) and isinstance(exponent, int) and abs(base) > 1
    if whole and (exponent > MAX_BITS or exponent * math.log2(abs(base)) > MAX_BITS):
        raise OverflowError
    if base < 0 and isinstance(exponent, float) and not exponent.is_integer():
        raise ValueError  # the result would be a complex number
    result: Number = base**exponent
    return result


def _round(number: Number, places: Number = 0) -> Number:
    if not isinstance(places, int) or abs(places) > MAX_PLACES:
        raise ValueError
    return round(number, places)


OPERATORS: dict[type[ast.operator], Callable[[Number, Number], Number]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: _times,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: _power,
}
# Each with the least and the greatest number of arguments.
FUNCTIONS: dict[str, tuple[Callable[..., Number], int, int]] = {
    "sqrt": (math.sqrt, 1, 1),
    "abs": (abs, 1, 1),
    "round": (_round, 1, 2),
    "pow": (_power, 2, 2),
    "log": (math.log, 1, 2),
    "log10": (math.log10, 1, 1),
    "sin": (math.sin, 1, 1),
    "cos": (math.cos, 1, 1),
    "tan": (math.tan, 1, 1),
}
