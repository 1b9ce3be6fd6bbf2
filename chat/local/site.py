"""Makes the model of AGENT_LOCAL_GGUF the endpoint of the site."""

import httpx2
from django.conf import settings

from chat.connections import OnThisMachine, on_this_machine
from chat.local.process import CONTEXT_TOKENS, Engine, start
from chat.wire.errors import EndpointError

PATIENCE_SECONDS = 600.0  # without a graphics card a long conversation is read for minutes before the first word

_engine: Engine | None = None


class Transport(httpx2.AsyncHTTPTransport):
    """The way to a local model: says in words when its process has ended, and is patient while it lives."""

    def __init__(self, engine: Engine) -> None:
        # After a reply llama.cpp says that the connection stays, and closes it.
        super().__init__(trust_env=False, limits=httpx2.Limits(max_keepalive_connections=0))
        self.engine = engine

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        if ended := self.engine.ended():
            raise EndpointError(ended, again=False)
        request.extensions["timeout"]["read"] = PATIENCE_SECONDS
        return await super().handle_async_request(request)


def start_if_set() -> Engine | None:
    """Start the local model, once in a process, if there is to be one. Raises CannotStart."""
    global _engine
    if settings.AGENT_LOCAL_GGUF and _engine is None:
        _engine = start(settings.AGENT_LOCAL_GGUF)
        settings.OPENAI_BASE_URL, settings.OPENAI_API_KEY = _engine.base_url, _engine.key
        known = {} if _engine.tools else {"tools": False}
        on_this_machine[_engine.base_url] = OnThisMachine(
            Transport(_engine), PATIENCE_SECONDS, known, CONTEXT_TOKENS, 1
        )
    return _engine
