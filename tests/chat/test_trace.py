"""How a run is drawn: names and labels of its steps, bars, what they show when they are opened."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from html import unescape
from typing import Any
from uuid import uuid4

import pytest
from django.template.loader import render_to_string
from django.utils.html import escape

from chat import trace
from chat.articles import article
from chat.models import CUT_SHORT, Conversation, Message, Run, Step, StopReason
from chat.render import article_html, panel_head_frames
from chat.rows import Talk
from chat.step_fields import PREVIEW_LENGTH
from chat.words import closed, dollars, duration, figures_line, how_it_ended, state, summary_line

RUN = uuid4()
START = datetime(2026, 1, 1, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def run(**values: Any) -> Run:
    return Run(
        **{"status": "done", "stop_reason": "done", "started": START, "ended": at(4), "created": START, **values}
    )


def step(kind: str = "tool", begin: float = 0, end: float | None = 1, **values: Any) -> Step:
    ended = None if end is None else at(end)
    status = "running" if end is None else "done"
    given = {"number": 1, "name": "look", "input": {"id": "a", "arguments": {"place": "here"}}}
    return Step(**{"kind": kind, "started": at(begin), "ended": ended, "status": status, **given, **values})


def shown(one: Step) -> dict[str, str]:
    return {field.name: str(field.html) for field in trace.row(one, run(), 4).fields}


def test_a_tool_is_named_by_its_name_and_labelled_by_its_arguments() -> None:
    row = trace.row(step(input={"id": "a", "arguments": {"city": "London", "units": "celsius"}}), run(), 4)
    assert (row.title, row.label, row.tone) == ("look", "London, celsius", "tool")


def test_a_tool_that_failed_says_so_in_its_line() -> None:
    row = trace.row(step(status="error", error="division by zero"), run(), 4)
    assert (row.label, row.tone) == ("here: division by zero", "error")


@pytest.mark.parametrize(
    ("output", "title", "label"),
    [
        ({"calls": [{"name": "look", "arguments": {}}] * 2}, "Think", "chose 2 tools"),
        ({"text": "Hello"}, "Answer", ""),
        ({"refusal": "No."}, "Answer", "refused"),
    ],
)
def test_a_model_step_is_named_by_what_came_of_it(output: dict[str, Any], title: str, label: str) -> None:
    row = trace.row(step("model", output=output, run_id=RUN), run(), 4)
    assert (row.title, row.label) == (title, label)


@pytest.mark.parametrize(
    ("status", "error", "label"),
    [("running", "", "sums up older turns"), ("done", "", "older turns summed up"), ("stopped", "", "stopped"),
     ("error", "no answer", "no answer")],
)  # fmt: skip
def test_a_summary_is_labelled_by_what_came_of_it(status: str, error: str, label: str) -> None:
    one = step("context", status=status, error=error, input={"purpose": "summary", "cut": {}}, run_id=RUN)
    assert trace.row(one, run(), 4).label == label


def test_memory_counts_what_went_in() -> None:
    output = {"facts": [{"text": "Lives in Berlin"}], "preferences": [{"key": "units", "text": "f"}]}
    row = trace.row(step("memory", output=output), run(), 4)
    assert row.label == "1 fact, 1 preference"
    assert shown(step("memory", output=output)) == {"Facts": "Lives in Berlin", "Preferences": "units: f"}
    assert trace.row(step("memory", output=output | {"facts": []}), run(), 4).label == "1 preference"
    assert trace.row(step("memory", output={}), run(), 4).label == "nothing remembered"


def test_a_bar_stands_where_its_time_was() -> None:
    row = trace.row(step(begin=1, end=3), run(), 4)
    assert (row.bar_x, row.bar_width) == (25, 50)


def test_a_bar_never_leaves_its_line() -> None:
    for begin, end in ((-1, 0), (0, 0), (4, 4), (3.99, 9), (0, None)):
        row = trace.row(step(begin=begin, end=end), run(), 4)
        assert row.bar_x >= 0
        assert row.bar_width > 0
        assert row.bar_x + row.bar_width <= 100


def test_a_live_run_is_drawn_to_a_scale_that_doubles() -> None:
    live = run(status="running", ended=None)
    assert [trace.scale(live, at(seconds)) for seconds in (0, 0.5, 1.5, 3, 5)] == [1, 1, 2, 4, 8]
    assert trace.scale(run(), at(99)) == 4


def test_text_of_tools_and_models_is_escaped_and_json_is_coloured() -> None:
    hostile = "<script>alert(1)</script>"
    fields = shown(step(input={"id": "a", "arguments": {"x": hostile}}, output={"text": hostile, "detail": hostile}))
    assert all("<script" not in html for html in fields.values())
    assert '<span class="k">&quot;x&quot;</span>' in fields["Arguments"]


LONG = "x" * 5000
LONG_STEPS = [
    ("tool", {"arguments": {"text": LONG}}, {}, "Arguments"),
    ("tool", {"arguments": {}, "raw": LONG}, {}, "Arguments"),
    ("tool", {"arguments": {}}, {"text": LONG}, "Result"),
    ("tool", {"arguments": {}}, {"text": "", "detail": LONG}, "Traceback"),
    ("model", {}, {"thought": LONG}, "Thought"),
    ("model", {}, {"reasoning": LONG}, "Reasoning"),
    ("model", {}, {"text": LONG}, "Response"),
    ("model", {}, {"calls": [{"name": "look", "arguments": {"text": LONG}}]}, "Response"),
    ("memory", {}, {"facts": [{"text": LONG[:500]}] * 10}, "Facts"),
    ("memory", {}, {"preferences": [{"key": "units", "text": LONG[:500]}] * 10}, "Preferences"),
    ("approval", {"asks": LONG}, {}, "Input"),  # of a newer version
    ("approval", {}, {"said": LONG}, "Output"),
]


@pytest.mark.parametrize(("kind", "given", "output", "name"), LONG_STEPS)
def test_a_long_text_of_a_step_is_cut_with_a_note_and_the_way_to_all_of_it(
    kind: str, given: dict[str, Any], output: dict[str, Any], name: str
) -> None:
    row = trace.row(step(kind, input=given, output=output, run_id=RUN), run(), 4)
    [field] = [field for field in row.fields if field.note]
    assert field.name == name
    assert len(unescape(field.html)) == PREVIEW_LENGTH
    assert field.note.startswith("The first 4,000 of 5,0")
    assert field.more_url.endswith(f"/steps/1/{name.lower()}/")
    assert row.size < 10_000


def test_a_result_of_blanks_alone_is_there() -> None:
    drawn = render_to_string("chat/_fields.html", {"row": trace.row(step(output={"text": " \u2028\xa0"}), run(), 4)})
    assert '<pre class="value" dir="auto"> \u2028\xa0</pre>' in drawn


def test_tokens_that_were_not_reported_are_not_shown_as_zero() -> None:
    assert "did not report" in shown(step("model", run_id=RUN))["Tokens"]


def test_a_step_of_a_kind_that_only_a_newer_version_knows_shows_what_it_stored() -> None:
    one = step("approval", name="delete_all", input={"asks": "<b>Sure?</b>"}, output={}, run_id=RUN)
    row = trace.row(one, run(), 4)
    assert (row.title, row.label) == ("Approval", "delete_all")
    assert shown(one).keys() == {"Input"}
    drawn = render_to_string("chat/_step.html", {"row": row})
    assert "&lt;b&gt;Sure?&lt;/b&gt;" in drawn


@pytest.mark.parametrize(
    ("text", "closing"),
    [
        ("plain", ""),
        ("שלום", ""),
        ("a\u202eb", "\u202c"),
        ("a\u202eb\u202cc", ""),
        ("a\u2067b\u202ec", "\u202c\u2069"),
        ("a\u2067b\u202ec\u2069d", ""),
        ("a\u2069\u202cb\u202e", "\u202c"),
    ],
)
def test_a_label_turns_nothing_that_follows_it(text: str, closing: str) -> None:
    assert closed(text) == text + closing


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (None, ""),
        (0, "0 ms"),
        (0.0034, "3 ms"),
        (0.9996, "1.00 s"),
        (2.414, "2.41 s"),
        (99.999, "1 min 40 s"),
        (185, "3 min 05 s"),
    ],
)
def test_durations_read_well(seconds: float | None, words: str) -> None:
    assert duration(seconds) == words


def test_an_unknown_cost_is_a_dash_and_no_zero() -> None:
    assert (dollars(None), dollars(Decimal("0.0004")), dollars(Decimal(1234))) == ("–", "$0.0004", "$1,234.00")


def test_the_line_over_an_answer_counts_tools() -> None:
    used = run(tools={"get_weather": 2, "calculate": 1, "look": 5}, turns=3, input_tokens=1300, output_tokens=12)
    assert summary_line(used) == "Used get_weather twice, calculate once, look 5 times"
    assert figures_line(used) == "3 turns · 4.00 s · 1,312 tokens"
    assert summary_line(run(status="running", doing="Running look")) == "Running look"


CUT = ("max_turns", "budget", "timeout", "length")


@pytest.mark.parametrize("reason", StopReason.values)
def test_however_a_run_ended_badly_there_are_words_and_a_way_on(reason: str) -> None:
    status = "done" if reason in ("done", *CUT) else "stopped" if reason == "stopped" else "failed"
    said = Message(pk=1, role="assistant")
    ended = run(status=status, stop_reason=reason, turns=1, answer=said, conversation=Conversation(), model="m")
    drawn = article_html(article(said, ended, Talk(0, "")))
    ways = drawn.split('class="acts"')[0]

    assert bool(how_it_ended(ended)) == (reason != "done")
    assert escape(how_it_ended(ended)) in ways
    assert state(ended) not in ("", "error", "max_turns")
    assert ("act-regenerate" in ways) == (status == "failed")
    assert ("act-continue" in ways) == (reason in CUT_SHORT)
    assert "act-regenerate" in ways or "act-continue" in ways or reason == "done"


@pytest.mark.parametrize("kind", ["model", "tool", "wait", "retry", "context"])
def test_a_step_that_was_stopped_says_so(kind: str) -> None:
    given = {"arguments": {"place": "here"}, "reason": "its turn", "seconds": 3, "purpose": "summary"}
    row = trace.row(step(kind, status="stopped", input=given, run_id=RUN), run(), 4)
    assert row.label.endswith("stopped")


@pytest.mark.parametrize(("reason", "words"), [("done", ""), ("stopped", "Stopped."), ("max_turns", "limit of turns")])
def test_each_ending_has_words(reason: str, words: str) -> None:
    said = how_it_ended(run(status="done", stop_reason=reason))
    assert words in said
    assert bool(words) == bool(said)


def test_a_text_nested_beyond_reason_is_shown_as_it_stands() -> None:
    assert shown(step(output={"text": "[" * 3000}))["Result"] == "[" * 3000


NO_EFFECT = "The limit of $1.00 has no effect: no price is known for this model."
LIMITED = {"limits": {"tokens": 1000, "cost": 1.0}}


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"request": LIMITED, "input_tokens": 5}, NO_EFFECT),
        ({"request": LIMITED, "input_tokens": 5, "status": "running", "ended": None}, NO_EFFECT),
        ({"request": LIMITED, "input_tokens": 5, "cost": Decimal("0.01")}, ""),
        ({"request": LIMITED}, ""),  # nothing was asked yet
        ({"request": {"limits": {"tokens": 1000, "cost": None}}, "input_tokens": 5}, ""),
        ({"request": {}}, ""),
    ],
)
def test_a_limit_of_cost_that_cannot_hold_says_so_in_the_panel_as_loaded_and_as_changed(
    values: dict[str, Any], words: str
) -> None:
    one = run(**values)
    panel = trace.panel(one, [])
    assert panel.note == words
    for drawn in (render_to_string("chat/_panel.html", {"panel": panel}), panel_head_frames(one)):
        assert (NO_EFFECT in drawn) == bool(words)


def test_a_call_without_a_price_says_that_no_limit_of_cost_counts_it() -> None:
    usage: dict[str, Any] = {"input_tokens": 5, "output_tokens": 5, "run_id": RUN}
    assert shown(step("model", **usage))["Cost"] == "no price is known"
    assert shown(step("model", cost=Decimal("0.5"), **usage))["Cost"] == "$0.5000"
    assert shown(step("model", status="error", run_id=RUN))["Cost"] == "–"
