"""From what is stored, as values, to the request that a model is sent. Pure functions, so anyone can do it again."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from chat.agent.values import JSON, Call

Wire = dict[str, JSON]

UNANSWERED = "Error: this call was not answered; whether it took effect is unknown."
AT_THE_LIMIT = (
    "The limit of turns for this run is reached, and no more tools can be called. "
    "Answer now with what was found so far, and say what is missing."
)


@dataclass(frozen=True, slots=True)
class Said:
    """A message of the conversation: `role` is "user" or "assistant"."""

    role: str
    text: str


@dataclass(frozen=True, slots=True)
class Asked:
    """A model step that asked for tools."""

    text: str
    calls: tuple[Call, ...]
    reasoning: str = ""
    reasoning_field: str = ""


@dataclass(frozen=True, slots=True)
class Answered:
    """A tool step that has its result; `id` is that of the call."""

    id: str
    text: str


Entry = Said | Asked | Answered


def transcript(system: str, entries: Iterable[Entry]) -> list[Wire]:
    """Return the messages of a request: the system prompt, then the entries in order, repaired."""
    return [
        {"role": "system", "content": system},
        *repair([wire(entry) for entry in entries if _says(entry)]),
    ]


def wire(entry: Entry) -> Wire:
    """Return an entry as a message of the Chat Completions API; what is not set is left out, never null."""
    match entry:
        case Said(role, text):
            return {"role": role, "content": text}
        case Answered(id_, text):
            return {"role": "tool", "tool_call_id": id_, "content": text}
        case Asked():
            message: Wire = {"role": "assistant"}
            if entry.text:
                message["content"] = entry.text
            if entry.reasoning_field == "reasoning_content":  # DeepSeek refuses its calls without it
                message["reasoning_content"] = entry.reasoning
            message["tool_calls"] = [_call(call) for call in entry.calls]
            return message


def request(model: str, messages: Sequence[Wire], tools: Sequence[object], last: bool = False) -> bytes:
    """Return the exact bytes of a request; the same values give the same bytes.

    The `last` one, at the limit of turns, offers no tools and says why.
    """
    if last:
        messages, tools = [*messages, wire(Said("user", AT_THE_LIMIT))], ()
    body: dict[str, object] = {"model": model, "messages": messages}
    if tools:
        body["tools"] = tools
    body |= {"stream": True, "stream_options": {"include_usage": True}}
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def repair(messages: Sequence[Wire]) -> list[Wire]:
    """Make any history valid: each call answered once, right after it; no result without its call.

    Doing it twice is the same as doing it once. Two plain messages of the assistant in a row become one.
    """
    results = {m["tool_call_id"]: m for m in reversed(messages) if m["role"] == "tool"}
    whole: list[Wire] = []
    for message in messages:
        if message["role"] == "tool":
            continue  # each result follows its call, below
        if whole and message["role"] == whole[-1]["role"] == "assistant" and "tool_calls" not in whole[-1]:
            message = {**message, "content": _join(whole.pop(), message)}
        whole.append(message)
        whole += [results.pop(id_, wire(Answered(id_, UNANSWERED))) for id_ in call_ids(message)]
    return whole


def call_ids(message: Wire) -> list[str]:
    """Return the ids of the calls that a message asks for."""
    calls = message.get("tool_calls")
    return [str(call["id"]) for call in calls if isinstance(call, dict)] if isinstance(calls, list) else []


def _call(call: Call) -> JSON:
    arguments = json.dumps(call.arguments, ensure_ascii=False)
    return {
        "id": call.id,
        "type": "function",
        "function": {"name": call.name, "arguments": arguments},
        **call.extra,
    }


def _says(entry: Entry) -> bool:
    return not isinstance(entry, Said) or bool(entry.text)


def _join(first: Wire, second: Wire) -> str:
    return "\n\n".join(str(text) for text in (first.get("content"), second.get("content")) if text)
