"""What the weather tool told, taken out of its outcomes."""

from collections.abc import Iterable
from dataclasses import dataclass

from chat.demo.conversation import Outcome
from chat.demo.values import Value, number_in


@dataclass(frozen=True)
class Reading:
    """One city's weather. A quantity that the tool did not tell is missing from `values`."""

    asked: str
    city: str
    values: dict[str, Value]
    condition: str
    is_sample: bool
    note: str

    def is_of(self, name: str) -> bool:
        return name.casefold() in (self.asked.casefold(), self.city.casefold())


def reading(outcome: Outcome) -> Reading | None:
    """The reading in an outcome of get_weather; nothing where it failed or was cut."""
    if outcome.call.name != "get_weather" or outcome.error or not outcome.data:
        return None
    data = outcome.data
    asked = str(outcome.call.arguments.get("city") or data.get("city") or "")
    city = str(data.get("city") or asked)
    keys = {
        "temperature_celsius": ("temperature", "°C"),
        "temperature_fahrenheit": ("temperature", "°F"),
        "humidity_percent": ("humidity", "%"),
    }
    values = {
        quantity: Value(number, unit, city, quantity)
        for key, (quantity, unit) in keys.items()
        if (number := number_in(data.get(key))) is not None
    }
    note, condition = data.get("note"), data.get("condition")
    if not city or not (values or condition):
        return None
    return Reading(asked, city, values, str(condition or ""), data.get("source") == "sample", str(note or "").strip())


def readings(outcomes: Iterable[Outcome]) -> tuple[Reading, ...]:
    return tuple(found for found in map(reading, outcomes) if found)


def reading_of(name: str, among: Iterable[Reading]) -> Reading | None:
    """The newest reading of a city, by the name it was asked for or the one the tool gave it."""
    return next((found for found in reversed(tuple(among)) if found.is_of(name)), None)
