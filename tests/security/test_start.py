"""A site that others can reach does not start with a secret that they can guess."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.serving import ROOT, site_environment

GUESSED = "changeme-changeme"
PUBLIC = [
    {"HOST": "0.0.0.0"},  # noqa: S104
    {"HOST": "::"},
    {"HOST": "192.0.2.7"},
    {"PUBLIC_URL": "http://chat.example.com"},
    {"PUBLIC_URL": "https://chat.example.com"},
]


def start(folder: Path, **variables: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-c", "import agentsite.settings"],
        cwd=ROOT,
        env=site_environment(folder, **variables),
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.mark.parametrize("variables", PUBLIC, ids=str)
def test_a_site_within_reach_of_others_needs_a_secret_that_cannot_be_guessed(
    tmp_path: Path, variables: dict[str, str]
) -> None:
    done = start(tmp_path, SECRET_KEY=GUESSED, **variables)

    assert done.returncode == 1
    assert "SECRET_KEY is too weak" in done.stderr
    assert GUESSED not in done.stdout + done.stderr


def test_on_ones_own_machine_any_will_do(tmp_path: Path) -> None:
    assert start(tmp_path, SECRET_KEY=GUESSED).returncode == 0
