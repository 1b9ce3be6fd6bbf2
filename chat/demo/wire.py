"""A reply in the shapes of the Chat Completions protocol: chunks, a whole completion, a model list, errors."""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence

from chat.demo.parts import Call, Reply

MODEL = "demo"
CREATED = 1_750_000_000  # always the same, so that equal requests get equal bytes
PIECE = re.compile(r"\s*\S{1,12}|\s+")  # of text
FRAGMENT = re.compile(r".{1,8}", re.DOTALL)  # of a call's arguments
CHARACTERS_A_TOKEN = 4

DONE = b"data: [DONE]\n\n"

Json = dict[str, object]


def completion_id(request: bytes) -> str:
    """The same for the same request, and different for any other."""
    return f"chatcmpl-demo-{hashlib.sha256(request).hexdigest()[:24]}"


def chunks(reply: Reply, id_: str, body: Mapping[str, object]) -> Iterator[Json]:
    """A streamed reply: role, text or fragments of calls, the reason it ended, and usage if it was asked for."""
    options = body.get("stream_options")
    with_usage = isinstance(options, dict) and options.get("include_usage") is True

    def chunk(choices: list[Json], usage: Json | None = None) -> Json:
        base = _base(id_, "chat.completion.chunk")
        return {**base, "choices": choices, "usage": usage} if with_usage else {**base, "choices": choices}

    for delta in _deltas(reply, id_):
        yield chunk([{"index": 0, "delta": delta, "finish_reason": None}])
    yield chunk([{"index": 0, "delta": {}, "finish_reason": _finish(reply)}])
    if with_usage:
        yield chunk([], usage(reply, body))


def completion(reply: Reply, id_: str, body: Mapping[str, object]) -> Json:
    """The same reply in one piece."""
    message: Json = {"role": "assistant", "content": reply.text or None}
    if reply.calls:
        message["tool_calls"] = [
            {**_call(call, id_, i), "function": {"name": call.name, "arguments": _arguments(call)}}
            for i, call in enumerate(reply.calls)
        ]
    choice = {"index": 0, "message": message, "finish_reason": _finish(reply)}
    return {**_base(id_, "chat.completion"), "choices": [choice], "usage": usage(reply, body)}


def usage(reply: Reply, body: Mapping[str, object]) -> Json:
    """Token counts by length: there is no tokenizer, and equal requests count the same."""
    asked = _tokens(_json([body.get("messages"), body.get("tools")]))
    answered = _tokens(reply.text + "".join(call.name + _arguments(call) for call in reply.calls))
    return {"prompt_tokens": asked, "completion_tokens": answered, "total_tokens": asked + answered}


def models() -> Json:
    entry = {"id": MODEL, "object": "model", "created": CREATED, "owned_by": "agentsite"}
    return {"object": "list", "data": [entry]}


def error(message: str, code: str | None = None, param: str | None = None) -> Json:
    return {"error": {"message": message, "type": "invalid_request_error", "param": param, "code": code}}


def event(data: Json) -> bytes:
    """One server-sent event."""
    return b"data: " + document(data) + b"\n\n"


def document(data: Json) -> bytes:
    """JSON in plain ASCII, which holds any text, even one that UTF-8 cannot."""
    return json.dumps(data, separators=(",", ":")).encode("ascii")


def _deltas(reply: Reply, id_: str) -> Iterator[Json]:
    yield {"role": "assistant", "content": "" if reply.text or not reply.calls else None}
    for piece in PIECE.findall(reply.text):
        yield {"content": piece}
    for i, call in enumerate(reply.calls):
        yield {"tool_calls": [{"index": i, **_call(call, id_, i), "function": {"name": call.name, "arguments": ""}}]}
        for fragment in FRAGMENT.findall(_arguments(call)):
            yield {"tool_calls": [{"index": i, "function": {"arguments": fragment}}]}


def _base(id_: str, kind: str) -> Json:
    return {"id": id_, "object": kind, "created": CREATED, "model": MODEL}


def _call(call: Call, id_: str, number: int) -> Json:
    digest = hashlib.sha256(f"{id_} {number} {call.name}".encode()).hexdigest()
    return {"id": f"call_{digest[:24]}", "type": "function"}


def _finish(reply: Reply) -> str:
    return "tool_calls" if reply.calls else "stop"


def _arguments(call: Call) -> str:
    return _json(call.arguments)


def _tokens(text: str) -> int:
    return -(-len(text) // CHARACTERS_A_TOKEN)


def _json(value: Mapping[str, object] | Sequence[object]) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
