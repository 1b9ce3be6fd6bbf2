"""Numbers as people write them, brought into one form: digits, plain operators, no thousands commas."""

import re

SYMBOLS = {
    "×": "*", "·": "*", "÷": "/", "−": "-", "–": "-", "²": " squared", "³": " cubed", "√": " square root of ",
    "^": "**", "’": "'", "º": "°",
}  # fmt: skip

_DIGITS = "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen"
UNITS = {word: n for n, word in enumerate(f"{_DIGITS} seventeen eighteen nineteen".split())}
TENS = {
    word: 10 * n
    for n, word in enumerate(["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"], 2)
}
SCALES = {"hundred": 100, "thousand": 1000, "million": 1_000_000}
ORDINALS = {
    word: n
    for n, word in enumerate(["second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth"], 2)
}

_ONE = rf"(?:(?:{'|'.join(TENS)})(?:[ -](?:{'|'.join(list(UNITS)[1:10])}))?|{'|'.join(sorted(UNITS, key=len)[::-1])})"
_SCALED = rf"(?:{_ONE}|an?(?= (?:{'|'.join(SCALES)})))(?: (?:{'|'.join(SCALES)})(?: and)?(?: {_ONE})?)*"
# "which of the two", "that one" and "two cities" point at something; they are no operands.
IN_WORDS = re.compile(
    rf"(?<!\bthe )(?<!\bthese )(?<!\bthose )(?<!\bthis )(?<!\bthat )(?<!\bwhich )(?<!\ball )(?<!\bany )(?<!\bno )"
    rf"(?<!\bother )(?<!\bevery )(?<!\beach )(?<![\w'-])({_SCALED})(?![\w'-])"
    rf"(?! (?:of|cities|places|towns|temperatures|numbers|values|results|more)\b)",
    re.IGNORECASE,
)
GROUPED = re.compile(r"(?<![\d.,])\d{1,3}(?:,\d{3})+(?![\d,]|\.\d{4})")
TO_THE_NTH = re.compile(r"to the (\d+)(?:st|nd|rd|th)(?: power)?|to the (\w+) power", re.IGNORECASE)

# A minus belongs to the number only where nothing stands before it that it could be taken from.
NUMBER = re.compile(
    r"(?P<number>(?<![\w.])(?:(?<![\d)])(?<![\d)]\s)-)?(?:\d+(?:\.\d+)?|\.\d+)(?:e[+-]?\d+(?!\w))?)"
    r"(?:(?P<percent>\s*(?:%(?!\s*[\d(])|percent\b|per cent\b|pct\b))"
    r"|(?P<degrees>\s*(?:°|degrees?\b|deg\b))?(?P<scale>\s*(?:celsius\b|fahrenheit\b|centigrade\b|(?-i:[CF]\b)))?)"
    r"(?!\w)",
    re.IGNORECASE,
)


def plain(text: str) -> str:
    """The sentence with number words as digits and every sign in its keyboard form."""
    for sign, spelled in SYMBOLS.items():
        text = text.replace(sign, spelled)
    text = IN_WORDS.sub(lambda match: str(_spelled(match.group(1))), text)
    text = TO_THE_NTH.sub(_power, text)
    text = re.sub(r"[$€£](?=\d)", "", text)
    if len(GROUPED.findall(text)) > 1 or ("," not in GROUPED.sub("", text) and not _is_tight_list(text)):
        text = GROUPED.sub(lambda match: match.group().replace(",", ""), text)
    return text


def number_and_unit(match: re.Match[str]) -> tuple[int | float, str]:
    """What a match of NUMBER says."""
    text = match["number"]
    number = int(text) if len(text) < 40 and re.fullmatch(r"-?\d+", text) else float(text)
    if match["percent"]:
        return number, "%"
    scale = (match["scale"] or "").strip()[:1].upper()
    return number, f"°{scale}" if scale else "degrees" if match["degrees"] else ""


def _is_tight_list(text: str) -> bool:
    """Whether commas part numbers: "100,200,300" after "average of" is three of them, "1,000" is one."""
    groups = GROUPED.findall(text)
    return len(groups) == 1 and bool(re.search(r"average|mean|sum|total|product|add", text, re.IGNORECASE))


def _spelled(words: str) -> int:
    total = current = 0
    for word in re.split(r"[\s-]+", words.lower()):
        if word in SCALES:
            current = max(current, 1) * SCALES[word]
            if SCALES[word] >= 1000:
                total, current = total + current, 0
        else:
            current += UNITS.get(word, TENS.get(word, 1 if word in ("a", "an") else 0))
    return total + current


def _power(match: re.Match[str]) -> str:
    digits, word = match.groups()
    number = digits or ORDINALS.get(word.lower())
    return f"to the power of {number}" if number else match.group()
