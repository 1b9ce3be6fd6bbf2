"""A secret in a stream stays hidden wherever the stream is cut, and nothing else is lost."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from chat.wire.redact import Redactor

SECRET = "sk-abcabd"


def streamed(text: str, cuts: list[int]) -> str:
    redactor, places = Redactor(SECRET), sorted({0, len(text), *(cut % (len(text) + 1) for cut in cuts)})
    shown = [redactor.feed(text[start:end]) for start, end in pairwise(places)]
    assert all(SECRET not in "".join(shown[:n]) for n in range(len(shown) + 1))
    return "".join(shown) + redactor.held


@given(st.text("sk-abcd "), st.text("sk-abcd "), st.lists(st.integers(0, 99)))
def test_a_secret_is_hidden_wherever_it_is_cut_and_the_rest_is_kept(before: str, after: str, cuts: list[int]) -> None:
    text = before + SECRET + after
    assert streamed(text, cuts) == text.replace(SECRET, "***")


def test_text_that_only_begins_like_it_is_shown_in_the_end() -> None:
    assert streamed("see sk-abc", [4, 8]) == "see sk-abc"


def test_a_short_key_is_no_secret() -> None:
    assert Redactor("none").feed("none of it") == "none of it"
