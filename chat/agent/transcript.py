"""From what is stored, as values, to the request that a model is sent. Pure functions, so anyone can do it again."""

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from chat.agent import react
from chat.agent.limits import WORDS
from chat.wire.values import JSON, Call, Wire

UNANSWERED = "Error: this call was not answered; whether it took effect is unknown."
SUM_UP = "{}, and no more tools can be called. Answer now with what was found so far, and say what is missing."
GO_ON = "Go on from where you stopped. Do not repeat what was done or said."
SIZE = " size"  # no host has such a name
SUMMARY_HEAD = "[What was said before, as a summary that was made automatically]"


@dataclass(frozen=True, slots=True)
class Made:
    """What was worked out of an entry, which goes into many requests: its messages by host, its size."""

    made: dict[str, Any] = field(default_factory=dict, init=False, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Said(Made):
    """A message of the conversation: `role` is "user" or "assistant"."""

    role: str
    text: str


@dataclass(frozen=True, slots=True)
class Asked(Made):
    """A model step that asked for tools. `host` is the endpoint that sent its reasoning, and may want it back."""

    text: str
    calls: tuple[Call, ...]
    reasoning: str = ""
    reasoning_field: str = ""
    host: str = ""
    details: tuple[JSON, ...] = ()


@dataclass(frozen=True, slots=True)
class Answered(Made):
    """A tool step that has its result; `id` is that of the call."""

    id: str
    text: str


@dataclass(frozen=True, slots=True)
class Summary(Made):
    """What stands for all that was said before."""

    text: str


Entry = Said | Asked | Answered | Summary


@dataclass(frozen=True, slots=True)
class Frozen:
    """What stays the same in all requests of a run; `mode` is "" or "react"."""

    system: str
    tools: Sequence[JSON] = ()
    mode: str = ""


def request(
    frozen: Frozen, entries: Iterable[Entry], model: str, host: str = "", without: Collection[str] = (), last: str = ""
) -> bytes:
    """Return the exact bytes of a request; the same values give the same bytes.

    `host` is asked `without` what it refuses. The `last` one, at the limit of that name, offers no tools and says why.
    """
    textual = bool(frozen.tools) and "tools" in without
    system = react.system(frozen.system, frozen.mode, frozen.tools if textual else ())
    messages = transcript(system, entries, "" if "reasoning" in without else host)
    if "ids" in without:
        messages = [_with_short_ids(message) for message in messages]
    if textual:
        messages = react.as_text(messages)
    if last:
        messages.append(wire(Said("user", SUM_UP.format(WORDS[last]))))
    body: dict[str, JSON] = {}
    if textual and "stop" not in without:
        body["stop"] = [react.OBSERVATION]
    if frozen.tools and not textual and not last:
        body["tools"] = [*frozen.tools]
    return encoded(model, messages, body, without)


def encoded(
    model: str, messages: Sequence[Wire], more: Mapping[str, JSON] | None = None, without: Collection[str] = ()
) -> bytes:
    """Return the bytes of a streamed request: messages, and what `more` there is."""
    if "system" in without:
        messages = [{**message, "role": "user"} if message["role"] == "system" else message for message in messages]
    if "system" in without or "roles" in without:
        messages = alternating(messages)
    body: dict[str, JSON] = {"model": model, "messages": [*messages], **(more or {}), "stream": True}
    if "stream_options" not in without:
        body["stream_options"] = {"include_usage": True}
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def transcript(system: str, entries: Iterable[Entry], host: str = "") -> list[Wire]:
    """Return the messages of a request to `host`: the system prompt, then the entries in order, repaired."""
    return [
        {"role": "system", "content": system},
        *repair([wire(entry, host) for entry in entries if _says(entry)]),
    ]


def wire(entry: Entry, host: str = "") -> Wire:
    """Return an entry as a message of the Chat Completions API; what is not set is left out, never null."""
    if host not in entry.made:
        entry.made[host] = _wire(entry, host)
    message: Wire = entry.made[host]
    return message


def _wire(entry: Entry, host: str) -> Wire:
    match entry:
        case Said(role, text):
            return {"role": role, "content": text}
        case Summary(text):
            return {"role": "user", "content": f"{SUMMARY_HEAD}\n\n{text}"}
        case Answered(id_, text):
            return {"role": "tool", "tool_call_id": id_, "content": text}
        case Asked():
            message: Wire = {"role": "assistant"}
            if entry.text:
                message["content"] = entry.text
            if entry.host == host:  # reasoning goes to none but the endpoint that sent it
                if entry.reasoning_field == "reasoning_content":  # DeepSeek refuses its calls without it
                    message["reasoning_content"] = entry.reasoning
                if entry.details:
                    message["reasoning_details"] = [*entry.details]
            message["tool_calls"] = [_call(call) for call in entry.calls]
            return message


def size(entry: Entry) -> int:
    """Return about how many bytes an entry takes in a request."""
    if SIZE not in entry.made:
        said = _bytes(entry.text) + 60
        if isinstance(entry, Asked):
            said += sum(len(call.name) + _bytes(json.dumps(call.arguments, ensure_ascii=False)) for call in entry.calls)
            said += 130 * len(entry.calls) + _bytes(entry.reasoning)
            said += _bytes(json.dumps(entry.details, ensure_ascii=False)) if entry.details else 0
        entry.made[SIZE] = said
    bytes_: int = entry.made[SIZE]
    return bytes_


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


def alternating(messages: Sequence[Wire]) -> list[Wire]:
    """Return messages of which none of the user follows another, nor a result: its text is joined to that."""
    joined: list[Wire] = []
    for message in messages:
        if message["role"] == "user" and joined and joined[-1]["role"] in ("user", "tool"):
            message = {**joined[-1], "content": _join(joined.pop(), message)}
        joined.append(message)
    return joined


def call_ids(message: Wire) -> list[str]:
    """Return the ids of the calls that a message asks for."""
    calls = message.get("tool_calls")
    return [str(call["id"]) for call in calls if isinstance(call, dict)] if isinstance(calls, list) else []


def _bytes(text: str) -> int:
    """Return how many bytes a text takes as a string of JSON."""
    plain = len(text) if text.isascii() else len(text.encode("utf-8", "replace"))
    return plain + text.count('"') + text.count("\\") + text.count("\n")


def _call(call: Call) -> JSON:
    arguments = json.dumps(call.arguments, ensure_ascii=False)
    return {
        "id": call.id,
        "type": "function",
        "function": {"name": call.name, "arguments": arguments},
        **call.extra,
    }


def _with_short_ids(message: Wire) -> Wire:
    """Return a message whose ids have nine letters and digits: Mistral takes no others, whoever made them."""
    if message["role"] == "tool":
        return {**message, "tool_call_id": _short(str(message["tool_call_id"]))}
    if isinstance(calls := message.get("tool_calls"), list):
        return {**message, "tool_calls": [{**c, "id": _short(str(c["id"]))} for c in calls if isinstance(c, dict)]}
    return message


def _short(id_: str) -> str:
    return id_ if len(id_) == 9 and id_.isalnum() else hashlib.sha256(id_.encode()).hexdigest()[:9]


def _says(entry: Entry) -> bool:
    return not isinstance(entry, Said) or bool(entry.text)


def _join(first: Wire, second: Wire) -> str:
    return "\n\n".join(str(text) for text in (first.get("content"), second.get("content")) if text)
