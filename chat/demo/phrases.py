"""The phrases of arithmetic: which words around numbers ask for which operation."""

import re

HOLE = "[\ue000-\uefff]"  # a private use character stands for one number or formula
ITEM = rf"{HOLE}(?: percent)?"
BETWEEN = r" ?(?:,(?: (?:and|or)\b)?|&|\b(?:and|or|to|with|by|than|from|versus|vs)\b\.?) ?"
SIGNS = {
    "plus": "+", "minus": "-", "times": "*", "x": "*", "multiplied by": "*", "divided by": "/", "over": "/",
    "mod": "%", "modulo": "%",
}  # fmt: skip
OPERATOR = rf"(?:\*\*|//|[-+*/%]|\b(?:{'|'.join(SIGNS)})\b)"

SIGNED = rf"(?:- ?)?{ITEM}"
MORE = rf"(?: ?{OPERATOR} ?{SIGNED})"
CHAIN = re.compile(rf"(?<![-+*/%] )(?<![-+*/%])({SIGNED}{MORE}+)(?! ?{OPERATOR})", re.IGNORECASE)
CALLED = "sqrt|abs|round|pow|log10|log|ln|sin|cos|tan"
BRACKETS = re.compile(rf"(?:\b({CALLED}) ?)?\( ?({SIGNED}{MORE}*(?: ?, ?{SIGNED}{MORE}*)*) ?\)", re.IGNORECASE)
# A list ends where another operator or item does not go on from it.
LIST = rf"{ITEM}(?:{BETWEEN}{ITEM})+(?! ?[-+*/%]|{BETWEEN}{HOLE})"
PAIR = rf"{ITEM}{BETWEEN}{ITEM}(?! ?[-+*/%]|{BETWEEN}{HOLE})"

# "@" is one number, "@@" a list, "@&@" a pair. Operands are taken in their order in the sentence, unless one is given.
PHRASES: tuple[tuple[str, str, tuple[int, ...]], ...] = (
    (r"(?:square root|sqrt)(?: of)? @", "sqrt", ()),
    (r"(?:cube|cubic|third) root(?: of)? @", "cube root", ()),
    (r"(?:natural log(?:arithm)?|ln)(?: of)? @", "log", ()),
    (r"(?:log10|log(?:arithm)? base 10|base 10 log(?:arithm)?)(?: of)? @", "log10", ()),
    (r"(?:log(?:arithm)? base @|base @ log(?:arithm)?)(?: of)? @", "log base", ()),
    (r"log(?:arithm)?(?: of)? @(?: (?:to|in|with))? base @", "log base", (1, 0)),
    (r"log(?:arithm)?(?: of)? @", "log10", ()),
    (r"abs(?:olute)?(?: value)?(?: of)? @", "abs", ()),
    (r"sine?(?: of)? @", "sin", ()),
    (r"cos(?:ine)?(?: of)? @", "cos", ()),
    (r"tan(?:gent)?(?: of)? @", "tan", ()),
    (r"(?:@ squared|square(?: of)? @)", "square", ()),
    (r"(?:@ cubed|cube(?: of)? @)", "cube", ()),
    (r"(?:@ (?:raised )?to power(?: of)? @|@ raised to @|raise @ to(?: power(?: of)?)? @)", "power", ()),
    (r"(?:(?:double|twice) @|@ doubled)", "double", ()),
    (r"(?:triple @|@ tripled|three times @)", "triple", ()),
    (r"(?:(?:half|halve)(?: of)? @|@ halved)", "half", ()),
    (r"third of @", "third", ()),
    (r"quarter of @", "quarter", ()),
    (r"@ percent of @", "percent", ()),
    (r"@ shareof @", "share", (1, 0)),
    (r"shareof @ @", "share", ()),
    (r"@ as percent(?:age)? of @", "share", (1, 0)),
    (r"(?:@ (?:plus|\+) @ percent|(?:increase|raise) @ by @ percent)", "raised", ()),
    (r"add @ percent to @", "raised", (1, 0)),
    (r"(?:@ (?:minus|-) @ percent|(?:decrease|reduce|lower) @ by @ percent)", "lowered", ()),
    (r"@ percent off(?: of)? @", "lowered", (1, 0)),
    (r"@ (?:degrees )?to fahrenheit", "to fahrenheit", ()),
    (r"@ (?:degrees )?to (?:celsius|centigrade)", "to celsius", ()),
    (r"(?:subtract|take|deduct) @(?: away)? from @", "minus", (1, 0)),
    (r"(?:decrease|reduce|lower) @ by @", "minus", ()),
    (r"divide @ by @", "ratio", ()),
    (r"(?:product of|product|multiply)(?: together)? @@", "product", ()),
    (r"(?:add|sum|total|increase|raise)(?: (?:up|of|together|between|across))* @@", "sum", ()),
    (r"(?:average|mean)(?: (?:of|between|among|across|over))* @@", "average", ()),
    (r"difference(?: (?:of|between|from))* @&@", "difference", ()),
    (r"how much (?:\w+ ){0,2}@ (?:than|compared to|compared with|versus|vs) @", "difference", ()),
    (r"(?:ratio|quotient)(?: (?:of|between))* @&@", "ratio", ()),
)


def _compiled(pattern: str) -> re.Pattern[str]:
    holes = {"@@": LIST, "@&@": PAIR, "@": HOLE}
    return re.compile(r"(?<!\w)" + re.sub("@@|@&@|@", lambda m: holes[m.group()], pattern), re.IGNORECASE)


RULES = [(_compiled(pattern), operation, order) for pattern, operation, order in PHRASES]

_HOW_MUCH = r"(?:how much (?:warm|cold|hot|cool|humid|dri|more|less)\w*|by how much)"
# An operation that stands alone works on the numbers of its sentence, or on those of the answers before it.
LONELY = re.compile(
    r"\b(?:(average|mean)|(sum|total|add|altogether)"
    rf"|(difference|{_HOW_MUCH})|(product|multiply)|(ratio|quotient))\b",
    re.IGNORECASE,
)
LONELY_OPERATIONS = ("average", "sum", "difference", "product", "ratio")

# Marks a sentence as one about arithmetic, before any of its numbers is known.
ARITHMETIC = re.compile(
    r"\b(?:average|mean|sum|total|difference|product|ratio|quotient|root|sqrt|squared?|cubed?|power|log\w*|ln|percent\w*"
    r"|plus|minus|times|divided?|multipl\w+|subtract|add|double\w*|twice|triple\w*|half|halved?|halve|third of"
    rf"|quarter of|increase|decrease|reduce|{_HOW_MUCH}|absolute|sine?|cos\w*|tan\w*"
    r"|convert|(?:in|to|into) (?:fahrenheit|celsius))\b|[\d)] ?[-+*/%]|[+*/%] ?[\d(]|\d ?x ?\d"
    rf"|\b(?:{CALLED}) ?\(",
    re.IGNORECASE,
)
NOISE = re.compile(
    r"\b(?:the|a|an|what|what's|whats|is|it's|it|are|was|were|be|please|so|then|current|currently|right now|now|today"
    r"|(?:temperatures?|temps?|humidit(?:y|ies))(?: (?:of|in|at|for))?|weather|degrees|in|for|at|city|cities|numbers?"
    r"|values?|levels?|results?|following|there|their|these|those)\b|'s\b|[?!:=\"]",
    re.IGNORECASE,
)
