"""What a fact or a preference has to be, whoever stores it: a person in the settings, staff in the admin, a tool."""

from dataclasses import dataclass

from django.db.models import QuerySet

from chat import preferences
from chat.models import Fact, FactKind
from tools.text import clean

MAX_FACTS = 100  # of each kind and person
MAX_TEXT = 500

KNOWN = "This is remembered already."
TAKEN = "There is a preference of this name already. Edit that one."
FULL = f"{MAX_FACTS} are remembered, which is the most."
LENGTH = f"The text must have 1 to {MAX_TEXT} characters."
KEY = f"Use the letters a to z, digits and underscores, at most {preferences.MAX_KEY}."


class Unfit(Exception):
    """What cannot be kept, in words for a person: of which field, "" for the whole."""

    def __init__(self, field: str, words: str) -> None:
        super().__init__(words)
        self.field = field


@dataclass(frozen=True, slots=True)
class Place:
    """Where something is to be kept: with whom, as what; `fact` is what it takes the place of, if anything."""

    owner: int
    kind: FactKind
    fact: int | None = None

    @property
    def others(self) -> QuerySet[Fact]:
        found = Fact.objects.filter(owner=self.owner, kind=self.kind)
        return found.exclude(pk=self.fact) if self.fact else found

    @property
    def is_full(self) -> bool:
        return self.fact is None and self.others.count() >= MAX_FACTS

    def knows(self, text: str) -> bool:
        """Say whether a fact is there already, but for capitals."""
        return text.casefold() in (known.casefold() for known in self.others.values_list("text", flat=True))

    def fit(self, key: str, text: str) -> tuple[str, str]:
        """Return key and text as they are to be kept; the key of a fact is "". Raises Unfit."""
        text = fit_text(text)
        if self.kind == FactKind.PREFERENCE:
            key, text = fit_preference(key, text)
            if self.others.filter(key=key).exists():
                raise Unfit("key", TAKEN)
        elif self.knows(text):
            raise Unfit("text", KNOWN)
        if self.is_full:
            raise Unfit("", f"{FULL} Delete one first.")
        return (key, text) if self.kind == FactKind.PREFERENCE else ("", text)


def fit_text(text: str) -> str:
    """Return a text as one line. Raises Unfit."""
    text = " ".join(clean(text).split())
    if not 0 < len(text) <= MAX_TEXT:
        raise Unfit("text", LENGTH)
    return text


def fit_preference(key: str, text: str) -> tuple[str, str]:
    """Return the key and the value of a preference in their normal forms. Raises Unfit."""
    key = preferences.normal_key(key)
    if not 0 < len(key) <= preferences.MAX_KEY:
        raise Unfit("key", KEY)
    try:
        return key, preferences.normal_value(key, text)
    except ValueError as error:
        raise Unfit("text", str(error)) from None
