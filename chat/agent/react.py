"""ReAct: a short thought before each act and before the answer; and acting by lines of text where tools are refused.

Source: Yao et al., ReAct, https://arxiv.org/abs/2210.03629. What is written is parsed strictly, and what does not parse
is answered with an error, so that what is shown is what is done.
"""

import json
import re
from collections.abc import Collection, Sequence
from dataclasses import replace

from chat.agent.strict import read_arguments
from chat.agent.values import JSON, Call, Reply, Wire, new_id

THOUGHT, ANSWER, OBSERVATION = "Thought:", "Answer:", "Observation:"
THINK = """\
Think in the open. Before you call tools, and before you answer, write one short thought in a line that begins with \
"Thought:". When you know enough, write a line that begins with "Answer:", and after it the answer for the person, \
who need not read the thoughts."""
ACT = """\
You call tools by lines of exactly this form, one call a line:
Action: name({"argument": "value"})
Stop after the last of them. The results follow in lines that begin with "Observation:"; never write one yourself.
The tools, with the JSON Schema of their arguments:"""

_ANSWER = re.compile(r"^[ \t]*(?:\*\*)?Answer:(?:\*\*)?[ \t]*\n?", re.MULTILINE)
_ACTION = re.compile(r"^[ \t]*Action:[ \t]*(.*)$", re.MULTILINE)
_CALL = re.compile(r"([\w.-]{1,64})\((.*)\)[ \t]*")
_MARK = re.compile(r"^\s*Thought:[ \t]*", re.MULTILINE)
UNREADABLE = 'this action is not of the form: name({"argument": "value"})'


def system(prompt: str, mode: str, tools: Sequence[JSON]) -> str:
    """Return the system prompt with what ReAct mode adds; `tools` are those that are called by lines of text."""
    told = [prompt, THINK if mode == "react" else ""]
    if tools:
        shown = [tool["function"] for tool in tools if isinstance(tool, dict)]
        told.append("\n".join([ACT, *(json.dumps(tool, ensure_ascii=False) for tool in shown)]))
    return "\n\n".join(part for part in told if part)


def as_text(messages: Sequence[Wire]) -> list[Wire]:
    """Return messages in which calls and results stand as lines of text, for an endpoint that takes no tools."""
    told: list[Wire] = []
    for message in messages:
        if message["role"] == "tool":
            line = f"{OBSERVATION} {message['content']}"
            if told[-1]["role"] == "user":  # the results of one turn are one message
                line = f"{told.pop()['content']}\n{line}"
            told.append({"role": "user", "content": line})
        elif isinstance(calls := message.get("tool_calls"), list):
            functions = [call["function"] for call in calls if isinstance(call, dict)]
            lines = [f"Action: {f['name']}({f['arguments']})" for f in functions if isinstance(f, dict)]
            told.append({"role": "assistant", "content": "\n".join([str(message.get("content", "")), *lines]).strip()})
        else:
            told.append(message)
    return told


def read(reply: Reply, mode: str, textual: bool, turn: int, taken: Collection[str]) -> Reply:
    """Return a reply with its thought apart from its answer, and if it acts by lines, with the calls that it wrote."""
    text = reply.text
    answer, action = _ANSWER.search(text), _ACTION.search(text) if textual and not reply.calls else None
    if action and not (answer and answer.start() < action.start()):
        return replace(reply, text=text[: action.start()].strip(), calls=_calls(text, turn, taken))
    if mode != "react" or reply.calls:
        return reply
    if answer:
        return replace(reply, text=text[answer.end() :].strip(), thought=thought(text[: answer.start()]))
    if not text.lstrip().startswith(THOUGHT):
        return reply
    first, _, rest = text.strip().partition("\n\n")  # it forgot to say where its answer begins
    return replace(reply, text=rest.strip() or thought(first), thought=thought(first) if rest.strip() else "")


def thought(text: str) -> str:
    """Return a thought without the words that mark it."""
    return _MARK.sub("", text).strip()


def _calls(text: str, turn: int, taken: Collection[str]) -> tuple[Call, ...]:
    """Return the calls of all action lines; a line that cannot be read is a call that must not run."""
    calls: list[Call] = []
    for number, line in enumerate(_ACTION.findall(text)):
        calls.append(_call(line.strip(), new_id(turn, number, {*taken, *(call.id for call in calls)})))
    return tuple(calls)


def _call(line: str, id_: str) -> Call:
    parts = _CALL.fullmatch(line)
    if not parts:
        return Call(id_, "action", {}, line, UNREADABLE)
    arguments, problem = read_arguments(parts[2])
    return Call(id_, parts[1], arguments, parts[2], problem)


class Voices:
    """Parts streamed text into thought and answer, as far as that can be told before the end."""

    def __init__(self, parted: bool) -> None:
        self._answering = not parted
        self._text = ""
        self._given = 0

    def feed(self, piece: str) -> tuple[str, str]:
        """Take the next piece; return what is certain of the thought and of the answer."""
        if self._answering:
            return "", piece
        self._text += piece
        start = self._text.lstrip()
        marks = (THOUGHT, "Action:")
        if not start or any(mark.startswith(start) for mark in marks):
            return "", ""
        if not self._given and start.startswith(THOUGHT):
            self._given = self._text.index(THOUGHT) + len(THOUGHT)
        elif not self._given and not start.startswith("Action:") and not _ANSWER.match(start):
            if ANSWER.startswith(start.lstrip("*")):
                return "", ""
            self._answering = True  # it does not think in the open
            return "", self._text
        if found := _ANSWER.search(self._text):
            self._answering = True
            return self._text[self._given : max(found.start(), self._given)], self._text[found.end() :].lstrip("\n")
        end = self._text.rfind("\n") + 1  # the line that is being written may turn out to begin the answer
        line = self._text[end:].lstrip(" \t*")
        end = end if ANSWER.startswith(line[: len(ANSWER)]) else len(self._text)
        end = max(end, self._given)
        given, self._given = self._text[self._given : end], end
        return given, ""
