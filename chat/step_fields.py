"""What a step of the trace shows when it is opened: its fields, by its kind."""

import json
from dataclasses import dataclass

from django.urls import reverse
from django.utils.html import escape, format_html, format_html_join
from django.utils.safestring import SafeString

from chat.models import Step, StepKind, StepStatus
from chat.pretty import pretty
from chat.words import about, attempt, dollars, duration

PREVIEW_LENGTH = 4_000  # characters of each text; a row that changes is sent anew to each page that shows it
GUESSED = "The endpoint did not report any: this is a guess from the number of bytes."
NO_PRICE = "no price is known"
LAST_REQUEST = "What was found so far is summed up in one last request, without tools."
GOES_ON = (
    "What was done stays. What was under way is unknown: the model is asked again, a tool runs again only if that "
    "does no harm, and of any other the model is told that nobody knows whether it took effect."
)
IN_BRIEF = "Older tool results no longer fit into the model's window. From here on only their beginnings are sent."


@dataclass(frozen=True, slots=True)
class Field:
    """One thing an opened step shows. With `more_url` and no html, it is fetched when it is looked at."""

    name: str
    html: SafeString
    note: str = ""
    more_url: str = ""


def fields_of(step: Step) -> list[Field]:
    """Return what a step has to show, in order. One of a kind that is not known here shows all that it stored."""
    if step.asks_model:
        return _model_fields(step)
    match step.kind:
        case StepKind.MEMORY:
            return _texts(step) or [Field("Facts", escape("Nothing is remembered of you yet."))]
        case StepKind.RETRY | StepKind.WAIT:
            return [Field("Reason", escape(step.input["reason"]))]
        case StepKind.LIMIT:
            return [Field("What follows", escape(LAST_REQUEST))]
        case StepKind.RESUMED:
            return [Field("What happened", escape(what_happened(step))), Field("What follows", escape(GOES_ON))]
        case StepKind.CONTEXT:
            return [Field("What changed", escape(IN_BRIEF))]
        case _:
            return _texts(step)


def long_texts(step: Step) -> dict[str, str]:
    """Return by their fields' names the texts of a step that may be of any length. Some may be empty."""
    output = step.output
    if step.asks_model:
        own = {"Thought": output.get("thought", ""), "Reasoning": output.get("reasoning", "")}
        return own | {"Response": response_text(step)}
    match step.kind:
        case StepKind.TOOL:
            given = step.input.get("raw") or json.dumps(step.input["arguments"], ensure_ascii=False)
            return {"Arguments": given, "Result": output.get("text", ""), "Traceback": output.get("detail", "")}
        case StepKind.MEMORY:
            facts = "\n".join(fact["text"] for fact in output.get("facts", []))
            preferences = "\n".join(f"{item['key']}: {item['text']}" for item in output.get("preferences", []))
            return {"Facts": facts, "Preferences": preferences}
        case StepKind.RETRY | StepKind.WAIT | StepKind.LIMIT | StepKind.RESUMED | StepKind.CONTEXT:
            return {}
        case _:
            kept = {"Input": step.input, "Output": step.output}
            return {name: json.dumps(value, ensure_ascii=False) for name, value in kept.items() if value}


def response_text(step: Step) -> str:
    """Return what the model said in a step: its text, then the calls it asked for."""
    output = step.output
    calls = [f"{call['name']}({json.dumps(call['arguments'], ensure_ascii=False)})" for call in output.get("calls", [])]
    return "\n".join(part for part in (output.get("text", ""), output.get("refusal", ""), *calls) if part)


def what_happened(step: Step) -> str:
    """Say why another attempt begins at a step."""
    known = {"given_up": "The server was shut down", "away": "The server's database was away"}
    why = next((words for name, words in known.items() if name in step.input), "The server stopped")
    return f"{why} here; what follows is {attempt(step.input['attempt'])}"


def _model_fields(step: Step) -> list[Field]:
    output = step.output
    fields = [Field("Model", escape(output.get("model") or step.name))]
    if without := step.input.get("without"):
        fields.append(Field("Asked without", escape(f"{', '.join(without)}, which this endpoint refuses")))
    texts = {field.name: field for field in _texts(step)}
    fields += [texts[name] for name in ("Thought", "Reasoning") if name in texts]
    if step.error:
        fields.append(Field("Error", escape(step.error)))
    if step.status != StepStatus.RUNNING:
        fields += [texts["Response"]] if "Response" in texts else []
        fields.append(Field("Tokens", _tokens(step)))
        unknown = step.cost is None and step.tokens is not None
        fields.append(Field("Cost", escape(NO_PRICE if unknown else dollars(step.cost))))
    if step.first_token:
        fields.append(Field("First token", escape(duration(step.first_token_seconds))))
    return [*fields, Field("Request", SafeString(""), more_url=_more(step, "request"))]


def _tokens(step: Step) -> SafeString:
    if step.tokens is None:
        return escape("The endpoint did not report any.")
    known = [(about(number, step.estimated), name) for name, number in step.buckets.items() if number is not None]
    counted = format_html_join(", ", "{} {}", known)
    return format_html("{}. {}", counted, GUESSED) if step.estimated else counted


def _texts(step: Step) -> list[Field]:
    return [_cut(step, name, text) for name, text in long_texts(step).items() if text]


def _cut(step: Step, name: str, text: str) -> Field:
    """Show the beginning of a long text, with the address of the whole."""
    if len(text) <= PREVIEW_LENGTH:
        return Field(name, pretty(text))
    note = f"The first {PREVIEW_LENGTH:,} of {len(text):,} characters."
    return Field(name, escape(text[:PREVIEW_LENGTH]), note, _more(step, name.lower()))


def _more(step: Step, field: str) -> str:
    return reverse("chat:step_field", args=[step.run_id, step.number, field])
