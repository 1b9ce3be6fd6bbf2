"""A site beside an endpoint that says what a test wants, the people who ask it, and all that they then see."""

import re
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import httpx2

from tests import databases
from tests.conftest import PASSWORD
from tests.security.endpoint import Endpoint, Reply, answering
from tests.serving import Site, hidden, served
from tests.sockets import PATIENCE, Page, opened

KEY = "sk-canary-of-the-endpoint-0123456789"
SECRET_KEY = "canary-of-the-secret-key-0123456789-abcdefghijklmnopqrstuvwxyz"
AT_ONCE = {"AGENT_REQUESTS_PER_MINUTE": "100000", "AGENT_MAX_CONCURRENT": "100"}  # there are many, and none may wait
OVER = re.compile(r'<article class="bot"[^>]*data-status="(done|error|stopped)"')
# A page hears of an end as a change of the answer's head, or if it was quick as the whole answer.
HEARD_OVER = OVER.pattern + r'|#m-\d+-head"><span hidden data-mirror="status" data-value="(done|error|stopped)"'
FIELDS = {
    "memory": ("facts", "preferences"),
    "model": ("request", "response", "thought", "reasoning"),
    "tool": ("arguments", "result", "traceback"),
}
ADMIN = ("conversation", "message", "run", "step", "toolcall", "fact")


@dataclass
class Talking:
    site: Site
    endpoint: Endpoint
    alice: httpx2.Client
    staff: httpx2.Client
    conversation: str = ""

    def ask(self, question: str, *replies: Reply) -> str:
        """Begin a conversation to whose message the endpoint says this; return its path, without waiting."""
        if replies:
            self.endpoint.replies[question] = list(replies)
        form = {**hidden(self.alice, "/"), "message": question, "client_id": str(uuid4())}
        answer = self.alice.post("/c/", data=form)
        assert answer.status_code == 302, answer.text
        return str(answer.headers["location"])

    def answered(self, path: str) -> str:
        """Wait until a conversation's run is over; return its page."""
        end = time.monotonic() + PATIENCE
        while True:
            page = self.alice.get(path)
            assert page.status_code == 200, f"{path} answers {page.status_code}. The log says:\n{self.site.log[-3000:]}"
            if OVER.search(page.text):
                return page.text
            assert time.monotonic() < end, "The run did not end."
            time.sleep(0.05)

    def pages(self, path: str) -> dict[str, str]:
        """Every page and every part of one that shows a run that is over, to its owner and in the admin."""
        found = {path: self.answered(path)}
        [run, *_] = re.findall(r"/runs/([0-9a-f-]{36})/", found[path])
        steps = re.findall(r'data-step="(\d+)" data-kind="(\w+)"', found[path])
        fields = [f"/runs/{run}/steps/{n}/{field}/" for n, kind in steps for field in FIELDS.get(kind, ())]
        found |= self.read(self.alice, f"/runs/{run}/", f"/runs/{run}/steps/?before=99", f"{path}edit/", *fields)
        review = f"/admin/chat/run/{run}/change/"
        found |= self.read(self.staff, review, f"/admin/chat/conversation/{path.split('/')[2]}/change/")
        return found | self.read(self.staff, *re.findall(r"/admin/chat/step/\d+/change/", found[review]))

    def lists(self) -> dict[str, str]:
        """Every page that lists something of all that was asked so far."""
        own = self.read(self.alice, "/", "/runs/", "/settings/")
        return own | self.read(self.staff, "/admin/", *(f"/admin/chat/{name}/" for name in ADMIN))

    def read(self, client: httpx2.Client, *paths: str) -> dict[str, str]:
        return {path: self._read(client, path) for path in paths}

    def _read(self, client: httpx2.Client, page: str) -> str:
        answer = client.get(page)
        assert answer.status_code == 200, f"{page} answers {answer.status_code}:\n{self.site.log[-3000:]}"
        return answer.text

    def rows(self) -> Iterator[tuple[str, str]]:
        return rows_of(self.site)

    def frames(self, question: str, *replies: Reply) -> list[str]:
        """What a page is sent while a question is asked and answered, always in the same conversation."""
        if not self.conversation:
            self.conversation = self.ask("Hello")
            self.answered(self.conversation)
        self.endpoint.replies[question] = list(replies)
        with opened(self.site, self.alice, self.conversation.split("/")[2]) as page:
            page.ask(question)
            return list(_until(page, HEARD_OVER))


def rows_of(site: Site) -> Iterator[tuple[str, str]]:
    """Each value in a site's database as text, with its table and column."""
    with databases.opened(site.environment) as database:
        for (table,) in database.execute(databases.TABLES).fetchall():
            found = database.execute(f'SELECT * FROM "{table}"')  # noqa: S608
            names = [column[0] for column in found.description]
            for row in found:
                yield from ((f"{table}.{name}", str(value)) for name, value in zip(names, row, strict=True))


def _until(page: Page, pattern: str) -> Iterator[str]:
    """Frames up to one that matches, and what comes with it."""
    end = time.monotonic() + PATIENCE
    while (left := end - time.monotonic()) > 0:
        frame = page.socket.recv(timeout=left)
        assert isinstance(frame, str)
        yield frame
        if re.search(pattern, frame):
            return
    raise AssertionError(f"No frame matched {pattern!r}.")


@contextmanager
def talking(folder: Path, models: Iterable[str] = ("m",), **variables: str) -> Iterator[Talking]:
    variables |= {"OPENAI_API_KEY": KEY, "SECRET_KEY": SECRET_KEY, "AGENT_MODELS": ",".join(models)}
    with ExitStack() as running:
        endpoint = running.enter_context(answering())
        site = running.enter_context(served(folder, OPENAI_BASE_URL=endpoint.url, **AT_ONCE, **variables))
        site.add_user("alice", PASSWORD)
        site.add_user("staff", PASSWORD, staff=True)
        alice, staff = (running.enter_context(closing(site.sign_in(name, PASSWORD))) for name in ("alice", "staff"))
        yield Talking(site, endpoint, alice, staff)
