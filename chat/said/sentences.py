"""Takes a text apart into sentences of plain words, so that two texts can be compared word by word."""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from chat.said.words import ABBREVIATIONS, ASKS, BREAKS, CONNECTORS, FORGETS, NOT, OWN

COMMA, BREAK = ",", "|"
LONGEST = 20_000  # characters; whatever a message says further down was hardly typed by hand


@dataclass(frozen=True, slots=True)
class Sentence:
    """Words in small letters; COMMA for every comma, "and" and "or", BREAK where a new thought begins."""

    words: tuple[str, ...]
    question: bool


def own_words(message: str) -> str:
    """Return a message without what it only cites: code, quoted lines, other people's speech, texts to work on."""
    text = _CODE.sub(" | ", message[:LONGEST])
    text = _QUOTED_LINE.sub(" | ", text)
    text = _SPEECH.sub(lambda found: " | " if _speaks(found[0]) else found[0], text)
    task = _TASK.search(text)
    return text[: task.start()] if task else text


def sentences(text: str) -> Iterator[Sentence]:
    """Yield the sentences of a text."""
    words: list[str] = []
    for found in _TOKEN.finditer(_plain(text)):
        kind, said = found.lastgroup, found[0]
        if kind == "stop" and not (said == "." and words and _is_short(words[-1])):
            if words:
                yield Sentence(tuple(words), question=bool(set(said) & set("?؟")))
            words = []
        elif kind == "comma" or said in CONNECTORS:
            words.append(COMMA)
        elif kind == "hard" or said in BREAKS:
            words.append(BREAK)
        elif kind in ("letter", "word"):
            words.append(said)
    if words:
        yield Sentence(tuple(words), question=False)


def words_of(text: str) -> list[str]:
    """Return the words of a text, without where its sentences and their parts end."""
    return [word for sentence in sentences(text) for word in sentence.words if word not in (COMMA, BREAK)]


def forms(word: str) -> frozenset[str]:
    """Return a word and what it may be a form of: "lives" and "living" share "live", and "lived" does not."""
    if word in NOT:
        return frozenset((word, "not"))
    if word in _IRREGULAR:
        return frozenset((word, _IRREGULAR[word]))
    found = {word}
    if len(word) > 3 and word.isascii() and word.isalpha():
        if word.endswith("ies"):
            found.add(f"{word[:-3]}y")
        if word.endswith(("sses", "shes", "ches", "xes", "zes", "oes")):
            found.add(word[:-2])
        if word.endswith("s") and not word.endswith(("ss", "us", "is")):
            found.add(word[:-1])
        if word.endswith("ing") and len(word) > 5:
            base = word[:-3]
            found |= {base, f"{base}e"}
            if base[-1] == base[-2]:
                found.add(base[:-1])
    return frozenset(found)


_IRREGULAR = {"has": "have", "having": "have", "goes": "go", "going": "go", "does": "do", "doing": "do", "lies": "lie"}

_CODE = re.compile(r"```.*?(?:```|\Z)|`[^`\n]*`", re.DOTALL)
_QUOTED_LINE = re.compile(r"^[ \t]*>.*$", re.MULTILINE)
_SPEECH = re.compile(r"\"[^\"\n]*\"|“[^”\n]*”|„[^“”\n]*[“”]|«[^»\n]*»|「[^」\n]*」")
# What follows "Translate this:" or "Here is the page:" is material, to the message's end.
_TASK = re.compile(
    r"\b(?:translate|summari[sz]e|rephrase|rewrite|paraphrase|proofread|explain|analy[sz]e|read)\b[^.?!\n:]{0,80}[:\n]"
    r"|\b(?:this|the|following|these|an|another)\s+(?:\w+\s+)?"
    r"(?:e-?mails?|letter|article|page|document|text|log|transcript|story|poem|quote|post|comment)s?\b[^.?!\n:]{0,80}:",
    re.IGNORECASE,
)

_PUNCTUATION = r"\s!\"'()*,\-./:;<=>?@\[\\\]^_`{|}~&\u00a1-\u00a9\u00ab-\u00b4\u00b6-\u00b9\u00bb-\u00bf"
_PUNCTUATION += r"\u2010-\u2027\u2030-\u205e\u2e00-\u2e7f\u3000-\u303f\u30fb\u061b\u061f\u0964"
# Scripts that put no space between words: each letter is compared by itself.
_LETTERS = r"\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30fa\u30fc-\u30ff\u3400-\u9fff\uf900-\ufaff"
_TOKEN = re.compile(
    rf"""(?P<word>
            (?:(?<!\w)-)?[^\W\D]\d*(?:[.,:/-]\d+)*[^{_PUNCTUATION}{_LETTERS}]*   # 30, -5, 3.5, 10:30, 2024-05-01, 3rd
          | [^{_PUNCTUATION}{_LETTERS}]+                                         # words; c++, $5 and 50% too
        )
      | (?P<letter>[{_LETTERS}])
      | (?P<stop>[!?。।؟\n]+ | \.(?=[\s"')\]]|\Z))
      | (?P<hard>[;:()\[\]—|] | (?<=\s)[–-]+(?=\s))
      | (?P<comma>[,、،/&])""",
    re.VERBOSE,
)

_CONTRACTIONS = (
    (re.compile(r"\b(?:can't|cannot|can not)\b"), "can not"),
    (re.compile(r"\bwon't\b"), "will not"),
    (re.compile(r"n't\b"), " not"),
    (re.compile(r"'(?:m|re|s)\b"), " "),
    (re.compile(r"'ve\b"), " have"),
    (re.compile(r"'ll\b"), " will"),
    (re.compile(r"'d\b"), " would"),
    (re.compile(r"\b(?:from now on|in (?:the )?future)\b"), "always"),
    (re.compile(r"\b(?:by the way|for the record|for your information|just so you know)\b"), "btw"),
    (re.compile(r"\byou (?:can|could|may|should) call me\b"), "call me"),
    (re.compile(r"\b(?:do not|dont|never|not) forget\b|\bkeep in mind\b|\bwrite down\b|\bvergiss nicht\b"), "remember"),
    (re.compile(r"\b(?:make|take) (?:a )?note(?: of)?\b"), "note"),
)


class _Plain(dict[int, int | str | None]):
    """For str.translate: apostrophes are alike, pictures end a thought, characters that do not show are gone."""

    def __missing__(self, code: int) -> int | str | None:
        character = chr(code)
        plain: int | str | None = code
        if character in "’‘ʼ`´":
            plain = "'"
        elif character == "°" or (unicodedata.category(character) in ("Cc", "Cf") and not character.isspace()):
            plain = None
        elif unicodedata.category(character) == "So":
            plain = f" {BREAK} "
        self[code] = plain
        return plain


_TABLE = _Plain()


def _plain(text: str) -> str:
    text = unicodedata.normalize("NFKC", text).translate(_TABLE).casefold()
    for pattern, written in _CONTRACTIONS:
        text = pattern.sub(written, text)
    return unicodedata.normalize("NFKC", text)


def _is_short(word: str) -> bool:
    """Say whether a full stop after this word only shortens it: "St.", the "J." of a name."""
    return word in ABBREVIATIONS or (len(word) == 1 and word.isalpha() and word != "i")


def _speaks(quoted: str) -> bool:
    """Say whether a quotation is somebody's speech and not just a name or a title."""
    return any(word in OWN | ASKS | FORGETS or word == "user" for word in words_of(quoted))
