"""The Dockerfile's steps, done by hand in a clean folder, lead to a site that answers and writes to its volume only."""

import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2

from tests.deployment.recipe import Image, build, instructions
from tests.serving import ROOT, free_port, hidden
from tests.sockets import PATIENCE, begin
from tests.test_make_run import copied

KEY = "a-key-of-fifty-characters-or-more-0123456789-abcdefghij"


def test_its_steps_lead_to_a_site_that_is_well_and_answers(tmp_path: Path) -> None:
    image = build(copied(tmp_path / "checkout"), tmp_path)
    before = files_of(image.workdir)
    port = free_port()
    with started(image, PORT=str(port), SECRET_KEY=KEY) as link, httpx2.Client(trust_env=False) as client:
        checked = subprocess.run(image.check, env={**image.environment, "PORT": str(port)}, timeout=PATIENCE)
        assert checked.returncode == 0
        client.base_url = httpx2.URL(f"http://127.0.0.1:{port}")
        form = hidden(client, link)
        client.post(link, data={**form, "username": "alice", "password": "correct horse battery staple"})
        assert "42" in client.get(f"/c/{begin(client, 'What is 6 * 7?')}/").text
    assert files_of(image.workdir) == before
    assert (image.root / "var/lib/agentsite/db.sqlite3").exists()
    assert subprocess.run(image.check, env=image.environment, capture_output=True, timeout=PATIENCE).returncode


@contextmanager
def started(image: Image, **variables: str) -> Iterator[str]:
    """Run the image's command until the block ends, and give the link that it prints. It ends when it is told to."""
    process = subprocess.Popen(
        image.command,
        cwd=image.workdir,
        env={**image.environment, **variables},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout
        line = process.stdout.readline()
        [link] = re.findall(r"https?://\S+", line)
        yield link
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 0
    finally:
        process.kill()
        process.communicate()


def files_of(folder: Path) -> set[Path]:
    return {path for path in folder.rglob("*") if path.is_file()}


def test_it_runs_without_rights_and_installs_as_make_does() -> None:
    steps = instructions()
    [user] = [rest for word, rest in steps if word == "USER"]
    assert user.split(":")[0] not in ("root", "0")
    assert [word for word, _ in steps].index("USER") < [word for word, _ in steps].index("CMD")
    makefile = (ROOT / "Makefile").read_text()
    [options] = re.findall(r"^PIP := \$\(BIN\)/python (.*)$", makefile, re.M)
    [installing] = [rest for word, rest in steps if word == "RUN" and "pip" in rest]
    assert installing == f'python {options} --editable ".[scale]"'
    assert '$(PIP) --editable ".[scale]"' in makefile


def test_the_image_gets_all_that_the_site_is_made_of() -> None:
    copied_names = {name.strip("/") for word, rest in instructions() if word == "COPY" for name in rest.split()[:-1]}
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"tests"}
    assert packages | {"static", "templates", "manage.py"} <= copied_names
