"""Measures what others notice of somebody who asks too much: python -m tests.bench.others

Serves a site on loopback. Bob pings over his socket, loads his page and sends messages, one after the other: first
while nobody else is there, then while alice floods, does not read what she is sent, catches up with a trace of 10,000
steps again and again, or keeps runs waiting for an endpoint that hangs. Printed are the 95th percentiles of Bob's
waits, and how many times those of the quiet they are.
"""

import argparse
import multiprocessing
import os
import re
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

import django
import httpx2

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "agentsite.settings")
django.setup()

from websockets.exceptions import ConnectionClosed  # noqa: E402

from tests.faults.sites import PROGRAM  # noqa: E402
from tests.serving import Site, served  # noqa: E402
from tests.sockets import Page, opened  # noqa: E402

STEPS, SOCKETS, LOADS = 10_000, 10, 4
SETTLES = 2.0  # seconds for alice to begin with something, and for the site to be done with it
PAUSE = 0.4  # seconds in which bob does nothing: he sends a message or two a second
FLOOD_PAUSE = 0.06  # seconds between a page's frames: as often as it may without being closed
OVER = r'#m-\d+-head"><span hidden data-mirror="status" data-value="(?:done|error)"|data-status="(?:done|error)"'
MAKE = """
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth.models import User
from django.contrib.sessions.backends.db import SessionStore
from tests.chat.made import conversation_of, run_in
for name in ("bob", "alice"):
    user = User.objects.create(username=name)
    run = run_in(conversation_of(user), steps={steps} if name == "alice" else 3)
    made = [run.conversation, *(conversation_of(user, "Talk") for _ in range({talks}))]
    session = SessionStore()
    session[SESSION_KEY], session[HASH_SESSION_KEY] = str(user.pk), user.get_session_auth_hash()
    session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    session.save()
    print(session.session_key, run.pk, *(talk.pk for talk in made))
"""


@dataclass(frozen=True)
class Person:
    """A session, a run, and conversations: the one of that run, and empty ones."""

    site: Site
    session: str
    run: str
    talks: list[str]

    def client(self) -> httpx2.Client:
        return httpx2.Client(base_url=self.site.url, cookies={"sessionid": self.session}, trust_env=False, timeout=60)


@dataclass
class Waits:
    """Seconds for which Bob waited."""

    ping: list[float] = field(default_factory=list)
    page: list[float] = field(default_factory=list)
    send: list[float] = field(default_factory=list)

    def p95(self) -> dict[str, float]:
        kinds = {"ping": self.ping, "page": self.page, "send": self.send}
        return {name: sorted(waits)[int(len(waits) * 0.95)] for name, waits in kinds.items()}


def _aside(does: Callable[[Person], None], alice: Person) -> None:
    """Take of this machine only what bob and the site leave: she is somewhere else."""
    os.nice(19)
    does(alice)


def quiet(_: Person) -> None:
    time.sleep(3600)


def floods(alice: Person) -> None:
    """Say things on many pages, as fast as a page may; one that was closed all the same comes back."""
    while True:
        with suppress(ConnectionClosed), ExitStack() as open_, alice.client() as client:
            pages = [open_.enter_context(opened(alice.site, client, talk)) for talk in alice.talks[1:]]
            while True:
                for page in pages:
                    page.say(action="show", message_id=2**40)
                    _read_what_is_there(page)
                time.sleep(FLOOD_PAUSE)


def hangs(alice: Person) -> None:
    """Ask in many conversations what is answered slowly, and look at all of them."""
    with ExitStack() as open_, alice.client() as client:
        for talk in alice.talks[1:]:
            page = open_.enter_context(opened(alice.site, client, talk))
            page.say(action="resume", since=0)
            page.ask("Slowly")
        time.sleep(3600)


def never_reads(alice: Person) -> None:
    """Ask for a whole trace over and over on pages that read nothing, until they are closed for it."""
    while True:
        with suppress(ConnectionClosed), ExitStack() as open_, alice.client() as client:
            pages = [open_.enter_context(opened(alice.site, client, alice.talks[0])) for _ in range(SOCKETS)]
            for page in pages:
                page.say(action="seen", n=0)
            while True:
                for page in pages:
                    page.socket.send('{"action": "resume", "since": 0}')
                time.sleep(1)


def catches_up(alice: Person) -> None:
    """Load all steps of a very long trace, again and again."""
    with alice.client() as client:
        while True:
            with suppress(ConnectionClosed, TimeoutError), opened(alice.site, client, alice.talks[0]) as page:
                page.say(action="resume", since=1, run=alice.run, run_since=0)
                page.socket.recv(timeout=60)


def reloads(alice: Person) -> None:
    """Load the page of a long run again and again, several at a time."""

    def load(_: int) -> None:
        with alice.client() as client:
            while True:
                client.get(f"/c/{alice.talks[0]}/").raise_for_status()

    with ThreadPoolExecutor(LOADS) as loading:
        list(loading.map(load, range(LOADS)))


def _read_what_is_there(page: Page) -> None:
    with suppress(TimeoutError):
        while True:
            page.socket.recv(timeout=0)


def measured(bob: Person, seconds: float) -> Waits:
    """Let bob work in a conversation that is empty, as long ones take longer."""
    waits, end, talk = Waits(), time.monotonic() + seconds, bob.talks.pop()
    with bob.client() as client, opened(bob.site, client, talk) as page:
        page.say(action="resume", since=0)
        page.until('id="cursor"')
        while time.monotonic() < end:
            waits.ping.append(_seconds(lambda: page.socket.ping().wait(60)))
            waits.page.append(_seconds(lambda: client.get(f"/c/{talk}/").raise_for_status()))
            before = len(page.seen)
            waits.send.append(_seconds(lambda: _sent(page)))
            if not re.search(OVER, page.seen[before:]):
                page.until(OVER)
            time.sleep(PAUSE)
    return waits


def _sent(page: Page) -> None:
    page.until(f'data-client-id="{page.ask("Look and note", str(uuid4()))}"')


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=20, help="for which each is measured")
    seconds = parser.parse_args().seconds
    with tempfile.TemporaryDirectory() as folder, served(Path(folder), program=PROGRAM, PACE_SECONDS="2") as site:
        made = site.shell(MAKE.format(steps=STEPS, talks=SOCKETS))
        bob, alice = (Person(site, session, run, talks) for session, run, *talks in map(str.split, made.splitlines()))
        measured(bob, 3)  # what is made once
        baseline: dict[str, float] = {}
        print(f"{'alice':12} {'ping':>16} {'page':>16} {'send':>16}   Bob's p95, and times the quiet")
        for does in (quiet, floods, never_reads, catches_up, reloads, hangs):  # what hangs goes on for long: it is last
            working = multiprocessing.get_context("fork").Process(target=_aside, args=(does, alice), daemon=True)
            working.start()
            time.sleep(SETTLES)
            found = measured(bob, seconds).p95()
            working.terminate()
            working.join()
            time.sleep(SETTLES)
            baseline = baseline or found
            shown = (f"{wait * 1000:7.1f} ms {wait / baseline[name]:4.1f} ×" for name, wait in found.items())
            print(f"{does.__name__:12} {' '.join(f'{one:>16}' for one in shown)}", flush=True)


if __name__ == "__main__":
    main()
