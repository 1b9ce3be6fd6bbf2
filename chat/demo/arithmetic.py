"""Reads a sentence as arithmetic: its own numbers, those of earlier answers, and those still to be looked up."""

import re
from dataclasses import replace

from chat.demo import cities
from chat.demo.context import Context
from chat.demo.formula import Apply, Measure, Node, Written, change
from chat.demo.intents import Calculation, Say
from chat.demo.numerals import NUMBER, number_and_unit, plain
from chat.demo.phrases import ARITHMETIC, HOLE, LONELY, LONELY_OPERATIONS, NOISE
from chat.demo.pointing import goes_on, point_back
from chat.demo.sheet import Sheet
from chat.demo.values import Value
from chat.demo.vocabulary import KNOWN
from chat.demo.wording import is_about_weather, quantity_in, units_in, words_of

LONGEST = 1000  # characters; the calculator takes fewer
PRIVATE = re.compile("[\ue000-\uf8ff\0]")
FIRST_PLACE = 0xF000
PLACE = "[\uf000-\uf8ff]"
NUMBER_THEN_PLACE = re.compile(rf"({HOLE})(?: percent)?(?: humidity)? ?(?:in|at|for)? ?({PLACE})", re.IGNORECASE)
PLACE_THEN_NUMBER = re.compile(
    rf"({PLACE})(?: (?:temperature|humidity))?(?: ?(?:is|was|has|had|at|=|:|with|being))?"
    rf"(?: (?:at|a humidity of|a temperature of))? ?({HOLE})",
    re.IGNORECASE,
)
IN_OTHER_UNITS = re.compile(rf"({HOLE}) (?:in|to|into|as) (fahrenheit|celsius)\b", re.IGNORECASE)
SHARE = re.compile(r"\b(?:what|which) percent(?:age)? of\b", re.IGNORECASE)
ASKS_MEANING = re.compile(r"\bmeans?\W*$", re.IGNORECASE)
TIGHT_PAIR = re.compile(r"\b\d+(?:[-/]\d+)+\b")  # 24/7, 9-5 and dates, unless all around them is about sums
BOTH_QUANTITIES = re.compile(
    r"\btemperatures? and (?:the )?(?:\w+ )?humidity|\bhumidity and (?:the )?(?:\w+ )?temp", re.I
)
NOTHING_YET = "There is no earlier result in this conversation to go on from. Which numbers do you mean?"


def calculation(clause: str, context: Context) -> Calculation | Say | None:
    """The formulas a sentence asks for; words where it points at results that are not there; else nothing."""
    text = _plain(clause)
    if not all(word in KNOWN or word.isdigit() for word in words_of(text)):
        text = TIGHT_PAIR.sub("", text)
    if len(text) > LONGEST or not (ARITHMETIC.search(text) or goes_on(text)):
        return None
    sentence = _Sentence(text, context)
    formulas = sentence.formulas()
    if BOTH_QUANTITIES.search(text):
        both = (_of(quantity, formula) for formula in formulas for quantity in ("temperature", "humidity"))
        formulas = tuple(dict.fromkeys(both))
    if formulas and sentence.points_at_nothing:
        return Say(NOTHING_YET)
    return Calculation(formulas) if formulas else None


def told_numbers(clause: str) -> tuple[Value, ...]:
    """The numbers that a sentence tells for places, as in "It is 14 degrees in London and 22 in Tokyo"."""
    return tuple(_Sentence(_plain(clause)[:LONGEST], Context()).told)


def _of(quantity: str, formula: Node) -> Node:
    return change(formula, lambda measure: replace(measure, quantity=quantity))


def _plain(clause: str) -> str:
    return re.sub(r"\s+", " ", plain(PRIVATE.sub("", clause))).strip()


class _Sentence:
    """One sentence, its numbers and places replaced by holes.

    Numbers come first, then the places they were told for, then the places whose numbers must be looked up.
    """

    def __init__(self, text: str, context: Context) -> None:
        self.said = text
        self.context = context
        self.sheet = Sheet()
        self.told: list[Value] = []
        self.places: list[Measure] = []
        with_places = self._mark_places(text)
        pointed, self.points_at_nothing = point_back(with_places, self.sheet, context)
        filled = re.sub(r"\s+", " ", NUMBER.sub(self._number, pointed))
        filled = NUMBER_THEN_PLACE.sub(lambda match: self._told(match[1], match[2]), filled)
        filled = PLACE_THEN_NUMBER.sub(lambda match: self._told(match[2], match[1]), filled)
        self._share_units()
        self.text = re.sub(PLACE, self._looked_up, filled)

    def formulas(self) -> tuple[Node, ...]:
        text = SHARE.sub("shareof", IN_OTHER_UNITS.sub(r"\1 to \2", self.text))
        self.sheet.text = re.sub(r"\bpi\b", lambda _: self.sheet.hole(Written(("pi",))), NOISE.sub(" ", text))
        self.sheet.reduce()
        done = tuple(node for node in self.sheet.holes() if not isinstance(node, Value | Measure))
        return done or self._lonely()

    def _lonely(self) -> tuple[Node, ...]:
        """An average of nothing named: of the numbers in the sentence, or of those in the answers before it."""
        word = LONELY.search(self.sheet.text)
        if word is None:
            return ()
        operation = LONELY_OPERATIONS[next(i for i, found in enumerate(word.groups()) if found)]
        parts: tuple[Node, ...] = tuple(self.told) if len(self.told) > 1 else tuple(self.sheet.holes())
        if not parts and not ASKS_MEANING.search(self.said) and all(said in KNOWN for said in words_of(self.said)):
            parts = self.context.group(0, quantity_in(self.said))
        wrong = len(parts) < 2 or (operation in ("difference", "ratio") and len(parts) != 2)
        return () if wrong else (Apply(operation, parts),)

    def _mark_places(self, text: str) -> str:
        found = cities.find(text)
        units = units_in(text) or self.context.preferred_units
        for i, place in reversed(list(enumerate(found))):
            quantity = quantity_in(text[: place.start]) or quantity_in(self.said) or self.context.quantity
            self.places.insert(0, Measure(place.name, quantity, units))
            text = f"{text[: place.start]}{chr(FIRST_PLACE + i)}{text[place.end :]}"
        return text

    def _place(self, mark: str) -> Measure:
        return self.places[ord(mark) - FIRST_PLACE]

    def _number(self, match: re.Match[str]) -> str:
        number, unit = number_and_unit(match)
        return self.sheet.hole(Value(number, unit)) + ("percent " if unit == "%" else "")

    def _told(self, hole: str, mark: str) -> str:
        value = self.sheet.node(hole)
        if not isinstance(value, Value) or value.place:
            return f"{hole} {mark}"
        self.told.append(Value(value.number, value.unit, self._place(mark).city))
        return self.sheet.hole(self.told[-1])

    def _share_units(self) -> None:
        """What one number is in, those without a unit are in: "14 degrees in London and 22 in Tokyo"."""
        units = {value.unit for value in self.told} - {""}
        if len(units) == 1:
            unit = units.pop()
            shared = {value: Value(value.number, unit, value.place) for value in self.told}
            self.told = list(shared.values())
            self.sheet.nodes = [shared.get(n, n) if isinstance(n, Value) else n for n in self.sheet.nodes]

    def _looked_up(self, match: re.Match[str]) -> str:
        measure = self._place(match.group())
        known = next((value for value in self.told if value.place == measure.city), None)
        about_weather = is_about_weather(self.said) or self.context.is_about_cities
        return self.sheet.hole(known or measure) if known or about_weather else " "
