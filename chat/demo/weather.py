"""Acts on questions about the weather: looks it up, then tells it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from chat.demo.asking import ask
from chat.demo.context import Context
from chat.demo.conversation import Conversation
from chat.demo.formula import Measure
from chat.demo.intents import Compare, Report
from chat.demo.parts import Call, Reply
from chat.demo.readings import Reading, reading, reading_of
from chat.demo.values import Value, clean, joined, with_unit

WHICH_CITY = "Which city do you mean? For example: *What's the weather in London?*"
NO_FORECAST = "I can only look up the weather at this moment, not a forecast."
WORDS = {
    ("temperature", True): ("warmer", "the warmest"),
    ("temperature", False): ("colder", "the coldest"),
    ("humidity", True): ("more humid", "the most humid"),
    ("humidity", False): ("less humid", "the least humid"),
}


@dataclass(frozen=True)
class Lookup:
    """What the tool told of each city asked for, in their order; or the calls that must be made first."""

    calls: tuple[Call, ...] = ()
    found: dict[str, Reading] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)

    def trouble(self) -> list[str]:
        return [f"I could not get the weather for {city}: {why.rstrip('.')}." for city, why in self.failed.items()]


def look_up(wanted: Sequence[tuple[str, str]], conversation: Conversation) -> Lookup:
    """The weather of (city, units) pairs. A tool that was called in this exchange is not called again."""
    outcomes = list(conversation.current.outcomes_named("get_weather"))
    if not outcomes:
        return Lookup(tuple(_call(city, units, conversation) for city, units in dict(wanted).items()))
    told = {}
    for city in dict(wanted):
        same = (o for o in outcomes if str(o.call.arguments.get("city", "")).casefold() == city.casefold())
        told[city] = next(same, None)
    others = [outcome for outcome in outcomes if outcome not in told.values()]
    found: dict[str, Reading] = {}
    failed: dict[str, str] = {}
    for city, outcome in told.items():
        # A person may have changed the city before allowing the call: then the result under another name is meant.
        outcome = outcome or (others.pop(0) if others else None)
        if outcome and (told_of := reading(outcome)):
            found[city] = told_of
        else:
            failed[city] = (outcome.error if outcome else "") or "no result came back that I could read"
    return Lookup((), found, failed)


def report(intent: Report, conversation: Conversation, context: Context) -> Reply:
    if not intent.cities:
        return Reply(WHICH_CITY)
    known = {city: reading_of(city, context.known) for city in intent.cities} if intent.earlier else {}
    earlier = {city: found for city, found in known.items() if found}
    wanted = [(city, intent.units) for city in intent.cities if city not in earlier]
    lookup = look_up(wanted, conversation) if wanted else Lookup()
    if lookup.calls:
        return ask(lookup.calls, conversation)
    both = earlier | lookup.found
    told = [both[city] for city in intent.cities if city in both]
    parts = [_told(told, intent.quantity), *lookup.trouble(), sample_note(told)]
    return Reply(paragraphs([NO_FORECAST if intent.forecast else "", *parts]))


def compare(intent: Compare, conversation: Conversation) -> Reply:
    wanted = [(s.city, s.units) for s in intent.subjects if isinstance(s, Measure)]
    lookup = look_up(wanted, conversation) if wanted else Lookup()
    if lookup.calls:
        return ask(lookup.calls, conversation)
    values: list[Value] = []
    for subject in intent.subjects:
        if isinstance(subject, Value):
            values.append(subject)
        elif subject.city in lookup.found and (value := lookup.found[subject.city].values.get(intent.quantity)):
            values.append(value)
    looked_up = list(lookup.found.values())
    text = _compared(intent, values) if len(values) > 1 else _told(looked_up, intent.quantity)
    return Reply(paragraphs([text, *lookup.trouble(), sample_note(looked_up)]))


def sample_note(told: Iterable[Reading]) -> str:
    """Says plainly which figures are not real, in the tool's words too where it has some."""
    samples = [found for found in told if found.is_sample]
    notes = {found.note.rstrip(".") for found in samples if found.note} - {"Sample data, not a live reading"}
    if not samples:
        return ""
    of = joined(list(dict.fromkeys(found.city for found in samples)))
    return paragraphs([f"*The figures for {of} are sample data, not live readings.*", *sorted(notes)])


def paragraphs(parts: Iterable[str]) -> str:
    """The parts as paragraphs; one that is said twice is said the last time only."""
    said = [paragraph for part in parts for paragraph in part.split("\n\n") if paragraph]
    return "\n\n".join(reversed(dict.fromkeys(reversed(said))))


def _call(city: str, units: str, conversation: Conversation) -> Call:
    takes_units = "units" in conversation.tools.get("get_weather", ())
    return Call("get_weather", {"city": city, "units": units} if units and takes_units else {"city": city})


def _told(told: Sequence[Reading], quantity: str) -> str:
    if not told:
        return ""
    if len(told) > 1:
        rows = [
            f"| {found.city} | {_cell(found, 'temperature')} | {found.condition or '–'} | {_cell(found, 'humidity')} |"
            for found in told
        ]
        return "\n".join(["| City | Temperature | Condition | Humidity |", "|---|---:|---|---:|", *rows])
    return _one(told[0], quantity)


def _one(found: Reading, quantity: str) -> str:
    value = found.values.get(quantity)
    if value:
        noun = "humidity" if quantity == "humidity" else "temperature"
        return f"The {noun} in {found.city} is **{with_unit(value)}**."
    temperature, humidity = found.values.get("temperature"), found.values.get("humidity")
    parts = [
        f"**{with_unit(temperature)}**" if temperature else "",
        found.condition,
        f"with a humidity of {with_unit(humidity)}" if humidity else "",
    ]
    return f"In {found.city} it is {', '.join(part for part in parts if part)}."


def _cell(found: Reading, quantity: str) -> str:
    return with_unit(found.values[quantity]) if quantity in found.values else "–"


def _compared(intent: Compare, values: list[Value]) -> str:
    """As in "Tokyo is warmer: **22 °C** against 14 °C in London, a difference of 8 degrees."."""
    ordered = sorted(values, key=lambda value: value.number, reverse=intent.most)
    best, rest = ordered[0], ordered[1:]
    level = [value for value in ordered if value.number == best.number]
    word = WORDS[intent.quantity, intent.most][intent.superlative or len(values) > 2]
    if len(level) == len(values):
        return f"There is no difference: it is {with_unit(best)} in {joined([v.place for v in values])}."
    against = joined([f"{with_unit(value)} in {value.place}" for value in rest if value not in level])
    verb = "is" if len(level) == 1 else "are"
    text = f"{joined([v.place for v in level])} {verb} {word}: **{with_unit(best)}** against {against}"
    if len(values) == 2:
        unit = "percentage points" if best.unit == "%" else "degrees"
        text += f", a difference of {clean(abs(best.number - rest[0].number))} {unit}"
    return f"{_verdict(intent, best)}{text}."


def _verdict(intent: Compare, best: Value) -> str:
    if not intent.claimed:
        return ""
    claimed = intent.claimed.casefold()
    return "Yes. " if claimed in best.place.casefold() or best.place.casefold() in claimed else "No. "
