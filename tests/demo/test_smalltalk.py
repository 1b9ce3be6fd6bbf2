"""Answers that need no tool, and the honesty about what the demo model is."""

import pytest

from tests.demo.dialogue import Dialogue


@pytest.mark.parametrize(
    "said", ["hi", "Hello!", "hey there", "Good morning", "who are you?", "Are you an AI?", "Are you ChatGPT?"]
)
def test_it_says_that_it_is_a_script(said: str) -> None:
    answer = Dialogue().say(said)
    assert "script, not an AI" in answer
    assert "- What's the weather like in London and Tokyo?" in answer


@pytest.mark.parametrize(
    "said", ["what can you do?", "What can I ask you?", "help", "who are you?", "How do I use a real model?"]
)
def test_it_says_how_to_connect_a_real_model(said: str) -> None:
    answer = Dialogue().say(said)
    assert all(name in answer for name in ("`OPENAI_BASE_URL`", "`OPENAI_API_KEY`", "`AGENT_MODELS`"))


@pytest.mark.parametrize("said", ["thanks!", "Thank you very much", "ok thanks", "Thanks, that was helpful!", "bye"])
def test_thanks_are_answered(said: str) -> None:
    assert "You are welcome" in Dialogue().say(said)


@pytest.mark.parametrize(
    "said",
    [
        "Who is the president of France?",
        "Write me a poem about rain in spring",
        "Tell me a joke",
        "asdf",
        "Translate 'hello' into German",
        "what is the capital of Japan?",
        "?!",
        "x" * 5000,
    ],
)
def test_what_it_cannot_do_it_says_it_cannot(said: str) -> None:
    dialogue = Dialogue()
    answer = dialogue.say(said)
    assert dialogue.rounds == []
    assert "I am a scripted demo" in answer or "script, not an AI" in answer


def test_a_part_that_it_cannot_answer_is_named_beside_the_answer_to_the_rest() -> None:
    answer = Dialogue().say("Who painted the Mona Lisa? And what is 3 + 4?")
    assert "cannot answer this part, being a scripted demo and not an AI: “Who painted the Mona Lisa?”" in answer
    assert "**7**" in answer


def test_every_example_it_gives_works() -> None:
    examples = [line[2:] for line in Dialogue().say("hello").splitlines() if line.startswith("- ")]
    questions = [part for line in examples for part in line.split("(good")[0].split(" / ")]
    for question in questions:
        assert "scripted demo, not an AI" not in Dialogue().say(question), question


@pytest.mark.parametrize(
    ("said", "start", "end"),
    [
        ("count to 200", "1, 2, 3", "199, 200."),
        ("Please count from 5 to 12", "5, 6", "11, 12."),
        ("can you count to ten?", "1, 2", "9, 10."),
        ("count down from 3", "3, 2, 1, 0.", "0."),
        ("count to 5000", "1, 2", "1000 numbers are my limit."),
        ("count to 99999999999999999999", "1, 2", "1000 numbers are my limit."),
    ],
)
def test_it_counts(said: str, start: str, end: str) -> None:
    answer = Dialogue().say(said)
    assert answer.startswith(start)
    assert answer.endswith(end)


def test_its_story_is_long() -> None:
    assert len(Dialogue().say("Tell me a long story, please")) > 4000


@pytest.mark.parametrize("said", ["show me markdown", "Can you write me some code?", "Show a table"])
def test_its_markdown_has_a_bit_of_everything(said: str) -> None:
    answer = Dialogue().say(said)
    assert all(mark in answer for mark in ("|---|", "```python\n", "\n1. ", "\n   - ", "\n> ", "](https://"))
