"""Tools: joined by @tool, called by name, and answered whatever they do."""

import asyncio
import contextvars
import functools
import sys
import threading
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any, NoReturn

import pytest

from tests.tools.doubles import context
from tools import registry as module
from tools.registry import Registry, ToolContext, ToolError, ToolResult, tool

CONTEXT = context()
colour: contextvars.ContextVar[str] = contextvars.ContextVar("colour", default="none")


def registry_of(*functions: Callable[..., object]) -> Registry:
    registry = Registry()
    for function in functions:
        registry.add(function)
    return registry


async def call(function: Callable[..., object], timeout: float = 30.0, **arguments: object) -> ToolResult:  # noqa: ASYNC109
    return await registry_of(function).call(function.__name__, arguments, CONTEXT, timeout)


async def once(event: threading.Event) -> None:
    async with asyncio.timeout(10):
        while not event.is_set():  # noqa: ASYNC110  a thread sets no asyncio.Event
            await asyncio.sleep(0.001)


def both(raise_it: Callable[[], object]) -> list[Callable[[], object]]:
    """The same as a tool that is a plain function, and as one that is async."""

    def plain() -> object:
        """Do it in a thread."""
        return raise_it()

    async def coroutine() -> object:
        """Do it on the event loop."""
        return raise_it()

    return [plain, coroutine]


# Joining


@pytest.fixture(autouse=True)
def _the_default_registry_is_left_as_it_was() -> Iterator[None]:
    tools, schemas = dict(module.registry._tools), list(module.registry._schemas)
    yield
    module.registry._tools = tools
    module.registry._schemas = schemas


def test_the_decorator_leaves_the_function_as_it_was() -> None:
    def double(x: int) -> int:
        """Double a number."""
        return 2 * x

    assert tool(double) is double
    added = module.registry.get("double")
    assert added is not None
    assert (added.timeout, added.idempotent, added.writes, added.outside) == (None, False, False, True)


def test_the_decorator_takes_options() -> None:
    @tool(name="thrice", timeout=5, idempotent=True, writes=True, outside=False)
    def triple(x: int) -> int:
        """Triple a number."""
        return 3 * x

    added = module.registry.get("thrice")
    assert added is not None
    assert added.function is triple
    assert (added.timeout, added.idempotent, added.writes, added.outside) == (5, True, True, False)
    assert module.registry.get("triple") is None


def test_schemas_are_in_the_order_of_joining_and_computed_once() -> None:
    def zebra(x: int) -> None:
        """Z."""

    def ant() -> None:
        """A."""

    registry = registry_of(zebra, ant)
    assert registry.names() == ["zebra", "ant"]
    assert [schema["function"]["name"] for schema in registry.schemas()] == ["zebra", "ant"]
    assert registry.schemas()[0] is registry.schemas()[0]
    assert registry.schemas()[1] == {
        "type": "function",
        "function": {
            "name": "ant",
            "description": "A.",
            "parameters": {"type": "object", "properties": {}, "additionalProperties": False},
        },
    }


def test_a_name_taken_twice_names_both() -> None:
    def one() -> None:
        """One."""

    def other() -> None:
        """Other."""

    registry = registry_of(one)
    with pytest.raises(ValueError, match=r"'one'.*<locals>\.one and .*<locals>\.other"):
        registry.add(other, name="one")
    assert registry.names() == ["one"]


@pytest.mark.parametrize("name", ["two words", "a.b", "x" * 65, "naïve"])
def test_a_name_that_the_api_would_refuse_is_refused_at_once(name: str) -> None:
    def fine() -> None:
        """Fine."""

    with pytest.raises(ValueError, match="64 letters"):
        Registry().add(fine, name=name)


def test_modules_are_loaded_by_name_and_their_tools_join(tmp_path: Path) -> None:
    (tmp_path / "site_of_ours_tools.py").write_text(
        'from tools.registry import tool\n\n@tool\ndef ours(x: int) -> int:\n    """Ours."""\n    return x\n'
    )
    sys.path.insert(0, str(tmp_path))
    try:
        module.registry.load(["site_of_ours_tools"])
    finally:
        sys.path.remove(str(tmp_path))
    assert "ours" in module.registry.names()


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("raise RuntimeError('half configured')", "RuntimeError: half configured"),
        ("import no_such_module_anywhere", "no_such_module_anywhere"),
        ("from tools.registry import tool\n\n@tool\ndef bare(): ...\n", "needs a docstring"),
    ],
)
def test_a_module_that_cannot_be_loaded_is_named_with_the_reason(tmp_path: Path, source: str, reason: str) -> None:
    name = f"broken_tools_{abs(hash(source))}"
    (tmp_path / f"{name}.py").write_text(source)
    sys.path.insert(0, str(tmp_path))
    try:
        with pytest.raises(ImportError, match=f"{name}.*{reason}"):
            Registry().load([name])
    finally:
        sys.path.remove(str(tmp_path))


# Calling


async def test_a_plain_function_runs_in_a_thread_and_an_async_one_here() -> None:
    def plain() -> int:
        """P."""
        return threading.get_ident()

    async def coroutine() -> int:
        """C."""
        return threading.get_ident()

    assert (await call(plain)).text != str(threading.get_ident())
    assert (await call(coroutine)).text == str(threading.get_ident())


async def test_the_result_is_the_value_as_text() -> None:
    async def place() -> dict[str, object]:
        """P."""
        return {"city": "Zürich", "n": [1, 2]}

    assert await call(place) == ToolResult('{"city":"Zürich","n":[1,2]}', ok=True)


async def test_the_context_is_filled_in() -> None:
    async def who(greeting: str, context: ToolContext) -> str:
        """W."""
        return f"{greeting} {context.user}"

    assert (await call(who, greeting="hello")).text == "hello alice"


async def test_context_variables_reach_the_tool() -> None:
    def plain() -> str:
        """P."""
        return colour.get()

    colour.set("red")
    assert (await call(plain)).text == "red"


async def test_a_method_and_a_wrapped_async_function_are_tools_too() -> None:
    class Counter:
        def count(self, to: int) -> int:
            """Count."""
            return to

    def logged(function: Callable[..., Coroutine[Any, Any, str]]) -> Callable[..., Coroutine[Any, Any, str]]:
        @functools.wraps(function)
        def wrapper(**arguments: object) -> Coroutine[Any, Any, str]:
            return function(**arguments)

        return wrapper

    @logged
    async def wrapped(x: int) -> str:
        """W."""
        return f"got {x}"

    assert (await call(Counter().count, to=3)).text == "3"
    assert (await call(wrapped, x=1)).text == "got 1"


async def test_an_unknown_tool_lists_the_known_ones() -> None:
    def one() -> None:
        """One."""

    result = await registry_of(one).call("multi_tool_use.parallel", {}, CONTEXT)
    assert not result.ok
    assert result.text == "Error: there is no tool named 'multi_tool_use.parallel'; the tools are: one"
    assert (await Registry().call("x" * 10_000, {}, CONTEXT)).text.endswith("the tools are: none")


async def test_wrong_arguments_are_named_and_the_tool_does_not_run() -> None:
    ran = []

    def note(text: str) -> None:
        """Note."""
        ran.append(text)

    wrong: list[dict[str, object]] = [{}, {"text": 1}, {"text": "a", "more": 1}]
    for arguments in wrong:
        result = await registry_of(note).call("note", arguments, CONTEXT)
        assert not result.ok
        assert result.text.startswith("Error: note was not run: ")
        assert not result.traceback
    assert ran == []


async def test_what_a_tool_raises_is_told_to_the_model_and_its_traceback_only_to_the_trace() -> None:
    def divide() -> float:
        return 1 / 0

    for function in both(divide):
        result = await call(function)
        assert result.text == "Error: ZeroDivisionError: division by zero"
        assert result.error == "ZeroDivisionError: division by zero"
        assert "in divide" in result.traceback
        assert not result.ok


async def test_a_tool_says_a_sentence_of_its_own_with_tool_error() -> None:
    def refuse() -> NoReturn:
        raise ToolError("the shop is closed")

    for function in both(refuse):
        assert await call(function) == ToolResult("Error: the shop is closed", ok=False, error="the shop is closed")


class Silent(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no words")


@pytest.mark.parametrize(
    "error",
    [
        asyncio.CancelledError("mine"),
        SystemExit(3),
        KeyboardInterrupt(),
        GeneratorExit(),
        StopIteration(1),
        StopAsyncIteration(),
        TimeoutError("slow"),
        MemoryError(),
        RecursionError("deep"),
        BaseExceptionGroup("several", [SystemExit(1)]),
        Silent(),
    ],
    ids=lambda error: type(error).__name__,
)
async def test_nothing_a_tool_raises_gets_out(error: BaseException) -> None:
    def fail() -> NoReturn:
        raise error

    for function in both(fail):
        result = await call(function)
        assert not result.ok
        assert result.text.startswith("Error: ")
        assert type(error).__name__ in result.text or type(error) is StopIteration
        assert result.traceback


async def test_a_tool_that_cancels_itself_is_an_error_and_not_a_stop() -> None:
    async def cancel_and_wait() -> None:
        """C."""
        task = asyncio.current_task()
        assert task is not None
        task.cancel()
        await asyncio.sleep(0)

    async def cancel_and_return() -> str:
        """C."""
        task = asyncio.current_task()
        assert task is not None
        task.cancel()
        return "done"

    for function in (cancel_and_wait, cancel_and_return):
        result = await call(function)
        assert result.text == "Error: CancelledError"
    current = asyncio.current_task()
    assert current is not None
    assert current.cancelling() == 0


async def test_one_raises_and_its_sibling_finishes() -> None:
    def fail() -> NoReturn:
        """Fail."""
        raise SystemExit

    async def work() -> str:
        """Work."""
        await asyncio.sleep(0)
        return "done"

    registry = registry_of(fail, work)
    failed, done = await asyncio.gather(registry.call("fail", {}, CONTEXT), registry.call("work", {}, CONTEXT))
    assert (failed.ok, done.text) == (False, "done")


async def test_the_short_error_is_one_short_line() -> None:
    def fail() -> NoReturn:
        """Fail."""
        raise ValueError("line one\nline two\x00\ud800" + "x" * 10_000)

    result = await call(fail)
    assert len(result.error) <= 200
    assert "\n" not in result.error
    for text in (result.text, result.error, result.traceback):
        assert "\x00" not in text
        text.encode("utf-8")


async def test_a_result_that_cannot_be_written_is_still_a_success() -> None:
    class Leaving:
        def __repr__(self) -> str:
            raise SystemExit

    for function in both(Leaving):
        assert await call(function) == ToolResult("<Leaving>", ok=True)


# Limits


async def test_an_async_tool_is_cancelled_at_its_limit() -> None:
    cancelled = threading.Event()

    async def sleep() -> None:
        """S."""
        try:
            await asyncio.sleep(60)
        finally:
            cancelled.set()

    result = await call(sleep, timeout=0.01)
    assert result == ToolResult(
        "Error: sleep did not finish within 0.01 s", ok=False, error="sleep did not finish within 0.01 s"
    )
    await once(cancelled)


async def test_an_async_tool_that_will_not_be_cancelled_is_not_waited_for() -> None:
    release = asyncio.Event()

    async def stubborn() -> str:
        """S."""
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            await release.wait()
        return "too late"

    assert "did not finish" in (await call(stubborn, timeout=0.01)).text
    release.set()
    await asyncio.sleep(0)


async def test_a_plain_tool_is_answered_at_its_limit_though_its_thread_goes_on() -> None:
    release, ended = threading.Event(), threading.Event()

    def hang() -> str:
        """H."""
        release.wait(30)
        ended.set()
        return "too late"

    assert (await call(hang, timeout=0.01)).text == "Error: hang did not finish within 0.01 s"
    release.set()
    await once(ended)


async def test_tools_that_hang_do_not_use_up_the_threads() -> None:
    release = threading.Event()

    def hang() -> None:
        """H."""
        release.wait(30)

    def quick() -> str:
        """Q."""
        return "done"

    await asyncio.gather(*(call(hang, timeout=0.05) for _ in range(40)))
    assert (await call(quick)).text == "done"
    release.set()


async def test_the_limit_of_the_tool_goes_before_that_of_the_caller() -> None:
    async def sleep() -> None:
        """S."""
        await asyncio.sleep(60)

    registry = Registry()
    registry.add(sleep, timeout=0.02)
    assert (await registry.call("sleep", {}, CONTEXT, timeout=30)).error.endswith("within 0.02 s")


# Stop


@pytest.mark.parametrize("kind", ["plain", "async", "stubborn"])
async def test_a_stop_is_answered_at_once(kind: str) -> None:
    started, release, loop_release = threading.Event(), threading.Event(), asyncio.Event()

    def plain() -> None:
        """P."""
        started.set()
        release.wait(30)

    async def coroutine() -> None:
        """C."""
        started.set()
        await loop_release.wait()

    async def stubborn() -> None:
        """S."""
        started.set()
        try:
            await loop_release.wait()
        except asyncio.CancelledError:
            await loop_release.wait()

    function = {"plain": plain, "async": coroutine, "stubborn": stubborn}[kind]
    running = asyncio.create_task(call(function))
    await once(started)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(running, 5)
    assert running.cancelled()
    release.set()
    loop_release.set()
    await asyncio.sleep(0)
