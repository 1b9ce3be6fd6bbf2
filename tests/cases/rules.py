"""The three rules that hold for every run, checked against the script itself and not against what the engine read.

R1: each request is a valid transcript. R2: no tool runs on arguments that the model did not finish. R3: a run ends
with a typed reason, and its answer is made of nothing but the model's own words.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from chat.models import StopReason
from tests.scripted import Body, Chunk
from tools.text import clean, cleaned

Ran = tuple[str, dict[str, Any]]


def check_transcript(request: Mapping[str, Any]) -> None:
    """R1, on the body of a request."""
    assert all(value not in (None, [], {}, "") for value in request.values()), request.keys()
    messages: list[dict[str, Any]] = request["messages"]
    assert messages[0]["role"] == "system"
    assert messages[-1]["role"] in ("user", "tool")
    waiting: list[str] = []
    seen: set[str] = set()
    for message in messages:
        assert None not in message.values(), message
        if message["role"] == "tool":
            assert message.keys() == {"role", "tool_call_id", "content"}
            assert waiting.pop(0) == message["tool_call_id"]
            continue
        assert not waiting, f"{waiting} were not answered before {message}"
        assert message.get("content") or message["tool_calls"]
        for call in message.get("tool_calls", ()):
            assert call["id"]
            assert call["id"] not in seen
            assert isinstance(json.loads(call["function"]["arguments"]), dict)
            seen.add(call["id"])
            waiting.append(call["id"])
    assert not waiting


def check_arguments(ran: Iterable[Ran], replies: Iterable[Sequence[Chunk] | Body]) -> None:
    """R2: whatever a tool was called with stands as a whole JSON object in one of the replies."""
    whole = [cleaned(arguments) for reply in replies for arguments in whole_arguments(reply)]
    for name, arguments in ran:
        assert arguments in whole, f"{name} ran on {arguments}, which no reply finished"


def check_ending(status: str, reason: str, answer: str, replies: Iterable[Sequence[Chunk] | Body]) -> None:
    """R3."""
    assert reason in StopReason.values
    assert status in ("done", "failed", "stopped")
    assert answer in "\n".join(clean(said(reply)) for reply in replies)


def said(reply: Sequence[Chunk] | Body) -> str:
    """Return the text of a reply, as the chunks have it."""
    return "".join(piece for delta in _deltas(reply) if isinstance(piece := delta.get("content"), str))


def whole_arguments(reply: Sequence[Chunk] | Body) -> list[dict[str, Any]]:
    """Return every JSON object that the fragments of a reply make, however they belong together.

    The pieces of one call stand in a row, or they share an index or an id.
    """
    pieces = list(_fragments(reply))
    texts = [text for _, _, text in pieces]
    joined = {"".join(texts[first:last]) for first in range(len(texts)) for last in range(first, len(texts) + 1)}
    for part in (0, 1):
        for key in {piece[part] for piece in pieces}:
            joined.add("".join(piece[2] for piece in pieces if piece[part] == key))
    return [value for text in joined if isinstance(value := _value(text), dict)]


def _fragments(reply: Sequence[Chunk] | Body) -> Iterator[tuple[object, object, str]]:
    for delta in _deltas(reply):
        for fragment in delta.get("tool_calls") or ():
            raw = (fragment.get("function") or {}).get("arguments", "")
            yield fragment.get("index"), fragment.get("id"), raw if isinstance(raw, str) else json.dumps(raw)


def _value(text: str) -> object:
    try:
        value = json.loads(text or "{}")
        return json.loads(value) if isinstance(value, str) else value  # encoded twice
    except ValueError:
        return None


def _deltas(reply: Sequence[Chunk] | Body) -> Iterator[dict[str, Any]]:
    for chunk in chunks_of(reply) if isinstance(reply, Body) else reply:
        for choice in chunk.get("choices") or ():
            yield choice.get("delta") or choice.get("message") or {}


def chunks_of(body: Body) -> list[Chunk]:
    """Return what of a body of bytes are chunks, read line by line."""
    text = b"".join([*body.parts, *body.after]).decode("utf-8", "replace")
    lines = [line.removeprefix("data:").strip() for line in text.splitlines()]
    return [chunk for line in lines if isinstance(chunk := _value(line), dict)]
