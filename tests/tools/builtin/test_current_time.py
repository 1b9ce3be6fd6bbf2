"""current_time: the time at a place, whichever way the place is named."""

import contextlib
from datetime import datetime
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.builtin.current_time import WEEKDAYS, current_time
from tools.places import ALIASES, SEVERAL
from tools.registry import ToolError, registry


@pytest.mark.parametrize(
    ("place", "zone"),
    [
        ("Tokyo", "Asia/Tokyo"),
        ("  new   york ", "America/New_York"),
        ("SYDNEY", "Australia/Sydney"),
        ("Berlin", "Europe/Berlin"),
        ("San Francisco", "America/Los_Angeles"),
        ("Europe/Berlin", "Europe/Berlin"),
        ("america/argentina/buenos_aires", "America/Argentina/Buenos_Aires"),
        ("Buenos Aires", "America/Argentina/Buenos_Aires"),
        ("UTC", "UTC"),
        ("Etc/GMT+5", "Etc/GMT+5"),
        ("Paris, France", "Europe/Paris"),
        ("Washington, D.C.", "America/New_York"),
        ("São Paulo", "America/Sao_Paulo"),
        ("Zürich", "Europe/Zurich"),
        ("St. Petersburg", "Europe/Moscow"),
        ("India", "Asia/Kolkata"),
        ("Istanbul", "Europe/Istanbul"),
        ("Singapore", "Asia/Singapore"),
    ],
)
def test_a_place_has_its_zone(place: str, zone: str) -> None:
    result = current_time(place)
    assert result["time_zone"] == zone
    assert result["place"] == place.strip()


def test_the_time_is_now_to_the_second_with_its_weekday_and_offset() -> None:
    before = datetime.now(ZoneInfo("Asia/Kolkata")).replace(microsecond=0)
    result = current_time("Kolkata")
    after = datetime.now(ZoneInfo("Asia/Kolkata"))
    told = datetime.fromisoformat(result["local_time"])
    assert before <= told <= after
    assert result["local_time"].endswith("+05:30")
    assert result["utc_offset"] == "+05:30"
    assert result["weekday"] == WEEKDAYS[told.weekday()]


@pytest.mark.parametrize("place", sorted(SEVERAL))
def test_a_country_of_several_zones_is_not_guessed_at(place: str) -> None:
    with pytest.raises(ToolError, match="more than one time zone: name a city"):
        current_time(place.upper())


def test_a_name_of_several_zones_lists_them() -> None:
    with pytest.raises(ToolError, match=r"Australia/West, Brazil/West: name one of them"):
        current_time("West")


@pytest.mark.parametrize(
    "place", ["Atlantis", "", " ", ",", "../../etc/passwd", "/etc/localtime", "a\x00b", "localtime"]
)
def test_an_unknown_place_is_an_error_with_advice(place: str) -> None:
    with pytest.raises(ToolError, match="name a big city near it, or a zone like Europe/Berlin"):
        current_time(place)


def test_every_alias_is_a_zone_and_no_name_of_several() -> None:
    zones = available_timezones()
    for zone, places in ALIASES.items():
        assert zone in zones
        for place in places:
            assert place not in SEVERAL
            assert current_time(place)["time_zone"] == zone


@given(st.text(max_size=100))
def test_any_text_is_a_place_or_an_error_for_the_model(place: str) -> None:
    with contextlib.suppress(ToolError):
        assert current_time(place)["time_zone"] in available_timezones()


def test_its_result_holds_nothing_from_outside() -> None:
    tool = registry.get("current_time")
    assert tool is not None
    assert (tool.outside, tool.idempotent) == (False, True)
