"""Where the links of an answer really go: only the web and mail, and always with the host in sight."""

import re
from collections.abc import Iterator, Sequence
from ipaddress import IPv4Address, IPv6Address
from typing import NamedTuple
from urllib.parse import quote

import idna
from markdown_it.rules_core import StateCore
from markdown_it.token import Token

# Browsers take \ for / and skip tabs and line breaks, so an authority holding one of them is no authority here.
_WEB = re.compile(
    r"(https?)://(?:[^/?#\\\s]*@)?(\[[\da-f:.]+\]|[^][/?#@:\\\s]{1,253})(:\d{1,5})?((?:[/?#]\S*)?)", re.I | re.A
)
_MAIL = re.compile(r"mailto:([\w.+-]+)@([^][/?#@:,%\\\s]{1,253})(?:\?.*)?", re.I | re.A | re.S)
_HOST = re.compile(r"(?=.{1,253}\Z)[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?")
_NUMBER = re.compile(r"(?:.*\.)?(?:\d+|0x[0-9a-f]*)")
_KEPT = "/?#[]@!$&'()*+,;=:%-._~"

# A web address in the text itself. It ends before the punctuation of the sentence, and before a bracket of the text.
_INNER = r"[\w\-.~:/?#@!$&'*+,;=%]"
_BARE = re.compile(rf"(?<!\w)https?://(?:{_INNER}|\({_INNER}*\))*(?:[\w\-/#=&%+$@]|\({_INNER}*\))")


class Destination(NamedTuple):
    """`shown` is the host as it is looked up (punycode), or the whole address of a mail link."""

    href: str
    shown: str


def destination(url: str) -> Destination | None:
    """Return where a URL goes, written so that every reader takes it alike, or None for what may be no link."""
    if web := _WEB.fullmatch(url):
        scheme, name, port, rest = web.groups(default="")
        host = _host(name)
        return Destination(f"{scheme.lower()}://{host}{port}{quote(rest, safe=_KEPT)}", host) if host else None
    if mail := _MAIL.fullmatch(url):
        # Copies, attachments and a written text would stay unseen: only the address is taken.
        host = _host(mail[2])
        return Destination(f"mailto:{mail[1]}@{host}", f"{mail[1]}@{host}") if host else None
    return None


def mark_links(state: StateCore) -> None:
    """A step of the parser: dead links become their text, live ones show their host, bare addresses become links."""
    for token in state.tokens:
        if token.children:
            token.children = list(_marked(token.children))


def _host(name: str) -> str | None:
    try:
        if name.startswith("["):
            return f"[{IPv6Address(name[1:-1])}]"
        # Names that look foreign in one script and home in another are shown as they are looked up.
        host = name.lower() if name.isascii() else idna.encode(name, uts46=True).decode("ascii")
        # Browsers read 127.1 and 0x7f000001 as addresses: a number must be written as the address that it is.
        return str(IPv4Address(host)) if _NUMBER.fullmatch(host) else host if _HOST.fullmatch(host) else None
    except ValueError:
        return None


def _marked(tokens: Sequence[Token]) -> Iterator[Token]:
    place = 0
    while place < len(tokens):
        token = tokens[place]
        if token.type == "link_open":
            end = next(at for at in range(place, len(tokens)) if tokens[at].type == "link_close")
            yield from _link(tokens[place : end + 1])
            place = end
        elif token.type == "text" and "://" in token.content:
            yield from _with_links(token.content)
        else:
            yield token
        place += 1


def _link(tokens: Sequence[Token]) -> Iterator[Token]:
    opening, inside, closing = tokens[0], tokens[1:-1], tokens[-1]
    goes = destination(str(opening.attrs["href"]))
    if goes is None:
        yield from inside
        return
    text = "".join(part.content for part in inside)
    opening.attrs = {"href": goes.href}
    yield opening
    yield from inside if text.strip() else [_text(goes.shown)]
    yield closing
    if text.strip() and not _shows(text, goes):
        yield _text(" ")
        yield Token("host", "span", 0, content=goes.shown)


def _shows(text: str, goes: Destination) -> bool:
    """Whether a link's text is an address that names the same host, with nothing before it and no look-alikes."""
    if "@" in goes.shown:
        return text.lower() == goes.shown.lower()
    named = destination(text if "://" in text else f"https://{text}")
    return text.isascii() and "@" not in text and named is not None and named.shown == goes.shown


def _with_links(text: str) -> Iterator[Token]:
    done = 0
    for found in _BARE.finditer(text):
        if destination(found[0]):
            yield _text(text[done : found.start()])
            yield from _link([
                Token("link_open", "a", 1, attrs={"href": found[0]}),
                _text(found[0]),
                Token("link_close", "a", -1),
            ])  # fmt: skip
            done = found.end()
    yield _text(text[done:])


def _text(content: str) -> Token:
    return Token("text", "", 0, content=content)
