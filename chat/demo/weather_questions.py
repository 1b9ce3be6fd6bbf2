"""Reads a sentence as a question about the weather, or as one that goes on from an earlier question."""

import re

from chat.demo import arithmetic, cities
from chat.demo.context import Context
from chat.demo.formula import Apply, Measure, Node, change, measures, values
from chat.demo.intents import Calculation, Compare, Intent, Report, Say, Times
from chat.demo.pointing import COUNTS
from chat.demo.values import Value
from chat.demo.wording import (
    EARLIER,
    FORECAST,
    NOW,
    comparison_in,
    is_about_weather,
    quantity_in,
    units_in,
    words_of,
)

SUPERLATIVE = re.compile(r"\b(?!forest|west)\w+est\b|\b(?:most|least)\b", re.IGNORECASE)
CLAIM = re.compile(r"^(?:is|was|isn't|so is|and is)\b", re.IGNORECASE)
AT_HOME = re.compile(r"\b(?:here|at home|where i live|my (?:city|town|place|home)|outside)\b", re.IGNORECASE)
# A poem about rain is no question about the weather, and neither are "my temperature units".
OTHER_WORK = re.compile(
    r"\b(?:poem|song|haiku|essay|story|joke|letter|e-?mail|code|program|function|novel|translate)\b|\bmy \w+ units\b",
    re.IGNORECASE,
)
FOLLOWS = re.compile(
    r"(?:(?:and|so|ok|okay|then|now|also|but|what about|how about|what of|(?:the )?same (?:for|in))\b[ ,]*)+",
    re.IGNORECASE,
)
LONGEST_FOLLOW_UP = 120
TWO_CITIES = "To compare, I need two cities. For example: *Is it warmer in London or Tokyo?*"


def weather_question(clause: str, context: Context) -> Report | Compare | Say | None:
    """A report or a comparison, where the sentence is about the weather."""
    named = cities.names(clause)
    about_weather = is_about_weather(clause) and not OTHER_WORK.search(clause)
    if not (about_weather or (len(named) > 1 and "compare" in words_of(clause))):
        return None
    units = units_in(clause) or context.preferred_units
    if compared := comparison_in(clause):
        comparison = _compare(clause, context, named, compared)
        if comparison or not named:
            return comparison or Say(TWO_CITIES)
    earlier = bool(EARLIER.search(clause))
    quantity = quantity_in(clause)
    forecast = bool(FORECAST.search(clause)) and not earlier
    if named:
        return Report(named, quantity, units, earlier, forecast)
    if AT_HOME.search(clause) and context.home:
        return Report((context.home,), quantity, units, forecast=forecast)
    if context.there and (quantity or earlier or "there" in words_of(clause)):
        return Report(context.there, quantity, units, earlier or not NOW.search(clause), forecast)
    if context.home:
        return Report((context.home,), quantity, units, forecast=forecast)
    return Report((), quantity, units, forecast=forecast)


def follow_up(clause: str, context: Context) -> Intent | None:
    """The earlier question, asked of other cities, another quantity or in other units."""
    starts = FOLLOWS.match(clause)
    named = cities.names(clause)
    rest = re.sub(r"^\W*(?:in|for|at)?\W*", "", clause[starts.end() :] if starts else clause)
    only_names = bool(named) and len(words_of(clause)) <= sum(len(words_of(name)) + 1 for name in named)
    if len(clause) > LONGEST_FOLLOW_UP or not (starts or only_names or units_in(clause)):
        return None
    if named:
        return _with_cities(named, context, units_in(clause))
    if not context.cities or not isinstance(context.topic, Report | Compare | Calculation) or not rest:
        return None
    units, quantity = units_in(clause), quantity_in(clause)
    if units:
        return Report(context.cities, quantity or context.quantity, units)
    return Report(context.cities, quantity, context.preferred_units, earlier=True) if quantity else None


def _compare(clause: str, context: Context, named: tuple[str, ...], compared: tuple[str, bool]) -> Compare | None:
    """A comparison of the numbers told, of the cities named, or of those spoken of before."""
    quantity, most = compared
    superlative = bool(SUPERLATIVE.search(clause))
    told = arithmetic.told_numbers(clause)
    units = units_in(clause)
    if len(told) > 1:
        return Compare(told, quantity, most, superlative)
    if len(named) > 1:
        claimed = named[0] if CLAIM.match(clause) and " than " in clause and " or " not in clause else ""
        asks_anew = claimed or not clause.lower().startswith("which") or NOW.search(clause)
        subjects = _subjects(named, quantity, units, context, fresh=bool(asks_anew))
        return Compare(subjects, quantity, most, superlative, claimed)
    count = next((COUNTS[word] for word in words_of(clause) if word in COUNTS), 0)
    spoken_of = context.cities if len(context.cities) > 1 and not count else context.newest_cities(count)
    together = (*(city for city in spoken_of if city not in named), *named)
    if len(together) < 2 or (named and superlative):
        return None
    claimed = named[0] if named and CLAIM.match(clause) else ""
    return Compare(context.subjects(together, quantity, units), quantity, most, superlative, claimed)


def _subjects(
    names: tuple[str, ...], quantity: str, units: str, context: Context, *, fresh: bool
) -> tuple[Measure | Value, ...]:
    """What is known of the cities, or all of them anew, so that nothing old stands beside something new."""
    known = context.subjects(names, quantity, units)
    if fresh or any(isinstance(subject, Measure) for subject in known):
        return tuple(Measure(name, quantity, units or context.preferred_units) for name in names)
    return known


def _with_cities(named: tuple[str, ...], context: Context, units: str) -> Intent:
    units = units or getattr(context.topic, "units", "") or context.preferred_units
    match context.topic:
        case Times():
            return Times(named)
        case Report(_, quantity):
            return Report(named, quantity, units)
        case Compare(_, quantity, most, superlative) if len(named) > 1:
            return Compare(tuple(Measure(n, quantity, units) for n in named), quantity, most, superlative)
        case Compare(_, quantity):
            return Report(named, quantity, units)
        case Calculation(formulas) if context.is_about_cities:
            return _calculated_again(formulas[-1], named, context.quantity, units)
        case _ if context.is_about_cities:
            return Report(named, "", units)
        case _:
            shown = " and ".join(named)
            return Say(f"What would you like to know about {shown}? I can look up the weather or the time there.")


def _calculated_again(formula: Node, named: tuple[str, ...], quantity: str, units: str) -> Intent:
    """The same calculation for other cities, where there are as many of them."""
    old = list(dict.fromkeys(measure.city for measure in measures(formula)))
    if len(old) == len(named) and not any(value.place for value in values(formula)):
        new = dict(zip(old, named, strict=True))
        return Calculation((change(formula, lambda m: Measure(new[m.city], m.quantity, units)),))
    if isinstance(formula, Apply) and len(named) > 1 and len(formula.parts) > 1:
        return Calculation((Apply(formula.operation, tuple(Measure(n, quantity, units) for n in named)),))
    return Report(named, quantity, units)
