"""Data goes one way: the import contracts in pyproject.toml hold."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def test_every_import_goes_the_way_of_the_design() -> None:
    lint = Path(sys.executable).with_name("lint-imports")

    said = subprocess.run([lint, "--no-cache", "--no-logo"], cwd=ROOT, capture_output=True, text=True)

    assert said.returncode == 0, said.stdout + said.stderr
    assert "0 broken" in said.stdout
