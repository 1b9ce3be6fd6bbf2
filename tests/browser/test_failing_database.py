"""The server's database fails under a page: it says so, keeps what was written, and goes on where it was."""

from pathlib import Path

from playwright.sync_api import expect

from tests.browser.chatting import answered, box, questions, start
from tests.browser.conftest import Visit, session_of
from tests.conftest import PASSWORD
from tests.faults.mending import failing, mend

TEXT = "Look and note this"


def test_a_text_that_cannot_be_stored_stays_in_the_box_and_is_sent_again(tmp_path: Path, visit: Visit) -> None:
    with failing(tmp_path, 1.0) as site:
        site.add_user("alice", PASSWORD)
        page = visit(site, session_of(site, "alice"))
        start(page, "Look and note")
        answered(page)
        notice, status = page.locator("#notice"), page.get_by_role("status")
        (tmp_path / "fail").write_text("1")
        box(page).fill(TEXT)
        page.keyboard.press("Enter")
        expect(notice).to_contain_text("Your text is still in the box; try again in a moment.")
        expect(box(page)).to_have_value(TEXT)
        expect(status).to_have_text("")

        mend(site)
        (tmp_path / "fail").write_text("3")  # its message is stored, and then no step of its run
        page.keyboard.press("Enter")
        expect(status).to_have_text("Waiting for the server's database")
        expect(box(page)).to_have_value("")
        expect(notice).to_have_text("")

        mend(site)
        expect(answered(page, 2)).to_contain_text("All was seen.")
        expect(page.get_by_text("The server's database was away here")).not_to_have_count(0)
        expect(questions(page)).to_have_count(2)
        page.close()  # before its server is away
