"""The demo model thinks in the open where it is asked to, and only there."""

from typing import Any

import pytest

from chat.agent.events import Ended, ModelEnded, TextDelta, ToolStarted
from chat.agent.react import THINK
from chat.agent.transcript import Frozen, Said
from chat.demo.model import Call, reply
from chat.demo.thinking import ASKED_FOR, NEEDS, WITHOUT_TOOLS
from chat.demo.transport import DemoTransport
from chat.wire.endpoint import Endpoint, Target
from tests.agent.working import ended, events, of, task
from tests.demo.dialogue import PARAMETERS, Dialogue, answered, system, tools
from tools.registry import ToolResult

WARMER = "Is it warmer in London or Tokyo right now?"


def thinking(text: str, offered: list[dict[str, object]] | None = None) -> Dialogue:
    dialogue = Dialogue(offered=offered)
    dialogue.messages[0]["content"] = f"{dialogue.messages[0]['content']}\n\n{THINK}"
    dialogue.messages.append({"role": "user", "content": text})
    return dialogue


def turn(dialogue: Dialogue) -> Any:
    return reply({"model": "demo", "messages": dialogue.messages, "tools": dialogue.offered})


def test_what_it_is_asked_by_is_what_the_engine_asks() -> None:
    assert ASKED_FOR in THINK


def test_it_thinks_before_it_acts_and_before_it_answers() -> None:
    dialogue = thinking(WARMER)
    first = turn(dialogue)
    assert first.text == "Thought: To answer this I need the weather in London and the weather in Tokyo."
    assert [call.arguments["city"] for call in first.calls] == ["London", "Tokyo"]
    dialogue.answer(first.calls, [answered(call) for call in first.calls])
    second = turn(dialogue)
    assert second.text.startswith("Thought: get_weather told me what I need, so I can answer now.\nAnswer: ")
    assert "Tokyo" in second.text.partition("Answer: ")[2]


def test_without_a_tool_it_says_so() -> None:
    assert turn(thinking("Hello!")).text.startswith(f"Thought: {WITHOUT_TOOLS}\nAnswer: ")


def test_where_it_is_not_asked_to_think_it_says_the_same_without_a_thought() -> None:
    plain = Dialogue().say("Hello!")
    assert "Thought" not in plain
    assert turn(thinking("Hello!")).text.endswith(f"Answer: {plain}")


@pytest.mark.parametrize("name", PARAMETERS)
def test_there_are_words_for_each_tool_that_it_uses(name: str) -> None:
    words, argument = NEEDS[name]
    assert words.format("it")
    assert argument in ("", *PARAMETERS[name])


async def call_tool(name: str, arguments: dict[str, Any]) -> ToolResult:
    return ToolResult(answered(Call(name, arguments)), ok=True)


@pytest.mark.parametrize("mode", ["", "react"])
async def test_the_question_of_the_greeting_is_answered_in_both_modes(mode: str) -> None:
    """Through the real client, the transport and the loop: thoughts are shown apart, the answer is the same."""
    served = Endpoint("http://demo.invalid/v1", "", DemoTransport(pace=0))
    frozen = Frozen(str(system()["content"]), tools(), mode)  # type: ignore[arg-type]
    found = await events(task(Target(served, "demo"), said=[Said("user", WARMER)], frozen=frozen), call_tool)
    end: Ended = ended(found)
    assert (end.status, end.stop_reason) == ("done", "done")
    assert "Tokyo" in end.text
    assert "Thought" not in end.text
    assert [started.call.arguments["city"] for started in of(ToolStarted, found)] == ["London", "Tokyo"]
    told: list[TextDelta] = of(TextDelta, found)
    assert "".join(one.text for one in told if not one.thought) == end.text
    thoughts = [one.reply.thought or one.reply.text for one in of(ModelEnded, found)]
    assert any(one.thought for one in told) == bool(mode)
    if mode:
        assert thoughts == [
            "Thought: To answer this I need the weather in London and the weather in Tokyo.",
            "get_weather told me what I need, so I can answer now.",
        ]
