"""Finds the words of a fact in a sentence: in order, and as a whole phrase."""

from collections.abc import Iterator, Sequence

from chat.said.clauses import ENDINGS, NEGATORS, SKIPPED
from chat.said.sentences import BREAK, COMMA, forms, sentences
from chat.said.words import EMPTY, FILLERS, OWN, PHRASE_ENDS, SUBJECTS, USER

LONGEST_LIST = 30  # words between "I like apples" and the "pears" that ends the list

Wanted = Sequence[tuple[frozenset[str], bool]]


def wanted_words(fact: str) -> Wanted:
    """Return the words of a fact in their forms; True beside those that may be missing: commas, names of the user."""
    words = [word for sentence in sentences(fact) for word in sentence.words if word not in EMPTY]
    return [(forms(word), word in OWN | USER | ENDINGS) for word in words]


def spans(words: Sequence[str], wanted: Wanted, *, whole: bool = True) -> Iterator[tuple[int, int]]:
    """Yield from where to where in a sentence the wanted words stand; `whole`: only as a whole phrase."""
    first = next(index for index, (_, may_miss) in enumerate(wanted) if not may_miss)
    for start, word in enumerate(words):
        if forms(word).isdisjoint(wanted[first][0]):
            continue
        end, through_list = _follow(words, start + 1, wanted[first + 1 :])
        if end and (not whole or _is_phrase_end(words, end, through_list)):
            yield start, end


def _follow(words: Sequence[str], at: int, wanted: Wanted) -> tuple[int, bool]:
    """Return where the rest of the wanted words ends (0: nowhere), and whether members of a list were passed over."""
    through_list = False
    for choices, may_miss in wanted:
        found = _next(words, at, choices)
        if found is None and not may_miss:
            found = None if through_list else _in_list(words, at, choices)
            if found is None:
                return 0, False
            through_list = True
        if found is not None:
            at = found + 1
    return at, through_list


def _is_phrase_end(words: Sequence[str], end: int, through_list: bool) -> bool:
    """Say whether a phrase may end here. After a list only where it surely does: "Paris, and Berlin is" goes on."""
    after = words[end] if end < len(words) else BREAK
    return after in ENDINGS | FILLERS or (not through_list and after in EMPTY | PHRASE_ENDS)


def _next(words: Sequence[str], at: int, choices: frozenset[str]) -> int | None:
    """Return where one of the choices stands, with nothing before it but what may be skipped."""
    while at < len(words):
        if not forms(words[at]).isdisjoint(choices):
            return at
        if words[at] not in SKIPPED:
            return None
        at += 1
    return None


def _in_list(words: Sequence[str], at: int, choices: frozenset[str]) -> int | None:
    """Return where one of the choices stands as a later member of a list that goes on here."""
    for index in range(at, min(at + LONGEST_LIST, len(words))):
        if words[index] in SUBJECTS | NEGATORS or words[index] == BREAK:
            return None
        if words[index] == COMMA:
            found = _next(words, index + 1, choices)
            if found is not None:
                return found
    return None
