"""Which models there are, and which endpoint answers for each: the environment's, those of the admin, or the demo."""

import time
from collections.abc import Mapping

import structlog
from django.conf import settings

from chat.connections import DEMO_URL, connect, keep_only, slot_of, window_of
from chat.db import read, write
from chat.demo.wire import MODEL as DEMO_MODEL
from chat.keys import KeyLost
from chat.models import Endpoint as StoredEndpoint
from chat.models import EndpointModel
from chat.wire.endpoint import Abilities, Endpoint, Target
from chat.wire.errors import EndpointError

LISTED_MODELS = 8
LIST_SECONDS = 60.0
AGAIN_SECONDS = 5.0  # after the endpoint listed none
FRESH_SECONDS = 1.0  # for so long a change in the admin may not be seen yet

log = structlog.get_logger("agentsite.endpoints")


class NoModel(Exception):
    """There is no model to send to; the message says what to do."""


_standin: Endpoint | None = None
_listed: tuple[float, Mapping[str, int | None]] = (0.0, {})
_stored: tuple[float, list[EndpointModel]] = (0.0, [])


def use(endpoint: Endpoint | None) -> None:
    """Put an endpoint in the place of the environment's (a scripted one in tests); None: as set up. Forget the rest."""
    global _standin, _listed, _stored
    _standin, _listed, _stored = endpoint, (0.0, {}), (0.0, [])
    keep_only(set())


async def models() -> list[str]:
    """Return the models that a person may choose from, the default first; [] if there is none.

    Those of the environment's endpoint, then those of the admin by position, and the demo model if that makes none.
    """
    names = [*await _environments(), *(row.name for row in await _rows() if row.offered)]
    return list(dict.fromkeys(names)) or ([DEMO_MODEL] if await is_demo() else [])


async def chosen(wanted: str) -> str:
    """Return the model to use: the one wanted if it may be chosen, else the default. Raises NoModel."""
    names = await models()
    if not names:
        raise NoModel(
            "No model can be chosen: the endpoint lists none or cannot be reached. Set AGENT_MODELS to its name."
        )
    return wanted if wanted in names else names[0]


async def is_demo() -> bool:
    """Say whether the demo model answers, because there is nothing else."""
    return _environment() is None and not any(row.offered for row in await _rows())


async def target(model: str) -> Target:
    """Return what answers for a model. Raises NoModel where it is gone, or its key cannot be read."""
    environment = _environment()
    if environment and model in settings.AGENT_MODELS:
        return Target(environment, model, window_of(environment.base_url))
    if row := next((row for row in await _rows() if row.name == model), None):
        return _target_of(row)
    if environment and not settings.AGENT_MODELS:
        return Target(environment, model, _listed[1].get(model))
    if model == DEMO_MODEL and await is_demo():
        return Target(connect("demo", DEMO_URL, "", str), model)
    raise NoModel(f"The model {model} is not there any more. Choose another one.")


async def small() -> Target | None:
    """Return what writes titles and summaries: the small model of the admin, else AGENT_SMALL_MODEL, else None."""
    if row := next((row for row in await _rows() if row.small), None):
        return _target_or_none(row)
    environment, model = _environment(), settings.AGENT_SMALL_MODEL
    return Target(environment, model, _listed[1].get(model)) if environment and model else None


async def fallback(model: str) -> Target | None:
    """Return what answers where a model fails; None if there is nothing, or it is the same model."""
    row = next((row for row in await _rows() if row.fallback and row.name != model), None)
    return _target_or_none(row) if row else None


async def learned(endpoint: Endpoint, abilities: Abilities) -> None:
    """Remember what an endpoint turned out to be able to do: in its row, or for this process where it has none."""
    endpoint.abilities.update(abilities)
    slot = slot_of(endpoint)
    if isinstance(slot, int):
        await write(_store_abilities, slot, abilities)


async def _environments() -> list[str]:
    """Return the models of the environment's endpoint: as set, else the first that it lists, asked once a minute."""
    global _listed
    environment = _environment()
    if environment is None:
        return []
    if settings.AGENT_MODELS:
        return list(settings.AGENT_MODELS)
    asked, listing = _listed
    if not asked or time.monotonic() - asked >= (LIST_SECONDS if listing else AGAIN_SECONDS):
        try:
            listing = await environment.listing()
        except EndpointError:
            listing = {}
        _listed = (time.monotonic(), listing)
    return list(listing)[:LISTED_MODELS]


def _environment() -> Endpoint | None:
    if _standin or not settings.OPENAI_BASE_URL:
        return _standin
    key = settings.OPENAI_API_KEY
    return connect("environment", settings.OPENAI_BASE_URL, key, lambda: key)


async def _rows() -> list[EndpointModel]:
    """Return the models of the enabled endpoints, by position, as they were at most a moment ago."""
    global _stored
    asked, rows = _stored
    if not asked or time.monotonic() - asked >= FRESH_SECONDS:
        rows = await read(_read_rows)
        _stored = (time.monotonic(), rows)
        keep_only({"environment", "demo", *(row.endpoint_id for row in rows)})
    return rows


def _read_rows() -> list[EndpointModel]:
    return list(EndpointModel.objects.filter(endpoint__enabled=True).select_related("endpoint"))


def _target_of(row: EndpointModel) -> Target:
    stored = row.endpoint
    try:
        limits = (stored.requests_per_minute, stored.max_concurrent)
        endpoint = connect(stored.pk, stored.base_url, stored.sealed_key, stored.unsealed_key, stored.abilities, limits)
    except KeyLost as lost:
        raise NoModel(f"The key of {stored.name} cannot be read. An administrator has to type it again.") from lost
    return Target(endpoint, row.name, row.context_tokens)


def _target_or_none(row: EndpointModel) -> Target | None:
    try:
        return _target_of(row)
    except NoModel as lost:
        log.warning("model cannot be used", model=row.name, reason=str(lost))
        return None


def _store_abilities(pk: int, abilities: Abilities) -> None:
    stored = StoredEndpoint.objects.select_for_update().filter(pk=pk).first()
    if stored:  # else it was deleted
        stored.abilities |= abilities
        stored.save(update_fields=["abilities"])
