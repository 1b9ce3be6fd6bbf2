"""Every numbered case has a test that carries its number, or a reason why it has none yet."""

import re
from pathlib import Path

CASES = range(1, 81)
MISSING = {65: "arrives with approvals"}


def numbers() -> set[int]:
    """Return the numbers that tests carry."""
    files = Path(__file__).parent.glob("test_*_cases.py")
    return {int(number) for file in files for number in re.findall(r"def test_case_(\d\d)_", file.read_text("utf-8"))}


def test_every_case_has_a_test_or_a_reason_why_not() -> None:
    assert numbers() | MISSING.keys() == set(CASES)


def test_a_case_with_a_test_needs_no_reason() -> None:
    assert not numbers() & MISSING.keys()
