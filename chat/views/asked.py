"""What a request asks for in its query, and where its reader is. Nonsense asks for nothing, and breaks no page."""

from datetime import UTC, tzinfo
from zoneinfo import ZoneInfo

from django.http import HttpRequest

from tools.text import clean

LONGEST_WORDS = 200  # characters
LONGEST_NUMBER = 18  # digits, which every column holds


def words(request: HttpRequest, name: str) -> str:
    return clean(request.GET.get(name, "")).strip()[:LONGEST_WORDS]


def zone(request: HttpRequest) -> tzinfo:
    """Return the time zone that a page's script found; UTC where there is none."""
    try:
        return ZoneInfo(request.COOKIES.get("timezone", "UTC"))
    except (ValueError, KeyError, OSError):  # no name of a zone, or of one that is not known here
        return UTC


def number(request: HttpRequest, name: str) -> int | None:
    said = request.GET.get(name, "")
    return int(said) if said.isdecimal() and len(said) <= LONGEST_NUMBER else None
