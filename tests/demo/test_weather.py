"""Weather: which cities are looked up for a question, and what is told of them."""

import pytest

from chat.demo.model import Call, Reply, reply
from tests.demo.dialogue import Dialogue, tools


@pytest.mark.parametrize(
    ("question", "cities"),
    [
        ("What's the weather like in London and Tokyo?", ["London", "Tokyo"]),
        ("What’s the weather in London?", ["London"]),
        ("whats the weather in tokyo", ["Tokyo"]),
        ("WHAT IS THE WEATHER IN NEW YORK AND PARIS?", ["New York", "Paris"]),
        ("weather in new york, são paulo & rio de janeiro today", ["New York", "São Paulo", "Rio de Janeiro"]),
        ("What's the weather in São Paulo, Rio de Janeiro or Oslo right now?", ["São Paulo", "Rio de Janeiro", "Oslo"]),
        ("Hello, could you tell me what the weather is in Berlin?", ["Berlin"]),
        ("I'd like to know the temperature in Tokyo, please.", ["Tokyo"]),
        ("Is it raining in Paris?", ["Paris"]),
        ("do I need an umbrella in sydney today?", ["Sydney"]),
        ("How's the weather over in oslo?", ["Oslo"]),
        ("Tokyo and Paris weather", ["Tokyo", "Paris"]),
        ("london weather please", ["London"]),
        ("weather: berlin", ["Berlin"]),
        ("Which is hotter: tokyo, oslo, or paris?", ["Tokyo", "Oslo", "Paris"]),
        ("Can you show me the weather in London and Paris in a table?", ["London", "Paris"]),
        ("How hot is Rio de Janeiro?", ["Rio de Janeiro"]),
        ("What's it like in Reykjavik?", ["Reykjavik"]),
        ("Tell me the humidity of Oslo, Paris, and Sydney", ["Oslo", "Paris", "Sydney"]),
        ("Compare London with Tokyo", ["London", "Tokyo"]),
        ("What's the weather in London? And in Tokyo?", ["London", "Tokyo"]),
        ("Hi! What's the weather in Paris? Thanks!", ["Paris"]),
        ("what's the weather in london and tokyo, and also in london", ["London", "Tokyo"]),
    ],
)
def test_all_the_cities_of_a_question_are_looked_up_in_one_turn(question: str, cities: list[str]) -> None:
    dialogue = Dialogue()
    answer = dialogue.say(question)
    assert dialogue.rounds == [tuple(Call("get_weather", {"city": city}) for city in cities)]
    assert all(city in answer for city in cities)


@pytest.mark.parametrize(
    ("question", "cities"),
    [
        ("What's the weather in The Hague and Stoke-on-Trent?", ["The Hague", "Stoke-on-Trent"]),
        ("weather in St. Petersburg and Isle of Man", ["St. Petersburg", "Isle of Man"]),
        ("What's the weather in Xi'an or 東京?", ["Xi'an", "東京"]),
        ("How warm is it in Portland, Oregon and in Paris, France?", ["Portland, Oregon", "Paris, France"]),
        ("What's Atlantis's temperature?", ["Atlantis"]),
    ],
)
def test_names_of_every_form_reach_the_tool_whole(question: str, cities: list[str]) -> None:
    dialogue = Dialogue()
    dialogue.say(question)
    assert [call.arguments["city"] for call in dialogue.rounds[0]] == cities


def test_one_city_is_told_in_a_sentence() -> None:
    answer = Dialogue().say("What's the weather in London?")
    assert answer == "In London it is **14 °C**, cloudy, with a humidity of 78%."


def test_two_cities_are_told_in_a_table() -> None:
    answer = Dialogue().say("What's the weather like in London and Tokyo?")
    assert "| City | Temperature | Condition | Humidity |" in answer
    assert "| London | 14 °C | cloudy | 78% |" in answer
    assert "| Tokyo | 22 °C | partly cloudy | 60% |" in answer


def test_a_single_quantity_is_told_alone() -> None:
    assert Dialogue().say("What's the humidity in Sydney?") == "The humidity in Sydney is **85%**."


def test_sample_data_is_called_sample_data() -> None:
    answer = Dialogue(source="sample").say("What's the weather in London and Paris?")
    assert "The figures for London and Paris are sample data, not live readings." in answer
    assert "sample" not in Dialogue().say("What's the weather in London and Paris?")


def test_units_named_in_the_question_are_asked_for() -> None:
    dialogue = Dialogue()
    answer = dialogue.say("What's the temperature in Sydney in Fahrenheit?")
    assert dialogue.rounds == [(Call("get_weather", {"city": "Sydney", "units": "fahrenheit"}),)]
    assert "66.2 °F" in answer


def test_preferred_units_come_from_memory_and_yield_to_the_question() -> None:
    dialogue = Dialogue({"facts": [], "preferences": {"temperature_units": "fahrenheit"}})
    assert "57.2 °F" in dialogue.say("What's the weather in London?")
    assert "14 °C" in dialogue.say("And in Celsius?")
    assert "22 °C" in dialogue.say("What's the weather in Tokyo in celsius?")
    assert "17 °C" in dialogue.say("and in Paris?")  # as the question before it
    assert "66.2 °F" in dialogue.say("What's the weather in Sydney?")


def test_units_are_left_out_where_the_tool_takes_none() -> None:
    plain = tools("calculate")
    plain.append({"type": "function", "function": {"name": "get_weather", "parameters": {"properties": {"city": {}}}}})
    dialogue = Dialogue(offered=plain)
    dialogue.say("What's the weather in London in fahrenheit?")
    assert dialogue.rounds == [(Call("get_weather", {"city": "London"}),)]


def test_an_unknown_city_is_reported_and_the_others_are_told() -> None:
    dialogue = Dialogue()
    answer = dialogue.say("What's the weather in Atlantis and Paris?")
    assert "I could not get the weather for Atlantis: no city called 'Atlantis' is known." in answer
    assert "17 °C" in answer
    assert len(dialogue.rounds) == 1


def test_without_a_city_it_asks_which_and_understands_the_bare_name_after_that() -> None:
    dialogue = Dialogue()
    assert "Which city" in dialogue.say("What's the weather like today?")
    assert "14 °C" in dialogue.say("London")


def test_home_is_known_from_memory() -> None:
    dialogue = Dialogue({"facts": ["Dog is called Rex", "Lives in Berlin"], "preferences": {}})
    assert "9.5 °C" in dialogue.say("What's the weather?")
    assert "fog" in dialogue.say("How is the weather where I live?")


def test_a_forecast_is_not_pretended() -> None:
    answer = Dialogue().say("What will the weather be in London tomorrow?")
    assert "not a forecast" in answer
    assert "14 °C" in answer


@pytest.mark.parametrize(
    ("question", "words"),
    [
        (
            "Is it warmer in London or Tokyo right now?",
            ["Tokyo is warmer: **22 °C** against 14 °C in London", "8 degrees"],
        ),
        ("is london warmer than tokyo?", ["No. Tokyo is warmer"]),
        ("Is Tokyo hotter than Sydney?", ["Yes. Tokyo is warmer"]),
        ("Which is colder, Paris or Oslo?", ["Oslo is colder: **-3 °C** against 17 °C in Paris", "20 degrees"]),
        (
            "which of london, paris and oslo is the coldest?",
            ["Oslo is the coldest", "14 °C in London and 17 °C in Paris"],
        ),
        (
            "Which of Oslo, Sydney and New York is the most humid?",
            ["Oslo is the most humid: **90%**", "45% in New York"],
        ),
        ("Which city is less humid: Berlin or New York?", ["New York is less humid: **45%** against 81% in Berlin"]),
        (
            "What's the warmest city out of London, Tokyo and Rio de Janeiro?",
            ["Rio de Janeiro is the warmest: **31 °C**"],
        ),
        (
            "Which has the highest humidity, Paris or Sydney?",
            ["Sydney is the most humid: **85%** against 70% in Paris"],
        ),
        ("Which is more humid, London or Reykjavik?", ["There is no difference: it is 78% in London and Reykjavik."]),
    ],
)
def test_places_are_compared_by_looking_them_all_up_first(question: str, words: list[str]) -> None:
    dialogue = Dialogue()
    answer = dialogue.say(question)
    assert len(dialogue.rounds) == 1
    assert all(word in answer for word in words), answer


def test_a_comparison_needs_no_calculation_of_numbers_that_were_told() -> None:
    dialogue = Dialogue()
    assert "Tokyo is warmer: **22 degrees** against 14 degrees" in dialogue.say(
        "If it's 14 degrees in London and 22 degrees in Tokyo, which is warmer?"
    )
    assert dialogue.rounds == []


def test_a_comparison_with_an_unknown_city_tells_what_it_found() -> None:
    answer = Dialogue().say("Is it warmer in Atlantis or Tokyo?")
    assert "could not get the weather for Atlantis" in answer
    assert "22 °C" in answer


def test_without_the_tool_it_says_so() -> None:
    dialogue = Dialogue(offered=tools("calculate"))
    assert "`get_weather`, which is not on offer" in dialogue.say("What's the weather in London?")
    assert dialogue.rounds == []


def test_at_the_limit_of_turns_it_answers_from_what_it_has() -> None:
    dialogue = Dialogue()
    dialogue.messages.append({"role": "user", "content": "What's the weather in London in fahrenheit?"})
    dialogue.answer(
        [Call("get_weather", {"city": "London", "units": "fahrenheit"})],
        ['{"city": "London", "temperature_fahrenheit": 57.2, "condition": "cloudy", "humidity_percent": 78}'],
    )
    limit = {"role": "user", "content": "The limit of turns is reached. Answer now with what was found so far."}
    turn = reply({"messages": [*dialogue.messages, limit]})
    assert turn == Reply("In London it is **57.2 °F**, cloudy, with a humidity of 78%.")


@pytest.mark.parametrize("told", ["", None, '{"city": "Lon', "[1, 2]", "stopped by the user"])
def test_a_result_that_cannot_be_read_is_reported_and_not_asked_for_again(told: str | None) -> None:
    dialogue = Dialogue()
    dialogue.messages.append({"role": "user", "content": "What's the weather in London?"})
    dialogue.answer([Call("get_weather", {"city": "London"})], [told])
    turn = reply({"messages": dialogue.messages, "tools": tools()})
    assert turn.calls == ()
    assert "could not get the weather for London" in turn.text


def test_a_call_that_a_person_changed_is_taken_as_it_was_made() -> None:
    dialogue = Dialogue()
    dialogue.messages.append({"role": "user", "content": "What's the weather in London?"})
    dialogue.answer(
        [Call("get_weather", {"city": "Paris"})],
        ['{"city": "Paris", "temperature_celsius": 17, "condition": "overcast", "humidity_percent": 70}'],
    )
    turn = reply({"messages": dialogue.messages, "tools": tools()})
    assert turn == Reply("In Paris it is **17 °C**, overcast, with a humidity of 70%.")
