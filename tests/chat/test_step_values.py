"""What a step stored is read back as it was, and what only a newer version stores is left out."""

from typing import Any

from chat.models import Step
from chat.step_values import cut_of, reply_of, usage_of
from chat.wire.values import Call, Reply, Usage

CALL = {"id": "a", "name": "look", "arguments": {"x": 1}, "raw": "{", "problem": "", "extra": {"sign": "s"}}
SAID: dict[str, Any] = {
    "text": "Hm.", "reasoning": "So", "reasoning_field": "reasoning", "details": [{"t": 1}], "thought": "first",
    "calls": [CALL], "finish": "stop", "refusal": "", "model": "m",
}  # fmt: skip


def test_a_reply_comes_back_with_its_calls_and_its_tokens() -> None:
    step = Step(kind="model", output=SAID, input_tokens=5, cache_read_tokens=3, output_tokens=2, estimated=True)
    usage = Usage(5, 3, None, None, 2, None, estimated=True)
    assert usage_of(step) == usage
    assert usage.prompt == 8
    assert reply_of(step) == Reply(
        "Hm.", "So", (Call("a", "look", {"x": 1}, "{", "", {"sign": "s"}),), "stop", "", "m", usage, "reasoning",
        ({"t": 1},), "first",
    )  # fmt: skip


def test_what_a_newer_version_stored_beside_is_left_out() -> None:
    newer = Step(kind="model", output=SAID | {"mood": "good", "calls": [CALL | {"mood": "bad"}]})
    assert reply_of(newer) == reply_of(Step(kind="model", output=SAID))
    assert cut_of(Step(kind="context", input={"cut": {"shrunk": 4, "mood": "bad"}})).shrunk == 4
