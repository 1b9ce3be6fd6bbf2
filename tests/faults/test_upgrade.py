"""A new server beside the old one, as in an upgrade: what the old one leaves the new one ends, and nothing is lost.

Both are of this code, unless a folder with other code is named:
UPGRADE_FROM=../before pytest tests/faults/test_upgrade.py
"""

import os
import signal
from pathlib import Path

import pytest

from tests.faults.conftest import Known, make
from tests.faults.sites import checked, killable, wait_for_answers
from tests.faults.test_stopping import at_work
from tests.serving import ROOT
from tests.sockets import PATIENCE, opened

BEFORE = os.environ.get("UPGRADE_FROM", str(ROOT))


@pytest.fixture
def known(known: Known, tmp_path: Path) -> Known:
    """As elsewhere, or as the code before made it."""
    if str(ROOT) == BEFORE:
        return known
    folder = tmp_path / "before"
    folder.mkdir()
    return make(folder, BEFORE)


def test_a_new_server_takes_over_what_the_old_one_leaves(known: Known) -> None:
    slow = {"PACE_SECONDS": "1", "DRAIN_SECONDS": "1"}
    with (
        killable(known.folder, root=BEFORE, **slow) as old,
        killable(known.folder, PACE_SECONDS="0.001") as new,
        known.client(old) as here,
        known.client(new) as there,
        at_work(old, here, known.conversation) as page,
    ):
        old.process.send_signal(signal.SIGTERM)
        page.ask("Look and note later")
        page.until('data-status="queued"')
        with opened(new, there, known.conversation) as moved:
            moved.say(action="resume", since=0)
            assert page.close_code() == 4012
            assert old.process.wait(PATIENCE) == 0
            moved.until("word99")
        chat = wait_for_answers(new, there, known.conversation, 3).partition('id="trace"')[0]
    assert chat.count("word1 ") == chat.count("word99") == 1
    assert (known.folder / "notes").read_text().count("note later") == 1
    assert len(checked(new)["taken"]) == 1
