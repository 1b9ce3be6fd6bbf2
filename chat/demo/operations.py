"""The operations the demo model knows: each as the calculator and as a reader is told it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Operation:
    """How an operation is written for the calculator and for a reader.

    {0} and {1} are operands, {all} all of them with `between` in between; a function's operands need no brackets.
    """

    expression: str
    words: str
    between: str = ""
    keeps_unit: bool = False


OPERATIONS = {
    "average": Operation("({all}) / {count}", "the average of {all}", " + ", keeps_unit=True),
    "sum": Operation("{all}", "the sum of {all}", " + ", keeps_unit=True),
    "product": Operation("{all}", "the product of {all}", " * "),
    "difference": Operation("abs({0} - {1})", "the difference between {all}", keeps_unit=True),
    "minus": Operation("{0} - {1}", "{0} minus {1}", keeps_unit=True),
    "ratio": Operation("{0} / {1}", "{0} divided by {1}"),
    "power": Operation("{0} ** {1}", "{0} to the power of {1}"),
    "square": Operation("{0} ** 2", "the square of {0}"),
    "cube": Operation("{0} ** 3", "the cube of {0}"),
    "cube root": Operation("{0} ** (1 / 3)", "the cube root of {0}"),
    "sqrt": Operation("sqrt({0})", "the square root of {0}"),
    "log": Operation("log({0})", "the natural logarithm of {0}"),
    "log10": Operation("log10({0})", "the base 10 logarithm of {0}"),
    "log base": Operation("log({1}) / log({0})", "the base {0} logarithm of {1}"),
    "negative": Operation("-{0}", "minus {0}", keeps_unit=True),
    "abs": Operation("abs({0})", "the absolute value of {0}", keeps_unit=True),
    "sin degrees": Operation("sin({0} * pi / 180)", "the sine of {0}"),
    "cos degrees": Operation("cos({0} * pi / 180)", "the cosine of {0}"),
    "tan degrees": Operation("tan({0} * pi / 180)", "the tangent of {0}"),
    "double": Operation("{0} * 2", "twice {0}", keeps_unit=True),
    "triple": Operation("{0} * 3", "three times {0}", keeps_unit=True),
    "half": Operation("{0} / 2", "half of {0}", keeps_unit=True),
    "third": Operation("{0} / 3", "a third of {0}", keeps_unit=True),
    "quarter": Operation("{0} / 4", "a quarter of {0}", keeps_unit=True),
    "percent": Operation("{1} * {0} / 100", "{0}% of {1}"),
    "share": Operation("{1} / {0} * 100", "{1} as a percentage of {0}"),
    "raised": Operation("{0} * (1 + {1} / 100)", "{0} plus {1}%"),
    "lowered": Operation("{0} * (1 - {1} / 100)", "{0} minus {1}%"),
    "to fahrenheit": Operation("{0} * 9 / 5 + 32", "{0} in Fahrenheit"),
    "to celsius": Operation("({0} - 32) * 5 / 9", "{0} in Celsius"),
}
FUNCTIONS = ("sqrt", "log", "log10", "abs")
