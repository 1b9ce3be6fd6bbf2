"""A server that is killed at one commit after the other, and a page that comes back to it each time."""

import re
import time
from contextlib import suppress
from uuid import uuid4

import httpx2
from websockets.exceptions import ConnectionClosed

from tests.faults.conftest import Known
from tests.faults.invariants import check_frames
from tests.faults.sites import checked, killable, wait_for_answers
from tests.serving import Site, free_port
from tests.sockets import opened

ANSWERED = r'#m-\d+-head"><span hidden data-mirror="status" data-value="done"|data-role="assistant" data-status="done"'
RESUMES_WITHIN = 2.0  # seconds from the moment at which a server is ready
CURSORS = {
    "since": r'data-conversation-revision="(\d+)"',
    "run": r'id="cursor-run" hidden data-run="([^"]+)"',
    "run_since": r'id="cursor-run" hidden data-run="[^"]+" data-revision="(\d+)"',
}


def cursors(html: str) -> dict[str, str]:
    """Return what a page with this HTML in it says when it opens its socket."""
    found = {name: re.findall(pattern, html) for name, pattern in CURSORS.items()}
    return {name: values[-1] for name, values in found.items() if values}


class Page:
    """A page that stays open while its server dies and comes back: what it has, and what it was told."""

    def __init__(self, client: httpx2.Client, conversation: str) -> None:
        self.conversation = conversation
        self.loaded = client.get(f"/c/{conversation}/").text
        self.frames = ""
        self.sent = ("", "")

    def ask(self, site: Site, client: httpx2.Client, text: str) -> bool:
        """Send a message, and say whether its answer came; else the server died."""
        self.sent = (text, str(uuid4()))
        with suppress(ConnectionClosed, OSError), opened(site, client, self.conversation) as socket:
            try:
                socket.say(action="resume", **cursors(self.loaded))
                socket.ask(*self.sent)
                socket.until(ANSWERED)
                return True
            finally:
                self.frames += socket.seen
        site.process.wait(20)
        return False

    def come_back(self, site: Site, client: httpx2.Client) -> None:
        """Go on from what it has; send again what was not acknowledged, and wait for the answer."""
        with opened(site, client, self.conversation) as socket:
            socket.say(action="resume", **cursors(self.loaded + self.frames))
            if self.sent[1] not in self.frames + socket.until('id="cursor"'):
                socket.ask(*self.sent)
            if not re.search(ANSWERED, socket.seen):
                socket.until(ANSWERED)
            self.frames += socket.seen
        check_frames(self.frames, client.get(f"/c/{self.conversation}/").text)


def test_a_server_that_is_killed_at_any_commit_goes_on_where_it_was(known: Known) -> None:
    port, number, killed, ready, page = str(free_port()), 0, True, [], None
    kill = known.folder / "kill"
    while killed:
        number += 1
        with killable(known.folder, PORT=port) as site, known.client(site) as client:
            ready.append(time.time())
            if page:
                page.come_back(site, client)
            page = Page(client, known.conversation)
            kill.write_text(str(number))
            killed = not page.ask(site, client, f"Look and note {number}")
            kill.write_text("0")
    found = checked(site)
    assert number > 6
    assert found["messages"] == number + 1
    assert len(found["taken"]) == number - 2  # the first kill lost the message itself, which was sent again
    assert all(taken < start + RESUMES_WITHIN for taken, start in zip(found["taken"], ready[2:], strict=True))
    written = (known.folder / "notes").read_text().splitlines()
    assert sorted(written) == sorted(f"Look and note {n}" for n in range(number + 1))


def test_what_was_being_said_stands_in_the_trace_and_is_said_once(known: Known) -> None:
    with (
        killable(known.folder) as site,
        known.client(site) as client,
        opened(site, client, known.conversation) as socket,
    ):
        socket.ask("Slowly")
        socket.until("word70 ")
        site.process.kill()
    with killable(known.folder) as site, known.client(site) as client:
        chat, _, trace = wait_for_answers(site, client, known.conversation, 2).partition('id="trace"')
    assert [chat.count(f"word{n} ") for n in range(100)] == [1] * 99 + [0]
    assert "word99" in chat
    assert trace.count("word10 ") == 2  # what was said until the last second is kept
    assert "The server stopped here; what follows is the second attempt" in trace
    checked(site)
