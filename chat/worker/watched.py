"""Answers /healthz and /metrics for a worker, which serves nothing else, in a thread beside its event loop."""

import asyncio
import json
import socket
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from socketserver import ThreadingMixIn
from threading import Thread
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from django.db import connection
from prometheus_client import make_wsgi_app

from agentsite.health import why_not
from agentsite.metrics_token import is_token
from chat import gauges  # noqa: F401  Importing them is what makes them shown.

LOOP_SECONDS = 2.0  # in which an event loop that is well does something

Environ = dict[str, Any]
Start = Callable[[str, list[tuple[str, str]]], object]

_metrics = make_wsgi_app()


@contextmanager
def watched(listener: socket.socket) -> Iterator[None]:
    """Answer on a port until the block ends; called with the event loop running."""
    server = _Server(listener)
    server.set_app(partial(_answer, asyncio.get_running_loop()))
    Thread(target=server.serve_forever, name="watched", daemon=True).start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()


def _answer(loop: asyncio.AbstractEventLoop, environ: Environ, start: Start) -> Iterable[bytes]:
    path, allowed = environ["PATH_INFO"], environ["REQUEST_METHOD"] in ("GET", "HEAD")
    if path == "/metrics" and allowed and is_token(environ.get("HTTP_AUTHORIZATION", "")):
        return _metrics(environ, start)  # type: ignore[no-any-return]
    if path != "/healthz" or not allowed:
        start("404 Not Found", [("Content-Type", "text/plain")])
        return [b"Not found\n"]
    reason = _why_not(loop)
    said = {"status": "unavailable", "reason": reason} if reason else {"status": "ok"}
    start("503 Service Unavailable" if reason else "200 OK", [("Content-Type", "application/json")])
    return [json.dumps(said).encode()]


def _why_not(loop: asyncio.AbstractEventLoop) -> str:
    """Say what a server says, and whether the event loop, on which all work is done, goes round."""
    try:
        asyncio.run_coroutine_threadsafe(asyncio.sleep(0), loop).result(LOOP_SECONDS)
        return why_not()
    except TimeoutError:
        return "busy"
    finally:
        connection.close()


class _Handler(WSGIRequestHandler):
    timeout = 5  # seconds for a request to arrive

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: the log is of work."""


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True

    def __init__(self, listener: socket.socket) -> None:
        super().__init__(listener.getsockname()[:2], _Handler, bind_and_activate=False)
        self.socket.close()
        self.socket = listener
        self.server_name, self.server_port = listener.getsockname()[:2]
        self.setup_environ()
