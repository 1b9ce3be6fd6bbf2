"""Reads a frame as htmx does: each element at its top is put where it says, and nothing in it anywhere else."""

import re
from html.parser import HTMLParser

WHERE = re.compile(
    r"true|innerHTML:head > title"
    r"|(innerHTML|outerHTML|beforeend):#(messages|trace|title|status|stop-slot|allowance|steps-[0-9a-f-]{36}"
    r"|panel-[0-9a-f-]{36}-sum|step-\d+-(head|body|bar)"
    r"|m-\d+(-head( b)?|-thoughts|-thinking|-end|-closed|-open|-rest)?)"
)


def misdirected(frame: str) -> list[str]:
    """Return what in a frame would be put anywhere but where frames of ours go."""
    tops = _Tops()
    tops.feed(frame)
    tops.close()
    wrong = [str(top) for top in tops.tops if not WHERE.fullmatch(top.get("hx-swap-oob") or "")]
    return [*wrong, *tops.inner]


class _Tops(HTMLParser):
    """What stands at the top of a frame: htmx puts each of these where it says."""

    VOID = ("input", "br", "hr")

    def __init__(self) -> None:
        super().__init__()
        self.depth = 0
        self.tops: list[dict[str, str | None]] = []
        self.inner: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if self.depth == 0:
            self.tops.append(given)
        elif "hx-swap-oob" in given:
            self.inner.append(str(given))
        self.depth += tag not in self.VOID

    def handle_endtag(self, tag: str) -> None:
        self.depth -= tag not in self.VOID
