"""A run's steps as the trace shows them: one line each, with a bar for its time, and what it says when opened."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.urls import reverse
from django.utils.formats import date_format
from django.utils.html import escape, format_html, format_html_join
from django.utils.safestring import SafeString

from chat.models import Run, Step, StepKind, StepStatus
from chat.wire import strict
from chat.words import about, attempt, count, dollars, duration, how_it_ended, plural
from tools.text import clean

LABEL_LENGTH = 60
PREVIEW_LENGTH = 4_000
SHORT_JSON = 60
LONG_JSON = 100_000  # what is longer is shown as it stands: coloured and indented it might take fifty times the room
LEAST_WIDTH = 0.8
GUESSED = "The endpoint did not report any: this is a guess from the number of bytes."
LAST_REQUEST = "What was found so far is summed up in one last request, without tools."
GOES_ON = (
    "What was done stays. What was under way is unknown: the model is asked again, a tool runs again only if that "
    "does no harm, and of any other the model is told that nobody knows whether it took effect."
)
IN_BRIEF = "Older tool results no longer fit into the model's window. From here on only their beginnings are sent."

JSON_TOKENS = re.compile(r'("(?:\\.|[^"\\])*")(\s*:)?|(-?\d[\d.eE+-]*|\btrue\b|\bfalse\b|\bnull\b)')


@dataclass(frozen=True, slots=True)
class Field:
    """One thing an opened step shows. With `more_url` and no html, it is fetched when it is looked at."""

    name: str
    html: SafeString
    note: str = ""
    more_url: str = ""


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
    def nested(self) -> bool:
        return self.step.kind == StepKind.TOOL

    @property
    def live(self) -> bool:
        return self.step.status == StepStatus.RUNNING

    @property
    def template(self) -> str:
        known = self.step.kind in StepKind.values  # a newer version of the site may write others
        return f"chat/steps/{self.step.kind if known else 'other'}.html"


@dataclass(frozen=True, slots=True)
class Panel:
    """A run as the trace panel shows it; `earlier_url` gives the steps before the first one of `rows`."""

    run: Run
    title: str
    figures: Sequence[tuple[str, str]]
    ending: str
    rows: Sequence[StepRow]
    earlier_url: str = ""


def panel(run: Run, steps: Sequence[Step]) -> Panel:
    """Prepare a run and its last steps, in order, for the panel."""
    whole = scale(run, latest(steps))
    rows = [row(step, run, whole) for step in steps]
    earlier = steps[0].number if steps and steps[0].number > 1 else 0
    url = f"{reverse('chat:steps', args=[run.pk])}?before={earlier}" if earlier else ""
    title = f"Run, {date_format(run.created, 'j M Y, H:i')}"
    return Panel(run, title, figures(run), how_it_ended(run), rows, url)


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


def row(step: Step, run: Run, whole: float) -> StepRow:
    """Prepare one step; `whole` is the run's scale."""
    title, label = _names(step)
    start, width = _bar(step, run, whole)
    failed = step.status in (StepStatus.ERROR, StepStatus.UNKNOWN)
    return StepRow(
        step=step, title=title, label=label, tone="error" if failed else step.kind,
        duration=duration(step.seconds), bar_x=start, bar_width=width, fields=_fields(step),
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


def json_html(text: str) -> SafeString:
    """Colour JSON text: keys, strings, numbers. Everything in it is escaped."""
    parts, end = [], 0
    for match in JSON_TOKENS.finditer(text):
        parts.append(escape(text[end : match.start()]))
        string, colon, number = match.groups()
        tone = "k" if colon else "s" if string else "n"
        parts.append(format_html('<span class="{}">{}</span>{}', tone, string or number, colon or ""))
        end = match.end()
    parts.append(escape(text[end:]))
    return format_html_join("", "{}", ((part,) for part in parts))


def pretty(text: str) -> SafeString:
    """Return a text as readable HTML: indented and coloured if it is JSON, as it stands if not."""
    value = _read_json(text) if len(text) <= LONG_JSON else None
    if not isinstance(value, dict | list):
        return escape(text)
    line = json.dumps(value, ensure_ascii=False)
    lines = json.dumps(value, indent=2, ensure_ascii=False)
    # An escape in the JSON may stand for what no page can carry.
    return json_html(clean(lines if len(line) > SHORT_JSON and len(lines) <= LONG_JSON else line))


def _read_json(text: str) -> object:
    try:
        return strict.loads(text)
    except ValueError:
        return None


def _names(step: Step) -> tuple[str, str]:
    output = step.output
    match step.kind:
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
            label = ", ".join(_short(value) for value in step.input["arguments"].values())
            return step.name, ": ".join(part for part in (label[:LABEL_LENGTH], step.error) if part)
        case StepKind.MODEL:
            return _model_names(step)
    return step.name, step.error or str(step.kind)


def _model_names(step: Step) -> tuple[str, str]:
    output = step.output
    if step.status == StepStatus.RUNNING:
        return "Think", "at work"
    if step.error:
        return "Think", step.error
    if step.input.get("purpose") == "title":
        return "Title", output.get("text", "")[:LABEL_LENGTH]
    if calls := output.get("calls"):
        return "Think", f"chose {plural(len(calls), 'tool')}"
    if output.get("refusal") or step.status == StepStatus.STOPPED:
        return "Answer", "refused" if output.get("refusal") else "stopped"
    first = step.first_token_seconds
    return "Answer", f"first token {duration(first)}" if first is not None else ""


def what_happened(step: Step) -> str:
    """Say why another attempt begins at a step."""
    why = "The server was shut down" if "given_up" in step.input else "The server stopped"
    return f"{why} here; what follows is {attempt(step.input['attempt'])}"


def _context_label(step: Step) -> str:
    if "purpose" not in step.input:
        return "older results in brief"
    if step.status == StepStatus.RUNNING:
        return "sums up older turns"
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


def _fields(step: Step) -> list[Field]:
    match step.kind:
        case StepKind.MEMORY:
            return _memory_fields(step)
        case StepKind.TOOL:
            return _tool_fields(step)
        case StepKind.RETRY | StepKind.WAIT:
            return [Field("Reason", escape(step.input["reason"]))]
        case StepKind.LIMIT:
            return [Field("What follows", escape(LAST_REQUEST))]
        case StepKind.RESUMED:
            return [Field("What happened", escape(what_happened(step))), Field("What follows", escape(GOES_ON))]
        case StepKind.CONTEXT if "purpose" not in step.input:
            return [Field("What changed", escape(IN_BRIEF))]
        case StepKind.CONTEXT | StepKind.MODEL:
            return _model_fields(step)
    kept = {"input": step.input, "output": step.output}
    return [Field("What is stored", pretty(json.dumps(kept, ensure_ascii=False)[:PREVIEW_LENGTH]))]


def _memory_fields(step: Step) -> list[Field]:
    output = step.output
    facts = [fact["text"] for fact in output.get("facts", [])]
    preferences = [f"{item['key']}: {item['text']}" for item in output.get("preferences", [])]
    found = [Field("Facts", _lines(facts)), Field("Preferences", _lines(preferences))]
    shown = [field for field in found if field.html]
    return shown or [Field("Facts", escape("Nothing is remembered of you yet."))]


def _tool_fields(step: Step) -> list[Field]:
    output = step.output
    given = step.input.get("raw") or json.dumps(step.input["arguments"], ensure_ascii=False)
    fields = [Field("Arguments", pretty(given))]
    if output:
        fields.append(_cut(step, "Result", output["text"]))
    if output.get("detail"):
        fields.append(Field("Traceback", escape(output["detail"])))
    return fields


def _model_fields(step: Step) -> list[Field]:
    output = step.output
    fields = [Field("Model", escape(output.get("model") or step.name))]
    if without := step.input.get("without"):
        fields.append(Field("Asked without", escape(f"{', '.join(without)}, which this endpoint refuses")))
    if output.get("thought"):
        fields.append(Field("Thought", escape(output["thought"][:PREVIEW_LENGTH])))
    if output.get("reasoning"):
        fields.append(Field("Reasoning", escape(output["reasoning"][:PREVIEW_LENGTH])))
    if step.error:
        fields.append(Field("Error", escape(step.error)))
    if step.status != StepStatus.RUNNING:
        fields.append(_cut(step, "Response", response_text(step)))
        fields.append(Field("Tokens", _tokens(step)))
        fields.append(Field("Cost", escape(dollars(step.cost))))
    if step.first_token:
        fields.append(Field("First token", escape(duration(step.first_token_seconds))))
    return [*fields, Field("Request", SafeString(""), more_url=_more(step, "request"))]


def response_text(step: Step) -> str:
    """Return what the model said in a step: its text, then the calls it asked for."""
    output = step.output
    calls = [f"{call['name']}({json.dumps(call['arguments'], ensure_ascii=False)})" for call in output.get("calls", [])]
    return "\n".join(part for part in (output.get("text", ""), output.get("refusal", ""), *calls) if part)


def _tokens(step: Step) -> SafeString:
    if step.tokens is None:
        return escape("The endpoint did not report any.")
    known = [(about(number, step.estimated), name) for name, number in step.buckets.items() if number is not None]
    counted = format_html_join(", ", "{} {}", known)
    return format_html("{}. {}", counted, GUESSED) if step.estimated else counted


def _cut(step: Step, name: str, text: str) -> Field:
    """Show the beginning of a long text, with the address of the whole."""
    if len(text) <= PREVIEW_LENGTH:
        return Field(name, pretty(text))
    note = f"The first {PREVIEW_LENGTH:,} of {len(text):,} characters."
    return Field(name, escape(text[:PREVIEW_LENGTH]), note, _more(step, name.lower()))


def _more(step: Step, field: str) -> str:
    return reverse("chat:step_field", args=[step.run_id, step.number, field])


def _lines(texts: Sequence[str]) -> SafeString:
    return format_html_join("\n", "{}", ((text,) for text in texts))
