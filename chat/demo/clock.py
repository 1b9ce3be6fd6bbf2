"""Acts on questions about the time of day: asks the clock tool, then tells it."""

from collections.abc import Mapping
from datetime import datetime

from chat.demo.asking import ask
from chat.demo.conversation import Conversation, Outcome
from chat.demo.intents import Times
from chat.demo.parts import Call, Reply
from chat.demo.values import clean
from chat.demo.weather import paragraphs

WHICH_PLACE = "Which place do you mean? For example: *What time is it in Tokyo?*"


def times(intent: Times, conversation: Conversation) -> Reply:
    if not intent.places:
        return Reply(WHICH_PLACE)
    calls = [Call("current_time", {"place": place}) for place in intent.places]
    all_told = conversation.current.outcomes_named("current_time")
    if not all_told:
        return ask(calls, conversation)
    told = [outcome for outcome in all_told if outcome.call in calls] or all_told
    good = [outcome for outcome in told if not outcome.error and outcome.data.get("local_time")]
    bad = [_trouble(outcome) for outcome in told if outcome not in good]
    return Reply(paragraphs([_told([o.data for o in good]), _apart(good) if intent.difference else "", *bad]))


def _told(clocks: list[Mapping[str, object]]) -> str:
    if len(clocks) == 1:
        clock = clocks[0]
        zone = ", ".join(part for part in (_text(clock, "time_zone"), _offset(clock)) if part)
        return f"It is **{_moment(clock)}** in {_text(clock, 'place')}{f' ({zone})' if zone else ''}."
    if not clocks:
        return ""
    rows = [
        f"| {_text(clock, 'place')} | {_moment(clock)} | {_text(clock, 'time_zone')} | {_offset(clock)} |"
        for clock in clocks
    ]
    return "\n".join(["| Place | Local time | Time zone | Offset |", "|---|---|---|---|", *rows])


def _moment(clock: Mapping[str, object]) -> str:
    """As in "15:04 on Tuesday, 24 November 2026"; the tool's own words where they are no date."""
    said, weekday = _text(clock, "local_time"), _text(clock, "weekday")
    try:
        moment = datetime.fromisoformat(said)
    except ValueError:
        return f"{said} on {weekday}" if weekday and weekday not in said else said
    day = f"{moment.day} {moment:%B %Y}"
    return f"{moment:%H:%M} on {weekday}, {day}" if weekday else f"{moment:%H:%M} on {day}"


def _offset(clock: Mapping[str, object]) -> str:
    offset = _text(clock, "utc_offset")
    return f"UTC{offset}" if offset[:1] in ("+", "-") else offset


def _apart(outcomes: list[Outcome]) -> str:
    """How far the first two places are apart, where both told their offset."""
    minutes = [_minutes(_text(outcome.data, "utc_offset")) for outcome in outcomes[:2]]
    if len(minutes) < 2 or minutes[0] is None or minutes[1] is None:
        return ""
    first, second = (_text(outcome.data, "place") for outcome in outcomes[:2])
    apart = minutes[1] - minutes[0]
    if not apart:
        return f"{first} and {second} have the same time."
    return f"{second} is {clean(abs(apart) / 60)} hours {'ahead of' if apart > 0 else 'behind'} {first}."


def _minutes(offset: str) -> int | None:
    hours, _, rest = offset.removeprefix("UTC").lstrip("+-").partition(":")
    if not hours.isdigit() or not (rest or "0").isdigit():
        return None
    return (-1 if "-" in offset else 1) * (int(hours) * 60 + int(rest or 0))


def _trouble(outcome: Outcome) -> str:
    place = outcome.call.arguments.get("place", "there")
    why = outcome.error or "no result came back that I could read"
    return f"I could not get the time for {place}: {why.rstrip('.')}."


def _text(clock: Mapping[str, object], key: str) -> str:
    return str(clock.get(key) or "")
