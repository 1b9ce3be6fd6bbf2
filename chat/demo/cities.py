"""Finds the names of places in a sentence, in capitals or after words such as "in"."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from chat.demo.vocabulary import (
    ARTICLES,
    BEFORE_A_PLACE,
    COMPARISONS,
    INSIDE_A_NAME,
    KNOWN,
    LISTING,
    MOMENTS,
    PERHAPS_BEFORE_A_PLACE,
    REGIONS,
    WEATHER,
)

TOKEN = re.compile(r"(?:St|Mt|Ft|Ste)\.|[^\W\d_]+(?:['’-][^\W\d_]+)*|\d+|[^\w\s]")
POSSESSIVE = re.compile(r"['’]s?$")
LONGEST_NAME = 5  # words
ENDINGS = ("", "?", ",", "&", "or", "and", "than", "compared")


@dataclass(frozen=True)
class Place:
    """A name and where it stands in the sentence, a possessive ending included."""

    name: str
    start: int
    end: int


@dataclass(frozen=True)
class _Word:
    text: str
    start: int
    end: int

    @property
    def low(self) -> str:
        return self.text.lower().replace("’", "'")

    @property
    def bare(self) -> str:
        return POSSESSIVE.sub("", self.text)

    @property
    def is_capital(self) -> bool:
        """A capital letter first, or a script that has none."""
        return self.text[0].isalpha() and not self.text[0].islower()

    @property
    def may_name(self) -> bool:
        known = self.low in KNOWN or (POSSESSIVE.sub("", self.low) in KNOWN)
        return self.text[0].isalpha() and not known and (len(self.bare) > 1 or self.text[0] > "\u024f")


@dataclass(frozen=True)
class _Run:
    """Words in a row that may be a name, with what stands around them."""

    words: tuple[_Word, ...]
    led: str  # "place", "perhaps" or ""
    first: bool
    following: str
    lists_on: bool


def find(sentence: str) -> list[Place]:
    """The places named in a sentence about weather or time, in order, repetitions included."""
    runs = _runs([_Word(m.group(), m.start(), m.end()) for m in TOKEN.finditer(sentence)])
    shouting = sentence.isupper()
    found: list[Place] = []
    for run in runs:
        if _is_sure(run):
            place = Place(_name(run, shouting), run.words[0].start, run.words[-1].end)
            between = sentence[found[-1].end : place.start] if found else ""
            if between.strip() == "," and _is_region(place.name) and not _is_region(found[-1].name):
                place = Place(f"{found[-1].name}, {place.name}", found.pop().start, place.end)
            found.append(place)
    return found


def names(sentence: str) -> tuple[str, ...]:
    """The names of the places, each once."""
    unique: dict[str, str] = {}
    for place in find(sentence):
        unique.setdefault(place.name.casefold(), place.name)
    return tuple(unique.values())


def _is_region(name: str) -> bool:
    return name.casefold().replace(" ", "_") in REGIONS


def _runs(words: list[_Word]) -> Iterator[_Run]:
    led, i, after_a_name = "", 0, False
    while i < len(words):
        end = _end_of_name(words, i)
        if end > i:
            following = words[end].low if end < len(words) else ""
            lists_on = following in LISTING and end + 1 < len(words) and words[end + 1].may_name
            run = _Run(tuple(words[i:end]), led, i == 0, following, lists_on)
            yield run
            after_a_name, i = _is_sure(run), end
            continue
        begins_a_list = after_a_name or i == 0 or words[i - 1].low in COMPARISONS | WEATHER
        led = _led(words[i].low, led, begins_a_list)
        after_a_name = after_a_name and words[i].low in LISTING
        i += 1


def _end_of_name(words: list[_Word], start: int) -> int:
    end = start
    if words[start].text == "The" and start and start + 1 < len(words) and words[start + 1].is_capital:
        end += 1  # The Hague
    while end < len(words) and end - start < LONGEST_NAME and words[end].may_name:
        possessive = words[end].bare != words[end].text
        end += 1
        if possessive:
            break
        inside = end + 1 < len(words) and words[end].low in INSIDE_A_NAME and words[end - 1].is_capital
        if inside and words[end + 1].is_capital and words[end + 1].may_name and words[end].low != "the":
            end += 1
    return end if end > start and words[end - 1].may_name else start


def _led(word: str, led: str, begins_a_list: bool) -> str:
    if word in BEFORE_A_PLACE or (word in LISTING and begins_a_list):
        return "place"
    if word in PERHAPS_BEFORE_A_PLACE or word in WEATHER:
        return "perhaps"
    return led if word in ARTICLES else ""


def _is_sure(run: _Run) -> bool:
    describes = run.following in WEATHER or run.following in COMPARISONS or (run.first and run.lists_on)
    if run.led == "place" or (run.words[0].is_capital and not run.first):
        return True
    if run.led == "perhaps":
        return describes or run.following in MOMENTS or run.following in ENDINGS
    capitals = all(word.is_capital for word in run.words)
    return describes or (run.first and capitals and (len(run.words) > 1 or run.following in ("", "?", ".", ":")))


def _name(run: _Run, shouting: bool) -> str:
    words = [*(word.text for word in run.words[:-1]), run.words[-1].bare]
    text = " ".join(words)
    if not (text.islower() or (shouting and len(text) > 3)):
        return text
    small = [word.lower() for word in words]
    return " ".join(w if i and w in INSIDE_A_NAME else w[:1].upper() + w[1:] for i, w in enumerate(small))
