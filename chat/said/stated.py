"""Tells, without a model, whether a person's own message states something. It would rather say no than guess."""

from itertools import pairwise

from chat.said import clauses
from chat.said.phrases import spans, wanted_words
from chat.said.sentences import Sentence, own_words, sentences
from chat.said.words import AGAINST, ASKS, DISLIKES, EMPTY, FORGETS, QUESTION_ENDINGS, SAYING, WISHES

LONGEST_SENTENCE = 200  # words; nobody states a fact in more


def states(message: str, fact: str) -> bool:
    """Say whether the user's message itself states this fact about the user.

    Every word of the fact that means something must stand in one sentence of the message, in the same order, with
    nothing between but small words ("really", "also") or the earlier members of a list ("apples, plums and pears").
    Letters' case does not matter, nor do "is", "the" and who is spoken of ("I", "my", "the user's"); "live", "lives"
    and "living" are the same, "lived" is another word, and numbers are exact. Further:

    - The words must be a whole phrase: "Loves Berlin" is not in "I love Berlin winters".
    - Their subject must be the user, or what the fact names: "My brother lives in Berlin" does not state "Lives in
      Berlin", but does state "The user's brother lives in Berlin".
    - A "not" counts like any other word, so that it is in both or in neither.
    - A question states nothing ("Do I live in Berlin?"), unless it asks to remember ("Can you note that I live in
      Berlin?") or a statement goes before it ("I live in Berlin, is it cold today?").
    - What is supposed, wished, said by others, quoted, or pasted in to be translated or summed up is not stated.
    - A message that says not to remember something states nothing at all.

    What cannot be told apart so is refused: the model can word the fact as the user did.
    """
    wanted = wanted_words(fact)
    if all(may_miss for _, may_miss in wanted):
        return False
    found = _read(message)
    if any(clauses.asks_not_to(sentence.words) for sentence in found):
        return False
    return any(_is_stated(sentence, start, end) for sentence in found for start, end in spans(sentence.words, wanted))


def wishes(message: str, value: str) -> bool:
    """Say whether the user's message itself wishes for this value of a preference.

    The value's words must stand together in a sentence that is not merely a question and that wishes or asks to
    remember ("I prefer", "always", "use", "note"), not after a "not", nor as what was not chosen ("celsius over
    fahrenheit"). As with facts, what is supposed, quoted or pasted in does not count.
    """
    wanted = wanted_words(value)
    if all(may_miss for _, may_miss in wanted):
        return False
    found = _read(message)
    if any(clauses.asks_not_to(sentence.words) for sentence in found):
        return False
    return any(
        _is_wished(sentence, start, end)
        for sentence in found
        for start, end in spans(sentence.words, wanted, whole=False)
    )


def asks_to_forget(message: str) -> bool:
    """Say whether the user's message asks to forget something, or says that it is no longer so."""
    for words in (sentence.words for sentence in _read(message)):
        if any(word in FORGETS for word in words):
            return True
        pairs = set(pairwise(words))
        if "anymore" in words or ("no", "longer") in pairs or ("any", "more") in pairs:
            return True
    return False


def _read(message: str) -> list[Sentence]:
    return [found for found in sentences(own_words(message)) if len(found.words) <= LONGEST_SENTENCE]


def _is_stated(sentence: Sentence, start: int, end: int) -> bool:
    words = sentence.words
    subject = clauses.subject(words, start)
    if subject is None or clauses.is_supposed(words, start) or clauses.is_denied_after(words, end):
        return False
    if any(word in SAYING for word in words[end:]):
        return False
    clause = clauses.start_of(words, subject)
    if any(word in clauses.NEGATORS for word in words[clause:subject]):
        return False
    if clauses.asks_to_remember(words[:start]):
        return True
    if clauses.opens_question(words[clause:start]) or any(word in QUESTION_ENDINGS for word in words[end:]):
        return False
    return not sentence.question or clauses.precedes_question(words, start, end)


def _is_wished(sentence: Sentence, start: int, end: int) -> bool:
    words = sentence.words
    before = [word for word in words[clauses.start_of(words, start) : start] if word not in EMPTY]
    if clauses.is_supposed(words, start) or clauses.is_denied_after(words, end):
        return False
    if any(word in clauses.NEGATORS | DISLIKES for word in before):
        return False
    if before and (before[-1] in AGAINST or (before[-1] == "to" and "prefer" in before)):
        return False
    if any(word in ASKS for word in words[:start]):
        return True
    if sentence.question and not clauses.precedes_question(words, start, end):
        return False
    return any(word in WISHES for word in words)
