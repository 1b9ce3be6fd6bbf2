"""`make run` as on a fresh machine: a copy of the checkout, no virtual environment, nothing set."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

import httpx2
import pytest

from tests.serving import ROOT, free_port, hidden
from tests.sockets import begin

INSTALLS_WITHIN = 15 * 60  # seconds: every dependency, over a slow line
STOPS_WITHIN = 30
QUESTION = "If it's 14 degrees in London and 22 degrees in Tokyo, what's the average temperature?"
# What stays of this machine's environment: where programs and files are, and how a package index is reached.
KEPT = re.compile(
    r"PATH|HOME|USER|LANG|LC_.*|TMPDIR|TZ|(https?|no|all)_proxy|PIP_.*|(SSL|REQUESTS|CURL)_.*", re.IGNORECASE
)


def test_make_run_in_a_fresh_checkout_leads_from_its_one_link_to_an_answer(tmp_path: Path) -> None:
    checkout = copied(tmp_path / "checkout")
    port = free_port()
    with made(checkout, tmp_path, port) as output:
        link = printed_link(output, port)
        assert "/welcome/" in link
        with httpx2.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=60) as client:
            form = hidden(client, link)
            answer = client.post(link, data={**form, "username": "alice", "password": "correct horse battery staple"})
            assert (answer.status_code, answer.headers["location"]) == (302, "/")
            conversation = client.get(f"/c/{begin(client, QUESTION)}/").text
            assert re.search(r"\b18\b", conversation)
            assert 'data-kind="tool"' in conversation
            assert client.get(link).status_code == 404
    assert output.text().count(f"http://127.0.0.1:{port}") == 1
    assert "Traceback" not in output.text()


class Output:
    """What make printed so far, into a file so that no pipe can fill up."""

    def __init__(self, file: Path, process: "subprocess.Popen[bytes]") -> None:
        self.file, self.process = file, process

    def text(self) -> str:
        return self.file.read_text("utf-8", "replace")


def printed_link(output: Output, port: int) -> str:
    end = time.monotonic() + INSTALLS_WITHIN
    while not (found := re.search(rf"http://127\.0\.0\.1:{port}\S+", output.text())):
        if output.process.poll() is not None:
            ends_early(output.text())
        assert time.monotonic() < end, output.text()
        time.sleep(0.2)  # Installing has no event to wait for.
    return found[0]


def ends_early(text: str) -> NoReturn:
    """A machine without a package index cannot run this test; one that checks changes has to."""
    if "Is a package index within reach?" in text and not os.environ.get("CI"):
        pytest.skip("Nothing could be installed. Is a package index within reach?")
    pytest.fail(text)


def copied(target: Path) -> Path:
    """The files of the checkout as they are now, and nothing that was made from them."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT, capture_output=True
    )
    if listed.returncode:
        pytest.skip("This is no git checkout, so it cannot be told which of its files belong to it.")
    for name in filter(None, listed.stdout.decode().split("\0")):
        if (ROOT / name).is_file():  # One that was deleted may still be listed.
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, target / name)
    return target


@contextmanager
def made(checkout: Path, folder: Path, port: int) -> Iterator[Output]:
    """`make run` until the block ends. It is another process, so it may reach a package index."""
    file = folder / "output"
    python = Path(sys.executable).resolve()  # The one outside of the virtual environment that runs the tests.
    with file.open("wb") as written:
        process = subprocess.Popen(
            ["make", "run", f"PORT={port}", f"PYTHON={python}"],
            cwd=checkout,
            env=fresh_environment(),
            stdin=subprocess.DEVNULL,
            stdout=written,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield Output(file, process)
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(STOPS_WITHIN)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def fresh_environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if KEPT.fullmatch(name)}
    ours = Path(sys.prefix) / "bin"
    kept["PATH"] = os.pathsep.join(part for part in kept["PATH"].split(os.pathsep) if Path(part) != ours)
    return kept
