"""What the query of an address asks for. Nonsense asks for nothing, and none of it can break a page."""

from django.http import HttpRequest

from tools.text import clean

LONGEST_WORDS = 200  # characters
LONGEST_NUMBER = 18  # digits, which every column holds


def words(request: HttpRequest, name: str) -> str:
    return clean(request.GET.get(name, "")).strip()[:LONGEST_WORDS]


def number(request: HttpRequest, name: str) -> int | None:
    said = request.GET.get(name, "")
    return int(said) if said.isdecimal() and len(said) <= LONGEST_NUMBER else None
