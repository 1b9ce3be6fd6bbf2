"""Serves the whole site in a process of its own, as `make run` does, for tests that need a real server."""

import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import httpx2
from django.contrib.auth.hashers import PBKDF2PasswordHasher

from tests import databases

ROOT = Path(__file__).resolve().parent.parent
STARTS_WITHIN = 60  # seconds, on a machine that is busy with something else
STOPS_WITHIN = 20
ANSWERS_WITHIN = 30


class Server(subprocess.Popen[str]):
    """A process that knows whether a test sent it a signal; else it is to live on."""

    told = False

    def send_signal(self, sig: int) -> None:
        self.told = True
        super().send_signal(sig)


@dataclass
class Site:
    """`url` has no slash at its end; `link` is what the start printed."""

    url: str
    link: str
    environment: dict[str, str]
    process: subprocess.Popen[str]
    log_file: Path

    @property
    def log(self) -> str:
        return self.log_file.read_text("utf-8")

    def manage(self, *arguments: str) -> str:
        """What a command of manage.py prints, run beside the server on the same database."""
        return subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=self.environment,
            stdout=subprocess.PIPE,
            text=True,
            timeout=STARTS_WITHIN,
            check=True,
        ).stdout

    def shell(self, code: str) -> str:
        """What a piece of Python prints that runs with the site's settings."""
        return self.manage("shell", "--no-imports", "-c", code)

    def add_user(self, name: str, password: str, *, staff: bool = False) -> None:
        """Store an account as Django does; another process of it would take a second and a half to say the same."""
        fields: dict[str, object] = {
            "username": name, "password": _hashed(password), "is_superuser": staff, "is_staff": staff,
            "is_active": True, "first_name": "", "last_name": "", "email": "",
            "date_joined": datetime.now(UTC).isoformat(" "),
        }  # fmt: skip
        with databases.opened(self.environment) as rows:
            databases.insert(rows, "auth_user", fields)

    def sign_in(self, name: str, password: str) -> httpx2.Client:
        """A client with this person's session, which the caller closes; it does not follow redirects."""
        client = httpx2.Client(base_url=self.url, trust_env=False, timeout=ANSWERS_WITHIN)
        form = hidden(client, "/accounts/login/")
        answer = client.post("/accounts/login/", data={**form, "username": name, "password": password})
        if answer.status_code != 302:
            client.close()
            raise AssertionError(f"{name} could not sign in: {answer.status_code}\n{answer.text}")
        return client


@cache
def _hashed(password: str) -> str:
    """Hash a password as the served site does, once for all its people."""
    hasher = PBKDF2PasswordHasher()
    return hasher.encode(password, hasher.salt())


def hidden(client: httpx2.Client, path: str) -> dict[str, str]:
    """The token that the form on this page wants back."""
    found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', client.get(path).text)
    return {"csrfmiddlewaretoken": found[1]} if found else {}


def site_environment(folder: Path, **variables: str) -> dict[str, str]:
    """The environment of the tests without what they set for themselves, and with a folder of its own."""
    kept = {name: value for name, value in os.environ.items() if name not in ("DEBUG", "SECRET_KEY")}
    return {**kept, "VAR_DIR": str(folder), "PYTHONUNBUFFERED": "1", **databases.url_of(folder), **variables}


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


@contextmanager
def served(
    folder: Path, *, program: Sequence[str] = ("manage.py",), root: str = str(ROOT), **variables: str
) -> Iterator[Site]:
    """A site that answers, until the block ends: in an error if the site ended before, or logged a traceback."""
    port = variables.setdefault("PORT", str(free_port()))
    environment = site_environment(folder, **variables)
    if root == str(ROOT) and not any(folder.iterdir()) and not variables.keys() & {"VAR_DIR", "DATABASE_URL"}:
        _furnish(folder)
    databases.make(folder)
    log_file = folder / f"server-{port}.log"
    with log_file.open("w") as log:
        process = Server(
            [sys.executable, *program, "serve"],
            cwd=root,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
    try:
        link = _printed_link(process, log_file)
        site = Site(f"http://127.0.0.1:{port}", link, environment, process, log_file)
        # The port is open from the start, and an early request waits there until it is served.
        httpx2.get(f"{site.url}/healthz", timeout=STARTS_WITHIN, trust_env=False).raise_for_status()
        yield site
    finally:
        ended = None if process.told else process.poll()
        process.terminate()
        try:
            process.communicate(timeout=STOPS_WITHIN)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
    if ended is not None:
        raise AssertionError(f"The server ended by itself, with {ended}:\n{site.log}")
    if "Traceback" in site.log:
        raise AssertionError(f"The server logged a traceback:\n{site.log}")


def _furnish(folder: Path) -> None:
    """Put into an empty folder what a first start makes of it but for the key: a third of that start.

    From nothing a site starts in the tests of `make run` and of the Dockerfile.
    """
    shutil.copytree(_furnished(), folder, ignore=shutil.ignore_patterns("secret_key"), dirs_exist_ok=True)
    databases.copy(_furnished(), folder)


@cache
def _furnished() -> Path:
    folder = Path(FURNISHED.name)
    databases.make(folder)
    subprocess.run([sys.executable, "-c", _PREPARE], cwd=ROOT, env=site_environment(folder), check=True)
    return folder


FURNISHED = tempfile.TemporaryDirectory(prefix="agentsite-furnished-")
_PREPARE = """
import os
import django
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "agentsite.settings")
django.setup()
from agentsite.migrating import migrate_if_needed
from agentsite.static_files import collect_if_changed
migrate_if_needed()
collect_if_changed()
"""


def _printed_link(process: subprocess.Popen[str], log_file: Path) -> str:
    """Waits for the one link on standard output, or for the end of a start that failed."""
    lines = []
    for line in process.stdout or ():
        lines.append(line)
        if found := re.search(r"https?://\S+", line):
            return found[0]
    raise AssertionError(f"The server did not start.\n{''.join(lines)}{log_file.read_text()}")
