"""What a sentence says about quantities, units and moments."""

import re

from chat.demo.vocabulary import COLDER, DRY, HUMID, HUMIDITY, TEMPERATURE, WARMER, WEATHER

WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*|\d+")
NOW = re.compile(r"\b(?:now|currently|current|at the moment|today|presently)\b", re.IGNORECASE)
EARLIER = re.compile(
    r"\b(?:again|was|were|earlier|before|you said|you say|you told|did you|you mentioned|remind me)\b",
    re.IGNORECASE,
)
FORECAST = re.compile(
    r"\b(?:tomorrow|forecast|will|tonight|next|this weekend|later|on (?:mon|tues|wednes|thurs|fri|satur|sun)day)\b",
    re.IGNORECASE,
)
UNITS = re.compile(r"\b(fahrenheit|celsius|centigrade)\b|(?:°|\bin )([FC])\b", re.IGNORECASE)
OPPOSITE = re.compile(r"\b(?:less|least|lower|lowest|smaller|smallest)\b", re.IGNORECASE)
MOST = re.compile(r"\b(?:more|most|higher|highest|greater|greatest)\b", re.IGNORECASE)

COURTESIES = re.compile(
    r"(?:(?:hi|hello|hey|ok|okay|oh|so|and|also|well|now|thanks|great|cool|please|(?:can|could|would|will) you"
    r"|i want you to|i'd like you to|i would like you to)\b[\s,.!-]*+)++",
    re.IGNORECASE,
)


def without_courtesies(sentence: str) -> str:
    """The sentence from where it says what it wants; all of it, where it says nothing else."""
    match = COURTESIES.match(sentence)
    return (sentence[match.end() :] if match else "") or sentence


def words_of(text: str) -> list[str]:
    return [word.lower().replace("’", "'") for word in WORD.findall(text)]


def is_about_weather(text: str) -> bool:
    return any(word.removesuffix("'s") in WEATHER for word in words_of(text)) or bool(
        re.search(r"\b(?:what|how)(?:'s| is) it (?:like )?in\b", text, re.IGNORECASE)
    )


def quantity_in(text: str) -> str:
    """The quantity named last: "temperature", "humidity" or neither."""
    for word in reversed(words_of(text)):
        if word in HUMIDITY:
            return "humidity"
        if word in TEMPERATURE:
            return "temperature"
    return ""


def units_in(text: str) -> str:
    """The temperature units that are asked for, or nothing."""
    match = UNITS.search(text)
    return {"f": "fahrenheit", "c": "celsius"}[(match[1] or match[2])[0].lower()] if match else ""


def comparison_in(text: str) -> tuple[str, bool] | None:
    """What is compared, and whether the most of it is looked for; nothing where nothing is compared."""
    found = words_of(text)
    opposite = bool(OPPOSITE.search(text))
    for word in found:
        compared = word.endswith(("er", "est")) or opposite or bool(MOST.search(text))
        if word in WARMER | HUMID and compared:
            return ("temperature" if word in WARMER else "humidity"), not opposite
        if word in COLDER | DRY and compared:
            return ("temperature" if word in COLDER else "humidity"), opposite
    quantity = quantity_in(text)
    return (quantity, not opposite) if quantity and (opposite or MOST.search(text)) else None
