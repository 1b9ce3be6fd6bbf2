"""Measures what a site takes: python -m tests.bench.sizes

Memory at rest, of idle sockets and after work; and what a conversation adds to the database.
"""

import os
import re
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack, closing
from pathlib import Path

import django
import httpx2

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "agentsite.settings")
django.setup()

from chat.consumers import SOCKETS_A_PERSON  # noqa: E402
from tests.serving import Site, served  # noqa: E402
from tests.sockets import begin, opened  # noqa: E402

PEOPLE, RUNS = 10, 50
SOCKETS = SOCKETS_A_PERSON * PEOPLE
QUESTION = "What's the weather like in London and Tokyo?"  # two model calls and two tools
PASSWORD = "correct horse battery staple"


def main() -> None:
    with (
        tempfile.TemporaryDirectory() as folder,
        served(Path(folder), WEATHER_SOURCE="sample") as site,
        ExitStack() as signed_in,
    ):
        people = [signed_in.enter_context(closing(joined(site, f"person{n}"))) for n in range(PEOPLE)]
        own = [begin(client, "Hello") for client in people]
        rest = memory(site)
        print(f"one process at rest: {rest / 2**20:.0f} MiB")
        grown = with_sockets(site, people, own) - rest
        print(f"{SOCKETS} idle sockets: {grown / 2**20:.0f} MiB, {grown / SOCKETS / 2**10:.0f} KiB each")
        before = size(site, Path(folder, "before"))
        for _ in range(RUNS):
            begin(people[0], QUESTION)
        added = size(site, Path(folder, "after")) - before
        print(f"a conversation with one run of two turns and two tools: {added / RUNS / 2**10:.0f} KiB on disk")
        print(f"the process after {RUNS} runs: {memory(site) / 2**20:.0f} MiB")


def joined(site: Site, name: str) -> httpx2.Client:
    site.add_user(name, PASSWORD)
    return site.sign_in(name, PASSWORD)


def memory(site: Site) -> int:
    """Return the bytes of the process that are in memory, as `ps -o rss=` says them in KiB."""
    status = Path(f"/proc/{site.process.pid}/status").read_text()
    return int(re.findall(r"VmRSS:\s+(\d+) kB", status)[0]) * 2**10


def with_sockets(site: Site, people: Sequence[httpx2.Client], conversations: Sequence[str]) -> int:
    with ExitStack() as pages:
        for client, conversation in [*zip(people, conversations, strict=True)] * SOCKETS_A_PERSON:
            page = pages.enter_context(opened(site, client, conversation))
            page.say(action="resume", since=0)
            page.until('id="cursor"')
        return memory(site)


def size(site: Site, file: Path) -> int:
    """Return the bytes of a backup, which has no room left over in it."""
    site.manage("backup", str(file))
    return file.stat().st_size


if __name__ == "__main__":
    main()
