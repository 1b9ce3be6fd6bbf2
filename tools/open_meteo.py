"""The weather at a place now, from Open-Meteo: free, without a key."""

from dataclasses import dataclass
from typing import Literal, TypeVar

from pydantic import BaseModel, ValidationError

from tools.context import Http, HttpError, ToolError

PLACES_URL = "https://geocoding-api.open-meteo.com/v1/search"
FORECAST_URL = "https://api.open-meteo.com/v1/forecast"
CANDIDATES = 10  # places of one name, when a country or state says which is meant

Units = Literal["celsius", "fahrenheit"]
Parsed = TypeVar("Parsed", bound=BaseModel)

# WMO weather interpretation codes, as listed on https://open-meteo.com/en/docs
CONDITIONS = {
    0: "clear",
    1: "mainly clear",
    2: "partly cloudy",
    3: "overcast",
    45: "fog",
    48: "freezing fog",
    51: "light drizzle",
    53: "drizzle",
    55: "heavy drizzle",
    56: "light freezing drizzle",
    57: "freezing drizzle",
    61: "light rain",
    63: "rain",
    65: "heavy rain",
    66: "light freezing rain",
    67: "freezing rain",
    71: "light snow",
    73: "snow",
    75: "heavy snow",
    77: "snow grains",
    80: "light showers",
    81: "showers",
    82: "violent showers",
    85: "light snow showers",
    86: "snow showers",
    95: "thunderstorm",
    96: "thunderstorm with hail",
    99: "thunderstorm with heavy hail",
}


@dataclass(frozen=True)
class Reading:
    """The weather in a city: temperature in the units that were asked for, humidity in percent."""

    city: str
    temperature: float
    condition: str
    humidity: float


class _Place(BaseModel):
    name: str
    latitude: float
    longitude: float
    country: str | None = None
    country_code: str | None = None
    admin1: str | None = None


class _Places(BaseModel):
    results: list[_Place] = []


class _Current(BaseModel):
    temperature_2m: float
    relative_humidity_2m: float
    weather_code: int


class _Forecast(BaseModel):
    current: _Current


async def read_weather(http: Http, city: str, units: Units) -> Reading:
    """Raises HttpError if the service cannot be reached or understood, ToolError if it knows no such city."""
    place = await _find(http, city)
    query: dict[str, str | int | float] = {
        "latitude": place.latitude,
        "longitude": place.longitude,
        "current": "temperature_2m,relative_humidity_2m,weather_code",
        "temperature_unit": units,
    }
    now = _parsed(_Forecast, await http.get_json(FORECAST_URL, query)).current
    condition = CONDITIONS.get(now.weather_code, f"weather code {now.weather_code}")
    name = f"{place.name}, {place.country}" if place.country else place.name
    return Reading(name, now.temperature_2m, condition, now.relative_humidity_2m)


async def _find(http: Http, city: str) -> _Place:
    """The service searches names only, so what stands after a comma picks among the places of that name."""
    name, _, region = (part.strip() for part in city.partition(","))
    query: dict[str, str | int | float] = {
        "name": name,
        "count": CANDIDATES if region else 1,
        "language": "en",
        "format": "json",
    }
    places = _parsed(_Places, await http.get_json(PLACES_URL, query)).results
    for place in places:
        regions = {known.casefold() for known in (place.country, place.country_code, place.admin1) if known}
        if not region or region.casefold() in regions:
            return place
    known = "; ".join(f"{place.name}, {place.admin1 or ''}, {place.country or ''}" for place in places[:3])
    raise ToolError(f"the weather service knows no city {city[:80]!r}" + (f"; it knows {known}" if known else ""))


def _parsed(model: type[Parsed], answer: object) -> Parsed:
    try:
        return model.model_validate(answer)
    except ValidationError:
        raise HttpError("the weather service answered in a form that is not understood") from None
