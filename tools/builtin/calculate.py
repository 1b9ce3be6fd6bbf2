"""The tool `calculate`: reads an expression of bounded size and has it worked out."""

import ast
import re

from tools.arithmetic import tidy, value_of
from tools.registry import ToolError, tool

MAX_CHARACTERS = 500
MAX_DEPTH = 40
MAX_NODES = 200

_SIGNS = str.maketrans({"×": "*", "÷": "/", "\N{MINUS SIGN}": "-"})
_TOKEN = re.compile(
    r"(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?(?![\w.])|[A-Za-z]\w*|\*\*|//|[-+*/%,]|(?P<open>\()|(?P<close>\))| +",
    re.ASCII,
)


@tool(idempotent=True, outside=False)
def calculate(expression: str) -> dict[str, object]:
    """Work out an arithmetic expression. Use it for every calculation that is not trivial.

    Args:
        expression: Numbers with + - * / // % ** and parentheses; sqrt, abs, round, pow, log (natural, or
            log(x, base)), log10, sin, cos, tan (in radians); pi, e. For example "2 * pi * sqrt(1.5)".
    """
    text = re.sub(r"\s", " ", expression.strip()).translate(_SIGNS)
    value = value_of(_parse(text))
    return {"expression": expression.strip(), "result": tidy(value)}


def _parse(text: str) -> ast.expr:
    """The expression's syntax tree, small enough to walk. ToolError says what is wrong, and where."""
    if not text:
        raise ToolError("the expression is empty")
    if len(text) > MAX_CHARACTERS:
        raise ToolError(f"the expression has {len(text)} characters, at most {MAX_CHARACTERS} are allowed")
    _check_tokens(text)
    try:
        tree = ast.parse(text, mode="eval").body
    except SyntaxError as error:
        reason = error.msg.partition(";")[0]
        raise ToolError(f"cannot read the expression at character {error.offset or 1}: {reason}") from None
    except (ValueError, MemoryError, RecursionError):
        raise ToolError("the expression is nested too deeply") from None
    if sum(isinstance(node, ast.expr) for node in ast.walk(tree)) > MAX_NODES:
        raise ToolError(f"the expression has more than {MAX_NODES} parts")
    if _depth(tree) > MAX_DEPTH:
        raise ToolError(f"the expression is nested more than {MAX_DEPTH} deep")
    return tree


def _check_tokens(text: str) -> None:
    """Only what arithmetic is written with gets to Python's parser."""
    position = depth = 0
    while position < len(text):
        token = _TOKEN.match(text, position)
        if token is None:
            raise ToolError(_unexpected(text[position], position + 1))
        depth += bool(token["open"]) - bool(token["close"])
        if depth > MAX_DEPTH:
            raise ToolError(f"the expression is nested more than {MAX_DEPTH} deep")
        position = token.end()


def _unexpected(character: str, place: int) -> str:
    if character == "^":
        return f"unknown sign '^' at character {place}: use ** for powers"
    if character.isdigit() or character == ".":
        return f"cannot read the number at character {place}: write 2 * pi for 2pi, and 1000 for 1_000"
    return f"unknown sign {character!r} at character {place}"


def _depth(node: ast.expr) -> int:
    """How deep the expression is nested. A long sum is not: each term only adds to the ones before it."""
    match node:
        case ast.BinOp(left=left, right=right):
            return max(_depth(left), 1 + _depth(right))
        case ast.UnaryOp(operand=operand):
            return 1 + _depth(operand)
        case ast.Call(args=arguments):
            return 1 + max(map(_depth, arguments), default=0)
        case _:
            return 1
