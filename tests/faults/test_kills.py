"""A server that is killed at one commit after the other, before and after it, and a page that comes back each time."""

import re
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Protocol
from uuid import uuid4

import httpx2
import pytest
from websockets.exceptions import WebSocketException

from chat.store.takeover import GIVEN_UP
from tests import databases
from tests.faults.conftest import Known
from tests.faults.reborn import Reborn, reborn
from tests.faults.sites import checked, killable, wait_for_answers
from tests.faults.staying import LIVE, Open, Staying, articles, has_sent, loaded, statuses
from tests.serving import Site, hidden
from tests.sockets import PATIENCE, opened

VANISHES = 1.0 + 0.8  # seconds of text at most, and what a busy machine adds
RESUMES_WITHIN = 2.0  # seconds from the moment at which a server is ready
SERVER_DIED = (WebSocketException, httpx2.TransportError, OSError)
LONG = "what was seen on the way, " * 90  # with two of them the turns before do not fit any more


class Story(Protocol):
    """What a person does, from the beginning or from where the server died; what was acknowledged is not done again."""

    messages: int
    runs: int

    def go_on(self, site: Site, client: httpx2.Client) -> None: ...


@dataclass
class Talk:
    """A new conversation, whose endpoint is overloaded at first, and a message that waits behind its first answer."""

    known: Known
    id: str = field(default_factory=lambda: uuid4().hex)
    page: Staying | None = None
    messages = runs = 2

    def go_on(self, site: Site, client: httpx2.Client) -> None:
        if self.page is None:
            sent = {"message": f"Look and note {self.id}, stumbling", "client_id": f"{self.id}.1"}
            answer = client.post("/c/", data={**hidden(client, "/"), **sent})
            assert answer.status_code == 302, answer.text
            self.page = Staying(client, answer.headers["location"].split("/")[2])
        with self.page.open(site, client) as here:
            if not has_sent(here.page, f"{self.id}.2"):
                here.socket.ask(f"Say {LONG}", f"{self.id}.2")
            here.until_quiet(2)
        assert statuses(self.page.page) == ["done", "done"]
        self.page.check(site, client)
        assert "They walked." in str(self.page.page.find("#messages"))


@dataclass
class Branches:
    """A question edited, its answer given anew, both forked, and an answer that is stopped as it is given."""

    known: Known
    id: str = field(default_factory=lambda: uuid4().hex)
    page: Staying | None = None
    edited: str = ""
    from_: list[str] = field(default_factory=list)
    forks: dict[str, str] = field(default_factory=dict)
    stopped: bool = False
    messages, runs = 4, 5

    def go_on(self, site: Site, client: httpx2.Client) -> None:
        self.page = self.page or Staying(client, self.known.conversation)
        with self.page.open(site, client) as here:
            self.edit(here)
            self.regenerate(here)
            self.from_ = self.from_ or [articles(here.page, role)[0]["id"] for role in ("assistant", "user")]
            for message in self.from_:
                self.fork(client, message)
            self.stop(here)
        self.page.check(site, client)

    def edit(self, here: Open) -> None:
        if not self.from_ and not has_sent(here.page, f"{self.id}.1"):
            first = articles(here.page, "user")[0]["id"].removeprefix("m-")
            here.socket.say(action="edit", message_id=first, message=f"Say {self.id}", client_id=f"{self.id}.1")
            here.take(f"{self.id}.1")
        here.until_quiet(1)

    def regenerate(self, here: Open) -> None:
        self.edited = self.edited or articles(here.page, "assistant")[0]["id"]
        if articles(here.page, "assistant")[0]["id"] == self.edited:
            here.socket.say(action="regenerate", message_id=self.edited.removeprefix("m-"))
            while articles(here.page, "assistant")[0]["id"] == self.edited:
                here.take()
        here.until_quiet(1)

    def fork(self, client: httpx2.Client, message: str) -> None:
        path = f"/c/{self.known.conversation}/"
        about = {"action": "fork", "message_id": message.removeprefix("m-"), "client_id": self.id}
        if message not in self.forks:
            answer = client.post(path, data={**hidden(client, path), **about})
            assert answer.status_code == 302, answer.text
            self.forks[message] = answer.headers["location"].split("/")[2]
        end = time.monotonic() + PATIENCE
        while statuses(loaded(client, self.forks[message])) != ["done"]:
            assert time.monotonic() < end

    def stop(self, here: Open) -> None:
        if not has_sent(here.page, f"{self.id}.2"):
            here.socket.ask("Slowly", f"{self.id}.2")
            here.take(f"{self.id}.2")
        while statuses(here.page)[-1] in LIVE:
            here.take()
            if not self.stopped and "word1 " in here.socket.seen:
                here.socket.say(action="stop")
                self.stopped = True


@pytest.fixture(scope="module")
def site(made: Known, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reborn]:
    folder = tmp_path_factory.mktemp("killed") / "site"
    shutil.copytree(made.folder, folder)
    databases.copy(made.folder, folder)
    with reborn(folder, AGENT_SMALL_MODEL="demo", AGENT_CONTEXT_TOKENS="2700", PACE_SECONDS="0.01") as found:
        found.check()
        assert found.start()
        yield found


def tell(site: Reborn, known: Known, story: Story) -> bool:
    """Let a story go on; say whether it came to its end, else the server died."""
    with known.client(site.site) as client:
        try:
            story.go_on(site.site, client)
        except SERVER_DIED:
            site.wait()
            return False
    return True


@pytest.mark.parametrize("told", ["", "+"])
@pytest.mark.parametrize("story", [Talk, Branches])
def test_killed_at_any_commit_it_goes_on_where_it_was(
    made: Known, site: Reborn, story: Callable[[Known], Story], told: str
) -> None:
    number, ended, late = 0, False, []
    while not ended:
        number, one = number + 1, story(made)
        site.kill_at(number, told)
        ended = tell(site, made, one)
        site.kill_at(0)
        if not ended:
            assert site.start()
            assert tell(site, made, one)
        found = site.check()
        assert (found["messages"], found["runs"]) == (one.messages, one.runs)
        late += [taken - site.ready for taken in found["taken"]]
    assert number > 12
    assert len(late) > 5
    assert max(late) < RESUMES_WITHIN
    lines = [line for line in (site.folder / "notes").read_text().splitlines() if "stumbling" in line]
    assert len(lines) == len(set(lines))


@pytest.mark.parametrize("at", [3, 8])
def test_killed_as_it_takes_over_it_still_goes_on(made: Known, site: Reborn, at: int) -> None:
    one = Talk(made)
    site.kill_at(at)
    assert not tell(site, made, one)
    for commit, told in ((1, ""), (1, "+"), (2, ""), (2, "+")):
        site.kill_at(commit, told)
        assert not (site.start() and tell(site, made, one))
    assert site.start()
    assert tell(site, made, one)
    found = site.check()
    assert (found["messages"], found["runs"], len(found["taken"])) == (2, 2, 4)


def test_killed_five_times_in_a_row_it_says_so_and_answers_when_asked_again(made: Known, site: Reborn) -> None:
    with made.client(site.site) as client, opened(site.site, client, made.conversation) as page:
        site.kill_at(3)
        page.ask("Say it and fail, stumbling", "five")
        while site.pid:
            with suppress(*SERVER_DIED):
                page.until("stumbling for ever")
            site.wait()
    for _ in range(4):
        site.kill_at(2)
        if site.start():
            site.wait()
    site.kill_at(0)
    assert site.start()
    with made.client(site.site) as client:
        again = Staying(client, made.conversation)
        with again.open(site.site, client) as here:
            here.until_quiet(1)
            answer = articles(here.page, "assistant")[-1]
            assert answer["data-status"] == "error"
            shown = str(here.page.find("#messages"))
            assert GIVEN_UP in shown
            assert "Retry" in shown[shown.index(GIVEN_UP) :]
            here.socket.say(action="regenerate", message_id=answer["id"].removeprefix("m-"))
            while statuses(here.page)[-1] != "done":
                here.take()
        again.check(site.site, client)
    assert len(site.check()["taken"]) == 4


def test_what_was_being_said_stands_in_the_trace_and_is_said_once(known: Known) -> None:
    with (
        killable(known.folder, PACE_SECONDS="0.03") as site,
        known.client(site) as client,
        opened(site, client, known.conversation) as socket,
    ):
        socket.ask("Slowly")
        arrived: dict[str, float] = {}
        while "word95 " not in arrived:
            words = re.findall(r"word\d+ ", socket.until("word"))
            arrived = {word: time.monotonic() for word in words} | arrived
        site.process.kill()
        killed = time.monotonic()
    with killable(known.folder) as site, known.client(site) as client:
        chat, _, trace = wait_for_answers(site, client, known.conversation, 2).partition('id="trace"')
    assert [chat.count(f"word{n} ") for n in range(100)] == [1] * 99 + [0]
    assert "word99" in chat
    kept = [word for word, at in arrived.items() if at < killed - VANISHES]
    assert len(kept) > 9
    assert [trace.count(word) for word in kept] == [2] * len(kept)
    assert "The server stopped here; what follows is the second attempt" in trace
    checked(site)
