"""From a user's message to what it wants, sentence by sentence, in the light of what was said before."""

import re
from dataclasses import replace

from chat.demo.about_user import REMEMBER_THAT, about_user, question_about_user
from chat.demo.arithmetic import calculation, told_numbers
from chat.demo.clock_questions import time_question
from chat.demo.context import Context
from chat.demo.conversation import Exchange
from chat.demo.intents import Given, Intent, Report, Say, Unknown
from chat.demo.smalltalk import small_talk
from chat.demo.texts import HELLO, THANKS
from chat.demo.weather_questions import follow_up, weather_question
from chat.demo.wording import without_courtesies

LONGEST = 2000  # characters; a longer message is no question of the kinds known here
BREAK = re.compile(
    r"(?<=[?!;])\s+|(?:(?<=\w\w\w\.)|(?<=\d\.)|(?<=[^\w\s]\.))\s+(?=\S)|\s*\n+\s*"
    r"|,?\s+and\s+(?=(?:also\s+)?(?:what|what's|how|which|is it|who|when|where|calculate|tell me|remember)\b)",
    re.IGNORECASE,
)

ASKS = re.compile(r"\?|\b(?:what|which|how|where|compare|tell|show|give)\b", re.IGNORECASE)
ORDER = re.compile(
    r"(?:please )?(?:tell|write|give|explain|translate|find|make|show|draw|list|summari[sz]e|describe|create|send|book"
    r"|search)\b",
    re.IGNORECASE,
)


def understand(question: str, context: Context) -> tuple[Intent, ...]:
    """What each part of a message wants. Remarks between questions are passed over, questions never."""
    if len(question) > LONGEST:
        return (Unknown(question[:80] + "…"),)
    clauses = _clauses(question)
    if len(clauses) == 1:
        return (_understand(clauses[0], context),)
    intents: list[Intent] = []
    before = context
    for clause in clauses:
        intents.append(_understand(clause, context))
        context = context.after(intents[-1], Exchange(clause))
    wanted = tuple(intent for intent in intents if not _is_remark(intent))
    if all(isinstance(intent, Unknown) for intent in wanted):
        pleasantry = next((intent for intent in intents if isinstance(intent, Say)), None)
        return (pleasantry if pleasantry and not wanted else _understand(" ".join(clauses), before),)
    return _merged(wanted)


def _merged(intents: tuple[Intent, ...]) -> tuple[Intent, ...]:
    """Makes one report of "What's the weather in London? And in Tokyo?"."""
    merged: list[Intent] = []
    for intent in intents:
        match merged[-1:], intent:
            case [Report() as before], Report(cities) if replace(before, cities=cities) == intent:
                merged[-1] = replace(before, cities=tuple(dict.fromkeys((*before.cities, *cities))))
            case _:
                merged.append(intent)
    return tuple(merged)


def _understand(clause: str, context: Context) -> Intent:
    if wish := about_user(clause):
        return wish
    if answer := small_talk(clause):
        return Say(answer)
    if found := time_question(clause, context) or calculation(clause, context):
        return found
    if not ASKS.search(clause) and (numbers := told_numbers(clause)):
        return Given(numbers)
    return (
        weather_question(clause, context)
        or follow_up(clause, context)
        or question_about_user(clause)
        or Unknown(clause)
    )


def _clauses(question: str) -> list[str]:
    clauses: list[str] = []
    for part in BREAK.split(question.strip()):
        if clauses and REMEMBER_THAT.fullmatch(without_courtesies(part)):
            clauses[-1] += f" {part}"  # "My name is Ana. Remember that."
        elif part.strip():
            clauses.append(part.strip())
    return clauses or [""]


def _is_remark(intent: Intent) -> bool:
    match intent:
        case Unknown(text):
            return not (text.endswith("?") or ORDER.match(text))
        case Say(text):
            return text in (HELLO, THANKS)
        case _:
            return isinstance(intent, Given)
