"""Text that wants to be more than text: in messages, echoed in answers, in titles. Nothing runs, nothing leaves."""

import re

from playwright.sync_api import Page, StorageState, expect

from tests.browser.chatting import answered, ask, questions, start, steps, trace
from tests.browser.conftest import Visit, session_of
from tests.serving import Site

# The demo model repeats what somebody says of themselves, so each of these comes back as Markdown of the agent.
HOSTILE = (
    "I like <script>alert(1)</script> and <svg onload=alert(1)> and <iframe src=https://evil.example/></iframe>",
    "I like ![a picture](https://evil.example/a.png) and <img src=https://evil.example/a.png onerror=alert(1)>",
    "I like [a link](javascript:alert(1)) and [data](data:text/html,<script>alert(1)</script>)",
    'I like <div hx-get="https://evil.example/" hx-trigger="load">this</div> and <a hx-on:click="alert(1)">that',
    'I like <div id="messages" hx-swap-oob="innerHTML">this</div></textarea></title><style>*{display:none}</style>',
    "I like \u202eevil\u202c and e" + "\u0301" * 50 + " and \ufdfd",
)


def test_hostile_text_stays_text_in_the_chat(page: Page) -> None:
    start(page, "How are you?")
    answered(page)
    for number, text in enumerate(HOSTILE, start=2):
        ask(page, text)
        said = answered(page, number).locator(".said")
        expect(said).to_contain_text("Remember that")
        assert questions(page).last.locator(".text").inner_text().strip() == text
        expect(said.locator("script, img, svg, iframe, form, style, [hx-get], [hx-swap-oob], [ws-send]")).to_have_count(
            0
        )
        for link in said.get_by_role("link").all():
            assert (link.get_attribute("href") or "").startswith("https://")
            assert link.get_attribute("rel") == "noopener noreferrer nofollow"
    page.reload()
    expect(questions(page)).to_have_count(len(HOSTILE) + 1)
    assert questions(page).last.locator(".text").inner_text().strip() == HOSTILE[-1]


def test_hostile_text_stays_text_on_every_page_that_shows_it(
    visit: Visit, site: Site, of_somebody_new: StorageState
) -> None:
    page = visit(site, of_somebody_new)
    text = "Remember that I like <script>alert(1)</script> & <img src=https://evil.example/x onerror=alert(1)>"
    start(page, text)
    answered(page)
    address = page.url
    for step in steps(page).all():
        step.locator("summary").first.click()
    trace(page).get_by_role("link", name="Open full trace").click()
    page.get_by_role("region", name="Trace").wait_for()
    for path in ("/runs/", "/settings/", f"{address}edit/", f"{address}delete/", "/"):
        page.goto(path)
        expect(page.get_by_text("<script>alert(1)</script>").or_(page.get_by_label("Title")).first).to_be_attached()

    staff = visit(site, session_of(site, "staff"))
    for kind in ("conversation", "message", "run", "fact", "step"):
        staff.goto(f"/admin/chat/{kind}/")
        staff.get_by_role("main").get_by_role("rowheader").first.get_by_role("link").click()
        expect(staff.get_by_role("heading", level=1)).to_have_text(re.compile("Change|View"))
        expect(staff.locator("script:has-text('alert(1)'), img[onerror]")).to_have_count(0)
