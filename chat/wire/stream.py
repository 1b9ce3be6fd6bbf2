"""Assembles the chunks of any endpoint into one whole reply.

Endpoints differ in how they cut a tool call into fragments: without `index`, with every index 0, with the name or
the id repeated, with the arguments as an object. Each fragment is first given to its call, then the calls are read.
"""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from chat.wire.errors import StreamCut, StreamError, reported
from chat.wire.redact import Redactor
from chat.wire.strict import read_arguments
from chat.wire.usage import read_usage
from chat.wire.values import JSON, Call, Reply, Usage, new_id
from tools.text import clean, cleaned

LONGEST_NAME = 200  # of an id, a tool or a model
REASONING_FIELDS = ("reasoning_content", "reasoning")
TEXT, THINKING = "text", "thinking"  # kinds of the parts that Mistral's content is made of
FAILED = "error"  # a finish reason of some that pass on what others say


@dataclass(slots=True)
class _Parts:
    """A tool call while its fragments come in."""

    index: int | None
    id: str = ""
    name: str = ""
    arguments: str = ""
    extra: dict[str, JSON] = field(default_factory=dict)


class Assembler:
    """Feed it every chunk in order, set `done` when the stream says that it is over, then ask for the reply."""

    def __init__(self, redactor: Redactor | None = None) -> None:
        self.done = False
        self._redactor = redactor or Redactor()
        self._text = self.reasoning = ""
        self._reasoning_redactor = self._redactor.another()
        self._reasoning_field = self._refusal = self._finish = self._model = ""
        self._details: list[JSON] = []
        self._calls: list[_Parts] = []
        self._usage = Usage()

    @property
    def text(self) -> str:
        """What was said so far, all of it, though its end may not have been shown yet."""
        return self._text + self.held

    @property
    def held(self) -> str:
        """The end of it that is not shown yet, because it may be the beginning of a secret."""
        return self._redactor.held

    @property
    def _begun(self) -> bool:
        return bool(self.text or self.reasoning or self._calls)

    def feed(self, chunk: object) -> str:
        """Take one chunk in; return the text it adds. Raises StreamError for an error or for garbage."""
        if not isinstance(chunk, Mapping):
            raise StreamError("The endpoint sent something that is not a chunk of a reply.")
        if chunk.get("error"):
            raise reported(chunk["error"], self._begun)
        if chunk.get("usage"):
            self._usage = read_usage(chunk["usage"])
        self._model = self._model or str(chunk.get("model") or "")
        choices = chunk.get("choices")
        if not isinstance(choices, list):
            return ""
        return "".join(self._choice(choice) for choice in choices if isinstance(choice, Mapping))

    def reply(self, turn: int = 1, taken: Collection[str] = ()) -> Reply:
        """Return the whole reply; `taken` are the call ids that were used before.

        Raises StreamCut where the stream just stopped, unless all that came is complete tool calls, and where the
        endpoint broke it off.
        """
        if self._finish == FAILED:
            raise StreamCut("The endpoint broke the reply off with an error, and does not say which.")
        calls = self._read_calls(turn, set(taken))
        unfinished = not calls or any(call.problem or not call.raw.strip() for call in calls)
        if unfinished and not (self.done or self._finish):
            raise StreamCut("The reply was cut off before its end.")
        return Reply(
            text=clean(self.text),
            reasoning=clean(self.reasoning + self._reasoning_redactor.held),
            calls=calls,
            finish=clean(self._finish),
            refusal=clean(self._redactor.hide(self._refusal)),
            model=clean(self._model)[:LONGEST_NAME],
            usage=self._usage,
            reasoning_field=self._reasoning_field,
            details=tuple(self._details),
        )

    def _choice(self, choice: Mapping[str, object]) -> str:
        if choice.get("index"):  # only choice 0 is read
            return ""
        if choice.get("error"):
            raise reported(choice["error"], self._begun)
        self._finish = str(choice.get("finish_reason") or "") or self._finish
        delta = choice.get("delta") or choice.get("message")
        if not isinstance(delta, Mapping):
            return ""
        self._reason(delta)
        self._refusal += str(delta.get("refusal") or "")
        for fragment in _list(delta.get("tool_calls")):
            if isinstance(fragment, Mapping):
                self._fragment(fragment)
        shown = self._redactor.feed(_said(delta.get("content"), TEXT))
        self._text += shown
        return shown

    def _reason(self, delta: Mapping[str, object]) -> None:
        """Take in reasoning, from the first field in which it comes; some endpoints send the same in two."""
        details = _list(delta.get("reasoning_details"))
        self._details += cleaned([part for part in details if isinstance(part, dict)])
        told = {"reasoning_details": "".join(_told(part) for part in details)}
        told[THINKING] = _said(delta.get("content"), THINKING)
        for name in (*REASONING_FIELDS, "reasoning_details", THINKING):
            piece = told.get(name) or delta.get(name)
            if isinstance(piece, str) and piece and self._reasoning_field in ("", name):
                self._reasoning_field = name
                self.reasoning += self._reasoning_redactor.feed(piece)

    def _fragment(self, fragment: Mapping[str, object]) -> None:
        function = fragment.get("function")
        function = function if isinstance(function, Mapping) else {}
        id_, name = str(fragment.get("id") or ""), str(function.get("name") or "").strip()
        raw = function.get("arguments")
        arguments = raw if isinstance(raw, str) else "" if raw is None else json.dumps(raw)
        index = fragment.get("index")
        index = index if isinstance(index, int) else None
        parts = self._find(index, id_, name, arguments)
        if parts is None:
            parts = _Parts(index)
            self._calls.append(parts)
        parts.id = parts.id or id_
        parts.name = parts.name or name
        parts.arguments += arguments
        if fragment.get("extra_content"):
            parts.extra["extra_content"] = fragment["extra_content"]  # type: ignore[assignment]

    def _find(self, index: int | None, id_: str, name: str, arguments: str) -> _Parts | None:
        """Return the call that a fragment goes on with, or None where it begins a new one."""
        if index is not None:
            same = [parts for parts in self._calls if parts.index == index]
        else:
            same = [parts for parts in self._calls if id_ and parts.id == id_] or self._calls[-1:]
        if not same:
            return None
        parts = same[-1]
        if id_ and parts.id and id_ != parts.id:
            return next((other for other in same if other.id == id_), None)
        if name and arguments and _is_whole(parts.arguments):
            return None  # its arguments are complete, and here come a name and arguments again
        if name and parts.name and name != parts.name and not id_:
            return None
        return parts

    def _read_calls(self, turn: int, taken: set[str]) -> tuple[Call, ...]:
        calls = []
        for number, parts in enumerate(self._calls):
            id_ = clean(parts.id)
            if not id_ or id_ in taken or len(id_) > LONGEST_NAME:
                id_ = new_id(turn, number, taken)
            taken.add(id_)
            arguments, problem = read_arguments(self._redactor.hide(parts.arguments))
            if problem and self._finish == "length":
                problem = "the arguments were cut off at the limit of the reply's length; make them shorter"
            name, raw = clean(parts.name)[:LONGEST_NAME], clean(self._redactor.hide(parts.arguments))
            calls.append(Call(id_, name, cleaned(arguments), raw, problem, cleaned(parts.extra)))
        return tuple(calls)


def _is_whole(arguments: str) -> bool:
    return bool(arguments.strip()) and not read_arguments(arguments)[1]


def _told(detail: object) -> str:
    """Return what a part of OpenRouter's `reasoning_details` says; an encrypted one says nothing."""
    said = (detail.get("text") or detail.get("summary")) if isinstance(detail, Mapping) else ""
    return said if isinstance(said, str) else ""


def _said(content: object, kind: str) -> str:
    """Return what content says as text, or in its parts of another kind; a part may hold its text in parts again."""
    if isinstance(content, str):
        return content if kind == TEXT else ""
    parts = [part for part in _list(content) if isinstance(part, Mapping) and part.get("type") == kind]
    return "".join(_said(part.get(kind), TEXT) for part in parts)


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []
