"""What is written is written once, though the server ends connections in the middle of it."""

import asyncio
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import pytest
from django.contrib.auth.models import User
from django.db import DatabaseError, connection

from chat import away, store, transact
from chat.away import Away
from chat.db import read, write, write_lightly
from chat.models import Conversation, Run
from chat.store import Sent
from chat.store.leases import LEASE
from chat.transact import once
from tests import databases
from tests.chat.lossy import lossy
from tests.chat.made import NOW, conversation_of
from tests.serving import ROOT, site_environment

T = TypeVar("T")
pytestmark = pytest.mark.django_db(transaction=True)

WRITES = 8
WRITE = """
import django
django.setup()
from datetime import UTC, datetime
from chat.models import Conversation
from chat.transact import once
now = datetime.now(UTC)
for number in range({writes}):
    print(once(lambda: Conversation.objects.create(owner_id={owner}, title=str(number), created=now, updated=now)))
"""


@pytest.fixture
def server(postgres: None, transactional_db: None) -> Iterator[None]:
    """A server that may end every connection, that of the test itself too."""
    yield
    connection.close()


@pytest.mark.parametrize("heard", [True, False], ids=["the server did it", "the server never heard of it"])
def test_a_commit_that_was_not_answered_is_done_once(server: None, alice: User, tmp_path: Path, heard: bool) -> None:
    with lossy(databases.suite_url(), dict.fromkeys((2, 3, 6), heard)) as url:
        done = subprocess.run(
            [sys.executable, "-c", WRITE.format(writes=WRITES, owner=alice.pk)],
            cwd=ROOT, env=site_environment(tmp_path, DATABASE_URL=url), capture_output=True, text=True, timeout=120,
        )  # fmt: skip
    assert done.stdout.split() == [str(number) for number in range(WRITES)], done.stderr
    stored = Conversation.objects.order_by("title").values_list("title", flat=True)
    assert list(stored) == [str(number) for number in range(WRITES)]


async def test_under_load_each_write_is_done_once_while_connections_are_ended(server: None, alice: User) -> None:
    conversation = await read(conversation_of, alice)

    def say(number: int) -> int:
        revision = store.raise_conversation(conversation.pk)
        conversation.messages.create(
            role="user", text=str(number), owner=alice, born=revision, revision=revision, created=NOW
        )
        return revision

    revisions: list[int] = []
    ended = 0
    for first in range(0, 600, 30):
        saying = [write(say, first + number) for number in range(30)]
        more, *raised = await asyncio.gather(asyncio.to_thread(databases.end_connections), *saying)
        ended, revisions = ended + more, revisions + raised
    assert ended > 20
    stored = await read(lambda: list(conversation.messages.order_by("revision").values_list("revision", "text")))
    assert [revision for revision, _ in stored] == sorted(revisions) == list(range(1, 601))
    assert sorted(int(text) for _, text in stored) == list(range(600))


async def test_a_read_is_done_again_where_its_connection_was_ended(server: None, alice: User) -> None:
    await asyncio.gather(*(read(User.objects.count) for _ in range(20)))  # every reader has a connection
    await asyncio.to_thread(databases.end_connections)
    assert await asyncio.gather(*(read(User.objects.count) for _ in range(20))) == [1] * 20


async def test_two_that_send_the_same_message_at_once_have_sent_it_once(server: None, alice: User) -> None:
    """The second one fails at the unique id, is done anew, and finds what the first one stored."""
    conversation = await read(conversation_of, alice)
    sent: list[Sent] = []

    def begin() -> Sent:
        return store.start_conversation(alice.pk, "Hello", "id", "m", "here:1:x", NOW)

    def late() -> Sent:
        if not sent:
            other = threading.Thread(target=lambda: sent.append(in_a_thread(lambda: once(begin))))
            other.start()
            other.join()
            conversation.messages.create(owner=alice, client_id="id", text="Hello", born=1, revision=1, created=NOW)
        return begin()

    again = await write(late)
    assert (again.message, again.fresh) == (sent[0].message, False)


@pytest.mark.parametrize("code", ["40001", "40P01"])
async def test_who_clashes_again_and_again_is_done_once_and_so_are_those_beside_it(
    server: None, alice: User, code: str
) -> None:
    conversation = await read(conversation_of, alice)
    clashes = iter(range(4))

    def clash(number: int) -> int:
        if number == 3 and next(clashes, None) is not None:
            fail_with(code)
        return store.raise_conversation(conversation.pk)

    revisions = await asyncio.gather(*(write(clash, number) for number in range(8)))
    assert sorted(revisions) == list(range(1, 9))
    assert next(clashes, None) is None


@pytest.mark.parametrize(
    ("code", "reason"), [("53100", away.FULL), ("57P03", away.NO_ANSWER), ("25006", away.NO_WRITE)]
)
async def test_what_a_server_says_that_cannot_write_is_told_in_words(server: None, code: str, reason: str) -> None:
    with pytest.raises(Away, match=reason):
        await write(fail_with, code)


async def test_nobody_waits_for_a_lock_without_end(server: None) -> None:
    assert {await write(shown), await read(shown), await asyncio.to_thread(in_a_thread, shown)} == {"10s"}


async def test_a_row_that_another_session_holds_is_told_as_busy_and_holds_up_no_other_write(
    server: None, alice: User
) -> None:
    held, free = [await read(conversation_of, alice) for _ in range(2)]
    written = threading.Event()
    await write(run, "SET lock_timeout = '300ms'")
    try:
        with databases.opened({"DATABASE_URL": databases.suite_url()}) as other:
            other.execute("SELECT 1 FROM chat_conversation WHERE id = %s FOR UPDATE", [held.pk])
            with pytest.raises(Away, match=away.BUSY):
                await write(store.raise_conversation, held.pk)
            before = asyncio.create_task(write(written.wait))  # what comes meanwhile shares a transaction
            pks = (free.pk, held.pk, free.pk, held.pk)
            together = [asyncio.create_task(write(store.raise_conversation, pk)) for pk in pks]
            await asyncio.sleep(0)
            written.set()
            async with asyncio.timeout(10):  # who waited before, and in vain, waits for a moment only
                found = await asyncio.gather(before, *together, return_exceptions=True)
        assert [getattr(one, "reason", one) for one in found] == [True, 1, away.BUSY, 2, away.BUSY]
        assert await write(shown) != transact.A_MOMENT
        assert await write(store.raise_conversation, held.pk) == 1
    finally:
        await write(run, "RESET lock_timeout")


async def test_a_run_that_another_session_holds_keeps_no_other_from_renewing_its_lease(
    server: None, alice: User
) -> None:
    held, free = [await write(store.start_conversation, alice.pk, "Hi", id_, "demo", "us", NOW) for id_ in "ab"]
    await write(run, "SET lock_timeout = '300ms'")
    try:
        with databases.opened({"DATABASE_URL": databases.suite_url()}) as other:
            other.execute("SELECT 1 FROM chat_run WHERE id = %s FOR UPDATE", [held.run])
            await write_lightly(store.renew, [held.run, free.run], "us", NOW + LEASE)
        found = [(await read(Run.objects.get, pk=one.run)).lease_until for one in (held, free)]
        assert found == [NOW + LEASE, NOW + 2 * LEASE]
    finally:
        await write(run, "RESET lock_timeout")


async def test_a_disk_that_is_full_is_told_at_once_and_the_next_write_is_made(alice: User) -> None:
    def much() -> None:
        Conversation.objects.create(owner=alice, title="x" * 100, instructions="x" * 10**6, created=NOW, updated=NOW)

    def fill() -> None:
        with connection.cursor() as cursor:
            if connection.vendor == "postgresql":
                fail_with("53100")
            cursor.execute("PRAGMA max_page_count = 1")  # which is taken as: as many as there are
        much()

    with pytest.raises(Away, match=away.FULL):
        await write(fill)
    if connection.vendor == "sqlite":
        await write(lambda: connection.cursor().execute("PRAGMA max_page_count = 1000000"))
    await write(much)
    assert await read(Conversation.objects.count) == 1


async def test_what_is_acknowledged_waits_for_the_disk_and_what_can_be_done_again_does_not(alice: User) -> None:
    def waits() -> bool:
        if connection.vendor == "postgresql":
            return True  # it always does
        with connection.cursor() as cursor:
            return bool(cursor.execute("PRAGMA synchronous").fetchone()[0] == 2)

    await write(waits)  # from here on it has a connection
    assert await write(waits)
    assert await write_lightly(waits) == (connection.vendor == "postgresql")
    assert all(await asyncio.gather(write_lightly(waits), write(waits)))
    assert await read(waits)


async def test_what_fails_by_itself_is_done_once_only(alice: User) -> None:
    tried: list[bool] = []
    await write(User.objects.count)  # from here on it has a connection

    def fail() -> None:
        tried.append(True)
        with connection.cursor() as cursor:
            cursor.execute("SELECT something FROM nowhere")

    with pytest.raises(DatabaseError, match="nowhere"):
        await write(fail)
    assert len(tried) == 1


def fail_with(code: str) -> None:
    """Let the server itself raise an error."""
    with connection.cursor() as cursor:
        cursor.execute(f"DO $$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '{code}'; END $$")


def run(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


def shown() -> str:
    """How long this session waits for a lock."""
    with connection.cursor() as cursor:
        cursor.execute("SHOW lock_timeout")
        return str(cursor.fetchone()[0])


def in_a_thread(work: Callable[[], T]) -> T:
    """Do something with a connection that is let go of afterwards."""
    try:
        return work()
    finally:
        connection.close()
