"""How far a run had come when its process died, read from its rows, so that another one can go on from there."""

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal

from chat.agent.asking import is_empty
from chat.agent.limits import Limits
from chat.agent.task import Begun, Task
from chat.models import Run, Step, StepKind, StepStatus
from chat.step_values import reply_of, usage_of
from tools.registry import registry


def catch_up(task: Task, run: Run, steps: Sequence[Step]) -> None:
    """Bring the task of a run that has begun to where it was; its entries hold all that was said already."""
    asking = task.asking
    for step in steps:
        if step.asks_model and step.status == StepStatus.DONE:
            asking.budget.spend(usage_of(step), step.cost)
        if step.kind == StepKind.LIMIT:
            task.last = step.input["limit"]
    task.turn = max(run.turns, 1)
    answers = [step for step in steps if step.input.get("purpose") == "answer"]
    last = answers[-1] if answers else None
    for step in answers:
        reply = reply_of(step)
        if step.status != StepStatus.DONE or is_empty(reply, for_person=True):
            continue
        if step is not last:
            task.count_repeats(reply.calls)
            continue
        task.begun = Begun(step.number, _answered(step, steps))
        asking.reply, asking.host, asking.sent = reply, step.input.get("host", ""), step.input["bytes"]


def limits(run: Run) -> Limits:
    """Return the limits that were frozen when a run began."""
    kept = run.request["limits"]
    cost = None if kept["cost"] is None else Decimal(str(kept["cost"]))
    return Limits(turns=kept["turns"], tokens=kept["tokens"], cost=cost, seconds=kept["seconds"])


def worked(run: Run, steps: Sequence[Step]) -> float:
    """Return the seconds that a run was at work, without those in which no process worked on it.

    Each attempt has a clock of its own, which nobody sets. Of what was under way when its process died the end is
    known from its lease alone, by clocks that may have been set; a run never works for longer than its limit.
    """
    if run.started is None:
        return 0
    seconds, began, last = 0.0, run.started, run.started
    for step in steps:
        if step.kind == StepKind.RESUMED:
            seconds += (last - began).total_seconds()
            began = last = step.ended or step.started
        else:
            last = max(last, step.started + timedelta(seconds=_plausible(run, step)))
    return seconds + (last - began).total_seconds()


def _plausible(run: Run, step: Step) -> float:
    most, seconds = run.request.get("limits", {}).get("seconds"), step.seconds or 0
    return 0 if step.status == StepStatus.UNKNOWN and most is not None and seconds > most else seconds


def outside_ran(steps: Sequence[Step]) -> bool:
    """Say whether a tool ran whose result is text from outside; of one that is not there any more, nobody knows."""
    tools = [step for step in steps if step.kind == StepKind.TOOL and not step.never_ran]
    known = [registry.get(step.name) for step in tools]
    return any(tool is None or tool.outside for tool in known)


def _answered(asked: Step, steps: Sequence[Step]) -> frozenset[str]:
    """Return the ids of the calls of a model step that have a result."""
    return frozenset(step.input["id"] for step in steps if step.parent_id == asked.pk and step.output)
