"""Finds out what an endpoint can do, by asking: its models, streaming, token counts, tools, several calls at once."""

import asyncio
import json
from collections.abc import Mapping
from contextlib import aclosing
from dataclasses import dataclass, field

from chat.wire.endpoint import Endpoint
from chat.wire.errors import NoReply
from chat.wire.stream import Assembler
from chat.wire.values import Reply
from tools.text import clean

EACH_SECONDS = 20.0
WHOLE_SECONDS = 60.0

COUNT = "Count from 1 to 10 in digits, with a blank between two. Say nothing else."
ONE_CALL = "What is 2 + 3? Call the tool add to find out."
TWO_CALLS = "What is 2 + 3, and what is 4 + 5? Call the tool add twice, both calls in one reply."
NUMBERS = {"type": "object", "properties": {n: {"type": "number"} for n in ("a", "b")}, "required": ["a", "b"]}
ADD = {"type": "function", "function": {"name": "add", "description": "Add two numbers.", "parameters": NUMBERS}}


@dataclass(frozen=True, slots=True)
class Findings:
    """What was found: the models listed, each with its context size where that is said, and what the endpoint can do.

    `abilities` has "streaming", "stream_options" (False: refused), "usage_in_stream", and of the model that was asked
    "tools:<model>" (False: refused) and "parallel_tools:<model>"; one is absent where it could not be found out.
    `problems` has a sentence for each thing that did not work.
    """

    models: Mapping[str, int | None]
    abilities: Mapping[str, bool]
    problems: tuple[str, ...]


async def probe(
    endpoint: Endpoint, model: str = "", each: float = EACH_SECONDS, whole: float = WHOLE_SECONDS
) -> Findings:
    """Ask an endpoint four or five things, for `each` and `whole` seconds at most. Without a model: the first listed.

    What the endpoint does is never raised, but found.
    """
    probing = _Probing(endpoint, model, each)
    try:
        async with asyncio.timeout(whole):
            await probing.find_models()
            if await probing.stream():
                await probing.call_tools()
    except TimeoutError:
        probing.problems.append(f"{endpoint.host} took more than {whole:g} seconds in all. The rest was not tried.")
    return Findings(probing.models, probing.abilities, tuple(clean(problem) for problem in probing.problems))


@dataclass(slots=True)
class _Probing:
    endpoint: Endpoint
    model: str
    seconds: float
    models: dict[str, int | None] = field(default_factory=dict)
    abilities: dict[str, bool] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    async def find_models(self) -> None:
        try:
            self.models = await self.endpoint.listing()
        except NoReply as error:
            self.problems.append(str(error))
        self.model = self.model or next(iter(self.models), "")

    async def stream(self) -> bool:
        """Have it count, and look at how that comes; say whether it answers at all."""
        if not self.model:
            self.problems.append("There is no model to ask. Name one.")
            return False
        try:
            reply, pieces = await self._count()
        except NoReply as error:
            self.problems.append(str(error))
            return False
        if not pieces:
            self.problems.append("Its reply was empty.")
            return False
        self.abilities |= {"streaming": pieces > 1, "usage_in_stream": reply.usage.output is not None}
        if pieces < 2:
            self.problems.append("The reply came in one piece: it does not stream.")
        if reply.usage.output is None:
            self.problems.append("Its replies do not say how many tokens were used.")
        return True

    async def call_tools(self) -> None:
        for name, text, wanted in (("tools", ONE_CALL, 1), ("parallel_tools", TWO_CALLS, 2)):
            ability = f"{name}:{self.model}"
            try:
                reply, _ = await self._ask(text, tools=[ADD])
            except NoReply as error:
                if not error.again and error.reason == "error":
                    self.abilities[ability] = False
                self.problems.append(f"With a tool: {error}")
                return
            calls = [call for call in reply.calls if call.name == "add" and not call.problem]
            if not calls:  # that may be this model, and this once
                self.problems.append(f"{self.model} did not call the tool that it was asked to call.")
                return
            self.abilities[ability] = len(calls) >= wanted
            if len(calls) < wanted:
                self.problems.append("Of two tool calls asked for at once it made one.")

    async def _count(self) -> tuple[Reply, int]:
        try:
            answer = await self._ask(COUNT, stream_options={"include_usage": True})
        except NoReply as refusal:
            if refusal.again:
                raise
            answer = await self._ask(COUNT)
            self.problems.append(f"It refuses stream_options, by which token counts are asked for: {refusal}")
            self.abilities["stream_options"] = False
        else:
            self.abilities["stream_options"] = True
        return answer

    async def _ask(self, text: str, **fields: object) -> tuple[Reply, int]:
        """Return the whole reply and the number of pieces that its text came in. Raises NoReply."""
        asked = {"model": self.model, "messages": [{"role": "user", "content": text}], "stream": True, **fields}
        assembler, pieces = Assembler(self.endpoint.redactor()), 0
        try:
            async with asyncio.timeout(self.seconds):
                async with aclosing(self.endpoint.stream(json.dumps(asked).encode(), assembler)) as stream:
                    async for _ in stream:
                        pieces += 1
        except TimeoutError:
            raise NoReply(f"{self.endpoint.host} took more than {self.seconds:g} seconds to reply.") from None
        return assembler.reply(), pieces
