"""Copy: what the clipboard then holds."""

import pytest
from playwright.sync_api import Page, StorageState, expect

from tests.browser.chatting import answered, answers, start
from tests.browser.conftest import Visit
from tests.serving import Site


@pytest.fixture
def page(visit: Visit, site: Site, of_alice: StorageState) -> Page:
    return visit(site, of_alice, permissions=["clipboard-read", "clipboard-write"])


FAILED = """
from django.contrib.auth.models import User
from tests.chat.made import conversation_of, run_in
print(run_in(conversation_of(User.objects.get(username="alice")), answer="").conversation_id)
"""


def clipboard(page: Page) -> str:
    return str(page.evaluate("navigator.clipboard.readText()"))


def test_a_block_of_code_and_a_whole_answer_are_copied_without_the_buttons_in_them(page: Page) -> None:
    start(page, "Show me Markdown")
    answer = answered(page)
    code = answer.locator(".code")
    code.get_by_role("button", name="Copy").click()
    expect(code.get_by_role("button", name="Copied")).to_be_visible()
    copied = clipboard(page)
    assert copied.startswith("def average(numbers: list[float]) -> float:\n    ")
    assert copied.rstrip().endswith("print(average([14, 22]))  # 18.0")
    expect(code.get_by_role("button", name="Copy", exact=True)).to_be_visible()

    answer.get_by_role("button", name="Copy").last.click()
    expect(answer.get_by_role("button", name="Copied")).to_be_visible()
    copied = clipboard(page)
    assert copied.startswith("This is a fixed sample of the Markdown")
    assert "London\t14 °C\tcloudy" in copied
    assert "print(average([14, 22]))" in copied
    for button in ("Copy", "Copied", "View run", "No tools used"):
        assert button not in copied


def test_of_an_answer_without_text_there_is_nothing_to_copy(page: Page, site: Site) -> None:
    page.goto(f"/c/{site.manage('shell', '--no-imports', '-c', FAILED).strip()}/")
    buttons = answers(page).get_by_role("button")
    expect(buttons.filter(has_text="View run")).to_be_visible()
    expect(buttons.filter(has_text="Copy")).to_be_hidden()
