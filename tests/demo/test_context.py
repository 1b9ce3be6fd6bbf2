"""Questions that only make sense after the ones before them."""

import json

import pytest

from chat.demo.model import Call, reply
from tests.demo.dialogue import Dialogue, system, tools


def test_three_questions_about_two_cities() -> None:
    dialogue = Dialogue()
    assert "London" in dialogue.say("What's the weather in London?")
    assert "22 °C" in dialogue.say("How about Tokyo?")
    assert dialogue.rounds == [(Call("get_weather", {"city": "Tokyo"}),)]
    assert "Tokyo is warmer: **22 °C** against 14 °C in London" in dialogue.say("Which city is warmer?")
    assert dialogue.rounds == []


def test_the_same_with_other_words_and_cities() -> None:
    dialogue = Dialogue()
    dialogue.say("weather in oslo?")
    dialogue.say("and in new york?")
    dialogue.say("What about Rio de Janeiro")
    assert "Oslo is the coldest" in dialogue.say("which one is the coldest?")
    assert "Oslo is the most humid: **90%**" in dialogue.say("And the most humid?")
    assert "Rio de Janeiro is warmer: **31 °C** against 25 °C" in dialogue.say("Which of the two is warmer?")
    assert dialogue.rounds == []


def test_earlier_readings_are_told_again_without_a_call() -> None:
    dialogue = Dialogue()
    dialogue.say("What's the weather in London and Tokyo?")
    assert dialogue.say("what was the temperature in London again?") == "The temperature in London is **14 °C**."
    assert dialogue.say("What was the humidity in tokyo?") == "The humidity in Tokyo is **60%**."
    assert dialogue.rounds == []


def test_a_plain_question_about_the_weather_looks_again() -> None:
    dialogue = Dialogue()
    dialogue.say("What's the weather in London?")
    dialogue.say("What's the weather in London?")
    assert dialogue.called == [["London"]]


@pytest.mark.parametrize(
    ("questions", "called", "result"),
    [
        (
            ["What's the temperature in London?", "And in Tokyo?", "the average of the two"],
            [["(14 + 22) / 2"]],
            "**18 °C**",
        ),
        (["weather in London and Tokyo", "what's the average?"], [["(14 + 22) / 2"]], "**18 °C**"),
        (["weather in London and Tokyo", "What's the average humidity?"], [["(78 + 60) / 2"]], "**69%**"),
        (["Is it warmer in London or Tokyo?", "By how much?"], [["22 - 14"]], "**8 °C**"),
        (["average temperature in London and Tokyo", "double that"], [["18 * 2"]], "**36 °C**"),
        (["What's the humidity in Sydney?", "and the square root of that?"], [["sqrt(85)"]], "9.2195"),
        (["square root of the humidity in Sydney", "How about Paris?"], [["Paris"], ["sqrt(70)"]], "8.3666"),
        (["What is 3 + 4?", "What is 10 * 10?", "the difference"], [["100 - 7"]], "**93**"),
        (["What is 3 + 4?", "What is 10 * 10?", "What's the average of the two?"], [["(7 + 100) / 2"]], "**53.5**"),
        (["What is the square root of 144?", "add 10 to it"], [["10 + 12"]], "**22**"),
        (["What is the square root of 144?", "plus 10"], [["12 + 10"]], "**22**"),
    ],
)
def test_calculations_go_on_from_earlier_answers(questions: list[str], called: list[list[str]], result: str) -> None:
    dialogue = Dialogue()
    answer = ""
    for question in questions:
        answer = dialogue.say(question)
    assert dialogue.called == called
    assert result in answer


def test_another_quantity_of_the_same_cities_needs_no_call() -> None:
    dialogue = Dialogue()
    dialogue.say("What's the temperature in Sydney?")
    assert dialogue.say("and the humidity?") == "The humidity in Sydney is **85%**."
    assert dialogue.rounds == []


def test_there_is_the_place_of_the_question_before() -> None:
    dialogue = Dialogue()
    dialogue.say("What time is it in Tokyo?")
    dialogue.say("And what's the weather there?")
    assert dialogue.called == [["Tokyo"]]
    dialogue.say("how about Paris?")
    assert dialogue.called == [["Paris"]]


def test_thanks_in_between_does_not_lose_the_thread() -> None:
    dialogue = Dialogue()
    dialogue.say("What's the weather in London?")
    dialogue.say("Thanks!")
    assert "22 °C" in dialogue.say("And in Tokyo?")


def test_readings_in_different_units_are_looked_up_again_before_they_are_compared() -> None:
    dialogue = Dialogue()
    dialogue.say("What's the weather in London in fahrenheit?")
    dialogue.say("What's the weather in Tokyo in celsius?")
    assert "**22 °C** against 14 °C in London" in dialogue.say("Which is warmer?")
    assert dialogue.rounds == [(Call("get_weather", {"city": "London", "units": "celsius"}),)]


@pytest.mark.parametrize("question", ["double that", "the square root of that", "times 2", "add 10 to it"])
def test_without_an_earlier_result_it_asks_for_the_numbers(question: str) -> None:
    dialogue = Dialogue()
    assert "no earlier result" in dialogue.say(question)
    assert dialogue.rounds == []


@pytest.mark.parametrize("question", ["How about Tokyo?", "Tokyo?"])
def test_without_an_earlier_question_it_asks_what_to_tell_of_a_city(question: str) -> None:
    assert "What would you like to know about Tokyo?" in Dialogue().say(question)


@pytest.mark.parametrize("question", ["Which city is warmer?", "which is the most humid?"])
def test_nothing_to_compare_is_said(question: str) -> None:
    assert "I need two cities" in Dialogue().say(question)


def test_a_result_that_was_cut_from_the_history_is_looked_up_again() -> None:
    dialogue = Dialogue()
    dialogue.say("What's the weather in London and Tokyo?")
    dialogue.messages[-2]["content"] = '{"city": "Tokyo", "temp [cut]'
    assert "Tokyo is warmer" in dialogue.say("Which city is warmer?")
    assert dialogue.rounds == [(Call("get_weather", {"city": "Tokyo", "units": "celsius"}),)]


def test_summaries_and_odd_messages_in_the_history_do_no_harm() -> None:
    dialogue = Dialogue()
    dialogue.say("What's the weather in London?")
    dialogue.messages[1:1] = [
        {"role": "system", "content": "Summary of what came before: the user likes London."},
        {"role": "user", "content": [{"type": "text", "text": "What's the weather"}, {"type": "image_url"}]},
        {"role": "assistant", "content": None, "tool_calls": [{"id": "x"}, None, {"function": "y"}]},
        {"role": "tool", "tool_call_id": "nobody's", "content": None},
        {"role": "narrator"},
    ]
    assert "14 °C" in dialogue.say("what was the temperature in London again?")


def test_a_question_may_come_in_parts() -> None:
    parts = [{"type": "text", "text": "What's the weather"}, {"type": "text", "text": "in London?"}]
    turn = reply({"messages": [system(), {"role": "user", "content": parts}], "tools": tools()})
    assert turn.calls == (Call("get_weather", {"city": "London"}),)


def test_the_same_body_gets_the_same_turn() -> None:
    body = {"messages": [system(), {"role": "user", "content": "What's the weather in London?"}], "tools": tools()}
    assert reply(body) == reply(json.loads(json.dumps(body)))
