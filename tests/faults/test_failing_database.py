"""A database that fails while a server works: nothing acknowledged is lost, it is told in words, and all goes on."""

import re
import sqlite3
import time
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack, closing
from pathlib import Path
from uuid import uuid4

import httpx2
import pytest

from tests import databases
from tests.faults.conftest import Known
from tests.faults.mending import failing, mend
from tests.faults.sites import checked
from tests.serving import Site, hidden
from tests.sockets import Page, opened

ANSWERED = r'#m-\d+-head"><span hidden data-mirror="status" data-value="done"|data-role="assistant" data-status="done"'
ENDED = r'#m-\d+-head"><span hidden data-mirror="status" data-value="(?:done|stopped|error)"'
LOCKED_SECONDS = 2.0
TOLD = r'id="notice" role="alert"[^>]*>This could not be stored: the [^<]+ Your text is still in the box'
WAITS = "Waiting for the server&#x27;s database"
Fault = Callable[[dict[str, str]], AbstractContextManager[None]]
FAULTS = [databases.locked, databases.closed] if databases.POSTGRES else [databases.locked]
RESUMED = "The server&#x27;s database was away here; what follows is the second attempt"


def stored(site: Site, client_id: str) -> int:
    with databases.opened(site.environment) as rows:
        mark = "%s" if databases.POSTGRES else "?"
        found = rows.execute(f"SELECT count(*) FROM chat_message WHERE client_id = {mark}", [client_id])  # noqa: S608
        return int(found.fetchone()[0])


def is_sound(folder: Path) -> bool:
    """Whether what is in the file makes sense. PostgreSQL keeps its own in order."""
    if databases.POSTGRES:
        return True
    with closing(sqlite3.connect(folder / "db.sqlite3")) as rows:
        return bool(rows.execute("PRAGMA integrity_check").fetchall() == [("ok",)])


def form_is_refused(client: httpx2.Client, conversation: str, form: dict[str, str]) -> None:
    """What is sent without a socket is answered with the same words, and the text comes back."""
    said = {**form, "action": "send", "message": "By a form <1>", "client_id": str(uuid4())}
    page = client.post(f"/c/{conversation}/", data=said)
    assert page.status_code == 503
    assert "This could not be stored" in page.text
    assert "By a form &lt;1&gt;</textarea>" in page.text
    part = client.post(f"/c/{conversation}/", data=said, headers={"HX-Request": "true"})
    assert part.status_code == 503
    assert re.search(TOLD, part.text)


def test_a_database_that_fails_at_any_commit_loses_nothing_and_says_so(known: Known) -> None:
    fail, number, said = known.folder / "fail", 0, ""
    with failing(known.folder, 1.0) as site, known.client(site) as client:
        form = hidden(client, f"/c/{known.conversation}/")
        while number == 0 or said != "answered":
            number += 1
            with opened(site, client, known.conversation) as page:
                page.say(action="resume", since=0)
                page.until('id="cursor"')
                fail.write_text(str(number))
                said = one_message(site, page, number, lambda: form_is_refused(client, known.conversation, form))
                fail.write_text("0")
        assert number > 6
        assert "Traceback" not in site.log
    written = Counter((known.folder / "notes").read_text().splitlines())
    assert checked(site)["messages"] == number + 1
    assert set(written.values()) == {1}


def one_message(site: Site, page: Page, number: int, meanwhile: Callable[[], None]) -> str:
    """Send a message to a database that may fail; return what came of it: answered, told, or waits.

    In the end it is stored once, and answered. What is tried `meanwhile` is tried while nothing can be stored.
    """
    client_id, before = str(uuid4()), len(page.seen)
    page.ask(f"Look and note {number}", client_id)
    frame = page.until(f"{ANSWERED}|{TOLD}|{WAITS}")
    said = "told" if re.search(TOLD, frame) else "waits" if WAITS in frame else "answered"
    if said == "answered":
        return said
    acknowledged = client_id in page.seen[before:]
    if said == "told":
        meanwhile()
    mend(site)
    assert is_sound(Path(site.environment["VAR_DIR"]))
    assert stored(site, client_id) == (said == "waits")
    assert not acknowledged or said == "waits"
    if not acknowledged:
        page.ask(f"Look and note {number}", client_id)
    if not re.search(ANSWERED, page.seen[before:]):
        page.until(ANSWERED)
    assert stored(site, client_id) == 1
    return said


def test_while_somebody_else_writes_writes_wait_and_all_else_is_answered(known: Known) -> None:
    with ExitStack() as open_:
        site = open_.enter_context(failing(known.folder, 20.0))
        client = open_.enter_context(known.client(site))
        page, other = (open_.enter_context(opened(site, client, known.conversation)) for _ in range(2))
        page.ask("Slowly")
        page.until("word1 ")
        with databases.locked(site.environment):
            until = time.monotonic() + LOCKED_SECONDS
            client_id = page.ask("Look and note meanwhile")
            while time.monotonic() < until:
                assert other.socket.ping().wait(LOCKED_SECONDS)
                assert client.get("/healthz").status_code == 200
                assert "Slowly" in client.get(f"/c/{known.conversation}/").text
                time.sleep(0.1)
        page.until(client_id)
        while len(re.findall(ENDED, page.seen)) < 2:
            page.until(ENDED)
        assert page.seen.count(client_id) == 1
        assert "run let go" not in site.log
    found = checked(site)
    assert (found["messages"], found["taken"]) == (3, [])


@pytest.mark.parametrize("fault", FAULTS)
def test_a_run_whose_end_cannot_be_stored_goes_on_later_and_says_what_happened(known: Known, fault: Fault) -> None:
    with (
        failing(known.folder, 1.0) as site,
        known.client(site) as client,
        opened(site, client, known.conversation) as page,
    ):
        page.ask("Slowly")
        page.until("word1 ")
        with fault(site.environment):
            page.until(WAITS)
            client_id = page.ask("Look and note later")
            page.until(TOLD)
            page.say(action="stop")
            page.until("This could not be done: the server")
        page.until(RESUMED)
        page.ask("Look and note later", client_id)
        while len(re.findall(ENDED, page.seen)) < 2:
            page.until(ENDED)
        assert page.seen.count(client_id) == 1
        assert site.log.count("database away") == 1
        assert "word99" in client.get(f"/c/{known.conversation}/").text
    found = checked(site)
    assert (found["messages"], len(found["taken"])) == (3, 1)
