"""Cases 36 to 46, 56 to 58, 67, 68 and 74: what an endpoint refuses, breaks, leaves out or wants back."""

import asyncio
import json
from functools import partial
from typing import Any

import pytest

from tests.cases.running import Tools, run_script
from tests.cases.sockets import over_socket
from tests.scripted import Body, Chunk, asks, call, delta, event, fragment, fragments, says

pytestmark = pytest.mark.django_db(transaction=True)

LOOK = call("look", {"place": "London"})
JSON = {"content-type": "application/json"}


def refusal(status: int, error: Any = "no", **headers: str) -> Body:
    body = {"error": error if isinstance(error, dict) else {"message": error}}
    return Body([json.dumps(body).encode()], status, {**JSON, **headers})


async def test_case_36_a_wait_that_the_endpoint_asks_for_is_kept_and_shown() -> None:
    outcome = await run_script(refusal(429, **{"retry-after": "0.01"}), says("Now."))
    retry = outcome.of("retry")[0]
    assert retry.input["seconds"] == 0.01
    assert "429" in retry.input["reason"]
    assert retry.ended
    assert retry.ended > retry.started
    assert outcome.answer == "Now."


@pytest.mark.parametrize("status", [408, 409, 500, 502, 503, 529])
async def test_case_37_what_may_pass_is_asked_again_with_the_same_bytes(status: int) -> None:
    outcome = await run_script(refusal(status), says("Now."))
    assert [step.status for step in outcome.of("model")] == ["error", "done"]
    assert outcome.scripted.bodies[0] == outcome.scripted.bodies[1]
    assert (outcome.ending, outcome.answer) == (("done", "done"), "Now.")


TOO_LONG = {
    "OpenAI": "This model's maximum context length is 8192 tokens. However, your messages resulted in 9000 tokens.",
    "Anthropic": "prompt is too long: 210000 tokens > 200000 maximum",
    "Ollama": "input length exceeds the context length",
    "Mistral": "Prompt contains 40000 tokens and 0 draft tokens, too large for model with 32768 maximum context length",
}


@pytest.mark.parametrize("said", TOO_LONG.values(), ids=TOO_LONG.keys())
async def test_case_38_what_is_too_long_and_cannot_be_made_shorter_is_context(said: Any) -> None:
    outcome = await run_script(refusal(400, said))
    assert outcome.ending == ("failed", "context")
    assert outcome.answer == ""


async def test_case_39_usage_that_is_absent_is_unknown_and_never_zero() -> None:
    outcome = await run_script(asks(LOOK), says("Seen."))
    for step in outcome.of("model"):
        assert 0 not in step.buckets.values()
        assert step.cost is None
    assert 0 not in (outcome.run.input_tokens, outcome.run.output_tokens)


ODD: dict[str, Chunk] = {
    "40": {"choices": None, "usage": None},
    "41": {"id": "c", "usage": None},
    "42": {"choices": [{"index": 0, "delta": None, "finish_reason": None}]},
    "43": {"id": "", "object": "", "model": "", "created": 0, "choices": [], "prompt_filter_results": [{}]},
}


async def passed_over(odd: Chunk) -> None:
    """Put a chunk that says nothing before, between and after those that do."""
    ask, answer = asks(LOOK), says("Se", "en.")
    outcome = await run_script([odd, ask[0], odd, *ask[1:], odd], [odd, *answer[:2], odd, *answer[2:], odd])
    assert outcome.ran == [("look", {"place": "London"})]
    assert (outcome.ending, outcome.answer) == (("done", "done"), "Seen.")
    assert not outcome.of("retry")


async def test_case_40_choices_that_are_null_say_nothing() -> None:
    await passed_over(ODD["40"])


async def test_case_41_a_chunk_without_choices_says_nothing() -> None:
    await passed_over(ODD["41"])


async def test_case_42_a_delta_that_is_null_says_nothing() -> None:
    await passed_over(ODD["42"])


async def test_case_43_an_empty_object_says_nothing() -> None:
    await passed_over(ODD["43"])


async def test_case_44_reasoning_content_goes_back_with_its_calls_and_is_no_part_of_the_answer() -> None:
    thoughts = [delta(reasoning_content="I must"), delta(reasoning_content=" look.")]
    outcome = await run_script([*thoughts, *asks(LOOK)], [delta(reasoning_content="Good."), *says("Seen.")])
    assert outcome.requests[1]["messages"][-2]["reasoning_content"] == "I must look."
    assert outcome.next["messages"][2] == outcome.requests[1]["messages"][-2]
    assert outcome.answer == "Seen."
    assert [step.output["reasoning"] for step in outcome.of("model")] == ["I must look.", "Good."]


async def test_case_44_other_reasoning_is_kept_and_does_not_go_back() -> None:
    outcome = await run_script([delta(reasoning="I must look."), *asks(LOOK)], says("Seen."))
    assert "must look" not in outcome.scripted.bodies[1].decode()
    assert outcome.of("model")[0].output["reasoning"] == "I must look."


async def test_case_45_extra_content_goes_back_with_its_call() -> None:
    extra = {"google": {"thought_signature": "c2lnbmF0dXJl"}}
    signed = fragment('{"place": "London"}', id="a", name="look", extra_content=extra)
    outcome = await run_script(fragments(signed), says("Seen."))
    assert outcome.requests[1]["messages"][-2]["tool_calls"][0]["extra_content"] == extra
    assert outcome.asked[0]["extra_content"] == extra


async def test_case_46_text_beside_a_call_is_kept() -> None:
    outcome = await run_script(asks(LOOK, text="Let me look."), says("Seen."))
    assert outcome.requests[1]["messages"][-2]["content"] == "Let me look."
    assert outcome.of("model")[0].output["text"] == "Let me look."
    assert outcome.answer == "Seen."


async def test_case_56_a_web_page_with_status_200_is_a_typed_error_and_asked_for_again() -> None:
    page = Body([b"<!doctype html><h1>Welcome</h1>"], 200, {"content-type": "text/html; charset=utf-8"})
    outcome = await run_script(page, says("Now."))
    assert "web page" in outcome.of("model")[0].error
    assert outcome.answer == "Now."
    outcome = await run_script(page, page, page)
    assert (outcome.ending, outcome.answer) == (("failed", "error"), "")


async def test_case_57_a_plain_json_body_is_read_as_a_whole_reply() -> None:
    def whole(finish: str, **message: Any) -> Body:
        choice = {"index": 0, "message": {"role": "assistant", **message}, "finish_reason": finish}
        usage = {"prompt_tokens": 9, "completion_tokens": 2}
        return Body(
            [json.dumps({"object": "chat.completion", "choices": [choice], "usage": usage}).encode()], 200, JSON
        )

    outcome = await run_script(whole("tool_calls", content=None, tool_calls=[LOOK]), whole("stop", content="Seen."))
    assert outcome.ran == [("look", {"place": "London"})]
    assert outcome.answer == "Seen."
    assert (outcome.run.input_tokens, outcome.run.output_tokens) == (18, 4)


@pytest.mark.parametrize("line", [b"data: {nonsense\n\n", b"data: 7\n\n", b"data: <html>\n\n", b'data: {"a": NaN}\n\n'])
async def test_case_58_a_line_of_garbage_is_a_typed_error_and_asked_for_again(line: bytes) -> None:
    broken = Body([*(event(chunk) for chunk in asks(LOOK)[:1]), line, b"data: [DONE]\n\n"])
    outcome = await run_script(broken, says("Now."))
    assert not outcome.ran
    assert outcome.of("model")[0].error
    assert outcome.answer == "Now."


async def test_case_67_an_endpoint_that_wants_ten_minutes_is_not_slept_on_and_says_so() -> None:
    async with asyncio.timeout(5):
        outcome = await run_script(refusal(429, "Quota used up.", **{"retry-after": "600"}))
    assert outcome.ending == ("failed", "rate_limited")
    assert "Quota used up." in outcome.run.error
    assert outcome.of("model")[0].error == outcome.run.error


async def test_case_68_a_stream_that_idles_counts_as_cut() -> None:
    idle = Body([event(chunk) for chunk in [delta(content="Half an ans"), *asks(LOOK)[:1]]], hold=asyncio.Event())
    outcome = await run_script(idle, says("The whole answer"), through=partial(over_socket, idle=0.2))
    first = outcome.of("model")[0]
    assert first.output["text"] == "Half an ans"
    assert "127.0.0.1" in first.error
    assert not outcome.ran
    assert (outcome.ending, outcome.answer) == (("done", "done"), "The whole answer")


async def test_case_74_without_tools_nothing_is_said_of_tools() -> None:
    outcome = await run_script(says("Hello."), tools=Tools())
    assert outcome.requests[0].keys().isdisjoint({"tools", "tool_choice", "parallel_tool_calls"})
