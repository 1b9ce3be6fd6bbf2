"""Reads all that a run begins with, and freezes it: what was said and remembered, who is asked, within which limits."""

import uuid
from decimal import Decimal

import structlog
from django.conf import settings

from chat import endpoints
from chat.agent.asking import Asking, now
from chat.agent.endpoint import Target
from chat.agent.events import Began, MemoryRead
from chat.agent.fitting import Fitting
from chat.agent.limits import Budget, Limits
from chat.agent.summary import title_order
from chat.agent.task import Task
from chat.agent.transcript import Frozen
from chat.agent.usage import TOKENS_A_BYTE
from chat.allowances import Standing, standing
from chat.db import read
from chat.history import History, history
from chat.memory import Remembered, recall
from chat.models import Run
from chat.prompt import system_prompt
from chat.store.texts import title_of
from tools.registry import registry


async def prepare(run_id: uuid.UUID) -> tuple[Run, Task]:
    """Return a run and its task. Raises endpoints.NoModel."""
    run, told, remembered, limits = await read(_read, run_id)
    structlog.contextvars.bind_contextvars(user=run.message.owner_id)  # on each line of the log from here on
    targets = [await endpoints.target(run.model)]
    if other := await endpoints.fallback(run.model):
        targets.append(other)
    return run, _task(run, told, remembered, limits, targets, await endpoints.small())


def _read(run_id: uuid.UUID) -> tuple[Run, History, Remembered, Limits]:
    run = Run.objects.select_related("message", "conversation").get(pk=run_id)
    owner = run.message.owner_id
    return run, history(run), recall(owner), _limits(standing(owner, now()))


def _task(
    run: Run, told: History, remembered: Remembered, limits: Limits, targets: list[Target], small: Target | None
) -> Task:
    at, conversation = now(), run.conversation
    frozen = Frozen(system_prompt(conversation.instructions, remembered), registry.schemas(), conversation.mode)
    opening = (
        Began(at, {"system": frozen.system, "tools": frozen.tools, "mode": frozen.mode, "limits": _shown(limits)}),
        MemoryRead(1, at, remembered.facts, remembered.preferences),
    )
    fitting = Fitting(
        frozen, told.asked, told.cut, settings.AGENT_CONTEXT_TOKENS, told.rate or TOKENS_A_BYTE, small
    )  # fmt: skip
    asking = Asking(targets, Budget(limits), str(run.message.owner_id), number=1, pending=opening)
    is_first = run.message.parent_id is None and conversation.title == title_of(run.message.text)
    return Task(told.entries, fitting, asking, title_order(run.message.text, small) if small and is_first else None)


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
