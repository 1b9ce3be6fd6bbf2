"""Text that came in through a door can be stored and sent."""

from hypothesis import given
from hypothesis import strategies as st

from tools.text import clean

ANYTHING = st.text(st.characters(exclude_categories=()))


def test_nul_and_lone_surrogates_become_replacement_characters() -> None:
    assert clean("a\x00b\ud83dc\ude00") == "a\ufffdb\ufffdc\ufffd"


def test_other_text_is_left_alone() -> None:
    assert clean("Größe 👩‍💻 \u202e\x07\n") == "Größe 👩‍💻 \u202e\x07\n"


def test_the_two_halves_of_an_emoji_become_one_again() -> None:
    assert clean("\ud83d" + "\ude00") == "😀"


@given(ANYTHING)
def test_whatever_comes_in_can_be_encoded_and_is_clean_then(text: str) -> None:
    cleaned = clean(text)
    assert "\x00" not in cleaned
    assert cleaned.encode().decode() == cleaned == clean(cleaned)
