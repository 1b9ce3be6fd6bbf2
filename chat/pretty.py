"""Text as a trace shows it: JSON is indented and coloured, anything else comes as it stands. All of it is escaped."""

import json
import re

from django.utils.html import escape, format_html, format_html_join
from django.utils.safestring import SafeString

from chat.wire import strict
from tools.text import clean

SHORT_JSON = 60
LONG_JSON = 100_000  # what is longer is shown as it stands: coloured and indented it might take fifty times the room

_TURNING = re.compile("[\u2028-\u202e\u2066-\u2069]")  # ends a line, or turns the direction of what follows
_TOKENS = re.compile(r'("(?:\\.|[^"\\])*")(\s*:)?|(-?\d[\d.eE+-]*|\btrue\b|\bfalse\b|\bnull\b)')


def pretty(text: str) -> SafeString:
    """Return a text as readable HTML: indented and coloured if it is JSON, as it stands if not."""
    value = _read_json(text) if len(text) <= LONG_JSON else None
    if not isinstance(value, dict | list):
        return escape(text)
    line, lines = (_TURNING.sub(_escaped, json.dumps(value, indent=n, ensure_ascii=False)) for n in (None, 2))
    # An escape in the JSON may stand for what no page can carry.
    return _coloured(clean(lines if len(line) > SHORT_JSON and len(lines) <= LONG_JSON else line))


def _coloured(text: str) -> SafeString:
    """Colour JSON text: keys, strings, numbers. Everything in it is escaped."""
    parts, end = [], 0
    for match in _TOKENS.finditer(text):
        parts.append(escape(text[end : match.start()]))
        string, colon, number = match.groups()
        tone = "k" if colon else "s" if string else "n"
        parts.append(format_html('<span class="{}">{}</span>{}', tone, string or number, colon or ""))
        end = match.end()
    parts.append(escape(text[end:]))
    return format_html_join("", "{}", ((part,) for part in parts))


def _escaped(character: re.Match[str]) -> str:
    """Return a character as JSON may write it."""
    return f"\\u{ord(character[0]):04x}"


def _read_json(text: str) -> object:
    try:
        return strict.loads(text)
    except ValueError:
        return None
