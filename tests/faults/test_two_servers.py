"""Two servers on one database: nothing runs twice, and one goes on where the other is stuck."""

import signal
import time

from tests.faults.conftest import Known
from tests.faults.sites import checked, killable, wait_for_answers
from tests.sockets import begin, opened

LEASE = 2  # seconds


def test_a_process_that_is_frozen_past_its_lease_lets_go_of_what_another_took(known: Known) -> None:
    short = {"LEASE_SECONDS": str(LEASE)}
    with killable(known.folder, **short) as first, killable(known.folder, **short) as second:
        with known.client(first) as here, known.client(second) as there:
            begin(here, "Look and note 1")
            begin(there, "Look and note 2")
            with opened(first, here, known.conversation) as page:
                page.ask("Slowly")
                page.until("word1 ")
                first.process.send_signal(signal.SIGSTOP)
                frozen = time.monotonic()
                wait_for_answers(second, there, known.conversation, 2)
                assert time.monotonic() - frozen > LEASE
                first.process.send_signal(signal.SIGCONT)
                page.until('data-mirror="status" data-value="done"')
        assert len(checked(first)["taken"]) == 1
    assert "run lost" in first.log
    assert "run taken over" not in first.log
    assert "run taken over" in second.log
    written = (known.folder / "notes").read_text().splitlines()
    assert sorted(written) == [f"Look and note {number}" for number in range(3)]
