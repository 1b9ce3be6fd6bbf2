"""Served sites whose database fails where a test wants it to, and works again when the test mends it."""

import resource
import time
from contextlib import AbstractContextManager
from pathlib import Path

from tests import databases
from tests.serving import Site, served

PROGRAM = ("-m", "tests.faults.failing")
LET_GO_WITHIN = 60  # seconds, on a machine that is busy with something else


def failing(folder: Path, patience: float) -> AbstractContextManager[Site]:
    """A site with a database that can fail, and that its process has no more patience with after some seconds."""
    said = {"PATIENCE_SECONDS": str(patience), "LEASE_SECONDS": "4", "SERVER_URL": databases.URL}
    return served(folder, program=PROGRAM, **said)


def mend(site: Site) -> None:
    """Let the database work again, in the same process."""
    if databases.POSTGRES:
        databases.reopen(site.environment)
    else:
        most = resource.prlimit(site.process.pid, resource.RLIMIT_FSIZE)[1]
        resource.prlimit(site.process.pid, resource.RLIMIT_FSIZE, (most, most))


def until_let_go(site: Site) -> None:
    """Wait until the site has let go of a run whose steps it could not store."""
    end = time.monotonic() + LET_GO_WITHIN
    while "run let go" not in site.log:
        assert time.monotonic() < end, site.log
        time.sleep(0.1)
