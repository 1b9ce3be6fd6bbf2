"""Every fault of an endpoint, on a real site: a reason that one can act on, its attempts in the trace, a way on.

All runs begin together, each with an endpoint of its own, so that they wait side by side.
"""

import re
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from html import unescape
from uuid import uuid4

import httpx2
import pytest

from chat.agent.asking import ATTEMPTS
from tests import databases
from tests.conftest import PASSWORD
from tests.faults import faulty
from tests.faults.faulty import WELL, Fault, Faulty, Running, answers
from tests.security.talking import AT_ONCE, rows_of
from tests.serving import Site, hidden, served
from tests.sockets import PATIENCE, opened

PROGRAM = ("-m", "tests.faults.hasty")
KEY = "sk-canary-of-a-faulty-endpoint-0123456789"
IDLE, GAP, PIECES, LONGEST_WAIT = 3.0, 1.0, 7, 6.0
# A page hears of an end as a change of the answer's head, or if it was quick as the whole answer.
AT_AN_END = (
    r'<article class="bot"[^>]*data-status="({0})"|#m-\d+-head"><span hidden data-mirror="status" data-value="({0})"'
)
OVER, DONE = AT_AN_END.format("done|error|stopped"), AT_AN_END.format("done")


@dataclass(frozen=True)
class Row:
    """A fault (None: nothing listens), what is said of it, how often is asked, and whether it can be mended."""

    fault: Fault | None
    words: str
    attempts: int = ATTEMPTS
    host: str = "127.0.0.1"
    trusted: bool = True
    reason: str = "error"

    @property
    def mends(self) -> bool:
        return self.trusted and self.host == "127.0.0.1"


ROWS = {
    "refused": Row(None, "could not be reached: it refuses connections."),
    "unresolvable": Row(None, "its name cannot be resolved. Is it spelled right?", host="nowhere.invalid"),
    "untrusted": Row(faulty.hangs, "its certificate is not trusted (self-signed certificate)", 1, trusted=False),
    "401": Row(answers(401), "refused the key (401). Check it.", 1),
    "403": Row(answers(403), "refused the key (403). Check what it may do.", 1),
    "404": Row(answers(404), "knows no such model or address (404). Check both.", 1),
    "429": Row(answers(429), "asks to slow down (429). Wait a moment, then send", reason="rate_limited"),
    "429 for an hour": Row(
        answers(429, "retry-after: 3600"),
        "slow down (429). It asks to be left alone for 1 hour; try again after that.", 1, reason="rate_limited",
    ),
    "500": Row(answers(500), "answered with status 500. Try again in a moment."),
    "503": Row(answers(503), "answered with status 503. Try again in a moment."),
    "hanging": Row(faulty.hangs, f"said nothing for {IDLE:g} s. Try again in a moment."),
    "cut": Row(faulty.cuts, "broke: ReadError."),
    "garbage": Row(faulty.garbles, "sent a line that is no JSON"),
    "a page": Row(faulty.shows_a_page, "answered with a web page instead of a reply."),
}  # fmt: skip
OTHERS = {
    "429 for a while": faulty.once(answers(429, "retry-after: 5")),
    "slow": faulty.trickles(GAP, PIECES),
    "stopped": faulty.hangs,
}


MAKE = """
from django.contrib.auth.models import User
from tests.chat.stored import stored
User.objects.create_user("alice", password={password!r})
{rows}
"""


@dataclass
class Asked:
    """A site, its endpoints by the names of their models, and the paths of the conversations with them."""

    site: Site
    alice: httpx2.Client
    form: dict[str, str]
    running: Running
    endpoints: dict[str, Faulty]
    paths: dict[str, str] = field(default_factory=dict)
    seen: str = ""

    def ask(self, model: str) -> None:
        said = {"message": f"Ask {model}", "client_id": str(uuid4()), "model": model}
        answer = self.alice.post("/c/", data=self.form | said)
        assert answer.status_code == 302, answer.text
        self.paths[model] = answer.headers["location"]

    def over(self, model: str, pattern: str = OVER, **said: object) -> str:
        """Say something over a conversation's socket, wait until its run is over, and return its page."""
        with opened(self.site, self.alice, self.paths[model].split("/")[2]) as page:
            page.say(action="resume", since=0)
            if said:
                page.until(OVER if said["action"] == "regenerate" else "")
                page.say(**said)
            page.until(pattern)
            self.seen += page.seen
        return self.page(model)

    def page(self, model: str) -> str:
        return self.alice.get(self.paths[model]).text

    def run(self, model: str) -> str:
        """The page of a conversation's last run, with what stands in all of its steps."""
        *_, run = re.findall(r"/runs/([0-9a-f-]{36})/", self.page(model))
        return unescape(self.alice.get(f"/runs/{run}/").text)


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asked]:
    folder = tmp_path_factory.mktemp("faulty")
    endpoints = {name: Faulty(row.fault, row.host) for name, row in ROWS.items()}
    endpoints |= {name: Faulty(fault) for name, fault in OTHERS.items()}
    endpoints["untrusted"].trusted = faulty.self_signed(folder)
    times = {"IDLE_SECONDS": str(IDLE), "LONGEST_WAIT": str(LONGEST_WAIT)}
    with ExitStack() as stack:
        running = stack.enter_context(faulty.running(*endpoints.values()))
        site = stack.enter_context(served(folder, program=PROGRAM, **AT_ONCE, **times))
        rows = "".join(f"stored({name!r}, {one.url!r}, {KEY!r}, {name!r}); " for name, one in endpoints.items())
        site.shell(MAKE.format(password=PASSWORD, rows=rows))
        alice = stack.enter_context(closing(site.sign_in("alice", PASSWORD)))
        found = Asked(site, alice, hidden(alice, "/"), running, endpoints)
        for name in endpoints.keys() - {"stopped"}:
            found.ask(name)
        yield found


def attempts(run: str) -> tuple[int, int]:
    """How many model calls and how many retries a run has among its steps."""
    kinds = re.findall(r'data-step="\d+" data-kind="(\w+)"', run)
    return kinds.count("model"), kinds.count("retry")


def wait_for(moments: list[float]) -> None:
    end = time.monotonic() + PATIENCE
    while not moments:
        assert time.monotonic() < end
        time.sleep(0.02)


def test_stop_ends_a_request_that_hangs_at_once(asked: Asked) -> None:
    endpoint = asked.endpoints["stopped"]
    asked.ask("stopped")
    wait_for(endpoint.asked)
    said = time.monotonic()
    asked.over("stopped", AT_AN_END.format("stopped"), action="stop")
    wait_for(endpoint.left)
    assert endpoint.left[0] - said < 1.5  # seconds; it would hang for twice as long
    assert len(endpoint.asked) == 1


@pytest.mark.parametrize("name", ROWS)
def test_a_fault_has_a_reason_its_attempts_and_a_way_on(asked: Asked, name: str) -> None:
    row, endpoint = ROWS[name], asked.endpoints[name]
    page = unescape(asked.over(name))
    assert row.words in page
    assert endpoint.address in page
    run = asked.run(name)
    assert attempts(run) == (row.attempts, row.attempts - 1)
    assert len(endpoint.asked) == (row.attempts if row.mends and row.fault else 0)
    assert run.count(row.words) >= 2 * row.attempts - 1  # of each attempt, and of each wait before the next
    retry = re.search(r'form="act-regenerate" name="message_id" value="(\d+)" ws-send>Retry<', page)
    assert retry
    if row.mends:
        asked.running.do(endpoint.recover())
        assert WELL in asked.over(name, DONE, action="regenerate", message_id=int(retry[1]))


def test_a_pause_that_the_endpoint_asks_for_is_a_step_and_kept(asked: Asked) -> None:
    endpoint = asked.endpoints["429 for a while"]
    assert WELL in asked.over("429 for a while", DONE)
    assert attempts(run := asked.run("429 for a while")) == (2, 1)
    assert "waits 5.00 s, then asks again" in run
    assert "It asks to be left alone for 5 seconds" in run
    first, second = endpoint.asked
    assert second - first >= 5


def test_a_reply_that_comes_slowly_is_whole_at_the_first_attempt(asked: Asked) -> None:
    page = asked.over("slow", DONE)
    assert "".join(f"piece{n} " for n in range(PIECES)).strip() in page
    assert attempts(asked.run("slow")) == (1, 0)
    assert len(asked.endpoints["slow"].asked) == 1


def test_the_key_went_to_the_endpoints_and_is_nowhere_else(asked: Asked) -> None:
    pages = [asked.page(name) for name in asked.paths] + [asked.run(name) for name in asked.paths]
    assert asked.seen
    assert KEY not in asked.seen + "".join(pages) + asked.site.log
    assert not [where for where, value in rows_of(asked.site) if KEY in value]


def test_each_run_ended_for_the_reason_of_its_fault(asked: Asked) -> None:
    with databases.opened(asked.site.environment) as database:
        found = database.execute("SELECT model, stop_reason FROM chat_run WHERE status = 'failed'").fetchall()
    assert dict(found) == {name: row.reason for name, row in ROWS.items()}
