"""The two doors of the process: HTTP goes to Django, websockets from our own pages go to the chat."""

import os
from typing import Any

from channels.routing import ProtocolTypeRouter, URLRouter
from channels.sessions import CookieMiddleware
from django.conf import settings
from django.core.asgi import get_asgi_application
from django.urls import re_path

from agentsite.origins import ExactOrigins, refuse

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "agentsite.settings")
# Sets Django up, which has to come before the import of anything with models.
http = get_asgi_application()

from chat import process  # noqa: E402
from chat.local import site  # noqa: E402
from chat.routing import websocket_urlpatterns  # noqa: E402

site.start_if_set()  # `serve` has done so before; other servers come here first

anything_else = re_path("", refuse)  # type: ignore[arg-type]  # Django's types know only of views.
websocket = CookieMiddleware(URLRouter([*websocket_urlpatterns, anything_else]))

router = ProtocolTypeRouter({"http": http, "websocket": ExactOrigins(websocket, settings.ORIGINS)})


async def application(scope: Any, receive: Any, send: Any) -> None:
    process.start()  # does nothing after the first time; not every server tells an application that it starts
    await router(scope, receive, send)
