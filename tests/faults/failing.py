"""The site of `killing`, whose database fails: at a chosen commit its disk is full, or its server lets nobody in.

FAIL_FILE names a file with a number: so many commits later the database fails, before that commit is made, and stays
away until the test mends it. PATIENCE_SECONDS is how long it may be away, or locked, until that is told.
"""

import os
import resource
import subprocess
import sys
from pathlib import Path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "agentsite.settings")

import django

django.setup()

from django.conf import settings  # noqa: E402

from chat import db, transact  # noqa: E402
from tests import databases  # noqa: E402

FAIL_FILE = Path(os.environ["VAR_DIR"]) / "fail"
PATIENCE = float(os.environ["PATIENCE_SECONDS"])
OPTIONS = settings.DATABASES["default"]["OPTIONS"]


def commit(jobs: list[db._Job]) -> None:
    """Commit as the site does, on a database that fails where the file says so."""
    left = int(FAIL_FILE.read_text() or 0) if FAIL_FILE.exists() else 0
    if left:
        FAIL_FILE.write_text(str(left - 1))
    if left == 1:
        fail()
    commit_as_ever(jobs)


def fail() -> None:
    if databases.POSTGRES:
        databases.shut(os.environ, os.environ["SERVER_URL"])
    else:  # no file of this process may grow, which SQLite hears from the system as it would of a full disk
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))


def log_through_a_pipe() -> None:
    """Leave the log to a process whose files may grow."""
    copying = subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=2)
    assert copying.stdin
    os.dup2(copying.stdin.fileno(), 2)


log_through_a_pipe()
commit_as_ever, db.commit = db.commit, commit
transact.AGAIN_WITHIN, transact.SOON = PATIENCE, PATIENCE / 2
if databases.POSTGRES:
    OPTIONS["pool"] = {**OPTIONS["pool"], "timeout": PATIENCE}
    OPTIONS["options"] += f" -c lock_timeout={PATIENCE}s"
else:
    OPTIONS["timeout"] = PATIENCE

from tests.faults import killing  # noqa: E402  It serves.

if main := getattr(killing, "main", None):
    main(*sys.argv[1:])
