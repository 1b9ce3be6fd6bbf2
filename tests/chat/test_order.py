"""Commits and revisions come in one order, though several processes write: nobody misses a row or sees one twice."""

import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection

from chat import rows
from chat.models import Conversation, Run
from tests import databases
from tests.chat.made import conversation_of, run_in
from tests.serving import ROOT, site_environment

pytestmark = pytest.mark.django_db(transaction=True)

WRITERS, WRITES, READERS = 2, 150, 3
BEGIN = """
import sys
import django
django.setup()
from datetime import UTC, datetime
from chat import store
from chat.models import Conversation, Message, Run, Step
from chat.transact import once
me, pk, now = int(sys.argv[1]), sys.argv[2], datetime.now(UTC)
print("ready", flush=True)
sys.stdin.readline()
for count in range({writes}):
    once(lambda: write({writers} * count + me))
"""
MESSAGES = """
conversation = Conversation.objects.get(pk=pk)
def write(number):
    revision = store.raise_conversation(conversation.pk)
    last = conversation.messages.order_by("pk").last()
    about = {"role": "user", "text": str(number), "owner_id": conversation.owner_id, "created": now, "parent": last}
    conversation.messages.create(born=revision, revision=revision, **about)
"""
STEPS = """
run = Run.objects.get(pk=pk)
def write(number):
    revision = store.raise_run(run.pk, run.attempt)
    about = {"number": number + 10, "kind": "wait", "name": "Wait", "started": now}
    run.steps.create(born=revision, revision=revision, **about)
"""


def test_messages_of_two_processes_reach_every_reader_once(alice: User, tmp_path: Path) -> None:
    conversation = conversation_of(alice)

    def look(since: int) -> tuple[int, list[str]]:
        talk = rows.talk_since(conversation.pk, since)
        assert talk is not None
        new = [message for message, _ in talk.messages if message.born > since]
        if talk.anew:  # more than one look brings; a page has its list drawn anew
            new = list(conversation.messages.filter(born__gt=since, born__lte=talk.revision))
        return talk.revision, [message.text for message in new]

    for seen in watched(tmp_path, MESSAGES, conversation, look):
        assert sorted(seen, key=int) == [str(number) for number in range(WRITERS * WRITES)]
    stored = list(conversation.messages.order_by("pk").values_list("revision", flat=True))
    assert stored == list(range(1, WRITERS * WRITES + 1))  # ids are in the order of revisions too


def test_steps_of_two_processes_reach_every_reader_once(alice: User, tmp_path: Path) -> None:
    """In truth one process writes a run's steps; here two do, to press the order of one counter."""
    run = run_in(conversation_of(alice))
    Run.objects.filter(pk=run.pk).update(status="running", stop_reason="", attempt=1)

    def look(since: int) -> tuple[int, list[str]]:
        found = rows.run_since(run.pk, since)
        if found is None:
            return since, []
        return found[0].revision, [str(step.number - 10) for step in found[1] if step.born > since]

    for seen in watched(tmp_path, STEPS, run, look):
        assert sorted(seen, key=int) == [str(number) for number in range(WRITERS * WRITES)]


def watched(
    folder: Path, what: str, row: Conversation | Run, look: Callable[[int], tuple[int, list[str]]]
) -> list[list[str]]:
    """Let several processes write to one counter while readers go on from where they were; return what each saw."""
    code = BEGIN.format(writes=WRITES, writers=WRITERS).replace("print(", what + "\nprint(")
    environment = site_environment(folder, DATABASE_URL=databases.suite_url())
    command = [sys.executable, "-c", code]
    writers = [
        subprocess.Popen(
            [*command, str(number), str(row.pk)], cwd=ROOT, env=environment,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )
        for number in range(WRITERS)
    ]  # fmt: skip
    over, seen = threading.Event(), [list[str]() for _ in range(READERS)]
    readers = [threading.Thread(target=follow, args=(look, row.revision, over, into)) for into in seen]
    for writer in writers:
        assert _line(writer) == "ready\n"
    for reader in readers:
        reader.start()
    for writer in writers:
        writer.communicate("go\n", timeout=60)
    over.set()
    for reader in readers:
        reader.join()
    assert [writer.returncode for writer in writers] == [0] * WRITERS
    return seen


def follow(look: Callable[[int], tuple[int, list[str]]], since: int, over: threading.Event, seen: list[str]) -> None:
    last = False
    while not last:
        last = over.is_set()
        since, new = look(since)
        seen += new
    connection.close()


def _line(process: "subprocess.Popen[str]") -> Any:
    assert process.stdout
    return process.stdout.readline()
