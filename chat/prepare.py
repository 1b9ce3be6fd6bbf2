"""Reads all that a run begins with, and freezes it; or, if another process began it, all that it goes on from."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

import structlog
from django.conf import settings

from chat import endpoints, resumption
from chat.agent.asking import Asking
from chat.agent.clock import now, steady
from chat.agent.events import Batch, Began, MemoryRead
from chat.agent.fitting import Fitting
from chat.agent.limits import Budget, Limits
from chat.agent.summary import title_order
from chat.agent.task import Task
from chat.agent.transcript import Frozen
from chat.allowances import Standing, standing
from chat.db import read
from chat.history import History, frozen, history
from chat.memory import Remembered, recall
from chat.models import Run, Step
from chat.prompt import system_prompt
from chat.store.texts import title_of
from chat.wire.endpoint import Target
from chat.wire.usage import TOKENS_A_BYTE
from tools.registry import registry


@dataclass(frozen=True, slots=True)
class Prepared:
    """A run, its task, and whether a tool whose result is text from outside ran in it before."""

    run: Run
    task: Task
    outside_ran: bool


@dataclass(frozen=True, slots=True)
class _Found:
    run: Run
    steps: Sequence[Step]
    told: History
    frozen: Frozen
    limits: Limits
    remembered: Remembered


async def prepare(run_id: uuid.UUID) -> Prepared:
    """Return a run with its task. Raises endpoints.NoModel."""
    found = await read(_read, run_id)
    run = found.run
    structlog.contextvars.bind_contextvars(user=run.message.owner_id)  # on each line of the log from here on
    targets = [await endpoints.target(run.model)]
    if other := await endpoints.fallback(run.model):
        targets.append(other)
    task = _task(found, targets, await endpoints.small())
    if run.request:
        resumption.catch_up(task, run, found.steps)
    return Prepared(run, task, resumption.outside_ran(found.steps))


def _read(run_id: uuid.UUID) -> _Found:
    run = Run.objects.select_related("message", "conversation").get(pk=run_id)
    steps, told, owner = list(run.steps.order_by("number")), history(run), run.message.owner_id
    if run.request:
        return _Found(run, steps, told, frozen(run), resumption.limits(run), Remembered())
    remembered, conversation = recall(owner), run.conversation
    system = system_prompt(conversation.instructions, remembered)
    made = Frozen(system, registry.schemas(), conversation.mode)
    return _Found(run, steps, told, made, _limits(standing(owner, now())), remembered)


def _task(found: _Found, targets: list[Target], small: Target | None) -> Task:
    run, told = found.run, found.told
    number, opening = (found.steps[-1].number if found.steps else 0), Batch()
    if not run.request:
        number += 1
        opening = _opening(found, number)
    budget = Budget(found.limits, worked=resumption.worked(run, found.steps))
    fitting = Fitting(
        found.frozen, told.asked, told.cut, settings.AGENT_CONTEXT_TOKENS, told.rate or TOKENS_A_BYTE, small
    )  # fmt: skip
    asking = Asking(targets, budget, str(run.message.owner_id), number, steady(), pending=opening)
    is_first = run.message.parent_id is None and run.conversation.title == title_of(run.message.text)
    return Task(told.entries, fitting, asking, title_order(run.message.text, small) if small and is_first else None)


def _opening(found: _Found, number: int) -> Batch:
    """Return the events with which a run begins."""
    at, told, what = now(), found.remembered, found.frozen
    request = {"system": what.system, "tools": what.tools, "mode": what.mode, "limits": _shown(found.limits)}
    return Began(at, request), MemoryRead(number, at, told.facts, told.preferences)


def _limits(person: Standing) -> Limits:
    """Return what the run may use: as the site says, and no more than its person has left."""
    most = Decimal(str(settings.AGENT_MAX_COST)) if settings.AGENT_MAX_COST else None
    left = {limit.kind: limit.left for limit in person.limits}
    costs = [cost for cost in (most, left["cost_a_day"]) if cost is not None]
    tokens = [count for count in (settings.AGENT_MAX_TOKENS, left["tokens_a_day"]) if count is not None]
    return Limits(
        turns=settings.AGENT_MAX_TURNS,
        tokens=int(min(tokens)),
        cost=Decimal(min(costs)) if costs else None,
        seconds=settings.AGENT_MAX_SECONDS,
    )


def _shown(limits: Limits) -> dict[str, float | None]:
    cost = None if limits.cost is None else float(limits.cost)
    return {"turns": limits.turns, "tokens": limits.tokens, "cost": cost, "seconds": limits.seconds}
