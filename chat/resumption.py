"""How far a run had come when its process died, read from its rows, so that another one can go on from there."""

from collections.abc import Sequence
from datetime import datetime
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


def worked(run: Run, steps: Sequence[Step], at: datetime) -> float:
    """Return the seconds that a run was at work, without those in which no process worked on it."""
    if run.started is None:
        return 0
    pauses = (step.seconds or 0 for step in steps if step.kind == StepKind.RESUMED)
    return max(0, (at - run.started).total_seconds() - sum(pauses))


def outside_ran(steps: Sequence[Step]) -> bool:
    """Say whether a tool ran whose result is text from outside; of one that is not there any more, nobody knows."""
    tools = [step for step in steps if step.kind == StepKind.TOOL and not step.never_ran]
    known = [registry.get(step.name) for step in tools]
    return any(tool is None or tool.outside for tool in known)


def _answered(asked: Step, steps: Sequence[Step]) -> frozenset[str]:
    """Return the ids of the calls of a model step that have a result."""
    return frozenset(step.input["id"] for step in steps if step.parent_id == asked.pk and step.output)
