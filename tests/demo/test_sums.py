"""Calculations: alone, on the weather, and what is told of their results."""

import pytest

from chat.demo.model import Call, reply
from tests.demo.dialogue import Dialogue, tools


def test_numbers_in_the_question_go_straight_to_the_calculator() -> None:
    dialogue = Dialogue()
    answer = dialogue.say("If it's 14 degrees in London and 22 degrees in Tokyo, what's the average temperature?")
    assert dialogue.rounds == [(Call("calculate", {"expression": "(14 + 22) / 2"}),)]
    assert "**18 degrees**" in answer


def test_the_square_root_of_a_humidity_is_looked_up_then_calculated() -> None:
    dialogue = Dialogue()
    answer = dialogue.say("What's the square root of the humidity in Sydney?")
    assert dialogue.called == [["Sydney"], ["sqrt(85)"]]
    assert "The square root of the humidity in Sydney (85%) is **9.2195**" in answer


def test_an_average_temperature_takes_two_lookups_at_once_then_a_calculation() -> None:
    dialogue = Dialogue(source="sample")
    answer = dialogue.say("What's the average temperature in London and Tokyo?")
    assert dialogue.called == [["London", "Tokyo"], ["(14 + 22) / 2"]]
    assert "**18 °C**" in answer
    assert "sample data" in answer


@pytest.mark.parametrize(
    ("question", "called", "result"),
    [
        ("difference in humidity between Paris and New York", [["Paris", "New York"], ["70 - 45"]], "**25%**"),
        ("How much warmer is Tokyo than London?", [["Tokyo", "London"], ["22 - 14"]], "**8 °C**"),
        ("the temperature difference between London and Tokyo", [["London", "Tokyo"], ["22 - 14"]], "**8 °C**"),
        (
            "average humidity of oslo, tokyo, paris",
            [["Oslo", "Tokyo", "Paris"], ["(90 + 60 + 70) / 3"]],
            "73.3333%",
        ),
        ("What is the mean temperature across Paris and Oslo?", [["Paris", "Oslo"], ["(17 + (-3)) / 2"]], "**7 °C**"),
        ("What is the humidity in Sydney divided by 5?", [["Sydney"], ["85 / 5"]], "**17**"),
        ("take the square root of the humidity of Paris", [["Paris"], ["sqrt(70)"]], "8.3666"),
        (
            "What's the average temperature and humidity in London and Tokyo?",
            [["London", "Tokyo"], ["(14 + 22) / 2", "(78 + 60) / 2"]],
            "69%",
        ),
    ],
)
def test_chains_of_weather_and_calculation(question: str, called: list[list[str]], result: str) -> None:
    dialogue = Dialogue()
    answer = dialogue.say(question)
    assert dialogue.called == called
    assert result in answer


def test_two_questions_in_one_message_are_both_answered() -> None:
    dialogue = Dialogue(source="sample")
    answer = dialogue.say("Is it warmer in London or Tokyo right now, and what is the average?")
    assert dialogue.called == [["London", "Tokyo"], ["(14 + 22) / 2"]]
    assert "Tokyo is warmer" in answer
    assert "**18 °C**" in answer
    assert answer.count("sample data") == 1


def test_independent_calls_of_two_questions_go_out_together() -> None:
    dialogue = Dialogue()
    dialogue.say("What's the square root of 144, and what's the weather in Paris?")
    assert dialogue.called == [["sqrt(144)", "Paris"]]


def test_numbers_told_in_one_sentence_serve_the_next() -> None:
    dialogue = Dialogue()
    assert "18 degrees" in dialogue.say("It's 14 degrees in London and 22 in Tokyo. What's the average temperature?")
    assert "10 °C in Rome and 20 °C in Madrid" in dialogue.say("It is 10 °C in Rome and 20 °C in Madrid.")
    assert "**15 °C**" in dialogue.say("What's the average?")


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("What is 12 * (3 + 4)?", "`12 * (3 + 4)` is **84**."),
        ("what's 1/3", "`1 / 3` is **0.3333**."),
        ("What is 2^300?", f"`2 ** 300` is **{2**300}**."),
    ],
)
def test_results_are_written_cleanly(question: str, answer: str) -> None:
    assert Dialogue().say(question) == answer


def test_an_error_of_the_calculator_is_reported_and_not_tried_again() -> None:
    dialogue = Dialogue()
    answer = dialogue.say("What is 10 divided by 0?")
    assert dialogue.called == [["10 / 0"]]
    assert answer == "I could not calculate `10 / 0`: division by zero at character 1."


def test_a_city_that_is_not_found_leaves_the_sum_out_and_tells_the_rest() -> None:
    dialogue = Dialogue()
    answer = dialogue.say("What's the average temperature in Atlantis and Paris?")
    assert dialogue.called == [["Atlantis", "Paris"]]
    assert "no city called 'Atlantis' is known" in answer
    assert "17 °C in Paris" in answer


def test_a_chain_whose_second_tool_is_not_offered_tells_what_it_found() -> None:
    dialogue = Dialogue(offered=tools("get_weather"))
    answer = dialogue.say("What's the square root of the humidity in Sydney?")
    assert dialogue.called == [["Sydney"]]
    assert "`calculate`, which is not on offer" in answer
    assert "85" in answer


@pytest.mark.parametrize("told", ["", "{}", '{"result": null}', '{"result": "about four"}', '{"result": [1]}'])
def test_an_odd_result_is_shown_as_it_came(told: str) -> None:
    dialogue = Dialogue()
    dialogue.messages.append({"role": "user", "content": "What is 2 + 2?"})
    dialogue.answer([Call("calculate", {"expression": "2 + 2"})], [told])
    turn = reply({"messages": dialogue.messages, "tools": tools()})
    assert turn.calls == ()
    assert "`2 + 2`" in turn.text


def test_it_stops_asking_when_answers_to_other_questions_keep_coming() -> None:
    dialogue = Dialogue()
    dialogue.messages.append({"role": "user", "content": "What is 2 + 2?"})
    for _ in range(5):
        dialogue.answer([Call("calculate", {"expression": "1 + 1"})], ['{"expression": "1 + 1", "result": 2}'])
    turn = reply({"messages": dialogue.messages, "tools": tools()})
    assert turn.calls == ()
    assert "I stop here" in turn.text
