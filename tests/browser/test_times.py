"""Times are the reader's own where scripts run, and say UTC where they do not."""

import re
from datetime import datetime
from zoneinfo import ZoneInfo

from playwright.sync_api import Page, StorageState, expect

from tests.browser.chatting import answered, start
from tests.browser.conftest import Visit
from tests.serving import Site

SERVED = re.compile(r"\d{1,2} [A-Z][a-z]{2} 20\d\d, \d\d:\d\d UTC")


def test_times_are_read_in_the_zone_of_the_reader(visit: Visit, site: Site, of_somebody_new: StorageState) -> None:
    there = visit(site, of_somebody_new, timezone_id="Pacific/Auckland")
    start(there, "Remember that I live in Berlin")
    answered(there)
    conversation = there.url
    live = times(there)
    assert live
    there.reload()
    assert times(there) == live

    for path in (conversation, "/runs/", run_of(there), "/settings/"):
        there.goto(path)
        for moment, shown, title in times(there):
            at = datetime.fromisoformat(moment).astimezone(ZoneInfo("Pacific/Auckland"))
            day = f"{at:%-d %b %Y}"
            assert shown == (day if path == "/settings/" else f"{day}, {at:%H:%M}"), path
            assert title.startswith(f"{day}, {at:%H:%M:%S} "), path
        assert "UTC" not in there.locator("main").inner_text(), path


def test_without_scripts_they_say_that_they_are_utc(visit: Visit, site: Site, of_somebody_new: StorageState) -> None:
    with_scripts = visit(site, of_somebody_new, timezone_id="Pacific/Auckland")
    start(with_scripts, "Hello")
    answered(with_scripts)
    page = visit(site, of_somebody_new, timezone_id="Pacific/Auckland", java_script_enabled=False)
    for path in (with_scripts.url, "/runs/", run_of(with_scripts)):
        page.goto(path)
        time = page.locator("time").first
        expect(time).to_have_text(SERVED)
        moment = datetime.fromisoformat(str(time.get_attribute("datetime")))
        assert time.inner_text() == f"{moment:%-d %b %Y, %H:%M} UTC"
        assert time.get_attribute("title") == f"{moment:%-d %b %Y, %H:%M:%S} UTC"


def times(page: Page) -> list[tuple[str, str, str]]:
    """Each time on the page: the moment, what is read, and what its title says."""
    found = page.locator("time").all()
    return [(str(one.get_attribute("datetime")), one.inner_text(), str(one.get_attribute("title"))) for one in found]


def run_of(page: Page) -> str:
    page.goto("/runs/")
    return str(page.locator("td.question a").first.get_attribute("href"))
