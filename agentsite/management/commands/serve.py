"""`python manage.py serve`: brings database and static files up to date, prints one link, and serves."""

import gc
import socket
import sys
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib.auth.models import User
from django.core.management.base import BaseCommand
from django.db import connection

from agentsite.listening import listen
from agentsite.migrating import migrate_if_needed
from agentsite.static_files import collect_if_changed
from agentsite.welcome import welcome_path

if TYPE_CHECKING:
    from daphne.server import Server

# One frame of a client: its longest message, 32 kB, and what forms and JSON add to it.
LARGEST_FRAME = 64 * 1024
SWITCH_SECONDS = 0.001
PING_EVERY, PONG_WITHIN, HANDSHAKE_WITHIN = 20.0, 20.0, 10  # seconds


class Command(BaseCommand):
    help = "Brings the database and the static files up to date, prints one link, and serves the site."
    requires_system_checks: list[str] = []  # noqa: RUF012  Done by `manage.py check`, not at every start.

    def handle(self, **options: Any) -> None:
        listener = listen(settings.HOST, settings.PORT)
        migrate_if_needed()
        if not settings.DEBUG:
            collect_if_changed()
        if settings.AGENT_LOCAL_GGUF:
            self.load_local_model()
        self.stdout.write(f"agentsite is ready: {link()}")
        self.stdout.flush()
        connection.close()
        serve(listener)

    def load_local_model(self) -> None:
        from chat.local import site  # Only where it is needed: its imports take time.

        self.stdout.write(f"Loading {settings.AGENT_LOCAL_GGUF} ...")
        self.stdout.flush()
        engine = site.start_if_set()
        if engine and not engine.tools:
            self.stdout.write("Its chat template tells it of no tools, so it calls them by lines of text.")


def link() -> str:
    """Where to go: to the chat, or on the very first start to where the first account is made."""
    host = "127.0.0.1" if settings.HOST in ("0.0.0.0", "::") else settings.HOST  # noqa: S104
    base = settings.PUBLIC_URL or f"http://{f'[{host}]' if ':' in host else host}:{settings.PORT}"
    return base + ("/" if User.objects.exists() else welcome_path())


def serve(listener: socket.socket) -> None:
    # Imported here, because it takes the main thread's event loop for itself as it is imported.
    from agentsite.asgi import application
    from agentsite.sockets import BoundedServer

    server: BoundedServer = BoundedServer(
        application,
        endpoints=[f"fd:fileno={listener.fileno()}"],
        server_name="",
        ping_interval=PING_EVERY,
        ping_timeout=PONG_WITHIN,
        websocket_timeout=-1,  # A page may stay open for days.
        websocket_handshake_timeout=HANDSHAKE_WITHIN,
        websocket_max_message_size=LARGEST_FRAME,
        websocket_max_frame_size=LARGEST_FRAME,
        ready_callable=lambda: before_serving(server),
    )
    server.run()


def before_serving(server: "Server") -> None:
    """What can be set only once Daphne has its parts, just before its event loop runs."""
    from daphne.server import twisted_loop

    from agentsite.sockets import BoundedSocket
    from chat import process

    # Threads that draw pages let the event loop have its turn sooner than after Python's 5 ms.
    sys.setswitchinterval(SWITCH_SECONDS)
    # What is loaded by now stays: looking through it for garbage would halt everybody for a tenth of a second.
    gc.collect()
    gc.freeze()
    server.ws_factory.protocol = BoundedSocket
    # A frame that breaks the rules is answered with a close code, 1009 or 1007, where autobahn would just hang up.
    server.ws_factory.setProtocolOptions(failByDrop=False)
    # At once, and not with the first request: what an earlier process left behind is waiting.
    twisted_loop.call_soon(process.start)
