"""The admin works in a real browser under the policy that every page has."""

from playwright.sync_api import ConsoleMessage, Page, expect

from tests.conftest import PASSWORD
from tests.serving import Site


def test_the_admin_breaks_no_rule_of_the_policy(page: Page, site: Site) -> None:
    complaints: list[str] = []

    def listen(message: ConsoleMessage) -> None:
        if "Content Security Policy" in message.text:
            complaints.append(message.text)

    page.on("console", listen)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(site.url + "/admin/")
    page.get_by_label("Username").fill("staff")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("button", name="Log out")).to_be_visible()

    page.goto(site.url + "/admin/auth/user/")
    page.get_by_role("searchbox").fill("ali")
    page.get_by_role("button", name="Search").click()
    page.get_by_role("link", name="alice").click()
    expect(page.get_by_role("textbox", name="Username")).to_have_value("alice")
    # Built by a script of the admin's own: two lists to choose from.
    expect(page.get_by_role("listbox").first).to_be_visible()

    assert complaints == []
