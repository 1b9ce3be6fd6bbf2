"""The server's database fails under a page: it says so, keeps what was written, and goes on where it was."""

from contextlib import closing
from pathlib import Path

from playwright.sync_api import Page, expect

from tests import databases
from tests.browser.chatting import answered, box, questions, start, status_line
from tests.browser.conftest import Visit, session_of
from tests.conftest import PASSWORD
from tests.faults.mending import failing, mend, until_let_go

TEXT = "Look and note this"
WAITS = "Waiting for the server's database"


def test_a_text_that_cannot_be_stored_stays_in_the_box_and_is_sent_again(tmp_path: Path, visit: Visit) -> None:
    with failing(tmp_path, 1.0) as site:
        site.add_user("alice", PASSWORD)
        with closing(visit(site, session_of(site, "alice"))) as page:  # before its server is away
            start(page, "Look and note")
            answered(page)
            notice = page.locator("#notice")
            (tmp_path / "fail").write_text("1")
            box(page).fill(TEXT)
            page.keyboard.press("Enter")
            expect(notice).to_contain_text("Your text is still in the box; try again in a moment.")
            expect(box(page)).to_have_value(TEXT)
            status_line(page, WAITS if databases.POSTGRES else "")  # a server that is away can be read as little

            mend(site)
            status_line(page, "")
            (tmp_path / "fail").write_text("3")  # its message is stored, and then no step of its run
            page.keyboard.press("Enter")
            until_let_go(site)  # what is away for a shorter time is waited for
            status_line(page, WAITS)
            expect(notice).to_have_text("")
            if not databases.POSTGRES:  # where its article cannot be read either, unless that came first
                expect(box(page)).to_have_value("")
            assert is_in_one_place(page)

            mend(site)
            expect(answered(page, 2)).to_contain_text("All was seen.")
            expect(box(page)).to_have_value("")
            expect(page.get_by_text("The server's database was away here")).not_to_have_count(0)
            expect(questions(page)).to_have_count(2)


def is_in_one_place(page: Page) -> bool:
    """Whether the text is either in the box or in the log: it leaves the one only for the other."""
    return bool(page.evaluate(IS_IN_ONE_PLACE, TEXT))


IS_IN_ONE_PLACE = """
text => {
    const said = Array.from(document.querySelectorAll('article[data-role="user"] .text'));
    const isInLog = said.some((one) => one.textContent.trim() === text);
    return (document.querySelector("#message").value === text) !== isInLog;
}
"""
