"""Cases 36 to 46, 56 to 58, 67, 68, 74 and 75: what an endpoint refuses, breaks, leaves out or wants back."""

import asyncio
import json
from functools import partial
from typing import Any

import pytest

from chat import runs
from chat.db import read
from chat.models import Step
from chat.wire.endpoint import Endpoint
from tests.cases.running import PATIENCE, Tools, answering, finished, in_memory, look, run_script, send, stored
from tests.cases.sockets import over_socket
from tests.scripted import Body, Chunk, Scripted, asks, call, delta, event, fragment, fragments, says

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
    "OpenAI's code": {"message": "Too large.", "code": "context_length_exceeded"},
    "llama.cpp": "the request exceeds the available context size, try increasing it",
    "llama.cpp's type": {"code": 400, "message": "Too large.", "type": "exceed_context_size_error", "n_ctx": 4096},
    "Gemini": "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).",
    "Groq": "Please reduce the length of the messages or completion.",
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


async def test_case_38_what_is_too_long_may_be_said_in_the_stream() -> None:
    error = {"code": 400, "message": "the request exceeds the available context size, try increasing it"}
    outcome = await run_script(Body([event({"error": error})]))
    assert outcome.ending == ("failed", "context")


async def test_case_39_usage_that_is_absent_is_a_guess_that_says_so_and_never_zero() -> None:
    outcome = await run_script(asks(LOOK), says("Seen."))
    for step in outcome.of("model"):
        assert step.estimated
        assert step.input_tokens
        assert step.output_tokens
        assert step.cost is None
    assert outcome.run.estimated
    assert outcome.run.tokens == sum(step.tokens or 0 for step in outcome.of("model"))


async def test_case_39_usage_that_is_reported_is_no_guess() -> None:
    outcome = await run_script(says("Hi", usage={"prompt_tokens": 20, "completion_tokens": 3}))
    assert (outcome.run.input_tokens, outcome.run.output_tokens, outcome.run.estimated) == (20, 3, False)


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


async def test_case_44_reasoning_goes_to_no_endpoint_but_the_one_that_sent_it() -> None:
    own = Scripted([delta(reasoning_content="I must look."), *asks(LOOK)], says("Seen."), says("Well."))
    other = Scripted(says("Well."))
    with Tools(look).alone():
        async with answering(Endpoint("http://own.invalid/v1", "", own)):
            await finished(first := await send("Look!"))
        async with answering(Endpoint("http://other.invalid/v1", "", other)):
            await finished(await send("Go on", first.conversation))
        async with answering(Endpoint("http://own.invalid/v1", "", own)):
            await finished(await send("Go on", first.conversation))
    assert b"I must look." not in other.bodies[0]
    assert other.requests[0]["messages"][2]["tool_calls"] == own.requests[2]["messages"][2]["tool_calls"]
    assert own.requests[2]["messages"][2]["reasoning_content"] == "I must look."


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


async def test_case_67_an_endpoint_that_wants_ten_minutes_is_not_slept_on_and_what_waits_for_it_is_seen_to() -> None:
    scripted = Scripted(refusal(429, "Quota used up.", **{"retry-after": "600"}))
    async with in_memory(scripted) as served, answering(served), asyncio.timeout(PATIENCE):
        first = await send("Look!")
        await finished(first)
        second = await send("Again", first.conversation)
        waits = Step.objects.filter(run=second.run, kind="wait", status="running")
        while not await read(waits.exists):  # noqa: ASYNC110  A row tells nobody that it changed.
            await asyncio.sleep(0)
        assert (await read(waits.get)).input["reason"] == "the pause that the endpoint asked for"
        await runs.stop(first.conversation)
        await finished(second)
    run, steps = await read(stored, first.run)
    assert (run.status, run.stop_reason, run.answer.text) == ("failed", "rate_limited", "")
    assert "Quota used up." in run.error
    assert [step.error for step in steps if step.kind == "model"] == [run.error]
    assert (await read(stored, second.run))[0].status == "stopped"
    assert len(scripted.requests) == 1


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


@pytest.mark.parametrize(
    "said",
    [
        "Unrecognized request argument supplied: stream_options",
        {"message": "[{'type': 'extra_forbidden', 'loc': ('body', 'stream_options')}]", "code": 422},
    ],
)
async def test_case_75_stream_options_that_are_refused_are_left_out_and_that_is_remembered(said: Any) -> None:
    outcome = await run_script(refusal(400, said), asks(LOOK), says("Seen."))
    assert ["stream_options" in request for request in outcome.requests] == [True, False, False]
    assert "stream_options" not in outcome.next
    assert outcome.requests[0]["messages"] == outcome.requests[1]["messages"]
    assert (outcome.ending, outcome.answer) == (("done", "done"), "Seen.")
