"""The Markdown of an answer to safe HTML: the one place where text becomes markup, and the sanitiser its last step."""

import re
from collections.abc import Callable, Sequence
from html import escape

import nh3
import structlog
from django.utils.safestring import SafeString, mark_safe
from markdown_it.common.utils import unescapeAll
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict

from chat.markdown.code import CLASSES, coloured
from chat.markdown.grammar import Grammar
from chat.markdown.links import destination, mark_links
from tools.text import clean

LONGEST = 500_000  # characters; the limits of a run end it far before
LONGEST_NAME = 30  # of a language, as the head of its code shows it

BLOCKS = ("p", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "li", "blockquote", "table", "th", "td")
OTHERS = ("a", "br", "button", "code", "div", "em", "hr", "pre", "s", "span", "strong", "tbody", "thead", "tr")

_TURNING = re.compile("[\u202a-\u202e\u2066-\u2069]")  # characters that turn the direction of what follows

log = structlog.get_logger("agentsite.markdown")

_CLEANER = nh3.Cleaner(
    tags={*BLOCKS, *OTHERS},
    attributes={"a": {"href"}, "ol": {"start"}},
    tag_attribute_values={
        "button": {"type": {"button"}},
        "div": {"tabindex": {"0"}},
        "pre": {"tabindex": {"0"}},
        "span": {"dir": {"ltr"}},
    },
    set_tag_attribute_values={"a": {"target": "_blank"}, **{tag: {"dir": "auto"} for tag in BLOCKS}},
    allowed_classes={
        "button": {"copy"},
        "code": {"highlight"},
        "div": {"code", "code-head", "table-wrap"},
        "span": {"host", "image", *CLASSES},
        "td": {"align-center", "align-right"},
        "th": {"align-center", "align-right"},
    },
    url_schemes={"http", "https", "mailto"},
    url_relative="deny",
    link_rel="noopener noreferrer nofollow",
)


def render(text: str) -> SafeString:
    """Return Markdown as HTML that shows no more than text, structure and links, wherever the text was cut."""
    return sanitised(html_of(clean(text), _PARSER.render))


def sanitised(html: str) -> SafeString:
    """Return only what the renderer below may write, should ever anything else get into it."""
    return mark_safe(_CLEANER.clean(html))  # noqa: S308


def html_of(text: str, read: Callable[[str], str]) -> str:
    """Return what `read` makes of a text. What is too long for it, or breaks it, is shown as it stands."""
    if len(text) <= LONGEST:
        try:
            return read(text)
        except Exception:  # a fault of a parser must not take away the answer, and the page that it is on
            log.exception("Markdown could not be read")
    return f"<pre><code>{escape(text)}</code></pre>\n"


class _Html(RendererHTML):
    """What a token becomes, where it differs from plain CommonMark. Methods are found by the token's name."""

    def fence(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        language, *_ = [*unescapeAll(tokens[idx].info).split(), "text"]
        # Without its last line break: pasted into a terminal, that would run the command.
        code = coloured(tokens[idx].content.removesuffix("\n"), language)
        return (
            f'<div class="code"><div class="code-head"><span>{escape(language[:LONGEST_NAME])}</span>'
            f'<button type="button" class="copy">Copy</button></div>'
            f'<pre tabindex="0"><code class="highlight">{code}</code></pre></div>\n'
        )

    code_block = fence

    def image(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        """Nothing is fetched: an image is its words and its host."""
        goes = destination(str(tokens[idx].attrs["src"]))
        words = _TURNING.sub("", self.renderInlineAsText(tokens[idx].children, options, env)).strip()
        told = ", ".join(filter(None, (words, goes and goes.shown)))
        return f'<span class="image" dir="ltr">[image{": " if told else ""}{escape(told)}]</span>'

    def host(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        """The host is read as it stands, whichever way the text before it was turned."""
        return f'<span class="host" dir="ltr">({escape(tokens[idx].content)})</span>'

    def table_open(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        return '<div class="table-wrap" tabindex="0"><table>\n'

    def table_close(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        return "</table></div>\n"

    def th_open(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        """A column's side is a class: the page's policy forbids styles."""
        cell = tokens[idx]
        match str(cell.attrs.get("style", "")).removeprefix("text-align:"):
            case "center" | "right" as side:
                return f'<{cell.tag} class="align-{side}">'
            case _:
                return f"<{cell.tag}>"

    td_open = th_open


_PARSER = Grammar(_Html)
_PARSER.core.ruler.push("links", mark_links)
