"""What `manage.py check` says of the settings of the agent: each may be meant so, none can stop a start."""

from collections.abc import Sequence
from urllib.parse import urlsplit

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Warning, register

from chat.wire.usage import has_price

UNPRICED = (
    "AGENT_MAX_COST is set, and no price is known for the model {model!r} at {host}. "
    "Unless the endpoint itself reports what a call costs, that limit has no effect there."
)
INSTEAD = "AGENT_MAX_TOKENS holds for every model."


@register
def unpriced_models(app_configs: Sequence[AppConfig] | None, **kwargs: object) -> list[CheckMessage]:
    """Warn of models of the environment whose calls no limit of cost can count."""
    if not settings.AGENT_MAX_COST:
        return []
    url = settings.OPENAI_BASE_URL
    names = dict.fromkeys(name for name in (*settings.AGENT_MODELS, settings.AGENT_SMALL_MODEL) if name)
    host = urlsplit(url).hostname or "this machine"
    return [
        Warning(UNPRICED.format(model=name, host=host), INSTEAD, id="chat.W001")
        for name in names
        if not has_price(name, url)
    ]
