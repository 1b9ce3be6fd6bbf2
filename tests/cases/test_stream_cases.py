"""Cases 1 to 14, 49 to 55 and 72: fragments of every shape become the calls that were meant, and run once."""

import json
from collections.abc import Sequence
from typing import Any

import pytest

from tests.cases.running import Outcome, run_script
from tests.scripted import Chunk, call, delta, fragment, fragments, says

pytestmark = pytest.mark.django_db(transaction=True)

LONDON, TOKYO = '{"place": "London"}', '{"place": "Tokyo"}'
HALF, OTHER_HALF = '{"place":', ' "London"}'


async def looked(reply: Sequence[Chunk], *places: str) -> Outcome:
    """Run a reply that asks to look at these places, and see that this is what came of it, once and in order."""
    outcome = await run_script(reply, says("Seen."))
    assert [arguments for _, arguments in outcome.ran] == [{"place": place} for place in places]
    assert [step.input["arguments"] for step in outcome.of("tool")] == [{"place": place} for place in places]
    assert [message["content"] for message in outcome.requests[1]["messages"][-len(places) :]] == [
        f"{place} seen" for place in places
    ]
    assert outcome.ending == ("done", "done")
    assert outcome.answer == "Seen."
    return outcome


def ids(outcome: Outcome) -> list[str]:
    return [call["id"] for call in outcome.asked]


async def test_case_01_fragments_of_one_call_are_joined_and_run_once() -> None:
    pieces = [fragment("", index=0, id="a", name="look"), *(fragment(piece, index=0) for piece in LONDON)]
    assert ids(await looked(fragments(*pieces), "London")) == ["a"]


async def test_case_02_two_calls_in_one_delta_both_run_with_results_in_their_order() -> None:
    both = [call("look", LONDON, index=0), call("look", TOKYO, index=1)]
    await looked([delta(tool_calls=both), delta("tool_calls")], "London", "Tokyo")


async def test_case_03_id_and_name_in_each_delta_are_one_call() -> None:
    pieces = [fragment(piece, index=0, id="a", name="look") for piece in (HALF, OTHER_HALF)]
    assert ids(await looked(fragments(*pieces), "London")) == ["a"]


async def test_case_04_without_an_index_a_fragment_goes_on_with_the_current_call() -> None:
    await looked(fragments(fragment(HALF, id="a", name="look"), fragment(OTHER_HALF)), "London")


async def test_case_05_an_index_of_null_is_none() -> None:
    pieces = [fragment(HALF, index=None, id="a", name="look"), fragment(OTHER_HALF, index=None)]
    await looked(fragments(*pieces), "London")


async def test_case_06_two_calls_with_index_0_and_different_ids_are_two() -> None:
    pieces = [fragment(LONDON, index=0, id="a", name="look"), fragment(TOKYO, index=0, id="b", name="look")]
    assert ids(await looked(fragments(*pieces), "London", "Tokyo")) == ["a", "b"]


async def test_case_07_the_first_index_may_be_1() -> None:
    await looked(fragments(fragment(LONDON, index=1, id="a", name="look")), "London")


async def test_case_08_a_missing_id_is_minted_and_used_in_both_places() -> None:
    outcome = await looked(fragments(fragment(LONDON, index=0, name="look")), "London")
    minted = outcome.requests[1]["messages"][-1]["tool_call_id"]
    assert minted.isalnum()
    assert len(minted) == 9
    assert ids(outcome) == [minted] == [step.input["id"] for step in outcome.of("tool")]


async def test_case_09_two_empty_ids_are_minted_apart() -> None:
    pieces = [fragment(LONDON, index=0, id="", name="look"), fragment(TOKYO, index=1, id="", name="look")]
    outcome = await looked(fragments(*pieces), "London", "Tokyo")
    assert len(set(ids(outcome))) == 2


async def test_case_10_of_two_equal_ids_in_a_turn_the_second_is_minted_anew() -> None:
    pieces = [fragment(LONDON, index=0, id="a", name="look"), fragment(TOKYO, index=1, id="a", name="look")]
    first, second = ids(await looked(fragments(*pieces), "London", "Tokyo"))
    assert first == "a" != second


async def test_case_11_an_id_of_an_earlier_turn_is_minted_anew_and_its_call_runs() -> None:
    one, two = (
        fragments(fragment(LONDON, index=0, id="a", name="look")),
        fragments(fragment(TOKYO, index=0, id="a", name="look")),
    )
    outcome = await run_script(one, two, says("Seen."))
    assert [arguments["place"] for _, arguments in outcome.ran] == ["London", "Tokyo"]
    first, second = ids(outcome)
    assert first == "a" != second


async def test_case_12_arguments_that_are_an_object_are_taken_and_written_as_text() -> None:
    outcome = await looked(fragments(fragment({"place": "London"}, index=0, id="a", name="look")), "London")
    assert json.loads(outcome.asked[0]["function"]["arguments"]) == {"place": "London"}


async def waited(*pieces: dict[str, Any]) -> None:
    outcome = await run_script(fragments(*pieces), says("Done."))
    assert outcome.ran == [("wait", {})]
    assert outcome.results == ["nothing"]
    assert outcome.requests[1]["messages"][-2]["tool_calls"][0]["function"] == {"name": "wait", "arguments": "{}"}


async def test_case_13_empty_arguments_are_an_empty_object_on_the_wire_too() -> None:
    await waited(fragment("", index=0, id="a", name="wait"))


async def test_case_14_absent_arguments_are_an_empty_object_on_the_wire_too() -> None:
    await waited(fragment(index=0, id="a", name="wait"))


async def test_case_49_a_name_repeated_in_fragments_without_an_id_is_one_call() -> None:
    pieces = [fragment(HALF, index=0, name="look"), fragment(OTHER_HALF, index=0, name="look")]
    await looked(fragments(*pieces), "London")


async def test_case_50_two_whole_calls_with_one_index_and_no_ids_are_two() -> None:
    pieces = [fragment(LONDON, index=0, name="look"), fragment(TOKYO, index=0, name="look")]
    await looked(fragments(*pieces), "London", "Tokyo")


async def test_case_51_without_an_index_different_ids_are_different_calls_though_fragmented() -> None:
    pieces = [
        fragment(HALF, id="a", name="look"),
        fragment(OTHER_HALF, id="a"),
        fragment(HALF, id="b", name="look"),
        fragment(' "Tokyo"}', id="b"),
    ]
    assert ids(await looked(fragments(*pieces), "London", "Tokyo")) == ["a", "b"]
    assert ids(await looked(fragments(*(pieces[at] for at in (0, 2, 1, 3))), "London", "Tokyo")) == ["a", "b"]


async def test_case_52_fragments_may_be_interleaved_by_their_index() -> None:
    pieces = [
        fragment(HALF, index=0, id="a", name="look"),
        fragment(HALF, index=1, id="b", name="look"),
        fragment(OTHER_HALF, index=0),
        fragment(' "Tokyo"}', index=1),
    ]
    assert ids(await looked(fragments(*pieces), "London", "Tokyo")) == ["a", "b"]


async def test_case_53_the_id_may_come_after_the_name() -> None:
    pieces = [fragment(HALF, index=0, name="look"), fragment(OTHER_HALF, index=0, id="a")]
    assert ids(await looked(fragments(*pieces), "London")) == ["a"]


async def test_case_54_a_name_padded_with_blanks_is_that_name() -> None:
    outcome = await looked(fragments(fragment(LONDON, index=0, id="a", name=" look ")), "London")
    assert outcome.asked[0]["function"]["name"] == "look"


async def test_case_55_arguments_encoded_twice_are_decoded_once_more() -> None:
    outcome = await looked(fragments(fragment(json.dumps(LONDON), index=0, id="a", name="look")), "London")
    assert json.loads(outcome.asked[0]["function"]["arguments"]) == {"place": "London"}


async def test_case_72_only_choice_0_is_read() -> None:
    other = {"index": 1, "delta": {"content": "Other", "tool_calls": [call("look", TOKYO)]}, "finish_reason": "stop"}
    await looked([*fragments(call("look", LONDON)), {"choices": [other]}], "London")
    outcome = await run_script([{"choices": [other]}, *says("One.")])
    assert (outcome.answer, outcome.ran) == ("One.", [])
