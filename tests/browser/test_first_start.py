"""The first minute: the printed link, the first account, and the new chat that it leads to."""

from collections.abc import Callable

from playwright.sync_api import expect

from tests.browser.chatting import answered, log
from tests.browser.conftest import Complaints, Visit
from tests.conftest import PASSWORD
from tests.serving import Site


def test_the_printed_link_makes_the_first_account_and_is_dead_afterwards(
    server: Callable[..., Site], visit: Visit, complaints: Complaints
) -> None:
    site = server()
    page = visit(site)
    page.goto(site.link)
    page.get_by_label("Username").fill("alice")
    page.get_by_label("Password").fill("12345")
    page.get_by_role("button", name="Create account").click()
    expect(page.get_by_text("This password is too short.")).to_be_visible()
    expect(page.get_by_label("Password")).to_be_focused()
    page.keyboard.type(PASSWORD)
    page.get_by_role("button", name="Create account").click()

    expect(page).to_have_url(f"{site.url}/")
    expect(page.get_by_role("heading", name="New chat")).to_be_visible()
    expect(page.get_by_role("link", name="Admin")).to_be_visible()
    notice = log(page).get_by_text("The demo model answers: a scripted stand-in, not an AI.")
    expect(notice).to_be_visible()
    notice.click()
    expect(log(page).get_by_text("To connect a real model")).to_contain_text("OPENAI_BASE_URL")

    page.get_by_role("button", name="What's the weather like in London and Tokyo?").click()
    expect(answered(page)).to_contain_text("14 °C")

    complaints.expect("404")
    answer = page.goto(site.link)
    assert answer
    assert answer.status == 404
    expect(page.get_by_role("textbox")).to_have_count(0)
    assert visit(site).goto(site.link).status == 404  # type: ignore[union-attr]
