"""Tests endpoints that are set up in the admin, and keeps in their rows what is found."""

import asyncio
from collections.abc import Sequence

from asgiref.sync import async_to_sync
from django.db.models import QuerySet
from django.utils import timezone

from chat.connections import on_this_machine
from chat.keys import KeyLost
from chat.models import Endpoint, EndpointModel
from chat.probe import Findings, probe
from chat.wire.endpoint import Endpoint as EngineEndpoint

KEPT_MODELS = 100  # of those that an endpoint lists; some list hundreds


def check(endpoints: QuerySet[Endpoint]) -> dict[Endpoint, Sequence[str]]:
    """Test endpoints side by side, each with its first model; return the problems of each.

    It takes a minute at most, and belongs into no transaction.
    """
    rows = list(endpoints.prefetch_related("models"))
    found = async_to_sync(_probe_all)([(row, _first_model(row)) for row in rows])
    for row, findings in zip(rows, found, strict=True):
        _keep(row, findings)
    return {row: findings.problems for row, findings in zip(rows, found, strict=True)}


async def _probe_all(asked: Sequence[tuple[Endpoint, str]]) -> list[Findings]:
    return await asyncio.gather(*(_probe(row, model) for row, model in asked))


async def _probe(row: Endpoint, model: str) -> Findings:
    """Probe with a connection of its own, which is closed in the event loop that it was made in."""
    try:
        key = row.unsealed_key()
    except KeyLost as lost:
        return Findings({}, {}, (f"{lost} Type it again.",))
    here = on_this_machine.get(row.base_url)
    endpoint = EngineEndpoint(row.base_url, key, here.transport if here else None)
    try:
        return await probe(endpoint, model)
    finally:
        await endpoint.close()


def _first_model(row: Endpoint) -> str:
    return next((model.name for model in row.models.all()), "")


def _keep(row: Endpoint, findings: Findings) -> None:
    """Store what was found; a context size goes to a model that has none yet.

    What an endpoint that answers refused before is forgotten: perhaps it has been mended, and else it refuses again.
    """
    listed = dict(list(findings.models.items())[:KEPT_MODELS])
    row.tested = timezone.now()
    row.test_result = {"models": listed, "problems": list(findings.problems)}
    row.abilities = dict(findings.abilities) or row.abilities
    row.save(update_fields=["tested", "test_result", "abilities"])
    for model in EndpointModel.objects.filter(endpoint=row, context_tokens=None):
        if window := findings.models.get(model.name):
            EndpointModel.objects.filter(pk=model.pk).update(context_tokens=window)
