"""Questions about the time of day."""

import pytest

from chat.demo.model import Call
from tests.demo.dialogue import Dialogue


@pytest.mark.parametrize(
    ("question", "places"),
    [
        ("what time is it in Tokyo?", ["Tokyo"]),
        ("What's the time in New York and London", ["New York", "London"]),
        ("current time in berlin", ["Berlin"]),
        ("What’s the local time in Paris right now?", ["Paris"]),
        ("tell me the time in new york", ["New York"]),
        ("What day is it in Tokyo?", ["Tokyo"]),
        ("time in London?", ["London"]),
    ],
)
def test_the_clock_is_asked_for_every_place_at_once(question: str, places: list[str]) -> None:
    dialogue = Dialogue()
    answer = dialogue.say(question)
    assert dialogue.rounds == [tuple(Call("current_time", {"place": place}) for place in places)]
    assert all(place in answer for place in places)


def test_one_place_is_told_in_a_sentence_and_two_in_a_table() -> None:
    assert Dialogue().say("What time is it in New York?") == (
        "It is **15:04 on Tuesday, 24 November 2026** in New York (Zone/New_York, UTC-05:00)."
    )
    answer = Dialogue().say("what's the time in Tokyo and London?")
    assert "| Tokyo | 15:04 on Tuesday, 24 November 2026 | Zone/Tokyo | UTC+09:00 |" in answer


def test_another_place_can_be_asked_after() -> None:
    dialogue = Dialogue()
    dialogue.say("What time is it in Tokyo?")
    dialogue.say("and in Paris?")
    assert dialogue.rounds == [(Call("current_time", {"place": "Paris"}),)]


def test_a_time_difference_is_told_in_hours() -> None:
    assert "Tokyo is 14 hours ahead of New York." in Dialogue().say("time difference between New York and Tokyo")
    assert "London is 9 hours behind Tokyo." in Dialogue().say("How many hours is Tokyo ahead of London?")


def test_an_unknown_place_is_reported_beside_the_others() -> None:
    answer = Dialogue().say("What's the time in Atlantis and London?")
    assert "I could not get the time for Atlantis: no time zone is known for 'Atlantis'." in answer
    assert "15:04" in answer


def test_without_a_place_it_is_home_or_a_question_back() -> None:
    assert "Which place" in Dialogue().say("What time is it?")
    assert "Berlin" in Dialogue({"facts": ["Lives in Berlin"], "preferences": {}}).say("What time is it?")
