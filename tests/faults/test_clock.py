"""A clock that is set an hour forward or back in the middle of a run, by which nothing is lost, doubled or stuck."""

import pytest

from tests.faults.conftest import Known
from tests.faults.reborn import reborn
from tests.faults.staying import Staying, articles, has_sent, statuses

HOUR = 3600


@pytest.mark.parametrize("off", [HOUR, -HOUR])
def test_a_clock_that_is_set_takes_no_run_from_its_process_and_none_its_time(known: Known, off: int) -> None:
    clock, limits = known.folder / "clock", {"LEASE_SECONDS": "2", "PACE_SECONDS": "0.03", "AGENT_MAX_SECONDS": "60"}
    with reborn(known.folder, **limits) as site, known.client(site.site) as client:
        assert site.start()
        page = Staying(client, known.conversation)
        with page.open(site.site, client) as here:
            here.socket.ask("Slowly, 1", "1")
            here.take("word1 ")
            clock.write_text(str(off))
            here.until_quiet(2)
            assert "run taken over" not in site.site.log
            here.socket.ask("Slowly, 2", "2")
            here.take("word1 ")
            clock.write_text("0")
            here.take("word20 ")
            site.kill()
        assert site.start()
        with page.open(site.site, client) as here:
            here.until_quiet(3)
        assert statuses(page.page) == ["done"] * 3
        assert has_sent(page.page, "2")
        assert [said["data-client-id"] for said in articles(page.page, "user")][1:] == ["1", "2"]
        page.check(site.site, client)
        found = site.check()
        assert len(found["taken"]) == 1
        assert min(found["seconds"]) >= 0
        assert found["seconds"][1] < HOUR / 2
