"""What the models of runs thought, and have said so far, as far as it stands in the list of messages.

Of a long run these are its last thoughts, so that a page costs as much after ten thousand steps as after ten.
"""

import uuid
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from chat.agent.react import thought
from chat.branches import key
from chat.models import Run, Step, StepStatus

SHOWN_STEPS = 20  # model steps of one run
SHOWN_CHARACTERS = 64 * 1024  # of one run

# One more than are shown says that there are earlier ones.
LAST_MODEL_STEPS = """
    SELECT step.id, step.run_id, step.number, step.status, step.input, step.output FROM chat_run run
    JOIN chat_step step ON step.run_id = run.id AND step.kind = 'model' AND step.number >= COALESCE((
        SELECT number FROM chat_step WHERE run_id = run.id AND kind = 'model' ORDER BY number DESC LIMIT 1 OFFSET %s
    ), 0) WHERE run.id IN ({runs}) ORDER BY step.run_id, step.number
"""


@dataclass(frozen=True, slots=True)
class Thought:
    """What a model thought in a step, in the open, or as the `reasoning` that its endpoint sends."""

    text: str
    reasoning: bool = False


class Said(NamedTuple):
    """By run what its model thought, and what a live one has said so far or, while its title is made, in all.

    `longer` are the runs that thought more before that.
    """

    thoughts: dict[uuid.UUID, list[Thought]]
    partial: dict[uuid.UUID, str]
    longer: Collection[uuid.UUID]


def said(runs: Collection[Run]) -> Said:
    """Read it, of runs that are shown. What was lost, with its endpoint or its process, comes again and is left out."""
    thoughts: dict[uuid.UUID, list[Thought]] = {}
    partial: dict[uuid.UUID, str] = {}
    longer: set[uuid.UUID] = set()
    for run, steps in _last_steps(runs).items():
        last = [step for step in steps[-SHOWN_STEPS:] if step.input.get("purpose", "answer") == "answer"]
        found = [one for step in last for one in _thoughts(step)]
        thoughts[run] = _that_fit(found)
        if found and (len(steps) > SHOWN_STEPS or thoughts[run] != found):
            longer.add(run)
        if last:
            partial[run] = _text(last[-1])
    return Said(thoughts, partial, longer)


def _last_steps(runs: Collection[Run]) -> dict[uuid.UUID, list[Step]]:
    steps: dict[uuid.UUID, list[Step]] = defaultdict(list)
    if runs:
        sql = LAST_MODEL_STEPS.format(runs=", ".join(["%s"] * len(runs)))
        for step in Step.objects.raw(sql, [SHOWN_STEPS, *(key(Run, run.pk) for run in runs)]):
            steps[step.run_id].append(step)
    return steps


def _thoughts(step: Step) -> list[Thought]:
    """Return what was thought in a step that is done; what is thought right now is the preview's."""
    if step.status != StepStatus.DONE:
        return []
    output = step.output
    beside = thought(output.get("text", "")) if output.get("calls") else ""
    found = [Thought(output.get("reasoning", ""), True), Thought(output.get("thought", "")), Thought(beside)]
    return [one for one in found if one.text]


def _text(step: Step) -> str:
    lost = step.status in (StepStatus.ERROR, StepStatus.UNKNOWN)
    return "" if step.output.get("calls") or lost else str(step.output.get("text", ""))


def _that_fit(thoughts: Sequence[Thought]) -> list[Thought]:
    """Return the last thoughts of a run that are short enough together; of the very last one at least its beginning."""
    kept: list[Thought] = []
    room = SHOWN_CHARACTERS
    for one in reversed(thoughts):
        if len(one.text) > room:
            return kept[::-1] or [replace(one, text=f"{one.text[:room]}…")]
        kept.append(one)
        room -= len(one.text)
    return kept[::-1]
