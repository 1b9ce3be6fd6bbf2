"""A window that is learned by a refusal: kept in the run, and for later ones once a shorter request proves it."""

import pytest

from chat.agent.events import ModelFailed
from chat.agent.transcript import Said
from chat.wire.endpoint import Target
from tests.agent.test_fitting import MANY, WINDOW, looks_on, summaries
from tests.agent.working import ended, events, is_summary, refusal, ruled, task
from tests.scripted import says


async def test_a_window_that_is_learned_by_a_refusal_is_kept_from_then_on() -> None:
    served, script = ruled(looks_on(80), WINDOW)
    found = await events(task(Target(served, "m"), limits=MANY, window=100_000))
    assert ended(found).stop_reason == "done"
    assert script.refused == 1
    failed = next(n for n, one in enumerate(found) if isinstance(one, ModelFailed))
    assert "too long for the model" in found[failed].error  # type: ignore[union-attr]
    assert summaries(found)


@pytest.mark.parametrize("says_which", [True, False])
async def test_a_window_that_is_learned_by_a_refusal_holds_for_later_runs(says_which: bool) -> None:
    served, script = ruled(lambda asked: says("Summed up." if is_summary(asked) else "Done."), WINDOW)
    script.names_window = says_which
    target = Target(served, "m", 100_000)
    said = [*[Said("user", "x" * 900), Said("assistant", "y" * 900)] * 15, Said("user", "Well?")]
    assert ended(await events(task(target, said=said))).stop_reason == "done"
    refused = script.refused
    assert refused == 1 if says_which else 0 < refused < 3
    known = served.window("m") or 0
    assert known == WINDOW if says_which else WINDOW / 2 < known < 2 * WINDOW
    assert ended(await events(task(target, said=said))).stop_reason == "done"
    assert script.refused == refused


async def test_a_refusal_that_no_shorter_request_gets_round_teaches_nothing() -> None:
    """Else one odd answer would make every later message too long."""
    served, _ = ruled(lambda asked: refusal("Please reduce the length of the messages."))
    assert ended(await events(task(Target(served, "m")))).stop_reason == "context"
    assert served.window("m") is None
