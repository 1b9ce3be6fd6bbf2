"""An endpoint from the admin in a served site, over real HTTP: tested, asked, and its key repeated by it in vain."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from uuid import uuid4

import httpx2
import pytest

from tests.conftest import PASSWORD
from tests.scripted import event, says
from tests.serving import Site, hidden
from tests.sockets import PATIENCE

KEY = "sk-canary-of-a-served-site"


class Echo(BaseHTTPRequestHandler):
    """Lists one model, which says the key that came with the request."""

    protocol_version = "HTTP/1.1"
    keys: set[str] = set()

    def do_GET(self) -> None:
        self.answer("application/json", json.dumps({"data": [{"id": "echo", "max_model_len": 4096}]}).encode())

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        key = self.headers["authorization"].removeprefix("Bearer ")
        self.keys.add(key)
        said = says("Your key is ", key[:9], key[9:], usage={"prompt_tokens": 5, "completion_tokens": 7})
        self.answer("text/event-stream", b"".join(event(chunk) for chunk in said) + b"data: [DONE]\n\n")

    def answer(self, kind: str, body: bytes) -> None:
        self.send_response(200)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: a test's output is its own."""


@pytest.fixture
def echo() -> Iterator[str]:
    """The base URL of the endpoint that echoes."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Echo) as listening:
        thread = Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.server_port}/v1"
        finally:
            listening.shutdown()
            thread.join()


def answer_to(client: httpx2.Client, question: str) -> str:
    """The page of a conversation when its run is over."""
    form = hidden(client, "/") | {"message": question, "client_id": str(uuid4()), "model": "echo"}
    path = client.post("/c/", data=form).headers["location"]
    end = time.monotonic() + PATIENCE
    while 'data-role="assistant" data-status="done"' not in (page := client.get(path).text):
        assert time.monotonic() < end, page
        time.sleep(0.05)
    return page


def test_a_new_endpoint_is_tested_and_answers_and_its_key_is_nowhere(server: Callable[..., Site], echo: str) -> None:
    site = server()
    site.add_user("staff", PASSWORD, staff=True)
    with closing(site.sign_in("staff", PASSWORD)) as staff:
        assert "The demo model answers" in staff.get("/").text
        add = "/admin/chat/endpoint/add/"
        form = hidden(staff, add) | {
            "name": "Local", "base_url": echo, "key": KEY, "enabled": "on", "models-TOTAL_FORMS": "1",
            "models-INITIAL_FORMS": "0", "models-0-name": "echo", "models-0-position": "0", "models-0-offered": "on",
            "_test": "1",
        }  # fmt: skip

        page = staff.get(staff.post(add, data=form).headers["location"]).text
        assert "echo did not call the tool that it was asked to call." in page
        assert "echo (4,096 tokens)" in page

        # The server looks at the database once a second.
        end = time.monotonic() + PATIENCE
        while "The demo model answers" in staff.get("/").text:
            assert time.monotonic() < end
            time.sleep(0.05)
        answer = answer_to(staff, "What is my key?")
        pages = [page, answer, staff.get("/admin/chat/endpoint/").text, staff.get("/admin/").text]

    assert Echo.keys == {KEY}
    assert "Your key is ***" in answer
    assert not [text for text in (*pages, site.log) if KEY in text]
