"""A run reviewed in the admin by staff who did not make it."""

from playwright.sync_api import Page, expect

from tests.browser.chatting import answered, start
from tests.browser.conftest import Visit, session_of
from tests.serving import Site


def test_a_run_is_found_again_in_the_admin_with_its_steps_readable(page: Page, visit: Visit, site: Site) -> None:
    start(page, "What's the average temperature in Paris and Sydney?")
    answered(page)
    staff = visit(site, session_of(site, "staff"))
    staff.goto("/admin/")
    staff.get_by_role("main").get_by_role("link", name="Runs", exact=True).click()
    staff.get_by_role("main").get_by_role("textbox", name="Search").fill("Paris and Sydney")
    staff.get_by_role("button", name="Search").click()
    staff.get_by_role("link", name="Done").first.click()
    found = staff.get_by_role("main").get_by_role("row").filter(has_text="Paris and Sydney").first
    expect(found).to_contain_text("alice")
    found.get_by_role("rowheader").get_by_role("link").click()

    steps = staff.get_by_role("group", name="Steps").get_by_role("row")
    call = steps.filter(has_text="calculate").filter(has=staff.get_by_role("cell", name="tool", exact=True))
    call.get_by_text("Input").click()
    expect(call.get_by_text('"expression"')).to_be_visible()
    call.get_by_text("Output").click()
    expect(call.locator("pre").last).to_contain_text("18")
    steps.filter(has_text="model").first.get_by_role("link").click()
    expect(staff.get_by_role("main")).to_contain_text('"sha256"')
