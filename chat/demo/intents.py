"""What a question can want: small frozen values between understanding it and acting on it."""

from dataclasses import dataclass

from chat.demo.formula import Measure, Node
from chat.demo.values import Value


@dataclass(frozen=True)
class Report:
    """The weather of cities, or one quantity of it. `earlier`: as already told, where it was."""

    cities: tuple[str, ...]
    quantity: str = ""
    units: str = ""
    earlier: bool = False
    forecast: bool = False


@dataclass(frozen=True)
class Compare:
    """Which place has the most, or the least, of a quantity. `claimed`: the place a yes-or-no question names."""

    subjects: tuple[Measure | Value, ...]
    quantity: str
    most: bool
    superlative: bool = False
    claimed: str = ""


@dataclass(frozen=True)
class Calculation:
    formulas: tuple[Node, ...]


@dataclass(frozen=True)
class Times:
    """The local time in places. `difference`: also how far apart the first two are."""

    places: tuple[str, ...]
    difference: bool = False


@dataclass(frozen=True)
class Remember:
    fact: str
    preference: str = ""


@dataclass(frozen=True)
class Forget:
    """`words`: what is to be forgotten, as the user put it."""

    words: str


@dataclass(frozen=True)
class Recall:
    """What is remembered: all of it, or what fits a question."""

    question: str = ""


@dataclass(frozen=True)
class Given:
    """Numbers told and nothing asked about them yet."""

    values: tuple[Value, ...]


@dataclass(frozen=True)
class Say:
    """An answer that needs no tool."""

    text: str


@dataclass(frozen=True)
class Unknown:
    """Something the script has no answer to."""

    question: str


Intent = Report | Compare | Calculation | Times | Remember | Forget | Recall | Given | Say | Unknown
