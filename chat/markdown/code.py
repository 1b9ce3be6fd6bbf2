"""The code of an answer, coloured by what each part of it is."""

import re
from collections.abc import Iterator
from functools import cache
from html import escape
from itertools import groupby

from pygments.lexers import find_lexer_class, get_all_lexers
from pygments.token import Comment, Generic, Keyword, Name, Number, Operator, String, _TokenType

# Each class is a colour in code.css. The first kind that holds a token decides.
KINDS = {
    Comment.Preproc: "keyword",
    Comment: "comment",
    Keyword: "keyword",
    Operator.Word: "keyword",
    Operator: "operator",
    Number: "number",
    String: "string",
    Name.Attribute: "name",
    Name.Builtin.Pseudo: "keyword",
    Name.Builtin: "name",
    Name.Class: "name",
    Name.Decorator: "name",
    Name.Exception: "name",
    Name.Function: "name",
    Name.Tag: "name",
    Generic.Deleted: "number",
    Generic.Heading: "name",
    Generic.Inserted: "string",
    Generic.Output: "comment",
    Generic.Prompt: "operator",
    Generic.Subheading: "name",
}
CLASSES = frozenset(KINDS.values())

# Those whose lexers stay fast on text made to be slow. Pygments has hundreds more, and some of them never end.
_FAST = (
    "bash c c# c++ console css dart diff docker elixir go graphql haskell html ini java javascript json julia kotlin "
    "lua make nginx perl php powershell pycon pytb python r ruby rust scss sql swift toml typescript xml yaml zig"
)
LANGUAGES = frozenset(_FAST.split())
LONGEST = 8_000  # characters
# Very long lines, wide gaps, a hundred words with nothing between them: no code, and slow ground for many lexers.
_SLOW = re.compile(r"[^\n]{500}|\s{80}|\b(?:[\w.]+\s+){100}")


def coloured(code: str, language: str) -> str:
    """Return code as HTML; what is of no known language, or very long, comes as it is."""
    name = _names().get(language.lower())
    if name is None or len(code) > LONGEST or _SLOW.search(code):
        return escape(code)
    # Many lexers know the last line by its end, which is cut off again.
    tokens = find_lexer_class(name)().get_tokens_unprocessed(code + "\n")
    return "".join(_spans((kind, text[: len(code) - at]) for at, kind, text in tokens))


@cache
def _names() -> dict[str, str]:
    """What people write after the fence, and the name of the language's lexer."""
    known = (found for found in get_all_lexers(plugins=False) if LANGUAGES.intersection(found[1]))
    return {alias: name for name, aliases, _, _ in known for alias in aliases}


def _spans(tokens: Iterator[tuple[_TokenType, str]]) -> Iterator[str]:
    for kind, parts in groupby(tokens, lambda token: _class(token[0])):
        text = escape("".join(part for _, part in parts))
        yield f'<span class="{kind}">{text}</span>' if kind else text


@cache
def _class(kind: _TokenType) -> str:
    return next((name for wider, name in KINDS.items() if kind in wider), "")
