"""A real model that takes no tools acts by lines of text: what it writes is read, run and given back to it."""

from typing import Any

from chat.agent.asking import Asking
from chat.agent.events import Ended, ModelStarted, ToolEnded, ToolStarted
from chat.agent.fitting import Fitting
from chat.agent.limits import Budget, Limits
from chat.agent.loop import run
from chat.agent.task import Task
from chat.agent.transcript import Entry, Frozen, Said
from chat.local.process import Engine
from chat.wire.endpoint import Endpoint, Target
from tests.bench.tool_choice import SYSTEM, examples
from tools.registry import ToolResult, registry

QUESTIONS = ("What is the weather in Paris?", "How is the weather in Rome?", "Weather in Oslo?", "Is it warm in Lima?")


async def test_a_real_model_calls_a_tool_by_a_line(engine: Engine) -> None:
    """It is a very small model: of some questions, one is enough on which it acts."""
    for question in QUESTIONS:
        if "get_weather" in await names_called(engine, question):
            return
    raise AssertionError("On no question did it write an action line that names the tool.")


async def names_called(engine: Engine, question: str) -> list[str]:
    """Ask one question; what it wrote as a call is what was run, and each call is answered."""
    ran: list[tuple[str, dict[str, Any]]] = []

    async def call_tool(name: str, arguments: dict[str, Any]) -> ToolResult:
        ran.append((name, arguments))
        return ToolResult('{"temperature_celsius": 14}', ok=True)

    endpoint = Endpoint(engine.base_url, engine.key, abilities={"tools": False})
    told: list[Entry] = [*examples(), Said("user", question)]
    fitting = Fitting(Frozen(SYSTEM, registry.schemas()), asked=len(told) - 1)
    task = Task(told, fitting, Asking([Target(endpoint, engine.name)], Budget(Limits(turns=1)), first_wait=0))
    found = [event async for batch in run(task, call_tool) for event in batch]
    await endpoint.close()

    assert all("tools" in event.without for event in found if isinstance(event, ModelStarted))
    calls = [event.call for event in found if isinstance(event, ToolStarted)]
    assert ran == [(call.name, call.arguments) for call in calls if not call.problem]
    assert sum(isinstance(event, ToolEnded) for event in found) == len(calls)
    assert isinstance(found[-1], Ended)
    return [name for name, _ in ran]
