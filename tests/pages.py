"""A page as a browser keeps it, as far as frames change it: elements found by id, swapped as htmx does."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from html import escape
from html.parser import HTMLParser

VOID = {"input", "br", "hr", "img", "link", "meta"}


@dataclass
class Element:
    tag: str
    attributes: dict[str, str]
    inside: list["Element | str"] = field(default_factory=list)

    def all(self) -> Iterator["Element"]:
        yield self
        for child in self.inside:
            if isinstance(child, Element):
                yield from child.all()

    def __str__(self) -> str:
        told = "".join(f' {name}="{escape(value)}"' for name, value in sorted(self.attributes.items()))
        return f"<{self.tag}{told}>{self.inner}</{self.tag}>"

    @property
    def inner(self) -> str:
        """What is inside, without white space that shows nowhere."""
        drawn = (str(one) if isinstance(one, Element) else escape(one) for one in self.inside)
        return "".join(one for one in drawn if one.strip())


class Reader(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.open = [Element("root", {})]
        self.feed(html)
        self.close()
        assert len(self.open) == 1, f"{self.open[-1].tag} is not closed"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {name: value or "" for name, value in attrs})
        self.open[-1].inside.append(element)
        if tag not in VOID:
            self.open.append(element)

    def handle_endtag(self, tag: str) -> None:
        closed = self.open.pop()
        assert closed.tag == tag, f"{tag} closes {closed.tag}"

    def handle_data(self, data: str) -> None:
        self.open[-1].inside.append(data)


class Page:
    """Holds `html`; `apply` swaps a frame into it. What a frame names and is not there is left out, as in a browser."""

    def __init__(self, html: str) -> None:
        self.root = Reader(html).open[0]

    def apply(self, frame: str) -> None:
        for part in Reader(frame).open[0].inside:
            if isinstance(part, Element):
                self._swap(part)
        _mirror(self.root, [])

    def find(self, selector: str) -> Element | None:
        """Find `#id`, or the first `tag` in it for `#id tag`."""
        id_, _, tag = selector.partition(" ")
        found = next((one for one in self.root.all() if one.attributes.get("id") == id_.removeprefix("#")), None)
        return next((one for one in found.all() if one.tag == tag), None) if found and tag else found

    def _swap(self, part: Element) -> None:
        how, _, where = part.attributes.pop("hx-swap-oob").partition(":")
        target = self.find(where or f"#{part.attributes['id']}")
        if target is None:
            return
        if how == "true":
            target.tag, target.attributes, target.inside = part.tag, part.attributes, part.inside
        elif how == "beforeend":
            target.inside += part.inside
        else:
            assert how == "innerHTML", how
            target.inside = part.inside


def _mirror(element: Element, around: list[Element]) -> None:
    """Give what is around it what an element says of it, as the page's script does."""
    if name := element.attributes.get("data-mirror"):
        for outer in reversed(around):
            if f"data-{name}" in outer.attributes:
                outer.attributes[f"data-{name}"] = element.attributes["data-value"]
                break
    for child in element.inside:
        if isinstance(child, Element):
            _mirror(child, [*around, element])
