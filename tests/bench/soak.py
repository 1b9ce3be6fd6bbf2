"""Holds many sockets open for long and looks whether anything stays behind: python -m tests.bench.soak --minutes 1

Serves a site on loopback. Each person has ten pages of one conversation open and asks in it every few seconds, twenty
times, then goes on in another; all the while pages leave and come back. What the server's process holds is read before
(after a first conversation of everybody, which takes what a process takes once), in between, and after all have left.
It ends with 1 if threads, descriptors or connections to the database are then more than before, or memory much more.
"""

import argparse
import asyncio
import json
import os
import re
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Origin

from tests.security.talking import HEARD_OVER
from tests.serving import Site, served

PAGES_A_PERSON, QUESTIONS_A_TALK = 10, 20
ASKS_EVERY, LEAVES_EVERY = 10.0, 5.0  # seconds, for each person
QUESTIONS = ("What is 6 * 7?", "What's the weather like in London and Tokyo?", "Count to 50", "How are you?")
PATIENCE, SETTLES_WITHIN = 120.0, 30.0
MEMORY_KEPT, IDLE_SOCKET = 8 * 1024, 60  # kB
MAKE = """
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth.models import User
from django.contrib.sessions.backends.db import SessionStore
from tests.chat.made import conversation_of
for n in range({people}):
    user = User.objects.create(username=f"soak-{{n}}")
    talks = [str(conversation_of(user, "Soak").pk) for _ in range({talks})]
    session = SessionStore()
    session[SESSION_KEY], session[HASH_SESSION_KEY] = str(user.pk), user.get_session_auth_hash()
    session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    session.save()
    print(session.session_key, *talks)
"""


@dataclass(frozen=True)
class Held:
    """What a process holds now; memory in kB, `database` are open files of it."""

    memory: int
    threads: int
    descriptors: int
    database: int

    def __str__(self) -> str:
        return f"{self.memory / 1024:8.1f} MB {self.threads:8} {self.descriptors:12} {self.database:10}"


def held_by(pid: int) -> Held:
    status = Path(f"/proc/{pid}/status").read_text()
    memory, threads = (int(re.search(rf"{name}:\s+(\d+)", status)[1]) for name in ("VmRSS", "Threads"))  # type: ignore[index]
    targets = []
    for link in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(OSError):  # it was closed meanwhile
            targets.append(os.readlink(link))
    return Held(memory, threads, len(targets), sum(target.endswith("db.sqlite3") for target in targets))


class Person:
    """Somebody with pages of one conversation, and more conversations to go on in."""

    def __init__(self, site: Site, session: str, *conversations: str) -> None:
        self.site, self.session, self.conversations = site, session, list(conversations)
        self.pages: list[asyncio.Task[None]] = []
        self.sockets: list[ClientConnection] = []
        self.answered = asyncio.Event()
        self.asked = self.answers = 0

    async def open(self, pages: int) -> None:
        url = f"{self.site.url.replace('http', 'ws', 1)}/ws/conversations/{self.conversations[0]}/"
        headers = {"Cookie": f"sessionid={self.session}"}
        for _ in range(pages):
            socket = await connect(
                url, origin=Origin(self.site.url), additional_headers=headers, proxy=None, compression=None
            )
            await socket.send(json.dumps({"action": "resume", "since": 0}))
            await socket.recv()
            self.sockets.append(socket)
            self.pages.append(asyncio.create_task(self._read(socket)))

    async def _read(self, socket: ClientConnection) -> None:
        with suppress(ConnectionClosed):
            async for frame in socket:
                if socket is self.sockets[-1] and (over := re.search(HEARD_OVER, str(frame))):
                    self.answers += "done" in over[0] and not self.answered.is_set()
                    self.answered.set()

    async def close(self, pages: int) -> None:
        for _ in range(pages):
            await self.sockets.pop(0).close()
            await self.pages.pop(0)

    async def ask(self) -> None:
        self.answered.clear()
        self.asked += 1
        said = {"message": QUESTIONS[self.asked % len(QUESTIONS)], "client_id": f"{self.session}-{self.asked}"}
        await self.sockets[-1].send(json.dumps({"action": "send", **said}))
        async with asyncio.timeout(PATIENCE):
            await self.answered.wait()

    async def talk(self) -> None:
        """A whole conversation without a pause."""
        for _ in range(QUESTIONS_A_TALK):
            await self.ask()
        await self.go_on()

    async def go_on(self) -> None:
        await self.close(len(self.sockets))
        del self.conversations[0]
        await self.open(PAGES_A_PERSON)

    async def live(self, until: float) -> None:
        """Ask now and then; in between a page leaves and another comes."""
        while time.monotonic() < until:
            await self.ask()
            if self.asked % QUESTIONS_A_TALK == 0:
                await self.go_on()
            for _ in range(int(ASKS_EVERY / LEAVES_EVERY)):
                await self.close(1)
                await self.open(1)
                await asyncio.sleep(min(LEAVES_EVERY, max(0.0, until - time.monotonic())))


async def soak(site: Site, sockets: int, minutes: float) -> bool:
    """Report what is held, and say whether it is as before at the end."""
    talks = 3 + int(minutes * 60 / ASKS_EVERY / QUESTIONS_A_TALK)
    made = site.shell(MAKE.format(people=sockets // PAGES_A_PERSON, talks=talks))
    people = [Person(site, *line.split()) for line in made.splitlines()]
    pid = site.process.pid

    async def everybody(comes: bool) -> None:
        for person in people:
            await (person.open(PAGES_A_PERSON) if comes else person.close(PAGES_A_PERSON))

    await people[0].open(1)
    await people[0].ask()
    await people[0].close(1)
    cold = held_by(pid)
    await everybody(comes=True)
    each = (held_by(pid).memory - cold.memory) / sockets
    await asyncio.gather(*(person.talk() for person in people))
    await everybody(comes=False)
    await asyncio.sleep(3)
    before = held_by(pid)
    report("before", before)
    await everybody(comes=True)
    report(f"{sockets} idle", held_by(pid))
    began, until = time.monotonic(), time.monotonic() + minutes * 60
    living = asyncio.gather(*(person.live(until) for person in people))
    for part in range(1, 7):
        await asyncio.sleep(max(0.0, began + part * minutes * 10 - time.monotonic()))
        report(f"{part * minutes * 10:.0f} s", held_by(pid))
    await living
    await everybody(comes=False)
    after = await settled(pid, before)
    report("after", after)
    asked, answers = (sum(getattr(person, name) for person in people) for name in ("asked", "answers"))
    print(f"{asked} messages, {answers} answers; an idle socket: {each:.1f} kB")
    counts_are_back = all(
        getattr(after, name) <= getattr(before, name) for name in ("threads", "descriptors", "database")
    )
    return asked == answers and counts_are_back and after.memory <= before.memory + MEMORY_KEPT and each <= IDLE_SOCKET


async def settled(pid: int, before: Held) -> Held:
    """Wait until as little is held as before, or for as long as that may take."""
    for _ in range(int(SETTLES_WITHIN)):
        if held_by(pid).descriptors <= before.descriptors:
            break
        await asyncio.sleep(1)
    return held_by(pid)


def report(when: str, held: Held) -> None:
    print(f"{when:>12} {held}", flush=True)


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--sockets", type=int, default=200)
    parser.add_argument("--minutes", type=float, default=30)
    said = parser.parse_args(arguments)
    print(f"{'':>12} {'memory':>11} {'threads':>8} {'descriptors':>12} {'database':>10}")
    with tempfile.TemporaryDirectory() as folder, served(Path(folder), LOG_LEVEL="WARNING") as site:
        return 0 if asyncio.run(soak(site, said.sockets, said.minutes)) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
