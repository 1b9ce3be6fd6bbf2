"""An event loop whose time passes only while all of its tasks sleep: an hour of waiting takes a moment, exactly."""

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

A_TURN = 1e-9  # seconds that one turn of the loop takes, so that time never stands still


class VirtualLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._selector_of_time = _Selector()
        super().__init__(self._selector_of_time)

    def time(self) -> float:
        return self._selector_of_time.now


class _Selector(selectors.DefaultSelector):
    now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise AssertionError("Everybody waits for somebody else.")
        self.now += timeout + A_TURN
        found: list[tuple[selectors.SelectorKey, int]] = super().select(0)
        return found


def run(main: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end in virtual time; a task that it leaves behind is an error."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(_alone(main))


def in_virtual_time(test: Callable[[], Coroutine[Any, Any, None]]) -> Callable[[], None]:
    """Decorate a test that takes no fixtures."""

    def in_its_loop() -> None:
        run(test())

    return in_its_loop


def now() -> float:
    """The time of the loop that runs, as a clock for what is tested."""
    return asyncio.get_running_loop().time()


async def _alone(main: Coroutine[Any, Any, T]) -> T:
    result = await main
    left = asyncio.all_tasks() - {asyncio.current_task()}
    assert not left, f"Left behind: {left}"
    return result
