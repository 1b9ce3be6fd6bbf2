"""What is told of a run in the log and in the metrics: all that an administrator asks, and nothing that was said."""

import asyncio
import io
import json
import logging
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from prometheus_client import REGISTRY, generate_latest

from chat import endpoints, gauges, metrics, runs, store  # noqa: F401  Gauges are there once imported.
from chat.agent.events import Ended, LimitReached, ModelStarted, ToolStarted, WaitEnded, WaitStarted
from chat.db import read, write
from chat.models import Run
from chat.sweep import sweep
from chat.telemetry import Observed
from chat.wire.values import Call
from tests.faults.dying import DEAD
from tests.scripted import Body, asks, call, delta, endpoint, event, says
from tools.registry import tool

pytestmark = pytest.mark.django_db(transaction=True)

NOW = datetime(2026, 1, 1, tzinfo=UTC)
CANARY = "canary-marzipan"
KEY = f"sk-{CANARY}"
USAGE = {
    "prompt_tokens": 100, "completion_tokens": 7, "prompt_tokens_details": {"cached_tokens": 40}, "cost": 0.25,
}  # fmt: skip


@tool(outside=False)
async def tell(word: str) -> str:
    """Tell a word."""
    return f"{CANARY} {word}"


@tool(outside=False)
async def fail_with(word: str) -> str:
    """Fail."""
    raise ValueError(f"{CANARY} {word}")


still_at_work = asyncio.Event()
let_go = threading.Event()


@tool(outside=False, timeout=0.05)
async def never_mind() -> None:
    """Go on whoever cancels it."""
    while not still_at_work.is_set():
        with suppress(asyncio.CancelledError):
            await still_at_work.wait()


@tool(outside=False, timeout=0.05)
def never_come_back() -> None:
    """Hang in a thread."""
    let_go.wait(30)


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """What the process logs meanwhile, in the form that the site writes it in."""
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(next(h.formatter for h in logging.root.handlers if type(h) is logging.StreamHandler))
    logging.root.addHandler(handler)
    yield written
    logging.root.removeHandler(handler)


def lines_of(log: io.StringIO, event: str) -> list[dict[str, str]]:
    """The lines of one event, each as its values."""
    found = [line.partition(f" agentsite.runs {event} ")[2] for line in log.getvalue().splitlines()]
    return [dict(word.split("=", 1) for word in line.split(" ")) for line in found if line]


@contextmanager
def counted() -> Iterator[dict[str, float]]:
    """By how much each sample of ours grew meanwhile, once the block has ended."""
    before = samples()
    grown: dict[str, float] = {}
    yield grown
    after = samples()
    grown |= {
        name: round(value - before.get(name, 0), 6) for name, value in after.items() if value != before.get(name, 0)
    }


def samples() -> dict[str, float]:
    return {
        f"{sample.name}{sorted(sample.labels.values())}": sample.value
        for metric in REGISTRY.collect()
        if metric.name.startswith("agentsite_")
        for sample in metric.samples
        if not sample.name.endswith(("_created", "_bucket", "_sum"))
    }


async def answered(user: User, *replies: Sequence[dict[str, Any]] | Body, text: str = CANARY) -> store.Sent:
    """One run through a scripted endpoint, to its end."""
    served, transport = endpoint(*replies, key=KEY)
    endpoints.use(served)
    try:
        sent = await runs.send(user.pk, text, str(uuid4()), "", None)
        async with asyncio.timeout(20):
            await asyncio.wait({runs.live[sent.run].task})
    finally:
        endpoints.use(None)
    transport.done()
    return sent


WORK = (asks(call("tell", {"word": CANARY}), text=CANARY), says(CANARY, usage=USAGE))


async def test_a_run_is_told_in_four_kinds_of_lines_each_with_its_run_and_user(alice: User, log: io.StringIO) -> None:
    sent = await answered(alice, *WORK)
    for event_, count in (("run started", 1), ("model call", 2), ("tool call", 1), ("run ended", 1)):
        lines = lines_of(log, event_)
        assert len(lines) == count
        assert all(line["run"] == str(sent.run) and line["user"] == str(alice.pk) for line in lines)

    [started], [tool_call], [ended] = (lines_of(log, said) for said in ("run started", "tool call", "run ended"))
    first, second = lines_of(log, "model call")
    assert started["model"] == "scripted"
    assert (first["turn"], first["status"], first["cost"], first["estimated"]) == ("1", "done", "None", "True")
    assert (second["turn"], second["tokens_in"], second["tokens_cached"], second["estimated"]) == (
        "2", "100", "40", "False",
    )  # fmt: skip
    assert (second["tokens_out"], second["cost"], second["model"]) == ("7", "0.25", "scripted")
    assert (tool_call["tool"], tool_call["turn"], tool_call["status"]) == ("tell", "1", "done")
    assert (ended["status"], ended["reason"], ended["turns"], ended["tools"]) == ("done", "done", "2", "1")
    assert int(ended["tokens_in"]) == int(first["tokens_in"]) + 100
    assert (int(ended["tokens_out"]), ended["cost"]) == (int(first["tokens_out"]) + 7, "0.25")
    assert (first["purpose"], first["endpoint"]) == ("answer", "scripted.invalid")
    assert all(float(line["seconds"]) >= 0 for line in (first, second, tool_call, ended))
    assert float(second["first_token"]) <= float(second["seconds"])


async def test_counts_are_right_after_one_run(alice: User) -> None:
    with counted() as grown:
        await answered(alice, *WORK)
    guessed = [grown.pop(f"agentsite_tokens_total['estimated', '{kind}', 'scripted']") for kind in ("in", "out")]
    assert all(guessed)
    expected = {
        "agentsite_runs_total['done']": 1,
        "agentsite_run_seconds_count[]": 1,
        "agentsite_model_call_seconds_count['done', 'scripted']": 2,
        "agentsite_first_token_seconds_count['scripted']": 2,
        "agentsite_tokens_total['in', 'reported', 'scripted']": 60,
        "agentsite_tokens_total['cached', 'reported', 'scripted']": 40,
        "agentsite_tokens_total['out', 'reported', 'scripted']": 7,
        "agentsite_cost_dollars_total['scripted']": 0.25,
        "agentsite_tool_call_seconds_count['done', 'tell']": 1,
    }
    assert grown == pytest.approx(expected)  # what other tests spent stands in the same sum


async def test_what_was_said_and_the_key_are_in_no_line_and_no_metric(alice: User, log: io.StringIO) -> None:
    error = Body([json.dumps({"error": {"message": CANARY}}).encode()], 400, {"content-type": "application/json"})
    await answered(alice, asks(call("fail_with", {"word": CANARY}), call(CANARY, {CANARY: 1}, index=1)), error)
    await answered(alice, asks(call("tell", f'{{"word": "{CANARY}')), says(CANARY, finish="length"))
    assert len(lines_of(log, "run ended")) == 2
    told = {(line["tool"], line["status"]) for line in lines_of(log, "tool call")}
    assert told == {("fail_with", "error"), ("unknown", "error"), ("tell", "not_run")}
    assert CANARY not in log.getvalue()
    assert CANARY not in generate_latest().decode()


async def test_sizes_are_told_only_where_debug_is_logged_and_content_not_even_there(
    alice: User, log: io.StringIO
) -> None:
    await answered(alice, *WORK)
    assert "characters" not in log.getvalue()
    of_runs = logging.getLogger("agentsite.runs")
    of_runs.setLevel(logging.DEBUG)
    try:
        await answered(alice, *WORK)
    finally:
        of_runs.setLevel(logging.NOTSET)
    assert [line.get("characters") for line in lines_of(log, "tool call")] == [None, str(len(f"{CANARY} {CANARY}"))]
    assert CANARY not in log.getvalue()


async def test_a_failed_attempt_and_its_retry_are_told_without_the_endpoints_words(
    alice: User, log: io.StringIO
) -> None:
    busy = Body([CANARY.encode()], 500, {"content-type": "text/plain"})
    with counted() as grown:
        await answered(alice, busy, says("Well."))
    assert [line["status"] for line in lines_of(log, "model call")] == ["error", "done"]
    [retry] = lines_of(log, "retry")
    assert (retry["turn"], retry["status"]) == ("1", "done")
    assert float(retry["seconds"]) > 0
    assert grown["agentsite_wait_seconds_count['retry']"] == 1
    assert grown["agentsite_model_call_seconds_count['error', 'scripted']"] == 1
    assert CANARY not in log.getvalue()


async def test_a_run_for_which_there_is_no_model_any_more_has_an_end_with_its_user(
    alice: User, log: io.StringIO
) -> None:
    sent = await write(store.start_conversation, alice.pk, "Hello", "id", "gone", runs.PROCESS, NOW)
    runs.begin(sent.run, sent.attempt, sent.conversation)
    async with asyncio.timeout(20):
        await asyncio.wait({runs.live[sent.run].task})
    [ended] = lines_of(log, "run ended")
    assert (ended["reason"], ended["user"], ended["turns"]) == ("error", str(alice.pk), "0")


async def test_what_was_at_work_when_a_run_was_stopped_is_told_as_stopped(alice: User, log: io.StringIO) -> None:
    served, _ = endpoint(Body([event(delta(content="Once"))], hold=asyncio.Event()))
    endpoints.use(served)
    sent = await runs.send(alice.pk, "Hello", str(uuid4()), "", None)
    async with asyncio.timeout(20):
        while not runs.live[sent.run].said:  # noqa: ASYNC110  What is said wakes viewers, and a test is none.
            await asyncio.sleep(0)
        assert gauge("agentsite_live_runs") == 1
        await runs.stop(sent.conversation)
        await asyncio.wait({runs.live[sent.run].task})
    endpoints.use(None)
    [call_] = lines_of(log, "model call")
    [ended] = lines_of(log, "run ended")
    assert (call_["status"], ended["status"], ended["reason"]) == ("stopped", "stopped", "stopped")
    assert gauge("agentsite_live_runs") == 0


async def test_a_run_whose_process_died_is_told_by_the_one_that_ends_it(alice: User, log: io.StringIO) -> None:
    await write(store.start_conversation, alice.pk, "Hello", "id", "m", DEAD, NOW)
    with counted() as grown:
        await sweep(end=True)
    [ended] = lines_of(log, "run ended")
    assert ended["reason"] == "crashed"
    assert grown["agentsite_runs_total['crashed']"] == 1


async def test_a_run_goes_on_past_tools_that_never_end_and_they_are_counted(alice: User) -> None:
    still_at_work.clear()
    let_go.clear()
    before = left_behind()
    both = asks(call("never_mind", {}), call("never_come_back", {}, index=1))
    with counted() as grown:
        sent = await answered(alice, both, says("They hang."))
    run = await read(Run.objects.select_related("answer").get, pk=sent.run)
    assert (run.status, run.answer.text) == ("done", "They hang.")
    assert grown["agentsite_tool_call_seconds_count['error', 'never_mind']"] == 1
    assert (grown["agentsite_tool_tasks_abandoned[]"], grown["agentsite_tool_threads['leaked']"]) == (1, 1)
    still_at_work.set()
    let_go.set()
    async with asyncio.timeout(10):
        while left_behind() != before:  # noqa: ASYNC110  A thread sets no asyncio.Event.
            await asyncio.sleep(0.001)


def test_a_step_that_was_at_work_when_its_run_crashed_is_unknown(log: io.StringIO) -> None:
    observed = Observed(began=NOW)
    observed.see((ModelStarted(1, NOW, 1, "scripted", 0, "", 0), ToolStarted(2, NOW, 1, Call("c", "tell", {}))))
    observed.see((WaitStarted(3, NOW, "wait", CANARY), LimitReached(4, NOW, "budget")))
    observed.see((Ended(NOW + timedelta(seconds=2), "failed", "crashed", CANARY, CANARY),))
    assert {line["status"] for said in ("model call", "tool call", "wait") for line in lines_of(log, said)} == {
        "unknown"
    }
    assert lines_of(log, "limit reached")[0]["limit"] == "budget"
    assert lines_of(log, "run ended")[0]["seconds"] == "2.0"
    assert CANARY not in log.getvalue()


def test_a_wait_belongs_to_the_turn_of_the_request_that_waited(log: io.StringIO) -> None:
    observed = Observed(began=NOW)
    observed.see((WaitStarted(1, NOW, "wait", "its turn"),))
    later = NOW + timedelta(seconds=3)
    observed.see((WaitEnded(1, later), ModelStarted(2, later, 1, "scripted", 0, "", 0)))
    [wait] = lines_of(log, "wait")
    assert (wait["turn"], wait["seconds"], wait["status"]) == ("1", "3.0", "done")


def test_a_clock_that_is_set_back_makes_no_time_negative(log: io.StringIO) -> None:
    observed = Observed(began=NOW)
    observed.see((Ended(NOW - timedelta(hours=1), "done", "done"),))
    assert lines_of(log, "run ended")[0]["seconds"] == "0.0"


def test_names_that_are_made_up_do_not_make_more_series() -> None:
    assert metrics.tool_label("tell") == "tell"
    assert metrics.tool_label("no_such_tool") == "unknown"
    known = set(metrics.known_models)
    try:
        labels = {metrics.model_label(f"model-{n}") for n in range(2 * metrics.MOST_MODELS)}
    finally:
        metrics.known_models.clear()
        metrics.known_models.update(known)
    assert len(labels) <= metrics.MOST_MODELS + 1
    assert "other" in labels


async def test_nothing_waits_where_nothing_is_written() -> None:
    await write(int)
    assert gauge("agentsite_writes_waiting") == 0
    assert gauge("agentsite_open_sockets") == 0


def left_behind() -> list[float | None]:
    return [gauge("agentsite_tool_tasks_abandoned"), gauge("agentsite_tool_threads", state="leaked")]


def gauge(name: str, **labels: str) -> float | None:
    return REGISTRY.get_sample_value(name, labels)
