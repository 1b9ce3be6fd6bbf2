"""Recognises sentences that need no tool: greetings, what the demo model is, and pieces to try the chat with."""

import re

from chat.demo import texts
from chat.demo.numerals import plain
from chat.demo.wording import without_courtesies

_SHOW = r"(?:show|give|write|make|print|draw|render|create|display|try)(?: me| us)?(?: with)?\b"
_MODEL = r"(?:model|endpoint|openai|api key|llm|ai|gpt\S*|ollama)\b"
_BEING = r"(?:ai|bot|robot|human|real|model|chatgpt|gpt\S*|llm|script|demo|person|machine|intelligent|assistant)\b"

GREETINGS = (
    r"(?:hi+|hello+|hey+|hiya|howdy|yo|greetings|good (?:morning|afternoon|evening|day))"
    r"(?:[ ,]+(?:there|demo|agent|bot|all|everyone|you|again|friend))*[ !.,?]*",
)
HOW_ARE_YOU = (r"how (?:are|r) (?:you|u)(?: doing| today| feeling)*[ ?!.]*", r"what's up[ ?!.]*")
THANKS = (
    r"(?:(?:many|ok|okay|great|cool|nice) )*(?:thanks?|thank you|thx|ty|cheers|much appreciated|perfect|great|awesome"
    r"|cool|nice|good|well done|good job|bye|goodbye|good ?night|see you|ok|okay)"
    r"(?: (?:a lot|so much|very much|you|for (?:that|the help|your help)|again|later|bye|job))*"
    r"(?:[ ,.!-]+(?:that|this|it)(?:'s| is| was)\b[^?]{0,40})?[ !.,]*",
)
CONNECTS = (
    r"(?:how (?:do|can|could|would|should) (?:i|we|you) |i(?:'d| would)? (?:want|like) to |can i )?(?:please )?"
    rf"(?:connect|use|add|set ?up|configure|switch to|get)\b.*\b{_MODEL}.*",
)
ASKS_WHO = (
    r"(?:who|what)(?: exactly)? are you\b.*",
    rf"are you\b.*\b{_BEING}.*",
    r"what (?:model|llm|ai)\b.*",
    r"which (?:model|llm|ai)\b.*\byou\b.*",
    r"(?:tell me|talk) about yourself.*",
    r"introduce yourself.*",
    r"what(?:'s| is) your name.*",
    r"what (?:else )?(?:can|could|do) (?:you|i|we) (?:do|help|offer|ask|try)\b.*",
    r"(?:help|help me|\?+)[ !.?]*",
    r"how (?:can|do) (?:you|i) (?:help|use|start|begin)\b.*",
    r"how does this work.*",
    r"what are your (?:capabilities|tools|skills|features|abilities).*",
    r"what tools\b.*",
    r"(?:list|show)(?: me)? your (?:tools|capabilities|features).*",
)
WANTS_MARKDOWN = (
    rf"(?!.*\b(?:weather|temperatures?|humidity|time)\b){_SHOW}"
    r".*\b(?:markdown|tables?|code|snippet|formatting|python|list|quote)\b.*",
    r"markdown(?: demo)?[ !.?]*",
)
WANTS_STORY = (r"(?:tell|write|give|read|make up)(?: me| us)? .*\b(?:story|tale)\b.*",)
COUNT = re.compile(
    r"count(?: up| down| out loud)?(?: from (?P<start>\d+))?(?: up| down)?"
    r" (?:up to|down to|to|until|till) (?P<end>\d+)\b.*",
    re.IGNORECASE,
)
COUNT_DOWN = re.compile(r"count down from (?P<start>\d+)\b.*", re.IGNORECASE)


def _any(patterns: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(patterns), re.IGNORECASE)


ANSWERS = (
    (_any(HOW_ARE_YOU), texts.HOW_ARE_YOU),
    (_any(CONNECTS), texts.CONNECT),
    (_any(ASKS_WHO), texts.ABOUT),
    (_any(WANTS_STORY), texts.STORY),
    (_any(WANTS_MARKDOWN), texts.SHOWCASE),
)
PLEASANTRIES = ((_any(GREETINGS), texts.HELLO), (_any(THANKS), texts.THANKS))


def small_talk(clause: str) -> str | None:
    """The fixed answer to a sentence that asks for no tool, if there is one."""
    whole = clause.replace("’", "'").strip()
    if found := next((answer for pattern, answer in PLEASANTRIES if pattern.fullmatch(whole)), None):
        return found
    wish = without_courtesies(whole)
    numbered = plain(wish)
    if match := COUNT.fullmatch(numbered):
        return texts.count(_bounded(match["start"] or "1"), _bounded(match["end"]))
    if match := COUNT_DOWN.fullmatch(numbered):
        return texts.count(_bounded(match["start"]), 0)
    return next((answer for pattern, answer in ANSWERS if pattern.fullmatch(wish)), None)


def _bounded(digits: str) -> int:
    return int(digits) if len(digits) < 9 else 10**8
