"""Served sites whose processes die, and what is found in their rows afterwards."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.serving import ROOT, Site, served

PROGRAM = ("-m", "tests.faults.killing")


@contextmanager
def killable(folder: Path, **variables: str) -> Iterator[Site]:
    """A site with the tools and the model of the tests, that kills itself where the file "kill" says."""
    with served(folder, PROGRAM, **variables) as site:
        yield site


def checked(site: Site) -> dict[str, Any]:
    """Hold all rows of a site to the invariants; return what else there is to say of them."""
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
    return found
