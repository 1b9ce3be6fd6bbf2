"""Cases 32 to 35, 47 and 48: a run ends for one reason, which is said, and only what the model said is its answer."""

from collections.abc import Sequence

import pytest
from pytest_django.fixtures import Settings

from tests.cases.running import run_script
from tests.scripted import Chunk, asks, call, delta, says

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("empty", [says(), says("", " \n"), [], [{"choices": []}]])
async def test_case_32_an_empty_turn_is_asked_for_once_more_and_then_the_run_is_empty(empty: Sequence[Chunk]) -> None:
    outcome = await run_script(empty, empty)
    assert outcome.ending == ("failed", "empty")
    assert outcome.run.error
    assert outcome.answer == ""
    assert outcome.scripted.bodies[0] == outcome.scripted.bodies[1]


async def test_case_32_an_empty_turn_that_is_followed_by_an_answer_leaves_no_word_in_it() -> None:
    outcome = await run_script(says(), says("Here I am."))
    assert (outcome.ending, outcome.answer) == (("done", "done"), "Here I am.")


async def test_case_33_a_content_filter_without_text_is_said_to_be_one() -> None:
    outcome = await run_script(says(finish="content_filter"))
    assert outcome.ending == ("failed", "content_filter")
    assert "content filter" in outcome.run.error
    assert outcome.answer == ""


async def test_case_34_a_refusal_is_one_with_its_text() -> None:
    outcome = await run_script([delta(refusal="I would "), delta(refusal="rather not."), delta("stop")])
    assert outcome.ending == ("failed", "refusal")
    assert "I would rather not." in outcome.run.error
    assert outcome.of("model")[0].output["refusal"] == "I would rather not."
    assert outcome.answer == ""


@pytest.mark.parametrize("said", ["", "Half an answ"])
async def test_case_35_at_the_limit_of_length_the_reason_is_length_with_or_without_text(said: str) -> None:
    outcome = await run_script(says(said, finish="length"))
    assert outcome.run.stop_reason == "length"
    assert outcome.answer == said


async def test_case_47_white_space_and_then_a_call_is_not_final() -> None:
    reply = [delta(content="\n\n"), *asks(call("look", {"place": "London"}))]
    outcome = await run_script(reply, says("Seen."))
    assert outcome.ran == [("look", {"place": "London"})]
    assert (outcome.ending, outcome.answer) == (("done", "done"), "Seen.")


async def test_case_48_a_model_that_never_stops_is_asked_a_last_time_without_tools(settings: Settings) -> None:
    settings.AGENT_MAX_TURNS = 2
    replies = [asks(call("look", {"place": place})) for place in ("London", "Tokyo")]
    outcome = await run_script(*replies, says("What I found: two places."))
    assert "tools" in outcome.requests[1]
    assert outcome.requests[2].keys().isdisjoint({"tools", "tool_choice", "parallel_tool_calls"})
    assert "limit of turns" in outcome.requests[2]["messages"][-1]["content"]
    assert outcome.ending == ("done", "max_turns")
    assert outcome.answer == "What I found: two places."
    assert "limit of turns" not in str(outcome.next["messages"][1:])


async def test_case_48_what_it_still_asks_for_after_that_is_not_run(settings: Settings) -> None:
    settings.AGENT_MAX_TURNS = 1
    one, other = (asks(call("look", {"place": place}), text="More.") for place in ("London", "Tokyo"))
    outcome = await run_script(one, other)
    assert outcome.ran == [("look", {"place": "London"})]
    assert (outcome.ending, outcome.answer) == (("done", "max_turns"), "More.")
