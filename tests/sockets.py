"""A page's socket as a script would hold it: against the real server, with the session of a signed-in client."""

import json
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any
from uuid import uuid4

import httpx2
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin

from tests.serving import Site, hidden

PATIENCE = 20.0


class Page:
    """An open socket of one conversation; `seen` is all that it was sent."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.seen = ""

    def say(self, **fields: Any) -> None:
        with suppress(ConnectionClosed):  # then reading says so
            self.socket.send(json.dumps(fields))

    def ask(self, message: str, client_id: str = "") -> str:
        client_id = client_id or str(uuid4())
        self.say(action="send", message=message, client_id=client_id)
        return client_id

    def until(self, pattern: str) -> str:
        """Read until a frame matches; return that frame."""
        end = time.monotonic() + PATIENCE
        while (left := end - time.monotonic()) > 0:
            frame = self.socket.recv(timeout=left)
            assert isinstance(frame, str)
            self.seen += frame
            if re.search(pattern, frame, re.DOTALL):
                return frame
        raise AssertionError(f"No frame matched {pattern!r}. Seen:\n{self.seen}")

    def close_code(self) -> int:
        """Read until the server closes; return its code."""
        try:
            while True:
                self.seen += str(self.socket.recv(timeout=PATIENCE))
        except ConnectionClosed as closed:
            return closed.rcvd.code if closed.rcvd else 1006


@contextmanager
def opened(site: Site, client: httpx2.Client | None, conversation: str) -> Iterator[Page]:
    """Open a conversation's socket with a client's session, or as nobody."""
    cookies = "; ".join(f"{cookie.name}={cookie.value}" for cookie in client.cookies.jar) if client else ""
    url = f"{site.url.replace('http', 'ws', 1)}/ws/conversations/{conversation}/"
    headers = {"Cookie": cookies} if cookies else None
    with connect(url, origin=Origin(site.url), additional_headers=headers, proxy=None) as socket:
        yield Page(socket)


def begin(client: httpx2.Client, message: str) -> str:
    """Start a conversation with a form, wait for the answer, and return its id."""
    form = hidden(client, "/")
    answer = client.post("/c/", data={**form, "message": message, "client_id": str(uuid4())})
    assert answer.status_code == 302, answer.text
    path = answer.headers["location"]
    end = time.monotonic() + PATIENCE
    while not re.search(r'<article class="bot"[^>]*data-status="done"', client.get(path).text):
        assert time.monotonic() < end, "There was no answer."
    return str(path.split("/")[2])
