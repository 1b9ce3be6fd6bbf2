"""A run reviewed in the admin by staff who did not make it."""

from playwright.sync_api import Page, expect

from tests.browser.chatting import answered, start
from tests.browser.conftest import Visit, session_of
from tests.serving import Site


def test_a_run_is_found_again_in_the_admin_with_its_steps_readable(page: Page, visit: Visit, site: Site) -> None:
    start(page, "What's the average temperature in Lima and Quito?")
    answered(page)
    staff = visit(site, session_of(site, "staff"))
    staff.goto("/admin/")
    staff.get_by_role("link", name="Runs", exact=True).click()
    staff.get_by_role("searchbox").fill("Lima")
    staff.get_by_role("button", name="Search").click()
    staff.get_by_role("link", name="Done").first.click()
    row = staff.get_by_role("row").filter(has_text="Lima and Quito")
    expect(row).to_contain_text("alice")
    row.get_by_role("rowheader").get_by_role("link").click()

    expect(staff.get_by_role("heading", name="Steps")).to_be_visible()
    steps = staff.get_by_role("row")
    call = steps.filter(has=staff.get_by_role("cell", name="tool", exact=True)).filter(has_text="calculate")
    call.get_by_text("Input").click()
    expect(call.locator("pre").first).to_contain_text('"expression": "(')
    call = steps.filter(has=staff.get_by_role("cell", name="tool", exact=True)).filter(has_text="get_weather").first
    call.get_by_text("Output").click()
    expect(call).to_contain_text("Lima")
