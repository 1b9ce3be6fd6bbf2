"""A turn that another process began: what is there already is neither asked for nor run again."""

from collections.abc import Sequence

from chat.agent.asking import Asking
from chat.agent.events import Ended, Event, LimitReached, ModelStarted, ToolEnded, ToolStarted
from chat.agent.fitting import Fitting
from chat.agent.limits import Budget, Limits
from chat.agent.loop import run
from chat.agent.task import Begun, Task
from chat.agent.transcript import Answered, Asked, Entry, Frozen, Said
from chat.wire.endpoint import Endpoint, Target
from chat.wire.values import JSON, Call, Reply
from tests.scripted import Scripted, asks, call, endpoint, says
from tools.registry import ToolResult

CALLS = Call("a", "look", {"place": "here"}), Call("b", "look", {"place": "there"})
ASKED: tuple[Entry, ...] = (Said("user", "Look!"), Asked("", CALLS))
LAST_STEP = 9


async def events(
    served: Endpoint, said: Sequence[Entry], reply: Reply, answered: Sequence[str] = (), last: str = "", turn: int = 1
) -> tuple[list[Event], list[str]]:
    """Return what happens after step 9, where the reply of a turn is step 2; and the places that were looked at."""
    asking = Asking([Target(served, "m")], Budget(Limits(turns=2)), number=LAST_STEP, first_wait=0, reply=reply)
    task = Task([*said], Fitting(Frozen(""), asked=0), asking, turn=turn, last=last, begun=Begun(2, answered))
    places: list[str] = []

    async def look(name: str, arguments: dict[str, JSON]) -> ToolResult:
        places.append(str(arguments["place"]))
        return ToolResult("seen", ok=True)

    return [event async for batch in run(task, look) for event in batch], places


def results(script: Scripted) -> list[str]:
    return [message["content"] for message in script.requests[0]["messages"] if message["role"] == "tool"]


async def test_only_calls_without_a_result_are_run_as_new_steps_of_the_same_model_step() -> None:
    served, script = endpoint(says("Done."))
    found, places = await events(served, [*ASKED, Answered("a", "seen before")], Reply(calls=CALLS), ["a"])
    assert isinstance(found[0], ToolStarted)
    assert (found[0].number, found[0].parent, found[0].call) == (LAST_STEP + 1, 2, CALLS[1])
    assert places == ["there"]
    assert results(script) == ["seen before", "seen"]
    script.done()


async def test_where_all_calls_have_results_the_model_is_asked_at_once() -> None:
    served, script = endpoint(says("Done."))
    said = [*ASKED, Answered("a", "one"), Answered("b", "two")]
    found, places = await events(served, said, Reply(calls=CALLS), ["a", "b"])
    assert isinstance(found[0], ModelStarted)
    assert (found[0].number, found[0].turn, found[0].after) == (LAST_STEP + 1, 2, LAST_STEP)
    assert places == []
    assert results(script) == ["one", "two"]


async def test_an_answer_that_is_there_already_is_not_asked_for_again() -> None:
    served, script = endpoint()
    found, _ = await events(served, ASKED[:1], Reply("Done."))
    [ended] = found
    assert isinstance(ended, Ended)
    assert (ended.status, ended.stop_reason, ended.text) == ("done", "done", "Done.")
    assert script.requests == []


async def test_the_turn_after_it_is_counted_on_and_runs_its_tools() -> None:
    served, _ = endpoint(asks(call("look", {"place": "far"})), says("Done."))
    found, places = await events(served, [*ASKED, Answered("a", "one"), Answered("b", "two")], Reply(calls=CALLS), "ab")
    assert places == ["far"]
    assert [event.number for event in found if isinstance(event, ToolEnded)] == [LAST_STEP + 2]
    assert [event.limit for event in found if isinstance(event, LimitReached)] == ["max_turns"]


async def test_seconds_at_work_in_other_processes_count() -> None:
    budget = Budget(Limits(seconds=100), clock=lambda: 1_000.0, worked=60)
    assert budget.left(last=True) == 40
