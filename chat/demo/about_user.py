"""Reads a sentence as a wish to remember, to forget, or to be told what is remembered."""

import re

from chat.demo.intents import Forget, Recall, Remember, Say
from chat.demo.vocabulary import words
from chat.demo.wording import without_courtesies

_REMEMBER = (
    r"(?:remember|memori[sz]e|note|make a note|keep in mind|bear in mind|don't forget|do not forget|never forget)"
)
REMEMBER = re.compile(
    rf"{_REMEMBER}\b(?: (?:that|this|the fact that|of this|for me))*[ :,;-]*(?P<fact>.+)",
    re.IGNORECASE | re.DOTALL,
)
REMEMBER_AFTER = re.compile(
    r"(?P<fact>(?:i|i'm|i've|i'd|my|we|our|call me|use)\b.+?)[\s,.;!–-]+"
    rf"(?:(?:and|also|please|can you|could you) )*+{_REMEMBER}"
    r"(?: (?:that|this|it|for me|please|for (?:later|the future|next time)))*[.! ]*",
    re.IGNORECASE | re.DOTALL,
)
FROM_NOW_ON = re.compile(
    r"(?:(?P<fact>(?:always )?(?:use|show|call me|give me)\b.+?),? (?:from now on|by default)"
    r"|(?:from now on|by default),? (?P<later>(?:always )?(?:use|show|call me|give me)\b.+))[.! ]*",
    re.IGNORECASE,
)
REMEMBER_THAT = re.compile(rf"{_REMEMBER} (?:that|this|it)(?: please| for (?:me|later))?[.! ]*", re.IGNORECASE)
FORGET = re.compile(
    r"(?:forget|unlearn)\b(?: (?:that|about|the fact that|what i (?:said|told you) about))*"
    r"[ :,;-]*(?P<words>.+)"
    r"|(?:delete|remove|erase|drop) (?P<from>.+?) from (?:your |the )?memory.*",
    re.IGNORECASE | re.DOTALL,
)
NEVER_MIND = re.compile(r"(?:forget (?:it|that|about it|about that)|never mind|nevermind)[.! ]*", re.IGNORECASE)
EVERYTHING = re.compile(r"(?:everything|all)\b.*", re.IGNORECASE)
RECALL = re.compile(
    r".*(?:\b(?:know|remember|remembered|stored?|saved?|learn(?:ed|t)?|got)\b.* (?:about|of) me\b"
    r"|\bwhat (?:do|can|did) you (?:remember|recall|memori[sz]e)\b(?! the\b)"
    r"|\bwhat(?:'s| is| have you| do you have) (?:\w+ )?in (?:your |the )?memory\b"
    r"|\b(?:my|your) (?:facts|preferences|memor(?:y|ies))\b|\bdo you remember me\b).*",
    re.IGNORECASE | re.DOTALL,
)
QUESTION = re.compile(r"(?:what|where|who|when|which|how|why|whose|do|does|did|am|is|are|was|can)\b", re.IGNORECASE)
ABOUT_ME = re.compile(
    r".*\b(?:my|mine|who am i|where (?:do|am) i|do i (?:like|prefer|have|live|work|own|eat|drink|speak)|am i)\b.*",
    re.IGNORECASE,
)
# "Can you remember I have two cats?" tells something; "Can you remember my name?" does not.
TELLS = re.compile(r"(?:i|i'm|i've|we)\b|my .+ (?:is|are|was|were|has|have)\b", re.IGNORECASE)
STATEMENT = re.compile(r"(?:i|i'm|i've|my|we)\b.+[^?]", re.IGNORECASE | re.DOTALL)
NEGATED = re.compile(r"\b(?:don't|do not|not|never|hate|dislike|no)\b", re.IGNORECASE)
SCALE = re.compile(r"\b(fahrenheit|celsius|centigrade)\b", re.IGNORECASE)
FIRST_PERSON = re.compile(r"\b(?:i|i'm|i've|me|my|mine|myself|we|our|ours|us)\b", re.IGNORECASE)

IRREGULAR = {"am": "", "have": "has", "do": "does", "don't": "doesn't", "go": "goes", "haven't": "hasn't", "'ve": "has"}
UNCHANGED = words(
    "was wasn't had hadn't did didn't can can't cannot could couldn't will won't would wouldn't should shouldn't must",
    "might may went grew got met bought saw took made became left lost won wrote found came ate built began",
)
ADVERBS = words(
    "usually always often never really also only still just generally currently mostly sometimes rarely very"
)


def about_user(clause: str) -> Remember | Forget | Recall | Say | None:
    """What the sentence wants done with memory, if anything."""
    text = without_courtesies(clause.replace("’", "'").strip())
    if NEVER_MIND.fullmatch(text):
        return Say("All right, we leave it there.")
    if match := REMEMBER.fullmatch(text) or REMEMBER_AFTER.fullmatch(text):
        said = match["fact"].strip()
        if not QUESTION.match(said) and (not said.endswith("?") or TELLS.match(said)):
            return _remember(said)
    if match := FROM_NOW_ON.fullmatch(text):
        return _remember(match["fact"] or match["later"])
    if match := FORGET.fullmatch(text):
        words = (match["words"] or match["from"]).strip(" .!?")
        return Forget("everything" if EVERYTHING.fullmatch(words) else words)
    return Recall() if RECALL.fullmatch(text) else None


def question_about_user(clause: str) -> Recall | None:
    """A question such as "Where do I live?", which a remembered fact may answer."""
    asks = QUESTION.match(clause) or clause.endswith("?")
    return Recall(clause) if asks and ABOUT_ME.fullmatch(clause.replace("’", "'")) else None


def tells_something(clause: str) -> bool:
    """Whether a sentence states something of its writer, and does not ask for it to be kept."""
    return STATEMENT.fullmatch(clause.replace("’", "'")) is not None


def third_person(said: str) -> str:
    """Turns "I live in Berlin" into "Lives in Berlin", in the user's own words. What has no simple form is kept."""
    text = re.sub(r"[\s.!?,;]+$", "", re.sub(r"\s+", " ", said.replace("’", "'"))).strip()
    text = re.sub(r",? please$", "", text, flags=re.IGNORECASE)
    turned = text
    if match := re.fullmatch(r"i(?:'m| am) (.+)", text, re.IGNORECASE):
        turned = match[1]
    elif match := re.fullmatch(r"i(?: |(?='))(.+)", text, re.IGNORECASE):
        turned = _with_verb(match[1].split(" "))
    elif match := re.fullmatch(r"my (.+)", text, re.IGNORECASE):
        turned = match[1]
    kept = text if FIRST_PERSON.search(turned) else turned
    return kept[:1].upper() + kept[1:]


def _with_verb(parts: list[str]) -> str:
    at = next((i for i, word in enumerate(parts) if word.lower() not in ADVERBS), 0)
    return " ".join([*parts[:at], _verb(parts[at]), *parts[at + 1 :]])


def _verb(word: str) -> str:
    low = word.lower()
    if low in IRREGULAR:
        return IRREGULAR[low]
    if low in UNCHANGED or low.endswith(("ed", "'d", "'ll")):
        return word
    if low.endswith("y") and low[-2:-1] not in tuple("aeiou"):
        return f"{word[:-1]}ies"
    return f"{word}es" if low.endswith(("s", "x", "z", "ch", "sh", "o")) else f"{word}s"


def _remember(said: str) -> Remember:
    scale = SCALE.search(said)
    if scale and not NEGATED.search(said[: scale.start()]):
        return Remember("fahrenheit" if scale[1].lower() == "fahrenheit" else "celsius", "temperature_units")
    return Remember(third_person(said))
