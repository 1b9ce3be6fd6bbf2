"""Thinks in the open where the system prompt asks for it: a short thought before each act and before the answer."""

from collections.abc import Sequence

from chat.demo.parts import Call, Reply
from chat.demo.values import joined

ASKED_FOR = 'begins with "Thought:"'
WITHOUT_TOOLS = "I can answer this without a tool."
NEEDS = {
    "get_weather": ("the weather in {}", "city"),
    "calculate": ("the result of {}", "expression"),
    "current_time": ("the time in {}", "place"),
    "remember": ("to keep this for later", ""),
    "forget": ("to let go of what was kept", ""),
}


def think(reply: Reply, prompt: str, used: Sequence[str]) -> Reply:
    """Return the reply with its thought, if the system prompt wants one; `used` names the tools used so far."""
    if ASKED_FOR not in prompt:
        return reply
    if reply.calls:
        needed = joined(list(dict.fromkeys(_need(call) for call in reply.calls)))
        return Reply(f"Thought: To answer this I need {needed}.", reply.calls)
    told = joined(list(dict.fromkeys(used)))
    thought = f"{told} told me what I need, so I can answer now." if used else WITHOUT_TOOLS
    return Reply(f"Thought: {thought}\nAnswer: {reply.text}")


def _need(call: Call) -> str:
    words, argument = NEEDS.get(call.name, (f"the tool {call.name}", ""))
    return words.format(call.arguments.get(argument, "")) if argument else words
