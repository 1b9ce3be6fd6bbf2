"""Served sites whose processes die, and what is found in their rows afterwards."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2

from tests.serving import ROOT, Site, served
from tests.sockets import opened

# An answer is appended when it is done, or its head changes.
DONE = (
    r'm-\d+(?="[^>]*data-role="assistant" data-status="done"'
    r'|-head"><span hidden data-mirror="status" data-value="done")'
)
PROGRAM = ("-m", "tests.faults.killing")


@contextmanager
def killable(folder: Path, root: str = str(ROOT), **variables: str) -> Iterator[Site]:
    """A site with the tools and the model of the tests, that kills itself where the file "kill" says."""
    with served(folder, program=PROGRAM, root=root, **variables) as site:
        yield site


def checked(site: Site) -> dict[str, Any]:
    """Hold all rows of a site to the invariants, with one answer to each message; return what there is to say."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.faults.invariants"],
        cwd=ROOT,
        env=site.environment,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    assert found["runs"] == found["messages"]
    return found


def wait_for_answers(site: Site, client: httpx2.Client, conversation: str, number: int) -> str:
    """Wait until so many answers of a conversation are done; return its page."""
    with opened(site, client, conversation) as page:
        page.say(action="resume", since=0)
        while len(set(re.findall(DONE, page.seen))) < number:
            page.until(DONE)
    return client.get(f"/c/{conversation}/").text
