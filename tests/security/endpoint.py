"""An endpoint on this machine that says what a test wants of it, over real HTTP, to a site that runs beside it.

The text of a message picks what is said: `endpoint.replies[message]` are the replies to it, in order, of which the
last one stays. Where a reply holds AUTHORIZATION, the key that came with the request stands in its place. The parts of
a reply are sent one by one, with `endpoint.pause` between them.
"""

import json
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

from tests.scripted import Body, Chunk, event, says

AUTHORIZATION = "(authorization)"
Reply = Sequence[Chunk] | Body


class Endpoint(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.replies: dict[str, list[Reply]] = {}
        self.models: object = {"object": "list", "data": [{"id": "m", "object": "model"}]}
        self.requests: list[dict[str, Any]] = []
        self.keys: set[str] = set()
        self.pause = 0.0
        self.left = 0  # replies in whose middle the site went away

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1"

    def next_reply(self, message: str) -> Body:
        left = self.replies.get(message, [says("Well.")])
        reply = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(reply, Body):
            return reply
        return Body([*(event(chunk) for chunk in reply), b"data: [DONE]\n\n"])


class _Handler(BaseHTTPRequestHandler):
    server: Endpoint

    def do_GET(self) -> None:
        listed = self.server.models
        body = listed if isinstance(listed, bytes) else json.dumps(listed).encode()
        self._send(Body([body], headers={"content-type": "application/json"}))

    def do_POST(self) -> None:
        request = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.server.requests.append(request)
        said = [message["content"] for message in request["messages"] if message["role"] == "user"]
        self._send(self.server.next_reply(said[-1]))

    def _send(self, body: Body) -> None:
        key = self.headers.get("authorization", "").removeprefix("Bearer ")
        self.server.keys.add(key)
        self.send_response(body.status)
        for name, value in body.headers.items():
            self.send_header(name, value)
        self.end_headers()
        try:
            for part in body.parts:
                self.wfile.write(part.replace(AUTHORIZATION.encode(), key.encode()))
                time.sleep(self.server.pause)
        except ConnectionError:
            self.server.left += 1

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: a test's output is its own."""


@contextmanager
def answering() -> Iterator[Endpoint]:
    with Endpoint() as endpoint:
        thread = Thread(target=endpoint.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield endpoint
        finally:
            endpoint.shutdown()
            thread.join()
