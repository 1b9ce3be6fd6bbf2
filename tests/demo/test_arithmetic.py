"""Sentences about numbers, and the expressions that the calculator is given for them."""

import pytest

from chat.demo.model import reply
from tests.demo.dialogue import system, tools


def expressions(question: str) -> list[str]:
    turn = reply({"messages": [system(), {"role": "user", "content": question}], "tools": tools()})
    return [str(call.arguments["expression"]) for call in turn.calls if call.name == "calculate"]


@pytest.mark.parametrize(
    ("question", "expression"),
    [
        ("What is 12 * (3 + 4)?", "12 * (3 + 4)"),
        ("2+2", "2 + 2"),
        ("2 + 2 = ?", "2 + 2"),
        ("1 + 2 * (3 + 4)", "1 + 2 * (3 + 4)"),
        ("compute (1 + 2) * (3 + 4) / 7 please", "(1 + 2) * (3 + 4) / 7"),
        ("what's 5 x 6?", "5 * 6"),
        ("What is 7 × 8 ÷ 2?", "7 * 8 / 2"),
        ("calculate 2^10", "2 ** 10"),
        ("2**0.5", "2 ** 0.5"),
        ("What's 17 % 5?", "17 % 5"),
        ("what's -5 times 3", "(-5) * 3"),
        ("10 - 4 - 3", "10 - 4 - 3"),
        ("10 -4", "10 - 4"),
        ("How much is 100 divided by 8?", "100 / 8"),
        ("seven times eight", "7 * 8"),
        ("What is twenty-one plus nine?", "21 + 9"),
        ("a hundred divided by four", "100 / 4"),
        ("two hundred and fifty minus fifty", "250 - 50"),
        ("multiply 6 by 7", "6 * 7"),
        ("subtract 5 from 20", "20 - 5"),
        ("divide 100 by 7", "100 / 7"),
        ("add 5 and 6", "5 + 6"),
        ("sqrt(16) + 2", "sqrt(16) + 2"),
        ("round(3.14159, 2)", "round(3.14159, 2)"),
        ("log(8, 2)", "log(8) / log(2)"),
        ("2 * pi * 3", "2 * pi * 3"),
    ],
)
def test_written_arithmetic(question: str, expression: str) -> None:
    assert expressions(question) == [expression]


@pytest.mark.parametrize(
    ("question", "expression"),
    [
        ("the average of 14, 22 and 9", "(14 + 22 + 9) / 3"),
        ("What's the mean of 3 and 5?", "(3 + 5) / 2"),
        ("average of these numbers: 4, 8, 15", "(4 + 8 + 15) / 3"),
        ("average of 100,200,300", "(100 + 200 + 300) / 3"),
        ("what is the sum of 1,000 and 2,500?", "1000 + 2500"),
        ("total of 5, 10 and 15", "5 + 10 + 15"),
        ("the difference between 14 and 22", "22 - 14"),
        ("the product of 3, 4 and 5", "3 * 4 * 5"),
        ("the ratio of 10 to 4", "10 / 4"),
        ("14 and 22, what's the average", "(14 + 22) / 2"),
        ("What's the square root of the average of 9 and 23?", "sqrt((9 + 23) / 2)"),
        ("What is 3 times the sum of 4 and 5?", "3 * (4 + 5)"),
        ("average of 3 + 5 and 4", "((3 + 5) + 4) / 2"),
        ("the average of 10 and 20 plus 5", "((10 + 20) / 2) + 5"),
    ],
)
def test_lists_of_numbers(question: str, expression: str) -> None:
    assert expressions(question) == [expression]


@pytest.mark.parametrize(
    ("question", "expression"),
    [
        ("What's the square root of 144?", "sqrt(144)"),
        ("√81", "sqrt(81)"),
        ("square root of (9 + 16)", "sqrt(9 + 16)"),
        ("cube root of 27", "27 ** (1 / 3)"),
        ("2 to the power of 10", "2 ** 10"),
        ("what is 2 to the third power", "2 ** 3"),
        ("raise 5 to the 4th power", "5 ** 4"),
        ("cube of 3", "3 ** 3"),
        ("what's seven squared", "7 ** 2"),
        ("the square of 5 plus the square of 12", "(5 ** 2) + (12 ** 2)"),
        ("log base 2 of 8", "log(8) / log(2)"),
        ("what's the log of 100?", "log10(100)"),
        ("natural log of 10", "log(10)"),
        ("absolute value of -5", "abs(-5)"),
        ("sine of 30 degrees", "sin(30 * pi / 180)"),
        ("15% of 80", "80 * 15 / 100"),
        ("What is 20 percent of 50?", "50 * 20 / 100"),
        ("what percent of 80 is 12?", "12 / 80 * 100"),
        ("12 is what percentage of 80?", "12 / 80 * 100"),
        ("increase 80 by 15%", "80 * (1 + 15 / 100)"),
        ("100 minus 15%", "100 * (1 - 15 / 100)"),
        ("double 21", "21 * 2"),
        ("half of 50", "50 / 2"),
        ("a quarter of 80", "80 / 4"),
        ("What's 20°C in Fahrenheit?", "20 * 9 / 5 + 32"),
        ("convert 68 °F to celsius", "(68 - 32) * 5 / 9"),
    ],
)
def test_operations_named_in_words(question: str, expression: str) -> None:
    assert expressions(question) == [expression]


@pytest.mark.parametrize(
    ("question", "expression"),
    [
        ("If it's 14 degrees in London and 22 degrees in Tokyo, what's the average temperature?", "(14 + 22) / 2"),
        ("If it is 10 °C in Oslo, 15 °C in Paris and 20 °C in Rome, what is the mean?", "(10 + 15 + 20) / 3"),
        ("If London is 14 degrees and Tokyo is 22 degrees, what is the difference?", "22 - 14"),
        ("If Cairo's humidity is 60% and Lima's is 78%, what's the difference?", "78 - 60"),
        ("It's -5°C in Oslo and 3°C in Rome. What is the average temperature?", "(-5 + 3) / 2"),
        ("Suppose Paris is at 17, Rome at 21 and Oslo at 4 degrees. What is the average?", "(17 + 21 + 4) / 3"),
        ("London 14, Tokyo 22: what's the sum?", "14 + 22"),
    ],
)
def test_numbers_told_for_places_are_not_looked_up(question: str, expression: str) -> None:
    assert expressions(question) == [expression]


@pytest.mark.parametrize(
    "question",
    [
        "What's the difference between a cat and a dog?",
        "What does average mean?",
        "What do you mean by that?",
        "How many times have you been to Paris?",
        "Are you open 24/7?",
        "My birthday is 2001-02-03",
        "I am 30 years old",
        "What is the sum of all fears?",
        "What is the power of love?",
        "add",
        "average of " + "9, " * 900,
    ],
)
def test_sentences_that_are_no_arithmetic(question: str) -> None:
    assert expressions(question) == []


def test_two_sums_in_one_sentence_are_calculated_at_once() -> None:
    assert expressions("What is 3 + 4 and 5 * 6?") == ["3 + 4", "5 * 6"]
