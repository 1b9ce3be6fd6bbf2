"""The live weather: one question for the place, one for the weather there."""

import pytest

from tests.tools.doubles import ScriptedHttp
from tools.open_meteo import FORECAST_URL, PLACES_URL, Reading, read_weather
from tools.registry import HttpError, ToolError

PARIS = {
    "id": 2988507,
    "name": "Paris",
    "latitude": 48.85341,
    "longitude": 2.3488,
    "country_code": "FR",
    "country": "France",
    "admin1": "Île-de-France",
}
TEXAS = {
    "name": "Paris",
    "latitude": 33.66,
    "longitude": -95.55,
    "country_code": "US",
    "country": "United States",
    "admin1": "Texas",
}
WEATHER = {"current": {"temperature_2m": 14.0, "relative_humidity_2m": 78, "weather_code": 61, "time": "x"}}


async def test_a_city_is_found_and_its_weather_read() -> None:
    http = ScriptedHttp([{"results": [PARIS]}, WEATHER])
    reading = await read_weather(http, " Paris ", "fahrenheit")
    assert reading == Reading("Paris, France", 14.0, "light rain", 78)
    assert http.asked == [
        (PLACES_URL, {"name": "Paris", "count": 1, "language": "en", "format": "json"}),
        (
            FORECAST_URL,
            {
                "latitude": 48.85341,
                "longitude": 2.3488,
                "current": "temperature_2m,relative_humidity_2m,weather_code",
                "temperature_unit": "fahrenheit",
            },
        ),
    ]


@pytest.mark.parametrize("city", ["Paris, Texas", "paris, TEXAS", "Paris,US", "Paris, united states"])
async def test_what_stands_after_the_comma_picks_among_places_of_one_name(city: str) -> None:
    http = ScriptedHttp([{"results": [PARIS, TEXAS]}, WEATHER])
    assert (await read_weather(http, city, "celsius")).city == "Paris, United States"
    assert http.asked[1][1]["latitude"] == 33.66


async def test_a_city_in_a_country_where_it_is_not_is_unknown_and_the_known_ones_are_named() -> None:
    http = ScriptedHttp([{"results": [PARIS, TEXAS]}])
    with pytest.raises(ToolError, match=r"no city 'Paris, Spain'.*Paris, Île-de-France, France") as error:
        await read_weather(http, "Paris, Spain", "celsius")
    assert not isinstance(error.value, HttpError)


@pytest.mark.parametrize("reply", [{}, {"results": []}, {"generationtime_ms": 0.5}])
async def test_a_city_that_does_not_exist_is_said_to_be_unknown(reply: object) -> None:
    with pytest.raises(ToolError, match="knows no city 'Atlantis'") as error:
        await read_weather(ScriptedHttp([reply]), "Atlantis", "celsius")
    assert not isinstance(error.value, HttpError)


async def test_a_weather_code_that_is_not_listed_is_shown_as_it_is() -> None:
    weather = {"current": WEATHER["current"] | {"weather_code": 42}}
    reading = await read_weather(ScriptedHttp([{"results": [PARIS]}, weather]), "Paris", "celsius")
    assert reading.condition == "weather code 42"


@pytest.mark.parametrize(
    "replies",
    [
        ["<html>"],
        [{"results": "none"}],
        [{"results": [{"name": "Paris"}]}],
        [{"results": [PARIS]}, {"error": True}],
        [{"results": [PARIS]}, {"current": {"temperature_2m": None}}],
    ],
)
async def test_an_answer_in_another_form_is_an_error(replies: list[object]) -> None:
    with pytest.raises(HttpError, match="not understood"):
        await read_weather(ScriptedHttp(replies), "Paris", "celsius")
