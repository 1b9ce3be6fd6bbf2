"""Stores what happens in a run: one tuple of the loop's events, one transaction, one revision."""

import uuid
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import datetime
from decimal import Decimal

from django.db.models import F, Value
from django.db.models.functions import Greatest

from chat.agent.events import (
    Batch,
    Began,
    Ended,
    LimitReached,
    MemoryRead,
    ModelEnded,
    ModelFailed,
    ModelStarted,
    Shortened,
    TextDelta,
    ToolEnded,
    ToolStarted,
    WaitEnded,
    WaitStarted,
)
from chat.agent.limits import WORDS
from chat.models import Message, Payload, Run, RunStatus, Step, StepKind, StepStatus
from chat.store.counters import hold_run, raise_conversation, raise_run
from chat.store.texts import entitled, summarised
from chat.wire.values import known_sum
from tools.text import clean, cleaned

STOPPED = "Error: stopped by the user; whether it took effect is unknown."
DOING = {"answer": "Thinking", "summary": "Summing up what was said before", "title": "Finding a title"}
UNKNOWN = "Error: the process died while this ran; whether it took effect is unknown."
LOST = "the server stopped before this was over"


def apply(run_id: uuid.UUID, attempt: int, batch: Batch) -> int:
    """Store a tuple of events; return the run's revision. Raises StaleOwner."""
    revision = raise_run(run_id, attempt)
    record(run_id, revision, batch)
    return revision


def record(run_id: uuid.UUID, revision: int, batch: Batch) -> None:
    """Store a tuple of events at a revision that the run has been raised to."""
    run = Run.objects.get(pk=run_id)
    for event in batch:
        match event:
            case Began():
                run.request = dict(event.request)
            case MemoryRead():
                _memory(run, revision, event)
            case ModelStarted():
                _model_started(run, revision, event)
            case ModelEnded():
                _model_ended(run, revision, event)
            case ModelFailed():
                partial = cleaned(_set({"text": event.text, "thought": event.thought}))
                _end_step(run, event.number, event.at, revision, error=event.error, output=partial)
            case WaitStarted():
                _wait_started(run, revision, event)
            case WaitEnded():
                _end_step(run, event.number, event.at, revision)
            case Shortened():
                _noted(run, revision, event, StepKind.CONTEXT, "Context", {"cut": asdict(event.cut)})
            case LimitReached():
                _noted(run, revision, event, StepKind.LIMIT, WORDS[event.limit], {"limit": event.limit})
            case ToolStarted():
                _tool_started(run, revision, event)
            case ToolEnded():
                _tool_ended(run, revision, event)
            case Ended():
                _ended(run, revision, event)
            case TextDelta():
                pass  # a preview, kept by `flush`
    if running := dict.fromkeys(clean(event.call.name) for event in batch if isinstance(event, ToolStarted)):
        run.doing = f"Running {', '.join(running)}"[:200]
    run.save(
        update_fields=[
            "request", "status", "stop_reason", "error", "doing", "turns", "tools",
            "input_tokens", "output_tokens", "estimated", "cost", "ended", "lease_until",
        ]
    )  # fmt: skip


def flush(pieces: Iterable[tuple[uuid.UUID, int, int, str, str]]) -> None:
    """Keep what live model steps said so far: (run, attempt, number, text, thought). No revision: viewers have it."""
    for run_id, attempt, number, text, thought in pieces:
        if hold_run(run_id, attempt):
            step = Step.objects.filter(run=run_id, number=number, status=StepStatus.RUNNING)
            step.update(output=_set({"text": clean(text), "thought": clean(thought)}))


def _memory(run: Run, revision: int, event: MemoryRead) -> None:
    output = {"facts": [*event.facts], "preferences": [*event.preferences]}
    Step.objects.create(
        run=run, number=event.number, kind=StepKind.MEMORY, name="Memory", status=StepStatus.DONE,
        started=event.at, ended=event.at, output=output, born=revision, revision=revision,
    )  # fmt: skip


def _model_started(run: Run, revision: int, event: ModelStarted) -> None:
    sent = {
        "purpose": event.purpose, "turn": event.turn, "after": event.after, "host": event.host,
        "without": [*event.without], "last": event.last, "cut": asdict(event.cut) if event.cut else None,
        "sha256": event.sha256, "bytes": event.size,
    }  # fmt: skip
    kind = StepKind.CONTEXT if event.purpose == "summary" else StepKind.MODEL
    Step.objects.create(
        run=run, number=event.number, kind=kind, name=event.model, started=event.at, input=_set(sent),
        born=revision, revision=revision,
    )  # fmt: skip
    if event.purpose == "answer":
        run.turns = event.turn
    run.doing = DOING[event.purpose]


def _model_ended(run: Run, revision: int, event: ModelEnded) -> None:
    reply, usage = event.reply, event.reply.usage
    output = {
        "text": clean(reply.text),
        "reasoning": clean(reply.reasoning),
        "reasoning_field": reply.reasoning_field,
        "details": [*reply.details],
        "thought": clean(reply.thought),
        "calls": [asdict(call) for call in reply.calls],
        "finish": reply.finish,
        "refusal": clean(reply.refusal),
        "model": reply.model,
    }
    _end_step(
        run, event.number, event.at, revision, output=cleaned(_set(output)), estimated=usage.estimated,
        first_token=event.first_token, cost=event.cost, input_tokens=usage.input, cache_read_tokens=usage.cache_read,
        cache_write_tokens=usage.cache_write, reasoning_tokens=usage.reasoning, output_tokens=usage.output,
    )  # fmt: skip
    run.input_tokens = known_sum(run.input_tokens, usage.input, usage.cache_read, usage.cache_write)
    run.output_tokens = known_sum(run.output_tokens, usage.reasoning, usage.output)
    run.estimated = run.estimated or usage.estimated
    if event.cost is not None:
        run.cost = (run.cost or Decimal(0)) + event.cost
    if event.purpose == "summary" and reply.text.strip():
        summarised(run, clean(reply.text), event.at)
    if event.purpose == "title":
        entitled(run, clean(reply.text))


def _wait_started(run: Run, revision: int, event: WaitStarted) -> None:
    seconds = None if event.seconds is None else round(event.seconds, 3)
    Step.objects.create(
        run=run, number=event.number, kind=StepKind(event.kind), name=event.kind.capitalize(), started=event.at,
        input=_set({"seconds": seconds, "reason": clean(event.reason)}), born=revision, revision=revision,
    )  # fmt: skip
    run.doing = "Waiting to ask again" if event.kind == StepKind.RETRY else "Waiting for its turn at the model"


def _noted(
    run: Run, revision: int, event: Shortened | LimitReached, kind: StepKind, name: str, about: dict[str, object]
) -> None:
    """Store a step that is over as it begins."""
    Step.objects.create(
        run=run, number=event.number, kind=kind, name=name, status=StepStatus.DONE, started=event.at, ended=event.at,
        input=about, born=revision, revision=revision,
    )  # fmt: skip


def _tool_started(run: Run, revision: int, event: ToolStarted) -> None:
    call = event.call
    parent = Step.objects.only("id").get(run=run, number=event.parent)
    given = {"id": call.id, "arguments": call.arguments} | ({"raw": call.raw} if call.problem else {})
    Step.objects.create(
        run=run, parent=parent, number=event.number, kind=StepKind.TOOL, name=clean(call.name)[:200],
        started=event.at, input=cleaned(given), born=revision, revision=revision,
    )  # fmt: skip
    name = clean(call.name)[:200]
    run.tools[name] = run.tools.get(name, 0) + 1


def _tool_ended(run: Run, revision: int, event: ToolEnded) -> None:
    output = {"text": clean(event.text)} | ({"detail": clean(event.detail)} if event.detail else {})
    _end_step(run, event.number, event.at, revision, error=event.error, output=output)
    if event.whole:
        step = Step.objects.only("id").get(run=run, number=event.number)
        Payload.objects.create(step=step, body=zlib.compress(event.whole.encode("utf-8", "replace")), created=event.at)


def _ended(run: Run, revision: int, event: Ended) -> None:
    """The one place where a run ends: its open steps are closed, its answer is written, its lease is given up."""
    open_steps = Step.objects.filter(run=run, status=StepStatus.RUNNING)
    crashed = event.stop_reason == "crashed"
    closed = {
        "status": StepStatus.UNKNOWN if crashed else StepStatus.STOPPED, "error": LOST if crashed else "",
        "ended": Greatest(F("started"), Value(event.at)), "revision": revision,
    }  # fmt: skip
    open_steps.filter(kind=StepKind.TOOL).update(output={"text": UNKNOWN if crashed else STOPPED}, **closed)
    answering = open_steps.filter(kind=StepKind.MODEL, input__purpose="answer")
    answering.update(output=_set({"text": clean(event.text)}), **closed)
    open_steps.update(**closed)
    run.status, run.stop_reason, run.error = RunStatus(event.status), event.stop_reason, clean(event.error)
    run.doing, run.ended, run.lease_until = "", max(event.at, run.started or event.at), None
    shown = raise_conversation(run.conversation_id)
    Message.objects.filter(pk=run.answer_id).update(text=clean(event.text), revision=shown)


def _end_step(run: Run, number: int, at: datetime, revision: int, error: str = "", **values: object) -> None:
    Step.objects.filter(run=run, number=number).update(
        status=StepStatus.ERROR if error else StepStatus.DONE,
        error=clean(error),
        ended=Greatest(F("started"), Value(at)),  # clocks are set back
        revision=revision,
        **values,
    )


def _set(values: Mapping[str, object]) -> dict[str, object]:
    """Return what is there of some values: an empty one says no more than a missing one."""
    return {name: value for name, value in values.items() if value not in (None, "", [], {}, ())}
