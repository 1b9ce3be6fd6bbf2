"""A request body, read once at the edge: exchanges, tool outcomes, memory and the tools on offer."""

import json
import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from chat.demo.parts import Call

GO_ON = "Go on from where you stopped."
MEMORY = re.compile(r"<memory>\s*(\{.*?\})\s*</memory>", re.DOTALL)


@dataclass(frozen=True)
class Outcome:
    """A tool call and what came back: a JSON object, a sentence, or an error."""

    call: Call
    text: str
    data: Mapping[str, object] = field(default_factory=dict)
    error: str = ""


@dataclass(frozen=True)
class Exchange:
    """A user's message and the outcomes of the tools called for it so far.

    `said` is what was answered before it was cut short, where the answer is to go on from there.
    """

    question: str
    outcomes: tuple[Outcome, ...] = ()
    rounds: int = 0
    said: str = ""

    def outcome_of(self, call: Call) -> Outcome | None:
        return next((outcome for outcome in self.outcomes if outcome.call == call), None)

    def outcomes_named(self, name: str) -> tuple[Outcome, ...]:
        return tuple(outcome for outcome in self.outcomes if outcome.call.name == name)


@dataclass(frozen=True)
class Memory:
    """What the system prompt says is remembered of the user."""

    facts: tuple[str, ...] = ()
    preferences: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Conversation:
    """All that a reply may depend on. `tools` maps each tool on offer to the names of its parameters.

    `prompt` is what the system says.
    """

    exchanges: tuple[Exchange, ...]
    memory: Memory
    tools: Mapping[str, frozenset[str]]
    prompt: str = ""

    @property
    def current(self) -> Exchange:
        return self.exchanges[-1] if self.exchanges else Exchange("")


def read(body: Mapping[str, object]) -> Conversation:
    """Reads a Chat Completions body. What is malformed is left out, never an error."""
    messages = list(_objects(body.get("messages")))
    tools = {} if body.get("tool_choice") == "none" else dict(_tools(body.get("tools")))
    if not tools and [message.get("role") for message in messages[-2:]] in (["tool", "user"], ["user", "user"]):
        messages.pop()  # no new question: the word that a limit is reached
    prompt = "\n".join(_text(m.get("content")) for m in messages if m.get("role") in ("system", "developer"))
    return Conversation(tuple(_exchanges(messages)), _memory(prompt), tools, prompt)


def _exchanges(messages: list[dict[str, object]]) -> Iterator[Exchange]:
    start = 0
    for end in range(1, len(messages) + 1):
        if end == len(messages) or (messages[end].get("role") == "user" and not _goes_on(messages[end])):
            if messages[start].get("role") == "user":
                yield _exchange(messages[start:end])
            start = end


def _goes_on(message: dict[str, object]) -> bool:
    return _text(message.get("content")).startswith(GO_ON)


def _exchange(messages: list[dict[str, object]]) -> Exchange:
    """Read a question and what followed it; each word to go on takes what was just said as said."""
    question, *rest = messages
    calls: dict[str, Call] = {}
    results: dict[str, str] = {}
    rounds, said, answer = 0, "", ""
    for message in rest:
        content = _text(message.get("content"))
        match message.get("role"):
            case "user":
                said, answer = said + answer, ""
            case "assistant":
                asked = dict(_calls(message.get("tool_calls")))
                calls |= asked
                rounds += bool(asked)
                answer = "" if asked else content
            case "tool":
                results[str(message.get("tool_call_id"))] = content
    outcomes = tuple(_outcome(call, results[key]) for key, call in calls.items() if key in results)
    text = _text(question.get("content"))
    return Exchange(unicodedata.normalize("NFC", text).strip(), outcomes, rounds, said)


def _outcome(call: Call, text: str) -> Outcome:
    stripped = text.strip()
    if stripped.startswith("Error"):
        return Outcome(call, text, error=stripped.removeprefix("Error").lstrip(": ") or "it failed without saying why")
    data = _object(stripped)
    error = data.get("error")
    return Outcome(call, text, data, str(error) if error else "")


def _calls(value: object) -> Iterator[tuple[str, Call]]:
    for entry in _objects(value):
        function = entry.get("function")
        if isinstance(function, dict):
            arguments = function.get("arguments")
            known = arguments if isinstance(arguments, dict) else _object(str(arguments or ""))
            yield str(entry.get("id")), Call(str(function.get("name")), dict(known))


def _tools(value: object) -> Iterator[tuple[str, frozenset[str]]]:
    for entry in _objects(value):
        function = entry.get("function")
        if isinstance(function, dict) and isinstance(function.get("name"), str):
            schema = function.get("parameters")
            properties = schema.get("properties") if isinstance(schema, dict) else None
            yield str(function["name"]), frozenset(properties if isinstance(properties, dict) else ())


def _memory(prompt: str) -> Memory:
    found = MEMORY.search(prompt)
    data = _object(found.group(1)) if found else {}
    facts, preferences = data.get("facts"), data.get("preferences")
    return Memory(
        tuple(str(fact) for fact in facts) if isinstance(facts, list) else (),
        {str(k): str(v) for k, v in preferences.items()} if isinstance(preferences, dict) else {},
    )


def _text(content: object) -> str:
    """The text of a message, which may be a string, null or a list of parts."""
    if isinstance(content, str):
        return content
    texts = (part.get("text") for part in _objects(content))
    return "\n".join(text for text in texts if isinstance(text, str))


def _objects(value: object) -> list[dict[str, object]]:
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []


def _object(text: str) -> dict[str, object]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}
