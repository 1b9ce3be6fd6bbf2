"""The parts of a sentence: who is spoken of in it, and whether it states, asks, supposes or denies."""

from collections.abc import Sequence

from chat.said.sentences import BREAK, COMMA
from chat.said.words import (
    ASKS,
    EMPTY,
    FILLERS,
    FORGETS,
    HEDGES,
    NOT,
    OWN,
    POLITE,
    QUESTION_OPENERS,
    RELATIVES,
    SUBJECTS,
    TAGS,
)

SKIPPED = EMPTY | FILLERS | (OWN - SUBJECTS)
NEGATORS = NOT | FORGETS
ENDINGS = frozenset((COMMA, BREAK))


def subject(words: Sequence[str], start: int) -> int | None:
    """Return where the subject of the words at `start` stands; None where it is somebody else."""
    at = start - 1
    while at >= 0 and words[at] in SKIPPED - OWN:
        at -= 1
    if at < 0:
        return start
    if words[at] in OWN or _is_request(words, at):
        return at
    return _subject_before(words[:at]) if words[at] in ENDINGS else None


def asks_to_remember(words: Sequence[str]) -> bool:
    """Say whether the words, up to something stated, ask to remember it."""
    return any(_is_request(words, at) for at in range(start_of(words, len(words)), len(words)))


def asks_not_to(words: Sequence[str]) -> bool:
    """Say whether "do not remember" is said, which is not the "I do not remember" of somebody who forgot."""
    for at in (index for index, word in enumerate(words) if word in ASKS):
        before = [word for word in words[start_of(words, at) : at] if word not in EMPTY | FILLERS | POLITE]
        if before and all(word in NOT for word in before):
            return True
    return False


def start_of(words: Sequence[str], at: int) -> int:
    """Return where the part of the sentence between commas begins in which `at` lies."""
    return next((index + 1 for index in range(at - 1, -1, -1) if words[index] in ENDINGS), 0)


def is_supposed(words: Sequence[str], start: int) -> bool:
    """Say whether before these words stands an "if", a "said" or the like."""
    part = next((index + 1 for index in range(start - 1, -1, -1) if words[index] == BREAK), 0)
    return any(word in HEDGES for word in words[part:start])


def is_denied_after(words: Sequence[str], end: int) -> bool:
    """Say whether a "not" follows in the same part of the sentence, as it may in German."""
    for word in words[end:]:
        if word in ENDINGS:
            return False
        if word in NOT:
            return True
    return False


def opens_question(words: Sequence[str]) -> bool:
    """Say whether a part of a sentence begins as "do I", "where are my" and the like do."""
    begin = next((index for index, word in enumerate(words) if word not in FILLERS), len(words))
    return begin < len(words) and words[begin] in QUESTION_OPENERS and any(word in OWN for word in words[begin + 1 :])


def precedes_question(words: Sequence[str], start: int, end: int) -> bool:
    """Say whether, in a sentence that ends with a question mark, these words stand before the question itself."""
    first = words[0] if words else ""
    later = next((index + 1 for index in range(end, len(words)) if words[index] in ENDINGS), len(words))
    rest = [word for word in words[later:] if word not in ENDINGS]
    spoken_of = any(word in OWN for word in words[start_of(words, start) : start])
    return spoken_of and first not in QUESTION_OPENERS and not all(word in TAGS for word in rest)


def _subject_before(words: Sequence[str]) -> int | None:
    """Return where the "I" stands with which a sentence began that here goes on with "and": "I live in Berlin and"."""
    if any(word in NEGATORS for word in words):
        return None
    begin = 0
    while begin < len(words) and (words[begin] in (SKIPPED - OWN) | ENDINGS or _is_request(words, begin)):
        begin += 1
    if begin == len(words):
        return begin  # nothing stood before but "please remember:"
    own = words[begin] in SUBJECTS and not any(word in RELATIVES - EMPTY for word in words[begin:])
    return begin if own else None


def _is_request(words: Sequence[str], at: int) -> bool:
    """Say whether here stands the "remember" of "could you please remember", and not just any "remember"."""
    return words[at] in ASKS and all(word in POLITE | EMPTY | FILLERS for word in words[start_of(words, at) : at])
