"""What the exchanges so far make "the two", "that" and "how about Tokyo?" mean."""

from dataclasses import dataclass, field, replace

from chat.demo.conversation import Exchange, Memory
from chat.demo.formula import Apply, Measure, Node, change, expression, measures, unit_of, values
from chat.demo.intents import Calculation, Compare, Given, Intent, Report, Times
from chat.demo.parts import Call
from chat.demo.readings import Reading, reading_of, readings
from chat.demo.values import Value, number_in

MOST_RESULTS = 5  # that "them" can mean
UNITS_OF = {"°C": "celsius", "°F": "fahrenheit"}
LISTS = ("average", "sum", "difference", "product", "ratio")


@dataclass(frozen=True)
class Context:
    """`topic` is the last question that can be followed up; `group` what "the two" are; `last` what "that" is."""

    memory: Memory = field(default_factory=Memory)
    known: tuple[Reading, ...] = ()
    topic: Intent | None = None
    cities: tuple[str, ...] = ()
    quantity: str = "temperature"
    numbers: tuple[Value, ...] = ()
    results: tuple[Value, ...] = ()
    last: Value | None = None
    is_about_cities: bool = False

    @property
    def preferred_units(self) -> str:
        wish = self.memory.preferences.get("temperature_units", "").strip().lower()
        return {"f": "fahrenheit", "c": "celsius"}.get(wish[:1], "")

    @property
    def home(self) -> str:
        """Where the user lives, where that is remembered in these words."""
        facts = (fact.partition("ives in ")[2].strip(" .") for fact in self.memory.facts)
        return next((place for place in facts if place), "")

    @property
    def there(self) -> tuple[str, ...]:
        """The places that were last asked about."""
        return self.topic.places if isinstance(self.topic, Times) else self.cities

    def newest_cities(self, count: int = 0) -> tuple[str, ...]:
        """The `count` cities last spoken of, or all of them, in the order in which they first came up."""
        named = [*(reading.city for reading in self.known), *map(self._proper, self.cities)]
        newest = list(dict.fromkeys(reversed(named)))[: count or None]
        return tuple(city for city in dict.fromkeys(named) if city in newest)

    def group(self, count: int = 0, quantity: str = "") -> tuple[Value | Measure, ...]:
        """The last `count` numbers spoken of, or those that "them" would mean."""
        if not self.is_about_cities and (len(self.numbers) >= max(2, count) or not self.known):
            return self.numbers[-count:]
        names = self.cities if len(self.cities) > 1 and not count else self.newest_cities(count)
        return self.subjects(names, quantity or self.quantity)

    def subjects(self, names: tuple[str, ...], quantity: str, units: str = "") -> tuple[Value | Measure, ...]:
        """What is known of these cities, all in one unit; a Measure for what must be looked up."""
        known = [self._known(name, quantity) for name in names]
        found = {value.unit for value in known if value}
        one = UNITS_OF.get(found.pop(), "") if len(found) == 1 else ""
        wanted = units or one or self.preferred_units or ("celsius" if found else "")
        return tuple(
            value if value and UNITS_OF.get(value.unit, wanted) == wanted else Measure(name, quantity, wanted)
            for name, value in zip(names, known, strict=True)
        )

    def after(self, intent: Intent, exchange: Exchange) -> "Context":
        """The context once this was asked and the exchange's tools have told what they told."""
        told = replace(self, known=(*self.known, *readings(exchange.outcomes)))
        match intent:
            case Report(cities, quantity):
                return told._about_cities(intent, cities, quantity or "temperature")
            case Compare(subjects, quantity):
                places = tuple(s.city if isinstance(s, Measure) else s.place for s in subjects)
                return told._about_cities(intent, places, quantity)
            case Calculation(formulas):
                return told._after_calculation(intent, formulas, exchange)
            case Times():
                return replace(told, topic=intent)
            case Given(numbers):
                return replace(told, numbers=numbers, is_about_cities=False)
            case _:
                return told

    def _known(self, city: str, quantity: str) -> Value | None:
        found = reading_of(city, self.known)
        return found.values.get(quantity) if found else None

    def _proper(self, name: str) -> str:
        found = reading_of(name, self.known)
        return found.city if found else name

    def _about_cities(self, intent: Intent, cities: tuple[str, ...], quantity: str) -> "Context":
        last = self._known(cities[0], quantity) if len(cities) == 1 else None
        return replace(
            self,
            topic=intent,
            cities=cities or self.cities,
            quantity=quantity,
            last=last,
            results=(),
            is_about_cities=True,
        )

    def _after_calculation(self, intent: Calculation, formulas: tuple[Node, ...], exchange: Exchange) -> "Context":
        told = replace(self, topic=intent)
        waited_for = [measure for formula in formulas for measure in measures(formula)]
        used = [value for formula in formulas for value in values(formula)]
        measured = [
            *((m.city, m.quantity) for m in waited_for),
            *((v.place, v.quantity) for v in used if v.quantity),
        ]
        if measured:
            cities = tuple(dict.fromkeys(city for city, _ in measured))
            told = replace(told, cities=cities, quantity=measured[-1][1], is_about_cities=True)
        found = tuple(filter(None, (self._result(formula, exchange) for formula in formulas)))
        if not found:
            return told
        told = replace(told, last=found[-1], results=(*self.results, *found)[-MOST_RESULTS:])
        if measured:
            return told
        match formulas[-1]:
            case Apply(name, parts) if name in LISTS and all(isinstance(part, Value) for part in parts):
                return replace(told, numbers=tuple(used), is_about_cities=False)
            case _:
                return replace(told, numbers=told.results, is_about_cities=False)

    def _result(self, formula: Node, exchange: Exchange) -> Value | None:
        """What the calculator made of a formula, in the formula's unit."""

        filled = change(formula, lambda measure: self._known(measure.city, measure.quantity) or measure)
        if any(measures(filled)):
            return None
        outcome = exchange.outcome_of(Call("calculate", {"expression": expression(filled)}))
        number = number_in(outcome.data.get("result")) if outcome else None
        return None if number is None else Value(number, unit_of(filled))
