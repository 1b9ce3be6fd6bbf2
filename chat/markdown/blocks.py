"""How much of a growing Markdown text can no longer change, so that a stream sends it once."""

import re
from typing import Any, NamedTuple

from markdown_it.token import Token

from chat.markdown.grammar import Grammar

SHORT = 2_000  # an open block up to here is read again at every line, a longer one when it has grown by an eighth

_GRAMMAR = Grammar()

ANYTHING = re.compile(r"(?s).*")
NOTHING = re.compile(r"(?!)")
BLANK = re.compile(r"(?:\A|\n)[ \t]*\r?\n")
_LINE_END = re.compile(r"\r\n|\r|\n")
# The beginning of a line that will be ordinary text or a heading whatever follows: no list, fence, table or rule.
_CERTAIN = re.compile(r" {0,3}(?:[^\W\d_]|\*\*[^\s*]|#{1,6} )")


class Open(NamedTuple):
    """What is known of an open block: lines that are sure to go on with it, and a line that is sure to end it."""

    goes_on: re.Pattern[str] = NOTHING
    ends: re.Pattern[str] = NOTHING


class Blocks:
    """Follows one growing text, at a cost in proportion to it however often it is asked.

    The closed part and the rest, rendered apart, are the whole rendered at once. The one exception: a link that an
    earlier block only names, `[so][1]`, stays plain in it when its definition comes later. The definition itself is
    never closed, so that it serves all that follows.
    """

    def __init__(self) -> None:
        self.closed = 0
        self._line = 0  # where the last line begins
        self._seen = 0  # up to where lines were looked at
        self._parsed = 0  # up to where the open block was parsed
        self._open = Open()

    def grow(self, text: str) -> int:
        """Return how many characters of the text so far are in top-level blocks that no later text can change.

        The text begins with the one given before.
        """
        end = _certain_end(text, self._line)
        if end <= self._seen:
            return self.closed
        new = text[self._line : end]
        self._seen, self._line = end, self._line + new.rfind("\n") + 1
        if self._open.goes_on.fullmatch(new):
            return self.closed
        size, grown = end - self.closed, end - self._parsed
        if size <= SHORT or grown > size // 8 or self._open.ends.search(new):
            length, self._open = _read(text[self.closed : end])
            self.closed, self._parsed = self.closed + length, end
        return self.closed


def _certain_end(text: str, line: int) -> int:
    """Return the end of the last whole line after `line`, where one begins, or of the next one's certain beginning."""
    end = text.rfind("\n", line) + 1 or line
    begun = _CERTAIN.match(text, end)
    return begun.end() if begun else end


def _read(text: str) -> tuple[int, Open]:
    """Return the closed length of whole lines, of which only the last may be just begun, and the block after it."""
    tokens: list[Token] = []
    env: dict[str, Any] = {}
    _GRAMMAR.block.parse(_LINE_END.sub("\n", text), _GRAMMAR, env, tokens)
    lines = [0, *(end.end() for end in _LINE_END.finditer(text))]
    blocks = [(token, token.map) for token in tokens if token.level == 0 and token.map]
    last = blocks.pop()[0] if blocks and not _is_whole(*blocks[-1], text, lines) else None
    definitions = [found["map"][0] for found in env.get("references", {}).values()]
    length = max((lines[end] for _, (_, end) in blocks if end <= min(definitions, default=end)), default=0)
    return length, Open(goes_on=ANYTHING) if definitions else _prospects(last)


def _is_whole(block: Token, place: list[int], text: str, lines: list[int]) -> bool:
    """Whether the last block is closed with no other after it: lists and indented code go on over blank lines."""
    start, end = place
    if end >= len(lines):
        return False
    match block.type:
        case "heading_open" | "hr":
            return True
        case "fence":
            closing = rf" {{0,3}}{block.markup[0]}{{{len(block.markup)},}}[ \t]*[\r\n]*"
            return end - start > 1 and bool(re.fullmatch(closing, text[lines[end - 1] : lines[end]]))
        case "paragraph_open" | "table_open" | "blockquote_open":
            return end < len(lines) - 1
        case _:
            return False


def _prospects(block: Token | None) -> Open:
    match block:
        case Token(type="fence", markup=mark):
            ends = rf"(?:\A|\n) {{0,3}}{mark[0]}{{{len(mark)},}}[ \t]*\r?\n"
            return Open(_lines(rf"(?! {{0,3}}{mark[0]})"), re.compile(ends))
        case Token(type="table_open"):
            return Open(_lines(r"\|"), BLANK)
        case Token(type="paragraph_open" | "blockquote_open"):
            return Open(NOTHING, BLANK)
        case Token(type="bullet_list_open", markup=mark):
            return Open(_lines(rf" {{0,3}}[{mark}][ \t][^\s*_-]"))
        case Token(type="ordered_list_open", markup=mark):
            return Open(_lines(rf" {{0,3}}\d{{1,9}}[{mark}][ \t]\S"))
        case _:
            return Open()


def _lines(begin: str) -> re.Pattern[str]:
    return re.compile(rf"(?:{begin}[^\r\n]*(?:\r?\n|\Z))*")
