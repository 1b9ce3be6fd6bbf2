"""Measures how often the very small model of the tests chooses the right tool: python -m tests.bench.tool_choice

16 questions at temperature 0, each asked in three ways: with the tools as the protocol has them, with the tools told in
words and called by lines, and the same after an example of each. It says something of that model, not of the site.
"""

import asyncio
import os
import sys
from collections.abc import Sequence

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "agentsite.settings")

import django

django.setup()

from chat.agent import react  # noqa: E402
from chat.agent.transcript import Entry, Frozen, Said, request  # noqa: E402
from chat.local.process import start  # noqa: E402
from chat.local.site import Transport  # noqa: E402
from chat.wire.endpoint import Endpoint  # noqa: E402
from chat.wire.errors import NoReply  # noqa: E402
from chat.wire.stream import Assembler  # noqa: E402
from tests.gguf import MISSING, small_model  # noqa: E402
from tools.registry import registry  # noqa: E402

REPLY_TOKENS = 96
QUESTIONS = {
    "get_weather": (
        "What is the weather in Paris?",
        "Is it raining in Oslo?",
        "How warm is it in Rome?",
        "Weather, Tokyo",
    ),
    "calculate": ("What is 17 * 23?", "Divide 1024 by 37.", "What is the square root of 1764?", "15% of 260?"),
    "current_time": (
        "What time is it in Tokyo?",
        "What day is it today?",
        "Time in New York now?",
        "Which year is it?",
    ),
    "remember": (
        "Remember that I like tea.",
        "My name is Ada, keep that in mind.",
        "Please note that I live in Bern.",
        "Remember that I prefer Celsius.",
    ),
}
SYSTEM = "You are a helpful agent. You have tools. Use the right one."
EXAMPLES = {
    "What is 2 + 3?": 'Action: calculate({"expression": "2 + 3"})',
    "How is the weather in Berlin?": 'Action: get_weather({"city": "Berlin"})',
    "What time is it in Madrid?": 'Action: current_time({"place": "Madrid"})',
    "Remember that I have a dog.": 'Action: remember({"fact": "I have a dog"})',
}
TOOLS_REFUSED = ("tools",)


async def main() -> None:
    file = small_model()
    if file is None:
        sys.exit(MISSING)
    engine = start(file, reply=REPLY_TOKENS, temperature=0.0)
    endpoint = Endpoint(engine.base_url, engine.key, Transport(engine))
    frozen = Frozen(SYSTEM, [tool for tool in registry.schemas() if tool["function"]["name"] in QUESTIONS])
    ways: dict[str, tuple[list[Entry], Sequence[str]]] = {
        "protocol": ([], ()),
        "lines": ([], TOOLS_REFUSED),
        "examples": (examples(), TOOLS_REFUSED),
    }
    for way, (before, without) in ways.items():
        right = 0
        for name, questions in QUESTIONS.items():
            for question in questions:
                body = request(frozen, [*before, Said("user", question)], engine.name, without=without)
                chosen = await choice(endpoint, body, textual=bool(without))
                right += chosen == name
                print(f"{way:9} {name:13} {chosen or '–':13} {question}")
        print(f"{way}: {right} of {sum(map(len, QUESTIONS.values()))}\n")
    await endpoint.close()
    engine.stop()


def examples() -> list[Entry]:
    """Return an exchange for each tool, as if it had been called before."""
    pairs = [(Said("user", question), Said("assistant", line)) for question, line in EXAMPLES.items()]
    return [said for pair in pairs for said in pair]


async def choice(endpoint: Endpoint, body: bytes, textual: bool) -> str:
    """Return the name of the first tool that a reply asks for, "" if it asks for none."""
    assembler = Assembler()
    try:
        async for _ in endpoint.stream(body, assembler):
            pass
        reply = react.read(assembler.reply(), "", textual, 1, ())
    except NoReply as error:
        return f"({error})"
    return reply.calls[0].name if reply.calls else ""


if __name__ == "__main__":
    asyncio.run(main())
