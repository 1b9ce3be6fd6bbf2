"""The Markdown that answers are read in: CommonMark with tables and strikethrough, and bounds on what it may become."""

from collections.abc import Callable

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML, RendererProtocol
from markdown_it.rules_block import StateBlock, table

MAX_DEPTH = 18  # a little less than where the parser would leave out what is inside
SPARE_CELLS = 1_000  # the cells that a table may have beyond its characters


class Grammar(MarkdownIt):
    """Reads no HTML, and keeps links as they are written: `links.py` judges them."""

    def __init__(self, renderer: Callable[[MarkdownIt], RendererProtocol] = RendererHTML) -> None:
        super().__init__("commonmark", {"html": False}, renderer_cls=renderer)
        self.enable(["table", "strikethrough"]).disable(["html_block", "html_inline"])
        self.block.ruler.at("table", _table, {"alt": ["paragraph", "reference"]})
        self.block.ruler.before("table", "too_deep", _too_deep)

    def validateLink(self, url: str) -> bool:  # noqa: N802
        return True

    def normalizeLink(self, url: str) -> str:  # noqa: N802
        return url

    def normalizeLinkText(self, link: str) -> str:  # noqa: N802
        return link


def _too_deep(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """A rule of the parser: what is nested too deep is shown as it stands."""
    if state.level < MAX_DEPTH:
        return False
    line = start
    while line < end and (state.isEmpty(line) or state.sCount[line] >= state.blkIndent):
        line += 1
    token = state.push("code_block", "code", 0)
    token.content, token.map = state.getLines(start, line, state.blkIndent, False), [start, line]
    state.line = line
    return True


def _table(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """A rule of the parser: a table, unless nearly all of it would be empty cells, which a few bytes can ask for."""
    if not table(state, start, end, True):
        return False
    columns = state.src.count("|", state.bMarks[start], state.eMarks[start])
    spare, line = SPARE_CELLS, start + 2
    while line < end and not state.isEmpty(line):
        spare += state.eMarks[line] - state.bMarks[line] - columns
        if spare < 0:
            return False
        line += 1
    return silent or table(state, start, end, False)
