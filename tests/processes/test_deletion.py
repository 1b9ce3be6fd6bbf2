"""A conversation or an account is deleted while a run is at work there: the run stops, its pages close, no row stays.

Two servers on one database, with no Redis between them; the run is always the first one's.
"""

import re
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass

import httpx2
import pytest

from tests import databases
from tests.conftest import PASSWORD
from tests.scripted import asks, call, says
from tests.security.endpoint import Endpoint, answering
from tests.serving import Site, hidden, served
from tests.sockets import PATIENCE, begin, opened

KEY = "a-key-of-fifty-characters-or-more-0123456789-abcdefghij"
SAME, OTHER = 0, 1  # server
WITHIN = 8.0  # seconds; two on a machine that does nothing else
NOT_HERE, SIGN_IN_AGAIN = 4404, 4401
NAMES = ("alice", "bob", "carol")
PEOPLE = f"""
from django.contrib.auth.models import User
for name in {NAMES}:
    User.objects.create_user(name, password={PASSWORD!r})
User.objects.create_superuser("staff", password={PASSWORD!r})
"""
HISTORY = ("conversation", "message", "run", "step", "payload")


@dataclass
class Two:
    sites: tuple[Site, Site]
    endpoint: Endpoint
    people: dict[str, httpx2.Client]

    def count(self, table: str) -> int:
        with databases.opened(self.sites[0].environment) as rows:
            return int(rows.execute(f"SELECT COUNT(*) FROM chat_{table}").fetchone()[0])  # noqa: S608

    def client(self, name: str, number: int) -> "closing[httpx2.Client]":
        """Return a browser with this person's session, on one of the servers."""
        session = self.people[name].cookies["sessionid"]
        return closing(httpx2.Client(base_url=self.sites[number].url, cookies={"sessionid": session}, trust_env=False))


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Two]:
    with ExitStack() as running:
        endpoint = running.enter_context(answering())
        endpoint.pause = 0.05
        endpoint.replies = {
            "Remember that I live in Berlin": [asks(call("remember", {"fact": "I live in Berlin"})), says("Noted.")],
            "Slowly": [says(*(f"word{n} " for n in range(2000)))],
        }
        folder = tmp_path_factory.mktemp("first")
        common = {"SECRET_KEY": KEY, "REDIS_URL": "", "OPENAI_BASE_URL": endpoint.url, "AGENT_MODELS": "m"}
        common |= databases.url_of(folder) or {"DATABASE_URL": f"sqlite:///{folder}/db.sqlite3"}
        first = running.enter_context(served(folder, **common))
        second = running.enter_context(served(tmp_path_factory.mktemp("second"), **common))
        first.shell(PEOPLE)
        people = {name: running.enter_context(closing(first.sign_in(name, PASSWORD))) for name in (*NAMES, "staff")}
        yield Two((first, second), endpoint, people)


@pytest.mark.parametrize(
    ("what", "where"),
    [
        ("by its owner", OTHER),
        ("in the admin", SAME),
        ("with others in the admin", OTHER),
        ("with its account", SAME),
        ("with its account", OTHER),
    ],
)
def test_what_is_deleted_while_a_run_is_at_work_is_gone(two: Two, what: str, where: int) -> None:
    name = NAMES[1 + where] if what == "with its account" else "alice"
    conversation = begin(two.people[name], "Remember that I live in Berlin")
    with (
        opened(two.sites[0], two.people[name], conversation) as page,
        opened(two.sites[1], two.people[name], conversation) as other,
    ):
        for each in (page, other):
            each.say(action="resume", since=0)
            each.until('id="cursor"')
        left = two.endpoint.left
        page.ask("Slowly")
        page.until("word1 ")
        page.ask("And then?")
        page.until('data-status="queued"')
        asked = time.monotonic()
        delete(two, what, where, name, conversation)
        while two.endpoint.left == left:
            assert time.monotonic() - asked < PATIENCE, "The endpoint is still read."
            time.sleep(0.02)
        assert time.monotonic() - asked < WITHIN
        for each in (page, other):
            assert each.close_code() in (NOT_HERE, SIGN_IN_AGAIN)
        assert time.monotonic() - asked < 2 * WITHIN
    assert {table: two.count(table) for table in HISTORY} == dict.fromkeys(HISTORY, 0)


def delete(two: Two, what: str, where: int, name: str, conversation: str) -> None:
    with two.client("staff" if "admin" in what or "account" in what else name, where) as client:
        path = f"/admin/chat/conversation/{conversation}/delete/"
        fields = {"post": "yes"}
        if what == "by its owner":
            path = f"/c/{conversation}/delete/"
        elif what == "with others in the admin":
            path = "/admin/chat/conversation/"
            fields |= {"action": "delete_selected", "_selected_action": conversation}
        elif what == "with its account":
            [user] = re.findall(rf'/admin/auth/user/(\d+)/change/">{name}<', client.get("/admin/auth/user/").text)
            path = f"/admin/auth/user/{user}/delete/"
        answer = client.post(path, data={**hidden(client, path), **fields})
        assert answer.status_code == 302, answer.text


def test_in_the_end_nothing_refers_to_what_is_gone(two: Two) -> None:
    assert two.count("fact") == 1  # alice's, who is there
    assert two.count("spentrun") > 0
    with databases.opened(two.sites[0].environment) as rows:
        if not databases.POSTGRES:  # which never lets that happen
            assert rows.execute("PRAGMA foreign_key_check").fetchall() == []
        assert rows.execute("SELECT message_id FROM chat_fact").fetchone() == (None,)
