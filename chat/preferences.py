"""What a preference may be: how its key is written, which keys are known, and which values they take."""

import re
import unicodedata

from chat.said.sentences import forms, own_words, words_of

MAX_KEY = 60

# The keys that the site itself suggests; no values means that any will do. Other keys are free.
KNOWN: dict[str, tuple[str, ...]] = {
    "temperature_units": ("celsius", "fahrenheit"),
    "answer_language": (),
    "answer_length": (),
    "name": (),
    "time_zone": (),
    "tone": (),
}

# How a person may say a known value.
SPELLINGS = {"celsius": ("celsius", "centigrade", "c"), "fahrenheit": ("fahrenheit", "f")}

# What a key may be made of without the user's having said it: a key names a setting and carries nothing else.
_SETTINGS = """
    address answer answers code color colour country currency date default detail diet distance drink editor example
    examples favorite favourite food form format formatting greeting height home language length level list measure
    measurement music name number output preferred pronouns reply response size spelling sport style summary system
    temperature theme time title tone topic unit units verbosity voice weather weight work writing zone
"""
KEY_WORDS = frozenset(_SETTINGS.split())


def normal_key(key: str) -> str:
    """Return a key as it is kept, in snake_case with the letters a-z and digits only; "" if nothing is left of it."""
    return re.sub(r"[^a-z0-9]+", "_", unicodedata.normalize("NFKC", key).casefold()).strip("_")


def normal_value(key: str, value: str) -> str:
    """Return a value as it is kept under a key. Raises ValueError, in words for a person or a model."""
    value = " ".join(value.split())
    allowed = KNOWN.get(key)
    if not allowed:
        return value
    if value.casefold() not in allowed:
        raise ValueError(f"{key} must be {' or '.join(allowed)}.")
    return value.casefold()


def is_plain_key(key: str, message: str) -> bool:
    """Say whether a key is known, or made of nothing but words of settings and words that the user said."""
    spoken = frozenset(form for word in words_of(own_words(message)) for form in forms(word))
    return key in KNOWN or all(word in KEY_WORDS or not forms(word).isdisjoint(spoken) for word in key.split("_"))
