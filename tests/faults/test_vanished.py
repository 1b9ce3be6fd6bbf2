"""Clients that vanish without a word, or never read: what was held for them is let go, and their runs go on."""

import json
import re
import socket
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from pathlib import Path

import httpx2
from websockets import frames

from chat.feed import UNREAD_SECONDS
from chat.unread import UNREAD_BYTES
from tests.faults.conftest import Known
from tests.faults.sites import killable, wait_for_answers
from tests.proxy import before
from tests.serving import Site
from tests.sockets import opened

PATIENCE = 60.0  # seconds, on a machine that is busy with something else
TOKEN = "a token of sixteen characters"
MUTE = 5  # sockets, of the twenty that one person may have
HELD = 4 * UNREAD_BYTES  # of memory: what waits is there as text and as bytes. Without a bound it would be 20 MB each
SLACK = 8 * 1024 * 1024
MAKE = """
from chat.models import Conversation
from tests.chat.made import run_in
talk = Conversation.objects.get(pk={pk!r})
for n in range(30):
    run_in(talk, "x" * 30_000, "Yes.", steps=1)
Conversation.objects.filter(pk=talk.pk).update(revision=99, leaf=None)
"""


def open_sockets(client: httpx2.Client) -> int:
    metrics = client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"}).text
    found = re.search(r"^agentsite_open_sockets (\d+)", metrics, re.MULTILINE)
    assert found
    return int(found[1])


def connections(site: Site) -> int:
    """How many connections of clients the server holds."""
    own, established = f":{int(site.url.rpartition(':')[2]):04X}", "01"
    lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return sum(line[1].endswith(own) and line[3] == established for line in lines)


def memory(site: Site) -> int:
    found = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{site.process.pid}/status").read_text())
    assert found
    return int(found[1]) * 1024


def wait_until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < end
        time.sleep(0.1)


def test_a_client_that_vanishes_is_let_go_and_its_run_goes_on(known: Known) -> None:
    short = {"PING_SECONDS": "0.5", "PONG_SECONDS": "1", "PACE_SECONDS": "0.05", "METRICS_TOKEN": TOKEN}
    with killable(known.folder, **short) as site, known.client(site) as client:
        assert open_sockets(client) == 0
        before_it = connections(site)
        with before(site) as proxy, opened(proxy.site, client, known.conversation) as page:
            page.ask("Slowly")
            page.until("word1 ")
            assert open_sockets(client) == 1
            proxy.stall()
            wait_until(lambda: open_sockets(client) == 0)
            wait_until(lambda: connections(site) <= before_it)
            assert 'data-status="streaming"' in client.get(f"/c/{known.conversation}/").text
            assert "word99" in wait_for_answers(site, client, known.conversation, 2)


class Mute:
    """A client of a websocket that says something and never reads."""

    def __init__(self, site: Site, client: httpx2.Client, conversation: str) -> None:
        host, _, port = site.url.removeprefix("http://").partition(":")
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.socket.connect((host, int(port)))
        cookies = "; ".join(f"{cookie.name}={cookie.value}" for cookie in client.cookies.jar)
        head = [
            f"GET /ws/conversations/{conversation}/ HTTP/1.1", f"Host: {host}:{port}", f"Origin: {site.url}",
            "Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13",
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", f"Cookie: {cookies}",
        ]  # fmt: skip
        self.socket.sendall("\r\n".join([*head, "", ""]).encode())
        while self.socket.recv(1) != b"\n" or self.socket.recv(2) != b"\r\n":
            pass

    def say(self, **fields: object) -> None:
        frame = frames.Frame(frames.Opcode.TEXT, json.dumps(fields).encode())
        with suppress(OSError):  # it was closed
            self.socket.sendall(frame.serialize(mask=True))


def read_some(site: Site, client: httpx2.Client, conversation: str) -> None:
    with opened(site, client, conversation) as page:
        for _ in range(3):
            page.say(action="resume", since=0)
            page.until('id="cursor"')


def test_who_never_reads_is_held_little_for_is_closed_and_comes_back_to_all_of_it(known: Known) -> None:
    with ExitStack() as stack:
        site = stack.enter_context(killable(known.folder, METRICS_TOKEN=TOKEN))
        client = stack.enter_context(known.client(site))
        site.shell(MAKE.format(pk=known.conversation))
        with ThreadPoolExecutor(MUTE) as readers:  # what reading itself takes is there from then on
            list(readers.map(lambda _: read_some(site, client, known.conversation), range(MUTE)))
        assert open_sockets(client) == 0  # over a connection that stays
        before_it, held = connections(site), memory(site)
        mute = [Mute(site, client, known.conversation) for _ in range(MUTE)]
        for one in mute:
            stack.callback(one.socket.close)
        wait_until(lambda: open_sockets(client) == MUTE)
        began, most = time.monotonic(), 0
        while open_sockets(client):
            for one in mute:
                one.say(action="resume", since=0)  # each time 240 kB, of which the kernel takes the first few
            most = max(most, memory(site) - held)
            assert time.monotonic() < began + PATIENCE
            time.sleep(0.1)
        assert time.monotonic() - began > UNREAD_SECONDS / 2
        assert most < MUTE * HELD + SLACK
        wait_until(lambda: connections(site) <= before_it)
        with opened(site, client, known.conversation) as page:
            page.say(action="resume", since=0)
            page.until('id="cursor" hidden data-conversation-revision="99"')
            assert page.seen.count("<article") == client.get(f"/c/{known.conversation}/").text.count("<article")
