"""ReAct: a short thought before each act and before the answer; and acting by lines of text where tools are refused.

Source: Yao et al., ReAct, https://arxiv.org/abs/2210.03629. What is written is parsed strictly, and what does not parse
is answered with an error, so that what is shown is what is done.
"""

import json
import re
from collections.abc import Collection, Sequence
from dataclasses import replace

from chat.wire.strict import read_arguments
from chat.wire.values import JSON, Call, Reply, Wire, new_id

THOUGHT, ANSWER, ACTION, OBSERVATION = "Thought:", "Answer:", "Action:", "Observation:"
THINK = """\
Think in the open. Before you call tools, and before you answer, write one short thought in a line that begins with \
"Thought:". When you know enough, write a line that begins with "Answer:", and after it the answer for the person, \
who need not read the thoughts."""
ACT = """\
You call tools by lines of exactly this form, one call a line:
Action: name({"argument": "value"})
Stop after the last of them. The results follow in lines that begin with "Observation:"; never write one yourself.
The tools, with the JSON Schema of their arguments:"""

_LINE = re.compile(r"[^\n]*\n|[^\n]+")
_CALL = re.compile(r"([\w.-]{1,64})\((.*)\)", re.DOTALL)
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
    voices = Voices(mode == "react", textual and not reply.calls)
    voices.feed(reply.text)
    voices.end()
    if voices.actions:
        return replace(reply, text=reply.text[: voices.acts_at].strip(), calls=_calls(voices.actions, turn, taken))
    if reply.calls or mode != "react":
        return reply
    if voices.answer.strip() or not voices.thought:
        return replace(reply, text=voices.answer.strip(), thought=voices.thought.strip())
    first, _, rest = voices.thought.strip().partition("\n\n")  # it forgot to say where its answer begins
    return replace(reply, text=rest.strip() or first, thought=first if rest.strip() else "")


def thought(text: str) -> str:
    """Return a thought without the words that mark it."""
    voices = Voices(react=True)
    voices.feed(text)
    voices.end()
    return (voices.thought + voices.answer).strip()


def _calls(lines: Sequence[str], turn: int, taken: Collection[str]) -> tuple[Call, ...]:
    """Return the calls of all action lines; a line that cannot be read is a call that must not run."""
    calls: list[Call] = []
    for number, line in enumerate(lines):
        calls.append(_call(line.strip(), new_id(turn, number, {*taken, *(call.id for call in calls)})))
    return tuple(calls)


def _call(line: str, id_: str) -> Call:
    parts = _CALL.fullmatch(line)
    if not parts:
        return Call(id_, "action", {}, line, UNREADABLE)
    arguments, problem = read_arguments(parts[2])
    return Call(id_, parts[1], arguments, parts[2], problem)


class Voices:
    """Parts text, as it streams in, into its `thought`, its `answer` and its `actions`, which begin `acts_at`.

    A mark counts at the beginning of a line only. What does not begin with a thought is the answer, all of it. Behind
    the mark of the answer nothing is a mark any more, and behind an action only more of them count: what the model
    makes of results that it does not have yet is worth nothing.
    """

    def __init__(self, react: bool = False, textual: bool = False) -> None:
        self.thought = self.answer = ""
        self.actions: list[str] = []
        self.acts_at = 0
        names = ([THOUGHT, ANSWER] if react else []) + ([ACTION, OBSERVATION, ANSWER] if textual else [])
        self._marks = {mark: name for name in names for mark in (name, f"**{name}**", f"**{name[:-1]}**:")}
        self._react, self._textual = react, textual
        self._says = "" if names else ANSWER
        self._begins = bool(names)  # a line, which may turn out to begin with a mark
        self._held, self._taken = "", 0

    def feed(self, piece: str) -> tuple[str, str]:
        """Take the next piece; return what is certain of the thought and of the answer."""
        thought, answer = len(self.thought), len(self.answer)
        for part in _LINE.findall(piece):
            self._held += part
            self._taken += len(part)
            if part.endswith("\n") or not (self._begins and self._may_be_a_mark(self._held.lstrip())):
                self.end()
                self._begins = bool(self._marks) and part.endswith("\n")
        return self.thought[thought:], self.answer[answer:]

    def _may_be_a_mark(self, line: str) -> bool:
        """Say whether a line may still turn out to begin with a mark, or blanks may still follow the one it is."""
        return any(mark.startswith(line) or line.rstrip(" \t") == mark for mark in self._marks)

    def end(self) -> None:
        """Take what is held back for what it is so far: no more of its line comes."""
        said = self._read(self._held) if self._begins else self._held
        self._held = ""
        if self._says == THOUGHT:
            self.thought += said
        elif self._says == ANSWER:
            self.answer += said
        elif self._says == ACTION:
            self.actions[-1] += said

    def _read(self, held: str) -> str:
        """Read the beginning of a line: it may change who speaks. Return what of it is said."""
        line = held.lstrip()
        mark = next((mark for mark in self._marks if line.startswith(mark)), "")
        name, rest = self._marks.get(mark, ""), line[len(mark) :].lstrip(" \t")
        if name == ACTION:
            self.acts_at = self.acts_at if self.actions else self._taken - len(held)
            self._says = ACTION
            self.actions.append("")
            return rest
        if self.actions:
            self._says = OBSERVATION
        elif self._react and self._says != ANSWER and name in (THOUGHT, ANSWER):
            self._says, held = name, rest
        elif line and not self._says:
            self._says = ANSWER
        if name == ANSWER or (name == OBSERVATION and self.actions) or (self._says == ANSWER and not self._textual):
            self._marks = {}
        return held
