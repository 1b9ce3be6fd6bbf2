"""Two servers on one database: a page of one shows what a run of the other does, and stops it."""

import re
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing

import httpx2
import pytest

from tests import databases
from tests.conftest import PASSWORD
from tests.redis_server import RedisServer, redis_server
from tests.serving import Site, served
from tests.sockets import PATIENCE, Page, begin, opened

LONG, COUNTED = "Count to 500", 500  # longer than a look of the other server takes to come
KEY = "a-key-of-fifty-characters-or-more-0123456789-abcdefghij"
OVER = r'#m-\d+-head"><span hidden data-mirror="status" data-value="(done|stopped|error)"'


class Two:
    """Two sites, a session of alice's, and the Redis between them if there is one."""

    def __init__(self, first: Site, second: Site, alice: httpx2.Client, redis: RedisServer | None) -> None:
        self.first, self.second, self.alice, self.redis = first, second, alice, redis


@pytest.fixture(scope="module", params=["with Redis", "without Redis"])
def two(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Two]:
    with ExitStack() as running:
        redis = running.enter_context(redis_server()) if request.param == "with Redis" else None
        folder = tmp_path_factory.mktemp("first")
        common = {"SECRET_KEY": KEY, "REDIS_URL": redis.url if redis else ""}
        common |= databases.url_of(folder) or {"DATABASE_URL": f"sqlite:///{folder}/db.sqlite3"}
        first = running.enter_context(served(folder, **common))
        second = running.enter_context(served(tmp_path_factory.mktemp("second"), **common))
        first.add_user("alice", PASSWORD)
        alice = running.enter_context(closing(first.sign_in("alice", PASSWORD)))
        yield Two(first, second, alice, redis)


def test_text_of_the_others_run_comes_as_it_is_stored_never_twice_and_then_whole(two: Two) -> None:
    conversation = begin(two.alice, "Hello")
    with opened(two.first, two.alice, conversation) as here, opened(two.second, two.alice, conversation) as there:
        there.say(action="resume", since=0)
        there.until('id="cursor"')
        here.ask(LONG)
        drawn = Drawn()
        for frame in frames(there, OVER):
            drawn.apply(frame)
            assert drawn.is_counting(), drawn.text
        assert drawn.grew >= 2
        assert drawn.text.endswith(f" {COUNTED}.")


def test_stop_on_another_server_ends_the_run_within_two_seconds(two: Two) -> None:
    conversation = begin(two.alice, "Hello")
    with opened(two.first, two.alice, conversation) as here, opened(two.second, two.alice, conversation) as there:
        here.say(action="resume", since=0)
        here.ask(LONG)
        here.until(r'#m-\d+-open"><')
        there.say(action="stop")
        asked = time.monotonic()
        here.until('data-value="stopped"')
        assert time.monotonic() - asked < 4  # two seconds, on a machine that does nothing else


def test_while_redis_is_away_runs_end_and_pages_open_and_follow(two: Two) -> None:
    if two.redis is None:
        return  # it always is
    for leave, come_back in ((two.redis.stop, two.redis.start), (two.redis.hang, two.redis.go_on)):
        conversation = begin(two.alice, "Hello")
        leave()
        follows_within(two, conversation, PATIENCE)
        come_back()
        two.redis.flush()


def test_after_redis_came_back_pages_are_told_at_once(two: Two) -> None:
    if two.redis is None:
        return  # it never does
    two.redis.stop()
    two.redis.start()
    conversation = begin(two.alice, "Hello")
    end = time.monotonic() + PATIENCE
    while follows_within(two, conversation, PATIENCE) > 1:  # it looks for Redis once a second
        assert time.monotonic() < end


def follows_within(two: Two, conversation: str, seconds: float) -> float:
    """Ask on one server, and return after how many seconds a page of the other shows the end."""
    with opened(two.first, two.alice, conversation) as here, opened(two.second, two.alice, conversation) as there:
        for page in (here, there):
            page.say(action="resume", since=0)
            page.until('id="cursor"')
        client_id = here.ask("What is 6 * 7?")
        asked = time.monotonic()
        here.until(f'data-client-id="{client_id}"')
        there.until(f'data-client-id="{client_id}"')
        if not re.search("42", there.seen):
            there.until("42")
        took = time.monotonic() - asked
    assert took < seconds
    return took


def frames(page: Page, pattern: str) -> Iterator[str]:
    """Give frames up to one that matches."""
    frame = ""
    while not re.search(pattern, frame):
        frame = str(page.socket.recv(timeout=PATIENCE))
        page.seen += frame
        yield frame


class Drawn:
    """What a page shows of the last answer's text, as far as a row of numbers needs."""

    def __init__(self) -> None:
        self.parts = {"closed": "", "open": "", "rest": ""}
        self.grew = 0

    def apply(self, frame: str) -> None:
        before = len(self.text)
        for how, part, inside in re.findall(
            r'"(innerHTML|beforeend):#m-\d+-(closed|open|rest)">(.*?)</div>', frame, re.S
        ):
            self.parts[part] = inside if how == "innerHTML" else self.parts[part] + inside
            if part == "open":
                self.parts["rest"] = ""
        self.grew += len(self.text) > before

    @property
    def text(self) -> str:
        return re.sub(r"<[^>]+>|\s+$", "", "".join(self.parts.values()))

    def is_counting(self) -> bool:
        """Whether it is 1, 2, 3 and so on, without a number twice."""
        numbers = [int(number) for number in re.findall(r"\d+", self.text)]
        return numbers[:-1] == list(range(1, len(numbers)))  # the last one may be cut
