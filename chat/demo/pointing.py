"""Words that point at earlier results: "that", "double it", "times 2", "the average of the two"."""

import re

from chat.demo.context import Context
from chat.demo.formula import Node
from chat.demo.phrases import LONELY, OPERATOR
from chat.demo.sheet import Sheet
from chat.demo.values import Value
from chat.demo.vocabulary import KNOWN
from chat.demo.wording import quantity_in, words_of

_RESULT = r"(?:result|answer|number|value|sum|total|product|average|difference)"
_POINTER = (
    rf"(?:the )?(?:that|it|this|(?:that|this|the|last|previous) (?:last |previous )?{_RESULT})\b"
    r"(?! (?:city|place|one|of|between|in|for|from|temperatures?|humidity)\b| ?:)"
)
_BEFORE = (
    r"of|to|from|by|with|between|double|triple|twice|halve|half|square|cube|add|multiply|divide|subtract|raise"
    r"|increase|decrease|reduce|take|plus|minus|times|convert"
)
_AFTER = r"plus|minus|times|divided|multiplied|squared|cubed|doubled|tripled|halved|raised|to the power"
THAT = re.compile(
    rf"\b(?P<before>(?:{_BEFORE}) ){_POINTER}"
    rf"|\b(?:that|it|this|the (?:result|answer))(?= (?:{_AFTER})\b| ?[*+] ?[\d.(]| [-/] [\d.(])",
    re.IGNORECASE,
)
ITS = re.compile(r"\bits (square root|cube root|square|cube|half|logarithm|log)\b", re.IGNORECASE)
GOES_ON = re.compile(rf"(?:(?:and|then|now|so|ok|okay) )*(?![-+]\d)(?={OPERATOR} ?\S|(?:{_AFTER})\b)", re.IGNORECASE)
COUNTS = {"two": 2, "2": 2, "both": 2, "three": 3, "3": 3, "four": 4, "4": 4, "five": 5, "5": 5}
_COUNT = "|".join(COUNTS)
_NOUN = r"(?: (?:cities|places|temperatures|humidities|numbers|values|results|answers|ones))?"
THEM = re.compile(
    rf"\b(?:(?:the|these|those|all|of the|all of the) ({_COUNT}){_NOUN}"
    rf"|(both)(?: of (?:them|these|those))?{_NOUN}"
    rf"|(?:all |(two|three) )?of (?:them|these|those)"
    rf"|(?:these|those|all)(?: of them)?{_NOUN}|them(?: all)?)\b",
    re.IGNORECASE,
)


def goes_on(text: str) -> bool:
    """Whether a sentence begins with an operator and so goes on from a result: "times 2", "squared?"."""
    return GOES_ON.match(text) is not None


def point_back(text: str, sheet: Sheet, context: Context) -> tuple[str, bool]:
    """The sentence with holes for the results it points at, and whether some of those are missing."""
    begins = GOES_ON.match(text)
    if begins or THAT.search(text) or ITS.search(text):
        hole = sheet.hole(context.last or Value(0))
        pointed = THAT.sub(lambda match: f"{match['before'] or ''}{hole}", text)
        pointed = ITS.sub(lambda match: f"{match[1]} of {hole}", pointed)
        if begins and pointed == text:
            pointed = hole + text[begins.end() :]
        return pointed, context.last is None
    them = THEM.search(text)
    rest = THEM.sub("", text, count=1)
    known_words = all(word in KNOWN for word in words_of(rest))
    if them is None or re.search(r"\d", rest) or not known_words or not LONELY.search(rest):
        return text, False
    count = COUNTS.get(next((word for word in them.groups() if word), "").lower(), 0)
    group: tuple[Node, ...] = context.group(count, quantity_in(text))
    missing = len(group) < 2
    holes = map(sheet.hole, (Value(0), Value(0)) if missing else group)
    return THEM.sub(" , ".join(holes), text, count=1), missing
