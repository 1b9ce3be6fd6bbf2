"""Reads a page or a frame as a browser would, and finds whatever in it was made of somebody's text.

Each hostile text carries MARK in every tag, attribute and address that it tries to make. So a mark that is found
anywhere but in text, or in an attribute that only says words, is a hole.
"""

import re
from html.parser import HTMLParser

MARK = "zqx"
PIECES = (  # each fits into a name
    f"<{MARK}><script {MARK}>{MARK}()</script><img src={MARK} onerror={MARK}()><svg onload={MARK}()>",
    f"<a href='javascript:{MARK}()'>{MARK}</a><style {MARK}>@import '//{MARK}.example'</style><base href=//{MARK}>",
    f"<div id='messages' hx-swap-oob='true' hx-get='/{MARK}' hx-on:load='{MARK}()' ws-connect='/{MARK}' {MARK}>",
    f'"\' {MARK}="{MARK}" onfocus=\'{MARK}()\' autofocus x="</title></textarea></select></option></pre><{MARK}>',
    f"<iframe srcdoc='<script>{MARK}()</script>' {MARK}></iframe><form action='//{MARK}.example'><input name={MARK}>",
    f"--><!--{MARK}--><![CDATA[{MARK}]]><?{MARK} ?> &lt;{MARK}&gt; &#60;{MARK}&#62; {{{{ {MARK} }}}} {{% {MARK} %}}",
    f"\u202e{MARK}\u2066<{MARK}>\u2028<{MARK}>\u2029\x07\x1b[31m\x85<{MARK} \xa0onclick={MARK}>\ufeffe\u0301",
)
HOSTILE = "".join(PIECES)
# The same where Markdown is read. Each line would be a way out of it.
MARKDOWN = (
    f"[{MARK}](javascript:{MARK}) [{MARK}](data:text/html,{MARK}) ![{MARK}](https://{MARK}.example/?d=1) "
    f'[{MARK}](https://{MARK}.example/"onclick="{MARK}) <https://{MARK}.example> https://{MARK}.example/"><{MARK}>\n\n'
    f'```{MARK}" onclick={MARK} <{MARK}>\n</code></pre><script>{MARK}</script>\n```\n\n# {HOSTILE}\n\n'
    f"| <{MARK}> |\n|:-:|\n| {HOSTILE.replace('|', '')} |\n\n[r]: javascript:{MARK}\n[r]\n\n{HOSTILE}"
)

TAGS = re.compile(
    "a|article|aside|b|bdi|blockquote|body|br|button|caption|circle|code|col|colgroup|datalist|dd|defs|details|div|dl|dt"
    "|em|fieldset|footer|form|g|h[1-6]|head|header|hr|html|input|kbd|label|legend|li|line|link|main|meta|nav|ol|optgroup"
    "|option|output|p|path|polyline|pre|rect|s|script|search|section|select|small|span|strong|summary|svg|symbol|table"
    "|tbody|td|template|textarea|tfoot|th|thead|time|title|tr|ul|use"
)
SAY_WORDS = {"title", "value", "aria-label", "placeholder", "alt", "label", "content", "data-client-id"}
OUTSIDE = {"rel": "noopener noreferrer nofollow", "target": "_blank"}


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.holes: list[str] = []
        self.ids: list[str] = []
        self.words = ""
        self.raw = ""  # the element that is open and is no text: a script or a style

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.raw = tag if tag in ("script", "style") else ""
        if not TAGS.fullmatch(tag) and not (tag == "img" and given.get("src", "").startswith("/static/")):
            self.holes.append(f"<{tag}>")
        own = given.get("src", "").startswith(("/static/", "/admin/jsi18n/"))
        if tag == "script" and not (own or given.get("type") == "application/json"):
            self.holes.append(f"a script of {given}")
        for name, value in given.items():
            self._attribute(tag, name, value, given)

    def _attribute(self, tag: str, name: str, value: str, given: dict[str, str]) -> None:
        if name == "id":
            self.ids.append(value)
        if name in SAY_WORDS and MARK in value:
            self.words += value
        elif (
            MARK in name
            or name.startswith(("on", "hx-on"))
            or name in ("style", "srcdoc", "formaction")
            or (MARK in value and not (_is_link_out(tag, name, value, given) or _is_own_query(name, value)))
        ):
            self.holes.append(f"<{tag} {name}={value!r}>")

    def handle_endtag(self, tag: str) -> None:
        self.raw = ""

    def handle_data(self, data: str) -> None:
        if self.raw and MARK in data:
            self.holes.append(f"{self.raw}: {data[:80]}")
        self.words += data

    def handle_comment(self, data: str) -> None:
        if MARK in data:
            self.holes.append(f"<!--{data[:80]}")

    def handle_decl(self, decl: str) -> None:
        if decl.lower() != "doctype html":
            self.holes.append(f"<!{decl[:80]}")

    def handle_pi(self, data: str) -> None:
        self.holes.append(f"<?{data[:80]}")

    def unknown_decl(self, data: str) -> None:
        self.holes.append(f"<![{data[:80]}")


def _is_link_out(tag: str, name: str, value: str, given: dict[str, str]) -> bool:
    """A link that a reader of Markdown may follow: to the web or to a mail, in a tab of its own, and naming nobody."""
    outside = all(given.get(key) == kept for key, kept in OUTSIDE.items())
    return (tag, name) == ("a", "href") and bool(re.match(r"https?://|mailto:", value)) and outside


def _is_own_query(name: str, value: str) -> bool:
    """An address on this page's own site that says, encoded, what was looked for."""
    return name in ("href", "action") and bool(re.fullmatch(r"(/admin/[a-z0-9/-]*)?\?[\w.%&=+~-]*", value, re.ASCII))


def holes(html: str) -> list[str]:
    """Return what in a page or a frame was made of a text; [] is what it should be."""
    return _read(html).holes


def doubled_ids(page: str) -> set[str]:
    """Return the ids that a page has more than once: one of each two may have been made of a text."""
    ids = _read(page).ids
    return {id_ for id_ in ids if ids.count(id_) > 1}


def words(html: str) -> str:
    """Return the text that is read on a page, and what its titles and fields say."""
    return _read(html).words


def _read(html: str) -> _Reader:
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return reader
