"""What is asked to be remembered, forgotten and told about the user."""

import pytest

from chat.demo.model import Call, Reply, reply
from tests.demo.dialogue import Dialogue, tools

MEMORY = {
    "facts": ["Lives in Berlin", "Dog is called Rex", "Likes <tea> & cake"],
    "preferences": {"temperature_units": "fahrenheit"},
}


@pytest.mark.parametrize(
    ("said", "fact"),
    [
        ("remember that I live in Berlin", "Lives in Berlin"),
        ("Remember I live in São Paulo.", "Lives in São Paulo"),
        ("Please remember: my dog is called Rex", "Dog is called Rex"),
        ("Could you please remember that my sister's name is Ana?", "Sister's name is Ana"),
        ("can you remember I have two cats?", "Has two cats"),
        ("Remember that I'm allergic to nuts!", "Allergic to nuts"),
        ("I don't eat meat, remember that", "Doesn't eat meat"),
        ("My name is Ana. Please remember that.", "Name is Ana"),
        ("Keep in mind that I usually study at night", "Usually studies at night"),
        ("don't forget that I was born in Lima", "Was born in Lima"),
        ("note that I work at Acme", "Works at Acme"),
        ("From now on, call me Ada", "Call me Ada"),
        ("Remember I love my wife", "I love my wife"),
        ("remember that the office is on the third floor", "The office is on the third floor"),
    ],
)
def test_a_fact_is_remembered_in_the_words_of_the_user(said: str, fact: str) -> None:
    dialogue = Dialogue()
    answer = dialogue.say(said)
    assert dialogue.rounds == [(Call("remember", {"fact": fact}),)]
    assert f"Remembered: {fact}." in answer


@pytest.mark.parametrize(
    ("said", "scale"),
    [
        ("I prefer Fahrenheit, remember that", "fahrenheit"),
        ("Remember that I prefer celsius over fahrenheit", "celsius"),
        ("please remember to show temperatures in Fahrenheit", "fahrenheit"),
        ("use celsius from now on", "celsius"),
    ],
)
def test_temperature_units_are_a_preference(said: str, scale: str) -> None:
    dialogue = Dialogue()
    dialogue.say(said)
    assert dialogue.rounds == [(Call("remember", {"fact": scale, "preference": "temperature_units"}),)]


def test_a_dislike_of_units_is_a_fact() -> None:
    dialogue = Dialogue()
    dialogue.say("remember that I don't like fahrenheit")
    assert dialogue.rounds == [(Call("remember", {"fact": "Doesn't like fahrenheit"}),)]


def test_two_facts_in_one_message_are_both_remembered() -> None:
    dialogue = Dialogue()
    dialogue.say("Remember that I live in Berlin. Remember that my dog is called Rex.")
    assert dialogue.called == [["Lives in Berlin", "Dog is called Rex"]]


def test_nothing_is_remembered_that_was_only_told() -> None:
    dialogue = Dialogue()
    assert "Remember that I live in Berlin" in dialogue.say("I live in Berlin")
    assert dialogue.rounds == []


@pytest.mark.parametrize(
    ("told", "answer"),
    [
        ("Error: memory is full", "“Lives in Berlin” was not remembered: memory is full."),
        ("It is only proposed: the person has to confirm it.", "“Lives in Berlin”: It is only proposed"),
    ],
)
def test_what_the_tool_says_is_passed_on(told: str, answer: str) -> None:
    dialogue = Dialogue()
    dialogue.messages.append({"role": "user", "content": "Remember that I live in Berlin"})
    dialogue.answer([Call("remember", {"fact": "Lives in Berlin"})], [told])
    turn = reply({"messages": dialogue.messages, "tools": tools()})
    assert turn.calls == ()
    assert turn.text.startswith(answer)


def test_a_fact_that_was_changed_before_it_was_allowed_is_not_asked_for_again() -> None:
    dialogue = Dialogue()
    dialogue.messages.append({"role": "user", "content": "Remember that I live in Berlin"})
    dialogue.answer([Call("remember", {"fact": "Lives in Potsdam"})], ["Remembered: Lives in Potsdam."])
    turn = reply({"messages": dialogue.messages, "tools": tools()})
    assert turn.text.startswith("Remembered: Lives in Potsdam.")


@pytest.mark.parametrize(
    ("said", "fact"),
    [
        ("forget that I live in Berlin", "Lives in Berlin"),
        ("Please forget my dog's name.", "Dog is called Rex"),
        ("forget about my temperature units", "temperature_units"),
        ("Forget that I prefer Fahrenheit", "temperature_units"),
        ("delete my dog from your memory", "Dog is called Rex"),
        ("forget that I own a boat", "Owns a boat"),
    ],
)
def test_the_remembered_fact_that_fits_is_forgotten(said: str, fact: str) -> None:
    dialogue = Dialogue(MEMORY)
    answer = dialogue.say(said)
    assert dialogue.rounds == [(Call("forget", {"fact": fact}),)]
    assert f"Forgotten: {fact}." in answer


@pytest.mark.parametrize("said", ["forget it", "never mind", "Forget everything you know about me"])
def test_some_forgetting_needs_no_tool(said: str) -> None:
    dialogue = Dialogue(MEMORY)
    dialogue.say(said)
    assert dialogue.rounds == []


@pytest.mark.parametrize(
    "question",
    [
        "what do you know about me?",
        "What do you remember?",
        "what do you remember about me",
        "Tell me everything you know about me",
        "Do you remember anything about me?",
        "What's in your memory?",
        "show me my preferences",
    ],
)
def test_all_that_is_remembered_is_told_without_a_tool(question: str) -> None:
    dialogue = Dialogue(MEMORY)
    answer = dialogue.say(question)
    assert dialogue.rounds == []
    assert "- Lives in Berlin\n- Dog is called Rex\n- Likes <tea> & cake\n- Temperature units: fahrenheit" in answer
    assert "Settings page (`/settings/`)" in answer


def test_an_empty_memory_is_told_as_one() -> None:
    assert "Nothing is remembered about you yet." in Dialogue().say("what do you know about me?")


@pytest.mark.parametrize(
    ("question", "fact"),
    [
        ("where do I live?", "Lives in Berlin"),
        ("What is my dog called?", "Dog is called Rex"),
        ("Do you remember my dog's name?", "Dog is called Rex"),
        ("what are my temperature units?", "temperature units: fahrenheit"),
    ],
)
def test_a_question_about_the_user_is_answered_from_memory(question: str, fact: str) -> None:
    dialogue = Dialogue(MEMORY)
    assert dialogue.say(question) == f"This is remembered about you: **{fact}**."
    assert dialogue.rounds == []


def test_what_is_not_remembered_is_not_made_up() -> None:
    assert "not among the things remembered" in Dialogue(MEMORY).say("What is my favourite colour?")


def test_without_the_tool_nothing_is_promised() -> None:
    dialogue = Dialogue(offered=tools("calculate"))
    assert "`remember`, which is not on offer" in dialogue.say("Remember that I live in Berlin")


def test_a_memory_block_that_cannot_be_read_counts_as_empty() -> None:
    prompt = {"role": "system", "content": '<memory>\n{"facts": [}\n</memory>'}
    turn = reply({"messages": [prompt, {"role": "user", "content": "what do you know about me?"}]})
    assert isinstance(turn, Reply)
    assert "Nothing is remembered" in turn.text
