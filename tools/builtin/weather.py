"""The tool `get_weather`: the weather in a city now, or a labelled sample where there is no network."""

import asyncio
import math
import time
from collections.abc import Callable
from dataclasses import replace

from tools.context import Http
from tools.open_meteo import Reading, Units, read_weather
from tools.registry import HttpError, ToolContext, ToolError, tool

LIVE_SECONDS = 2.0  # for all requests together, where the sample can answer instead
PAUSE_SECONDS = 60.0  # for which a service that could not be reached is left alone
NOTE = "Sample data, not a live reading"

# In celsius.
SAMPLE = (
    Reading("London", 14, "cloudy", 78),
    Reading("New York", 25, "sunny", 45),
    Reading("Tokyo", 22, "partly cloudy", 60),
    Reading("Sydney", 19, "rainy", 85),
    Reading("Paris", 17, "overcast", 70),
)
# What may stand after a city's name: there are others of the same name. The first one is the country.
WHERE = {
    "London": ("England", "UK", "GB", "United Kingdom", "Great Britain", "Britain"),
    "New York": ("USA", "US", "United States", "United States of America", "NY", "New York"),
    "Tokyo": ("Japan", "JP"),
    "Sydney": ("Australia", "AU", "NSW", "New South Wales"),
    "Paris": ("France", "FR", "Île-de-France"),
}


class LiveWeather:
    """The live service, tried briefly, and after a failure not again for a minute."""

    def __init__(self, clock: Callable[[], float] = time.monotonic, seconds: float = LIVE_SECONDS) -> None:
        self._clock = clock
        self._seconds = seconds
        self._paused_until = -math.inf

    async def read(self, http: Http, city: str, units: Units) -> Reading | None:
        """None if the service cannot be reached; ToolError if it knows no such city."""
        if self._clock() < self._paused_until:
            return None
        try:
            async with asyncio.timeout(self._seconds):
                return await read_weather(http, city, units)
        except (HttpError, TimeoutError):
            self._paused_until = self._clock() + PAUSE_SECONDS
            return None


live_weather = LiveWeather()


@tool(idempotent=True)
async def get_weather(context: ToolContext, city: str, units: Units = "celsius") -> dict[str, object]:
    """Look up the weather in a city at this moment: temperature, condition and humidity.

    Args:
        city: The city's name, with its country or state where there are several: "Paris", "Portland, Oregon".
        units: The scale of the temperature.
    """
    return await report(context, city, units, live_weather)


async def report(context: ToolContext, city: str, units: Units, live: LiveWeather) -> dict[str, object]:
    """The tool's work, with the site's setting `weather_source`: "auto", "live" or "sample"."""
    if not city.strip():
        raise ToolError("name a city")
    match context.options.get("weather_source", "auto"):
        case "live":
            return _result(await read_weather(context.http, city, units), units)
        case "sample":
            return _from_sample(city, units, "live weather is switched off here")
        case _:
            reading = await live.read(context.http, city, units)
            if reading is None:
                return _from_sample(city, units, "live weather could not be reached")
            return _result(reading, units)


def _from_sample(city: str, units: Units, why: str) -> dict[str, object]:
    name, *regions = (part.strip().casefold() for part in city.split(","))
    for reading in SAMPLE:
        if reading.city.casefold() == name:
            where = WHERE[reading.city]
            if not {*filter(None, regions)} <= {known.casefold() for known in where}:
                raise ToolError(f"{why}, and the {reading.city} of the sample data is the one in {where[0]}")
            if units == "fahrenheit":
                reading = replace(reading, temperature=reading.temperature * 9 / 5 + 32)
            return _result(reading, units, "sample") | {"note": NOTE}
    known = ", ".join(reading.city for reading in SAMPLE)
    raise ToolError(f"{why}, and the sample data has only these cities: {known}")


def _result(reading: Reading, units: Units, source: str = "live") -> dict[str, object]:
    return {
        "city": reading.city,
        f"temperature_{units}": _number(reading.temperature),
        "condition": reading.condition,
        "humidity_percent": _number(reading.humidity),
        "source": source,
    }


def _number(value: float) -> float:
    """One decimal at most, and none if it is 0: 14, 57.2."""
    rounded = round(value, 1)
    return int(rounded) if rounded == int(rounded) else rounded
