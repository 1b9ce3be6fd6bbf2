"""get_weather: live where it can be reached, else a sample that says it is one."""

import asyncio
import json

import pytest

from tests.clocks import Clock
from tests.tools.doubles import ScriptedHttp, context
from tools.builtin.weather import NOTE, PAUSE_SECONDS, LiveWeather, get_weather, report
from tools.registry import HttpError, ToolError, registry

PLACE = {"results": [{"name": "Oslo", "latitude": 59.9, "longitude": 10.7, "country": "Norway"}]}
WEATHER = {"current": {"temperature_2m": -3.0, "relative_humidity_2m": 81.0, "weather_code": 73}}
NO_NETWORK = HttpError("there is no network")


@pytest.mark.parametrize(
    ("city", "where", "celsius", "condition", "humidity"),
    [
        ("London", ", uk", 14, "cloudy", 78),
        ("New York", ", NY, USA", 25, "sunny", 45),
        ("Tokyo", "", 22, "partly cloudy", 60),
        ("Sydney", ", New South Wales, Australia", 19, "rainy", 85),
        ("Paris", " , france,", 17, "overcast", 70),
    ],
)
async def test_the_sample(city: str, where: str, celsius: int, condition: str, humidity: int) -> None:
    assert await get_weather(context(weather_source="sample"), f" {city.upper()}{where}") == {
        "city": city,
        "temperature_celsius": celsius,
        "condition": condition,
        "humidity_percent": humidity,
        "source": "sample",
        "note": NOTE,
    }


@pytest.mark.parametrize("city", ["Paris, Texas", "London, Ontario, Canada", "Sydney, somewhere"])
async def test_the_sample_does_not_speak_for_another_city_of_the_same_name(city: str) -> None:
    with pytest.raises(ToolError, match="of the sample data is the one in"):
        await get_weather(context(weather_source="sample"), city)


async def test_fahrenheit() -> None:
    result = await get_weather(context(weather_source="sample"), "Paris", "fahrenheit")
    assert result["temperature_fahrenheit"] == 62.6
    assert "temperature_celsius" not in result
    assert (await get_weather(context(weather_source="sample"), "New York", "fahrenheit"))[
        "temperature_fahrenheit"
    ] == 77


async def test_numbers_have_no_needless_zero() -> None:
    result = await registry.call("get_weather", {"city": "London"}, context(weather_source="sample"))
    assert '"temperature_celsius":14,' in result.text
    assert json.loads(result.text)["note"] == "Sample data, not a live reading"


async def test_the_live_weather() -> None:
    http = ScriptedHttp([PLACE, WEATHER])
    assert await report(context(http, weather_source="auto"), "Oslo", "celsius", LiveWeather()) == {
        "city": "Oslo, Norway",
        "temperature_celsius": -3,
        "condition": "snow",
        "humidity_percent": 81,
        "source": "live",
    }


async def test_auto_falls_back_to_the_sample_and_does_not_ask_again_for_a_minute() -> None:
    clock, http = Clock(), ScriptedHttp([NO_NETWORK, PLACE, WEATHER])
    live = LiveWeather(clock)
    assert (await report(context(http), "London", "celsius", live))["source"] == "sample"
    clock.now += PAUSE_SECONDS - 1
    assert (await report(context(http), "London", "celsius", live))["source"] == "sample"
    assert len(http.asked) == 1
    clock.now += 1
    assert (await report(context(http), "Oslo", "celsius", live))["source"] == "live"


async def test_auto_waits_for_the_live_weather_only_briefly() -> None:
    class Hanging:
        async def get_json(self, *arguments: object, **options: object) -> object:
            return await asyncio.Event().wait()

    live = LiveWeather(seconds=0.01)
    assert (await report(context(Hanging()), "Paris", "celsius", live))["source"] == "sample"


async def test_a_city_that_is_not_in_the_sample_is_an_error_that_says_why_and_which_are() -> None:
    cities = "London, New York, Tokyo, Sydney, Paris"
    with pytest.raises(ToolError, match=f"could not be reached.*{cities}"):
        await report(context(), "Oslo", "celsius", LiveWeather())
    with pytest.raises(ToolError, match=f"switched off.*{cities}"):
        await get_weather(context(weather_source="sample"), "Oslo")


async def test_a_city_that_the_live_weather_does_not_know_is_no_reason_for_the_sample() -> None:
    http = ScriptedHttp([{}, PLACE, WEATHER])
    live = LiveWeather(Clock())
    with pytest.raises(ToolError, match="knows no city"):
        await report(context(http), "Londn", "celsius", live)
    assert (await report(context(http), "Oslo", "celsius", live))["source"] == "live"


async def test_live_never_shows_the_sample() -> None:
    with pytest.raises(HttpError, match="no network"):
        await get_weather(context(weather_source="live"), "London")
    assert (await get_weather(context(ScriptedHttp([PLACE, WEATHER]), weather_source="live"), "Oslo"))[
        "source"
    ] == "live"


async def test_a_city_must_be_named() -> None:
    with pytest.raises(ToolError, match="name a city"):
        await get_weather(context(), "  ")


async def test_units_are_one_of_two() -> None:
    result = await registry.call("get_weather", {"city": "Paris", "units": "kelvin"}, context())
    assert "expected 'celsius' or 'fahrenheit', got \"kelvin\"" in result.text


def test_its_result_holds_text_from_outside() -> None:
    tool = registry.get("get_weather")
    assert tool is not None
    assert (tool.outside, tool.idempotent, tool.writes) == (True, True, False)
