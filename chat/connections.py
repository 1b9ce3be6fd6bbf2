"""Keeps one engine endpoint for each that is set up, until its set-up changes, so that connections are used again."""

import asyncio
import weakref
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

import httpx2
from django.conf import settings

from chat.demo.transport import DemoTransport
from chat.wire.endpoint import IDLE_SECONDS, Abilities, Endpoint
from chat.wire.gate import Gate

if TYPE_CHECKING:
    from chat.shared_pace import SharedPace

DEMO_URL = "http://demo.invalid/v1"


@dataclass(frozen=True, slots=True)
class OnThisMachine:
    """An endpoint that this process brings along: the demo model, a local model, in tests a script.

    `idle` are the seconds for which it may say nothing, `abilities` what is known of it before it is asked, `window`
    the tokens of its context, `places` how many requests it takes at once.
    """

    transport: httpx2.AsyncBaseTransport
    idle: float = IDLE_SECONDS
    abilities: Abilities = field(default_factory=dict)
    window: int | None = None
    places: int | None = None


on_this_machine = {DEMO_URL: OnThisMachine(DemoTransport())}  # by base URL


@dataclass(slots=True)
class _Kept:
    made_of: tuple[object, ...] = field(repr=False)  # it holds the key of the environment
    abilities: Abilities
    endpoint: Endpoint


_kept: dict[int | str, _Kept] = {}
_closing: set["asyncio.Task[None]"] = set()


def connect(
    slot: int | str,
    base_url: str,
    sealed: str,
    key: Callable[[], str],
    abilities: Abilities | None = None,
    limits: tuple[int | None, int | None] = (None, None),
) -> Endpoint:
    """Return the endpoint of a slot, the same one until its base URL, its sealed key or its limits change.

    `limits` are its requests a minute and at once; None: as set for the whole site. `key` gives the key itself, and is
    asked for a new endpoint only. `abilities` are those that are stored: they are taken over when they change there,
    and what a run learned meanwhile is kept until then. None: they are not stored.
    """
    kept, made_of = _kept.get(slot), (base_url, sealed, limits, on_this_machine.get(base_url))
    if kept is None or kept.made_of != made_of:
        kept = _kept[slot] = _Kept(made_of, abilities or {}, _new(base_url, key(), abilities or {}, limits))
    elif abilities is not None and abilities != kept.abilities:
        kept.abilities = abilities
        kept.endpoint.abilities.clear()
        kept.endpoint.abilities.update(abilities)
    return kept.endpoint


def window_of(base_url: str) -> int | None:
    """Return the tokens that an endpoint on this machine takes in; None where that is not known, or it is another."""
    here = on_this_machine.get(base_url)
    return here.window if here else None


def slot_of(endpoint: Endpoint) -> int | str | None:
    """Return the slot that an endpoint is kept in; None if it has been replaced."""
    return next((slot for slot, kept in _kept.items() if kept.endpoint is endpoint), None)


def keep_only(slots: Collection[int | str]) -> None:
    """Let go of the endpoints of all other slots."""
    for slot in _kept.keys() - set(slots):
        del _kept[slot]


def _new(base_url: str, key: str, abilities: Abilities, limits: tuple[int | None, int | None]) -> Endpoint:
    if here := on_this_machine.get(base_url):
        known, gate = {**here.abilities, **abilities}, Gate(None, here.places)
        return Endpoint(base_url, key, here.transport, known, gate, here.idle)
    a_minute, at_once = limits[0] or settings.AGENT_REQUESTS_PER_MINUTE, limits[1] or settings.AGENT_MAX_CONCURRENT
    pace = _pace(base_url, a_minute)
    gate = Gate(a_minute, at_once, pace=pace)
    transport = httpx2.AsyncHTTPTransport(trust_env=False)
    endpoint = Endpoint(base_url, key, transport, abilities, gate, IDLE_SECONDS)
    # Runs that are at work go on with the endpoint that they began with, so it is closed when the last lets go of it.
    closing = partial(_close_soon, transport, pace, asyncio.get_running_loop())
    weakref.finalize(endpoint, closing).atexit = False
    return endpoint


def _pace(base_url: str, a_minute: int) -> "SharedPace | None":
    """Return the pace that all processes keep together, where Redis is set up; its client comes with an extra."""
    if not settings.REDIS_URL:
        return None
    from chat.shared_pace import SharedPace

    return SharedPace(settings.REDIS_URL, base_url, a_minute)


def _close_soon(
    transport: httpx2.AsyncBaseTransport, pace: "SharedPace | None", loop: asyncio.AbstractEventLoop
) -> None:
    def close() -> None:
        for one in [transport.aclose(), *([pace.close()] if pace else [])]:
            task = loop.create_task(one)
            _closing.add(task)
            task.add_done_callback(_closing.discard)

    with suppress(RuntimeError):  # the loop is over, and the connections with it
        loop.call_soon_threadsafe(close)
