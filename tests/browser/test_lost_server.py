"""The server dies in mid run and comes back: the page says so, returns by itself, and the run goes on there."""

from pathlib import Path

from playwright.sync_api import expect

from tests.browser.chatting import answered, answers, ask, box, questions, start
from tests.browser.conftest import Complaints, Visit, session_of
from tests.conftest import PASSWORD
from tests.serving import free_port, served

COUNTED = ", ".join(map(str, range(1, 151))) + "."  # once, though a part of it was said before


def test_a_page_comes_back_by_itself_when_its_server_does(tmp_path: Path, visit: Visit, complaints: Complaints) -> None:
    complaints.expect("WebSocket connection to .* failed")
    complaints.expect(r"\[object Event\]")  # htmx's own word for it
    complaints.expect("ERR_CONNECTION_REFUSED")  # what the page asks for by polling, and the search
    complaints.expect("htmx:(afterRequest|sendError)")
    port = str(free_port())
    with served(tmp_path, PORT=port) as site:
        site.add_user("alice", PASSWORD)
        page = visit(site, session_of(site, "alice"))
        start(page, "What is 6 * 7?")
        answered(page)
        ask(page, "Count to 150")
        expect(answers(page).last).to_contain_text("1, 2, 3")
        site.process.kill()
        expect(page.get_by_role("status")).to_have_text("Reconnecting…")
        box(page).fill("What is 6 * 8?")
        page.keyboard.press("Enter")
        page.get_by_role("searchbox", name="Search conversations").fill("a search that fails")
        expect(page.get_by_role("alert")).to_have_text("The server cannot be reached. Try again in a moment.")

    with served(tmp_path, PORT=port):
        expect(answered(page, 2).locator(".said")).to_have_text(COUNTED)
        expect(answered(page, 3)).to_contain_text("48")
        expect(box(page)).to_have_value("")
        expect(page.get_by_role("status")).to_have_text("")
        expect(page.get_by_role("alert")).to_have_text("")
        page.reload()
        expect(questions(page)).to_have_count(3)
