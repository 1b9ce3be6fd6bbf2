"""Tells of runs in the log and in the metrics: what happened, with whom, how long, how much; never what was said.

A line carries its run's id and its user's from the context. Sizes are added where DEBUG is logged.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

import structlog

from chat import metrics
from chat.agent.clock import now
from chat.agent.events import (
    Batch,
    Began,
    Ended,
    LimitReached,
    ModelEnded,
    ModelFailed,
    ModelStarted,
    ToolEnded,
    ToolStarted,
    WaitEnded,
    WaitStarted,
)
from chat.wire.values import Usage, known_sum

log = structlog.get_logger("agentsite.runs")

Start = ModelStarted | ToolStarted | WaitStarted
End = ModelEnded | ModelFailed | ToolEnded | WaitEnded


@dataclass(slots=True)
class Observed:
    """What was seen of one run: `began` is when this process took it up, the sums are of its model calls."""

    began: datetime = field(default_factory=now)
    model: str = ""
    turn: int = 0
    tools: int = 0
    tokens_in: int | None = None
    tokens_out: int | None = None
    cost: Decimal | None = None
    _started: dict[int, Start] = field(default_factory=dict)

    def see(self, batch: Batch) -> None:
        """Tell of events that are stored now. Those that say nothing here are passed over."""
        for event in batch:
            if isinstance(event, WaitEnded | ModelStarted):  # a request follows at once on its wait
                self.turn = max([self.turn, *(asked.turn for asked in batch if isinstance(asked, ModelStarted))])
            match event:
                case Began():
                    log.info("run started", model=self.model)
                case ModelStarted() | ToolStarted() | WaitStarted():
                    self._started[event.number] = event
                case ModelEnded() | ModelFailed() | ToolEnded() | WaitEnded():
                    if started := self._started.pop(event.number, None):
                        self._step(started, event.at, _outcome(started, event), event)
                case LimitReached():
                    log.info("limit reached", turn=self.turn, limit=event.limit)
                case Ended():
                    self._ended(event)

    def _step(self, started: Start, at: datetime, outcome: str, ended: End | None) -> None:
        seconds = _seconds(started.at, at)
        match started:
            case ModelStarted():
                self._model_call(started, seconds, outcome, ended if isinstance(ended, ModelEnded) else None)
            case ToolStarted():
                self._tool_call(started, seconds, outcome, ended if isinstance(ended, ToolEnded) else None)
            case WaitStarted():
                metrics.WAIT_SECONDS.labels(started.kind).observe(seconds)
                log.info(started.kind, turn=self.turn, status=outcome, seconds=seconds)

    def _model_call(self, started: ModelStarted, seconds: float, outcome: str, ended: ModelEnded | None) -> None:
        usage, cost = (ended.reply.usage, ended.cost) if ended else (Usage(), None)
        first_token = _seconds(started.at, ended.first_token) if ended and ended.first_token else None
        label = metrics.model_label(started.model)
        metrics.count_model_call(label, outcome, seconds, first_token)
        metrics.count_usage(label, usage, _dollars(cost))
        tokens_in = known_sum(usage.input, usage.cache_write, usage.cache_read)
        self.tokens_in = known_sum(self.tokens_in, tokens_in)
        self.tokens_out = known_sum(self.tokens_out, metrics.output(usage))
        self.cost = self.cost if cost is None else cost + (self.cost or 0)
        _say(
            "model call",
            {"bytes_sent": started.size, "characters": len(ended.reply.text) if ended else None},
            turn=started.turn, purpose=started.purpose, model=started.model, endpoint=started.host, status=outcome,
            tokens_in=tokens_in, tokens_cached=usage.cache_read, tokens_out=metrics.output(usage),
            estimated=usage.estimated, cost=_dollars(cost), seconds=seconds, first_token=first_token,
        )  # fmt: skip

    def _tool_call(self, started: ToolStarted, seconds: float, outcome: str, ended: ToolEnded | None) -> None:
        name = metrics.tool_label(started.call.name)
        metrics.TOOL_SECONDS.labels(name, outcome).observe(seconds)
        self.tools += 1
        text = ended.whole or ended.text if ended else ""
        sizes = {"characters_sent": len(started.call.raw), "characters": len(text)}
        _say("tool call", sizes, turn=self.turn, tool=name, status=outcome, seconds=seconds)

    def _ended(self, event: Ended) -> None:
        """Tell of the end, and before it of what was still at work."""
        outcome = "unknown" if event.stop_reason == "crashed" else "stopped"
        for number in tuple(self._started):
            self._step(self._started.pop(number), event.at, outcome, None)
        seconds = _seconds(self.began, event.at)
        metrics.RUNS.labels(event.stop_reason).inc()
        metrics.RUN_SECONDS.observe(seconds)
        _say(
            "run ended",
            {"characters": len(event.text)},
            status=event.status, reason=event.stop_reason, turns=self.turn, tools=self.tools,
            tokens_in=self.tokens_in, tokens_out=self.tokens_out, cost=_dollars(self.cost), seconds=seconds,
        )  # fmt: skip


def abandoned(conversation: object, reason: str) -> None:
    """Tell of a run that was ended by another process than the one that had worked on it, and died."""
    metrics.RUNS.labels(reason).inc()
    log.warning("run ended", reason=reason, conversation=str(conversation))


def taken_over(run: object, attempt: int) -> None:
    """Tell of a run that goes on here, because the process that worked on it is gone."""
    metrics.TAKEN_OVER.inc()
    log.warning("run taken over", run=str(run), attempt=attempt)


def _outcome(started: Start, ended: End) -> str:
    match started, ended:
        case ToolStarted(), ToolEnded():
            return "not_run" if started.call.problem else "error" if ended.error else "done"
        case _:
            return "error" if isinstance(ended, ModelFailed) else "done"


def _say(event: str, sizes: Mapping[str, int | None], **values: object) -> None:
    log.info(event, **values, **(sizes if log.isEnabledFor(logging.DEBUG) else {}))


def _seconds(start: datetime, end: datetime) -> float:
    """Return what lies between two moments; 0 where the clock was set back meanwhile."""
    return max(0.0, round((end - start).total_seconds(), 3))


def _dollars(cost: Decimal | None) -> float | None:
    return None if cost is None else float(cost)
