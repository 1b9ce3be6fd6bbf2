"""remember and forget: passed on to the user's memory, and described so that a model uses them rightly."""

import pytest

from tests.tools.doubles import ListMemory, context
from tools.builtin.memory import forget, remember
from tools.registry import registry


def memory_of(context: object) -> ListMemory:
    memory = getattr(context, "memory", None)
    assert isinstance(memory, ListMemory)
    return memory


async def test_a_fact_is_remembered() -> None:
    here = context()
    assert await remember(here, " Lives in Berlin ") == "Remembered: Lives in Berlin"
    assert memory_of(here).facts == ["Lives in Berlin"]


async def test_a_setting_is_kept_as_a_preference() -> None:
    here = context()
    await remember(here, "fahrenheit", preference=" temperature_units ")
    assert memory_of(here) == ListMemory([], {"temperature_units": "fahrenheit"})


async def test_a_blank_preference_is_none() -> None:
    here = context()
    await remember(here, "Lives in Berlin", preference=" ")
    assert memory_of(here).facts == ["Lives in Berlin"]


async def test_a_fact_is_forgotten_and_an_unknown_one_is_an_error() -> None:
    here = context()
    await remember(here, "Lives in Berlin")
    assert await forget(here, "Lives in Berlin") == "Forgotten: Lives in Berlin"
    result = await registry.call("forget", {"fact": "Lives in Berlin"}, here)
    assert result.text == "Error: nothing like that is remembered"
    assert not result.ok
    assert result.traceback == ""


@pytest.mark.parametrize("name", ["remember", "forget"])
def test_the_model_is_told_to_use_them_only_for_what_the_user_says_now(name: str) -> None:
    tool = registry.get(name)
    assert tool is not None
    assert "Use it only when the user" in tool.description
    assert "current message" in tool.description
    assert not tool.outside


def test_to_remember_twice_is_to_remember_once_but_to_forget_twice_may_forget_more() -> None:
    known = {name: tool.idempotent for name in ("remember", "forget") if (tool := registry.get(name))}
    assert known == {"remember": True, "forget": False}
