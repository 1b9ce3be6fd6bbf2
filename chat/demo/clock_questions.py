"""Reads a sentence as a question about the time of day somewhere."""

import re

from chat.demo import cities
from chat.demo.context import Context
from chat.demo.intents import Times
from chat.demo.wording import words_of

TIME = re.compile(
    r"\b(?:(?:what|which)(?:'s| is)?(?: the| your)?(?: current| local| exact)? (?:time|date|day|weekday)\b(?! of)"
    r"|time (?:is it|is|in|now|difference|zone)\b|(?:current|local) (?:time|date)\b|how late is it|o'clock|the time\b)",
    re.IGNORECASE,
)
DIFFERENCE = re.compile(
    r"\b(?:time difference|difference in time|how many hours\b.*\b(?:ahead|behind|apart|between))\b", re.IGNORECASE
)
NOT_A_CLOCK = re.compile(r"\b(?:how many|next|last|this|every|all|most of) times?\b|\btimes\b", re.IGNORECASE)


def time_question(clause: str, context: Context) -> Times | None:
    """The places whose time is asked for; none where the sentence names none and none is known."""
    text = clause.replace("’", "'")
    if NOT_A_CLOCK.search(text) or not (TIME.search(text) or DIFFERENCE.search(text)):
        return None
    named = cities.names(text)
    if not named and "there" in words_of(text):
        named = context.there
    if not named and context.home:
        named = (context.home,)
    return Times(named, difference=bool(DIFFERENCE.search(text)) and len(named) > 1)
