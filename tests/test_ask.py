"""One question in the terminal, as a person would type it."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.utils import timezone

from chat import store
from chat.management.commands.ask import plain
from chat.models import Run
from chat.transact import once
from tests import databases
from tests.chat.made import NOW, conversation_of
from tests.faults.sites import PROGRAM
from tests.serving import ROOT, site_environment

PATIENCE = 30.0
ELSEWHERE = "another-machine:1:x"


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A site of its own with one account, alice's."""
    variables = fresh(tmp_path_factory.mktemp("terminal"))
    assert manage(variables, "createsuperuser", "--noinput", "--username=alice", "--email=").returncode == 0
    return variables


def fresh(folder: Path) -> dict[str, str]:
    databases.make(folder)
    variables = site_environment(folder, LOG_LEVEL="WARNING", DJANGO_SUPERUSER_PASSWORD="correct horse")
    assert manage(variables, "migrate", "--verbosity=0").returncode == 0
    return variables


def manage(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(Path(ROOT) / "manage.py"), *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120, check=False)


def test_a_question_in_the_terminal(environment: dict[str, str]) -> None:
    asked = manage(environment, "ask", "What is 6 * 7?")
    assert asked.returncode == 0, asked.stderr
    assert "calculate" in asked.stdout
    assert "42" in asked.stdout


def test_without_an_account_it_says_how_to_make_one(tmp_path: Path) -> None:
    refused = manage(fresh(tmp_path), "ask", "What is 6 * 7?")
    assert refused.returncode == 1
    assert "There is no account yet" in refused.stderr


def test_one_event_a_line_for_programs_and_the_conversation_goes_on(environment: dict[str, str]) -> None:
    asked = manage(environment, "ask", "What is 6 * 7?", "--json", "--user=alice")
    lines = [json.loads(line) for line in asked.stdout.splitlines()]
    tool = [line["status"] for line in lines if line.get("kind") == "tool"]
    assert tool in (["running", "done"], ["done"])  # one that is over before it is looked at is a line all the same
    assert lines[-1]["type"] == "run"
    again = manage(environment, "ask", "Double that", "--json", f"--conversation={lines[-1]['conversation']}")
    assert "84" in json.loads(again.stdout.splitlines()[-1])["answer"]


def test_what_cannot_be_asked_is_said_in_a_sentence(environment: dict[str, str]) -> None:
    for arguments, words in (
        (["hi", "--user=nobody"], "no user named nobody"),
        (["  "], "Ask something"),
        (["hi", "--conversation=00000000-0000-0000-0000-000000000000"], "has no conversation"),
    ):
        refused = manage(environment, "ask", *arguments)
        assert refused.returncode == 1
        assert words in refused.stderr
        assert "Traceback" not in refused.stderr


def test_anothers_conversation_is_none(alice: User, bob: User) -> None:
    hers = conversation_of(alice)
    for asked in (hers.pk, uuid4()):
        with pytest.raises(CommandError) as refused:
            call_command("ask", "hi", user="bob", conversation=asked)
        assert str(refused.value) == f"bob has no conversation {asked}."


def test_a_run_that_failed_does_not_exit_with_0(environment: dict[str, str]) -> None:
    broken = environment | {"OPENAI_BASE_URL": "http://127.0.0.1:9/v1", "AGENT_MODELS": "m"}
    failed = manage(broken, "ask", "hi")
    assert failed.returncode == 1
    assert "could not be reached" in failed.stdout
    assert "Traceback" not in failed.stderr


def heed_ctrl_c() -> None:
    """What a shell starts in the background does not, nor does what that starts."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@contextmanager
def asking(
    user: User, conversation: UUID, folder: Path, *program: str, until: Callable[[], bool]
) -> Iterator["subprocess.Popen[str]"]:
    """A question in a terminal, in a conversation in which another process is at work."""
    command = [sys.executable, *program, "ask", "Hello", f"--user={user}", f"--conversation={conversation}"]
    environment = site_environment(folder, DATABASE_URL=databases.suite_url(), LOG_LEVEL="WARNING")
    asked = subprocess.Popen(
        command, cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True, preexec_fn=heed_ctrl_c
    )
    try:
        end = time.monotonic() + PATIENCE
        while not until():
            assert time.monotonic() < end, "Nothing was asked."
            time.sleep(0.05)
        yield asked
    finally:
        asked.kill()
        asked.communicate()


def waits() -> bool:
    return Run.objects.filter(status="queued").exists()


@pytest.mark.django_db(transaction=True)
def test_ctrl_c_takes_back_a_question_that_waits_and_stops_nothing_else(alice: User, tmp_path: Path) -> None:
    theirs = once(lambda: store.start_conversation(alice.pk, "Hi", "a", "demo", ELSEWHERE, timezone.now()))
    with asking(alice, theirs.conversation, tmp_path, "manage.py", until=waits) as asked:
        asked.send_signal(signal.SIGINT)
        asked.wait(PATIENCE)
    only_theirs(theirs)


@pytest.mark.django_db(transaction=True)
def test_ctrl_c_takes_back_a_question_that_was_stored_just_now(alice: User, tmp_path: Path) -> None:
    theirs = once(lambda: store.start_conversation(alice.pk, "Hi", "a", "demo", ELSEWHERE, timezone.now()))
    hold, held = tmp_path / "hold", tmp_path / "held"
    hold.write_text("+")
    with asking(alice, theirs.conversation, tmp_path, *PROGRAM, until=held.exists) as asked:
        asked.send_signal(signal.SIGINT)
        hold.unlink()
        asked.wait(PATIENCE)
    only_theirs(theirs)


def only_theirs(theirs: store.Sent) -> None:
    """What the other process works on is all that is there, and goes on."""
    run = Run.objects.get()
    assert (run.pk, run.status, run.stopping) == (theirs.run, "running", False)
    assert run.message.children.count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_question_whose_conversation_is_deleted_ends_with_words(alice: User, tmp_path: Path) -> None:
    theirs = once(lambda: store.start_conversation(alice.pk, "Hi", "a", "demo", ELSEWHERE, timezone.now()))
    with asking(alice, theirs.conversation, tmp_path, "manage.py", until=waits) as asked:
        once(lambda: store.delete_conversations([theirs.conversation], NOW))
        _, said = asked.communicate(timeout=PATIENCE)
    assert asked.returncode == 1
    assert "its conversation was deleted" in said
    assert "Traceback" not in said


def test_a_terminal_is_shown_escape_sequences_and_does_not_obey_them() -> None:
    assert plain("\x1b[2Jgone\x9b31m\rover\n\tkept") == "\ufffd[2Jgone\ufffd31m\ufffdover\n\tkept"
