"""The endpoint that answers, as the site is set up: the one from the environment, or the demo model."""

import time

from django.conf import settings

from chat.agent.endpoint import Endpoint
from chat.agent.errors import EndpointError
from chat.demo.transport import DemoTransport
from chat.local import site

DEMO_URL = "http://demo.invalid/v1"
LISTED_MODELS = 8
LIST_SECONDS = 60.0
AGAIN_SECONDS = 5.0  # after the endpoint listed none


class NoModel(Exception):
    """There is no model to send to; the message says what to do."""


_endpoint: Endpoint | None = None
_listed: tuple[float, list[str]] = (0.0, [])


def current() -> Endpoint:
    """Return the endpoint; the same one each time, so that its connections are used again."""
    global _endpoint
    if _endpoint is None:
        if settings.DEMO:
            _endpoint = Endpoint(DEMO_URL, "", DemoTransport())
        else:
            _endpoint = Endpoint(settings.OPENAI_BASE_URL, settings.OPENAI_API_KEY, site.transport())
    return _endpoint


def use(endpoint: Endpoint | None) -> None:
    """Put another endpoint in its place (a scripted one in tests); None: as set up."""
    global _endpoint, _listed
    _endpoint, _listed = endpoint, (0.0, [])


async def chosen(wanted: str) -> str:
    """Return the model to use: the one wanted if it may be chosen, else the default. Raises NoModel."""
    names = await models()
    if not names:
        raise NoModel(
            "No model can be chosen: the endpoint lists none or cannot be reached. Set AGENT_MODELS to its name."
        )
    return wanted if wanted in names else names[0]


async def models() -> list[str]:
    """Return the models that a person may choose from, the default first; [] if the endpoint lists none.

    As set in AGENT_MODELS, else the first few that the endpoint lists, asked at most once a minute.
    """
    global _listed
    if settings.AGENT_MODELS:
        return list(settings.AGENT_MODELS)
    asked, names = _listed
    if asked and time.monotonic() - asked < (LIST_SECONDS if names else AGAIN_SECONDS):
        return names
    try:
        names = (await current().models())[:LISTED_MODELS]
    except EndpointError:
        names = []
    _listed = (time.monotonic(), names)
    return names
