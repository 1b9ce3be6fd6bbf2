"""The tool `current_time`: date and time at a place, from the time zone database."""

import unicodedata
from datetime import datetime
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from tools.places import ALIASES, SEVERAL
from tools.registry import ToolError, tool

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


@tool(idempotent=True, outside=False)
def current_time(place: str) -> dict[str, str]:
    """Tell the date, weekday and time of day at a place, now.

    Args:
        place: A city ("Tokyo", "San Francisco"), an IANA time zone ("Europe/Berlin") or "UTC".
    """
    zone = _zone(place)
    now = datetime.now(ZoneInfo(zone))
    offset = now.strftime("%z")
    return {
        "place": place.strip(),
        "time_zone": zone,
        "local_time": now.isoformat(timespec="seconds"),
        "weekday": WEEKDAYS[now.weekday()],
        "utc_offset": f"{offset[:3]}:{offset[3:]}",
    }


def _zone(place: str) -> str:
    """The IANA zone of a place. ToolError if there is none, or more than one."""
    shown, zones = place.strip()[:80], _zones()
    if not zones:
        raise ToolError("this machine has no time zone data; its administrator can install the tzdata package")
    name = _folded(place)
    if name in SEVERAL:
        raise ToolError(f"{shown} has more than one time zone: name a city in it")
    found = zones.get(name) or zones.get(_folded(place.partition(",")[0]))  # "Paris, France"
    if not found:
        raise ToolError(f"no time zone is known for {shown!r}: name a big city near it, or a zone like Europe/Berlin")
    if len({datetime.now(ZoneInfo(zone)).utcoffset() for zone in found}) > 1:
        raise ToolError(f"{shown} could be {', '.join(found)}: name one of them")
    return found[-1]


@cache
def _zones() -> dict[str, list[str]]:
    """Every name a zone goes by, folded, and the zones of that name, the most exact one last."""
    zones: dict[str, list[str]] = {}
    available = available_timezones() - {"Factory", "localtime", "posixrules"}
    for zone in sorted(available, key=lambda zone: (zone.count("/"), zone)):
        city = zone if zone.startswith("Etc/") else zone.rpartition("/")[2]
        for name in {_folded(zone), _folded(city)}:
            zones.setdefault(name, []).append(zone)
    for zone, places in ALIASES.items():
        if zone in available:
            zones |= {place: [zone] for place in places}
    return zones


def _folded(name: str) -> str:
    """Lower case, without accents, dots and underscores: "St. Petersburg", "São Paulo", "Etc/GMT"."""
    letters = unicodedata.normalize("NFKD", name.replace("_", " ").replace(".", ""))
    return " ".join("".join(letter for letter in letters if not unicodedata.combining(letter)).casefold().split())
