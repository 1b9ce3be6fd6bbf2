"""Cases 15 to 27: what the model did not finish, or got wrong, never runs; it is told, and the run goes on."""

from typing import Any

import pytest

from tests.cases.running import Outcome, Tools, look, run_script
from tests.scripted import Body, asks, call, delta, event, fragment, fragments, says

pytestmark = pytest.mark.django_db(transaction=True)

LONDON = '{"place": "London"}'


async def refused(arguments: Any, name: str = "look", tools: Tools | None = None, finish: str = "tool_calls") -> str:
    """Run a call that must not be run; return what the model reads of it, with which the run goes on."""
    outcome = await run_script(asks(call(name, arguments), finish=finish), says("Sorry."), tools=tools)
    assert not outcome.ran
    assert outcome.ending == ("done", "done")
    assert outcome.answer == "Sorry."
    step = outcome.of("tool")[0]
    assert step.status == "error"
    assert step.error
    assert outcome.requests[1]["messages"][-1]["content"] == outcome.results[0] == step.output["text"]
    assert outcome.results[0].startswith("Error: ")
    return outcome.results[0]


async def wire_of(outcome: Outcome) -> str:
    arguments: str = outcome.requests[1]["messages"][-2]["tool_calls"][0]["function"]["arguments"]
    return arguments


@pytest.mark.parametrize(("arguments", "where"), [('{"place": London}', "column 11"), ("{'place': 1}", "column 2")])
async def test_case_15_malformed_json_is_not_run_and_the_error_says_where(arguments: str, where: str) -> None:
    assert where in await refused(arguments)


async def test_case_15_malformed_json_is_an_empty_object_in_the_history_and_stands_in_the_trace() -> None:
    outcome = await run_script(asks(call("look", "{place: 1}")), says("Sorry."))
    assert await wire_of(outcome) == "{}"
    assert outcome.of("tool")[0].input["raw"] == "{place: 1}"


@pytest.mark.parametrize(
    ("arguments", "kind"), [("[1]", "a list"), ("7", "a number"), ("null", "null"), ("true", "a boolean")]
)
async def test_case_16_json_that_is_no_object_is_not_run(arguments: str, kind: str) -> None:
    assert f"must be a JSON object, not {kind}" in await refused(arguments)


async def test_case_17_a_missing_argument_is_named() -> None:
    assert "place" in await refused({})


async def test_case_18_a_wrong_type_names_the_field_and_the_type() -> None:
    told = await refused({"place": 7})
    assert "place" in told
    assert "string" in told


async def test_case_19_an_unknown_argument_is_an_error_and_not_dropped() -> None:
    assert "colour" in await refused({"place": "London", "colour": "red"})


async def test_case_20_an_unknown_tool_is_answered_with_the_tools_there_are() -> None:
    assert "no tool named 'peek'; the tools are: look, wait" in await refused({}, name="peek")


async def test_case_21_arguments_cut_at_the_limit_of_length_never_run() -> None:
    assert "cut off at the limit" in await refused('{"place": "Lon', finish="length")


async def test_case_22_cut_arguments_that_are_called_whole_never_run() -> None:
    assert "not valid JSON" in await refused('{"place": "Lon', finish="tool_calls")


@pytest.mark.parametrize("sent", ['{"place": "Lon', "{", ""])
async def test_case_23_a_stream_that_ends_inside_arguments_is_asked_for_again_and_nothing_ran(sent: str) -> None:
    cut = Body([event(chunk) for chunk in fragments(fragment(sent, index=0, id="a", name="look"), finish=None)])
    outcome = await run_script(cut, asks(call("look", LONDON, id="b")), says("Seen."))
    assert outcome.ran == [("look", {"place": "London"})]
    assert [step.status for step in outcome.of("model")] == ["error", "done", "done"]
    assert outcome.scripted.bodies[0] == outcome.scripted.bodies[1]
    assert [asked["id"] for asked in outcome.asked] == ["b"]


async def test_case_24_a_stream_that_ends_inside_text_is_kept_as_cut_and_asked_for_again() -> None:
    cut = Body([event(delta(content="Half an ans"))])
    outcome = await run_script(cut, says("The whole answer"))
    first = outcome.of("model")[0]
    assert (first.status, first.output["text"]) == ("error", "Half an ans")
    assert "cut off" in first.error
    assert outcome.answer == "The whole answer"
    assert outcome.next["messages"][-2]["content"] == "The whole answer"


async def test_case_24_cut_again_and_again_it_is_a_failed_run_and_never_final() -> None:
    cut = Body([event(delta(content="Half an ans"))])
    outcome = await run_script(cut, cut, cut)
    assert outcome.ending == ("failed", "error")
    assert "cut off" in outcome.run.error
    assert outcome.answer == "Half an ans"


async def test_case_25_a_passing_error_after_text_is_asked_for_again() -> None:
    broken = Body([event(delta(content="Half")), event({"error": {"message": "overloaded", "code": 503}})])
    outcome = await run_script(broken, says("Whole."))
    assert outcome.answer == "Whole."
    assert "overloaded" in outcome.of("model")[0].error
    assert outcome.of("model")[0].output["text"] == "Half"


async def test_case_25_a_lasting_error_after_text_is_typed_and_keeps_what_was_said() -> None:
    broken = Body([event(delta(content="Half")), event({"error": {"message": "no credit", "code": 402}})])
    outcome = await run_script(broken)
    assert outcome.ending == ("failed", "error")
    assert "no credit" in outcome.run.error
    assert outcome.answer == outcome.of("model")[0].output["text"] == "Half"


@pytest.mark.parametrize("finish", ["stop", "length", "end_turn", "content_filter"])
async def test_case_26_calls_run_whatever_the_reason_to_finish_is_said_to_be(finish: str) -> None:
    outcome = await run_script(asks(call("look", LONDON), finish=finish), says("Seen."), tools=Tools(look))
    assert outcome.ran == [("look", {"place": "London"})]
    assert outcome.ending == ("done", "done")


async def test_case_27_whole_arguments_run_though_no_reason_to_finish_was_ever_sent() -> None:
    reply = Body([event(delta(tool_calls=[call("look", LONDON)]))])
    outcome = await run_script(reply, says("Seen."))
    assert outcome.ran == [("look", {"place": "London"})]
    assert (outcome.answer, len(outcome.of("model"))) == ("Seen.", 2)
