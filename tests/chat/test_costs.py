"""What a run costs, counted: commits, queries, bytes stored and bytes sent."""

import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.core.serializers import serialize
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django.fixtures import Settings

from chat import preview, rows, store
from chat.agent.events import ModelStarted
from chat.db import read, write
from chat.live_text import OPEN_LIMIT
from chat.models import Conversation, Message, Run
from chat.prepare import _read as read_begin
from chat.viewer import Viewer
from tests.cases.running import Tools, answering, finished, in_memory, look, send
from tests.chat.made import NOW, conversation_of, run_in
from tests.databases import POSTGRES
from tests.scripted import Scripted, asks, call, says

pytestmark = pytest.mark.django_db(transaction=True)

Commits = Callable[[], int]


@asynccontextmanager
async def commits_counted() -> AsyncIterator[Commits]:
    """Count what the thread that writes really commits, in what its client itself notes down."""
    with tempfile.TemporaryFile("w+") as notes:

        def begin() -> None:
            if POSTGRES:
                connection.connection.pgconn.trace(notes.fileno())
            else:
                connection.connection.set_trace_callback(lambda statement: print(statement, file=notes))

        def end() -> None:
            if POSTGRES:
                connection.connection.pgconn.untrace()
            else:
                connection.connection.set_trace_callback(None)

        def count() -> int:
            notes.flush()
            notes.seek(0)
            done = 'CommandComplete\t "COMMIT"' if POSTGRES else "COMMIT"  # PostgreSQL's notes hold the question too
            return notes.read().count(done)

        await write(begin)
        before = count()
        yield lambda: count() - before
        await write(end)


async def test_a_run_of_two_turns_and_a_tool_is_at_most_six_commits(alice: User) -> None:
    await write(User.objects.get_or_create, username="alice")
    async with commits_counted() as count:
        await turns(1, says("4", "2"))
        assert 4 <= count() - 1 <= 6  # one is the look-up of alice


async def test_streamed_tokens_are_no_commits(alice: User) -> None:
    counted = []
    for pieces in (5, 500):
        async with commits_counted() as count:
            await turns(0, says(*(f"{piece} " for piece in range(pieces))))
            counted.append(count())
    assert counted[0] == counted[1]


async def test_what_is_stored_grows_with_the_turns_and_not_with_their_square(alice: User, settings: Settings) -> None:
    settings.AGENT_MAX_TURNS, settings.AGENT_MAX_TOKENS = 200, 10**9
    stored = {}
    for count in (10, 100):
        run = await turns(count, says("Done."))
        stored[count] = await read(size_of, run)
    a_turn = (stored[100] - stored[10]) / 90
    assert a_turn <= 1.1 * stored[10] / 10
    assert a_turn < 2 * 2048  # two steps


@pytest.mark.parametrize("work", ["send", "step", "reconnect", "page", "begin"])
def test_no_count_of_queries_grows_with_a_conversation(alice: User, work: str) -> None:
    counted = []
    for messages in (2, 120):
        conversation = conversation_with(alice, messages)
        counted.append(queries(works(conversation, alice)[work]))
    assert counted[0] == counted[1], counted
    assert 0 < counted[0] < 20


# How it begins, and what is then said again and again.
SHAPES = {
    "paragraphs": ("", "A sentence of some words. " * 8 + "\n\n"),
    "one paragraph": ("", "A sentence of some words. "),
    "a list": ("", "- a line of a list\n"),
    "lists in a list": ("", "- a line\n  - one within it\n"),
    "a table": ("| a | b |\n|---|---|\n", "| a cell | another cell |\n"),
    "code": ("```python\n", "x = compute(x)\n"),
}
MOST_BYTES = 14  # for a character, where every 16 of them are a frame of their own


@pytest.mark.parametrize("shape", SHAPES)
def test_bytes_to_the_browser_are_in_proportion_to_the_text(shape: str) -> None:
    begin, more = SHAPES[shape]
    sent = {}
    for length in (10 * OPEN_LIMIT, 40 * OPEN_LIMIT):
        text = begin + more * (length // len(more))
        sent[length] = sum(frames(text)) / len(text)
    assert sent[40 * OPEN_LIMIT] <= 1.2 * sent[10 * OPEN_LIMIT]
    assert sent[40 * OPEN_LIMIT] < MOST_BYTES


async def turns(count: int, *last: list[dict[str, object]]) -> Run:
    """A run that looks around so many times, and then says something."""
    replies = [asks(call("look", {"place": f"place {number}"}, id=f"call_{number}")) for number in range(count)]
    scripted = Scripted(*replies, *last)
    with Tools(look).alone():
        async with in_memory(scripted) as served, answering(served):
            sent = await send("Look!")
            await finished(sent)
    run = await read(Run.objects.get, pk=sent.run)
    assert (run.status, run.turns) == ("done", count + 1)
    return run


def size_of(run: Run) -> int:
    rows = [run, *run.steps.all(), *Message.objects.filter(conversation=run.conversation_id)]
    return len(serialize("json", rows))


def conversation_with(owner: User, messages: int) -> Conversation:
    conversation = conversation_of(owner)
    last = None
    for number in range(messages // 2):
        run = run_in(conversation, f"Question {number}?", steps=1)
        Message.objects.filter(pk=run.message_id).update(parent=last, client_id=str(uuid4()))
        last = run.answer_id
    conversation.refresh_from_db()
    return conversation


def works(conversation: Conversation, owner: User) -> dict[str, Callable[[], object]]:
    """What a person waits for, each as a function that asks the database."""
    at = datetime.now(UTC)
    run = conversation.runs.latest("created")

    def send() -> store.Sent:
        return store.send(conversation.pk, owner.pk, "And?", str(uuid4()), "m", "here:1:x", at)

    def step() -> None:
        Run.objects.filter(pk=run.pk).update(status="running", stop_reason="")
        store.apply(run.pk, run.attempt, (ModelStarted(9, NOW, 3, "m", 0, "", 0),))

    def reconnect() -> None:
        viewer = Viewer(conversation.pk)
        viewer.resume(conversation.revision)
        viewer.look_at(run, run.revision, follows=True)
        assert viewer.catch_up() is not None

    return {
        "send": send,
        "step": step,
        "reconnect": reconnect,
        "page": lambda: rows.talk(conversation.pk),
        "begin": lambda: read_begin(run.pk),
    }


def queries(work: Callable[[], object]) -> int:
    with CaptureQueriesContext(connection) as seen:
        work()
    return len(seen)


def frames(text: str) -> Iterator[int]:
    """Give the bytes of each frame of a text that comes in pieces of 16 characters."""
    viewer, run = Viewer(uuid4()), uuid4()
    viewer._live = {run: 0}
    showing = preview.open_preview(run, viewer.conversation, 7)
    for at in range(0, len(text), 16):
        showing.add(2, text[at : at + 16])
        yield len(viewer.stream().encode())
    preview.close_preview(run)
