"""A run's steps as the trace shows them: one line each, with a bar for its time."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.utils.formats import date_format

from chat.models import Run, RunStatus, Step, StepKind, StepStatus
from chat.rows import SHOWN_STEPS
from chat.step_fields import Field, fields_of, what_happened
from chat.words import about, closed, count, dollars, duration, how_it_ended, plural

LABEL_LENGTH = 60
LEAST_WIDTH = 0.8
MOST_BYTES = 240 * 1024  # of a list, so that the frame that draws it anew stays small; earlier ones can be asked for
ROW_BYTES = 1_300  # of a row without what it says
STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class StepRow:
    """A step as it is drawn. The bar's place and width are percent of the run's time."""

    step: Step
    title: str
    label: str
    tone: str
    duration: str
    bar_x: float
    bar_width: float
    fields: Sequence[Field]

    @property
    def size(self) -> int:
        """About how many bytes it takes in a page."""
        return ROW_BYTES + sum(len(field.html.encode()) for field in self.fields)

    @property
    def nested(self) -> bool:
        return self.step.kind == StepKind.TOOL

    @property
    def live(self) -> bool:
        return self.step.status == StepStatus.RUNNING


@dataclass(frozen=True, slots=True)
class Panel:
    """A run as the trace panel shows it, with `most` rows until earlier ones are asked for.

    `earlier` is the number of its first row, 0 if no steps are before that.
    """

    run: Run
    title: str
    figures: Sequence[tuple[str, str]]
    note: str
    ending: str
    rows: Sequence[StepRow]
    earlier: int = 0
    most: int = SHOWN_STEPS

    @property
    def failed(self) -> bool:
        return self.run.status == RunStatus.FAILED


def panel(run: Run, steps: Sequence[Step]) -> Panel:
    """Prepare a run and its last steps, in order, for the panel."""
    whole = scale(run, latest(steps))
    rows = [row(step, run, whole) for step in steps]
    if (fit := last_that_fit([one.size for one in rows])) < len(rows):
        rows, steps = rows[-fit:], steps[-fit:]
    earlier = steps[0].number if steps and steps[0].number > 1 else 0
    title = f"Run, {date_format(run.created, 'j M Y, H:i e')}"
    return Panel(run, title, figures(run), note(run), how_it_ended(run), rows, earlier)


def last_that_fit(sizes: Sequence[int], room: int | None = None) -> int:
    """Return how many of the last ones fit into one list of a page, at least one if there is one."""
    fit, room = 0, MOST_BYTES if room is None else room
    for size in reversed(sizes):
        room -= size
        if room < 0 and fit:
            break
        fit += 1
    return fit


def figures(run: Run) -> list[tuple[str, str]]:
    """Return the sums of a run: the number, and what it counts."""
    limit = run.request.get("limits", {}).get("tokens") if run.live else None  # what is left matters while it goes on
    return [
        (count(run.turns), "turn" if run.turns == 1 else "turns"),
        (count(run.tool_calls), "tool call" if run.tool_calls == 1 else "tool calls"),
        (about(run.tokens, run.estimated), f"of {count(limit)} tokens" if limit else "tokens"),
        (dollars(run.cost), "cost"),
        (duration(run.seconds) or "–", "total"),
    ]


def note(run: Run) -> str:
    """Say of a run with a limit of its cost that this has no effect, where nothing that it costs is known."""
    most = run.request.get("limits", {}).get("cost")
    if most is None or run.tokens is None or run.cost is not None:
        return ""
    return f"The limit of {dollars(Decimal(str(most)))} has no effect: no price is known for this model."


def row(step: Step, run: Run, whole: float) -> StepRow:
    """Prepare one step; `whole` is the run's scale."""
    title, label = _names(step)
    if step.status == StepStatus.STOPPED and STOPPED not in label:
        label = f"{label}: {STOPPED}" if label else STOPPED
    start, width = _bar(step, run, whole)
    failed = step.status in (StepStatus.ERROR, StepStatus.UNKNOWN)
    return StepRow(
        step=step, title=title, label=label, tone="error" if failed else step.kind,
        duration=duration(step.seconds), bar_x=start, bar_width=width, fields=fields_of(step),
    )  # fmt: skip


def scale(run: Run, last: datetime | None) -> float:
    """Return the seconds that a full bar stands for: the run's own once it ended, else a round number above.

    While a run is live the scale grows by doubling, so that the bars of all rows change seldom.
    """
    if run.seconds is not None:
        return max(run.seconds, 0.001)
    passed = (last - run.started).total_seconds() if run.started and last else 0
    size = 1.0
    while size < passed:
        size *= 2
    return size


def latest(steps: Sequence[Step]) -> datetime | None:
    """Return the last moment that these steps know of."""
    return max((step.ended or step.started for step in steps), default=None)


def _names(step: Step) -> tuple[str, str]:
    """Return what a step is called, and what is said beside that."""
    output = step.output
    match step.kind:
        case StepKind.MODEL:
            return _model_names(step)
        case StepKind.MEMORY:
            found = [(len(output.get(f"{word}s", [])), word) for word in ("fact", "preference")]
            return "Memory", ", ".join(plural(number, word) for number, word in found if number) or "nothing remembered"
        case StepKind.RETRY:
            return "Retry", f"waits {duration(step.input['seconds'])}, then asks again"
        case StepKind.WAIT:
            return "Wait", f"for {step.input['reason']}"
        case StepKind.LIMIT:
            return "Limit", step.name
        case StepKind.RESUMED:
            return "Resumed", what_happened(step)
        case StepKind.CONTEXT:
            return "Context", _context_label(step)
        case StepKind.TOOL:
            label = ", ".join(closed(_short(value)) for value in step.input["arguments"].values())
            return step.name, ": ".join(part for part in (closed(label[:LABEL_LENGTH]), step.error) if part)
        case _:  # of a newer version
            return step.kind.capitalize(), step.error or step.name


def _model_names(step: Step) -> tuple[str, str]:
    if step.status == StepStatus.RUNNING:
        return "Think", "at work"
    if step.error:
        return "Think", step.error
    if step.input.get("purpose") == "title":
        return "Title", step.output.get("text", "")[:LABEL_LENGTH]
    if calls := step.output.get("calls"):
        return "Think", f"chose {plural(len(calls), 'tool')}"
    if step.output.get("refusal") or step.status == StepStatus.STOPPED:
        return "Answer", "refused" if step.output.get("refusal") else STOPPED
    first = step.first_token_seconds
    return "Answer", f"first token {duration(first)}" if first is not None else ""


def _context_label(step: Step) -> str:
    if "purpose" not in step.input:
        return "older results in brief"
    if step.status == StepStatus.RUNNING:
        return "sums up older turns"
    if step.status == StepStatus.STOPPED:
        return STOPPED
    return step.error or "older turns summed up"


def _short(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= LABEL_LENGTH else f"{text[:LABEL_LENGTH]}…"


def _bar(step: Step, run: Run, whole: float) -> tuple[float, float]:
    """Return where a step's bar begins and how wide it is; a live one reaches to the scale's end."""
    if not run.started:
        return 0, 0
    start = (step.started - run.started).total_seconds() / whole * 100
    start = min(max(start, 0), 100 - LEAST_WIDTH)
    width = step.seconds / whole * 100 if step.seconds is not None else 100
    return round(start, 2), round(min(max(width, LEAST_WIDTH), 100 - start), 2)
