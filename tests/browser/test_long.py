"""Very much of something comes in parts: conversations, messages, steps. A reader who asks for more stays in place."""

import json

import pytest
from playwright.sync_api import Locator, Page, StorageState, expect

from tests.browser.chatting import answers, head, log, questions, steps, trace
from tests.browser.conftest import Visit, session_of
from tests.conftest import PASSWORD
from tests.serving import Site

MAKE = """
from django.contrib.auth.models import User
from chat.models import Conversation
from tests.chat.made import NOW, conversation_of, run_in
import json
owner = User.objects.get(username="many")
Conversation.objects.bulk_create(
    Conversation(owner=owner, title=f"Number {n}", created=NOW, updated=NOW) for n in range(148)
)
talk, work = conversation_of(owner, "Many messages"), conversation_of(owner, "Many steps")
for n in range(110):
    run_in(talk, f"Question {n}", f"Answer {n}", steps=1)
run_in(work, "Work", "Done", steps=250)
print(json.dumps([str(talk.pk), str(work.pk)]))
"""


@pytest.fixture(scope="module")
def made(site: Site) -> tuple[str, str]:
    """Two conversations of somebody who has 150: one of 220 messages, and one whose run has 250 steps."""
    site.add_user("many", PASSWORD)
    talk, work = json.loads(site.shell(MAKE))
    return talk, work


@pytest.fixture(scope="module")
def of_many(site: Site, made: tuple[str, str]) -> StorageState:
    return session_of(site, "many")


@pytest.fixture
def page(visit: Visit, site: Site, of_many: StorageState) -> Page:
    return visit(site, of_many)


def show(page: Page, more: str) -> None:
    page.get_by_role("button", name=f"Show {more}").click()


def middle(part: Locator) -> float:
    box = part.bounding_box()
    assert box
    return box["y"] + box["height"] / 2


def test_older_conversations_are_shown_when_they_are_asked_for(page: Page) -> None:
    page.goto("/")
    links = page.get_by_role("navigation", name="Conversations").get_by_role("listitem")
    expect(links).to_have_count(100)
    show(page, "older")
    expect(links).to_have_count(150)
    expect(links.nth(100).get_by_role("link").first).to_be_focused()
    expect(page.get_by_role("button", name="Show older")).to_have_count(0)

    page.get_by_role("searchbox", name="Search conversations").fill("number")
    expect(links).to_have_count(100)
    show(page, "older")
    expect(links).to_have_count(148)


def test_a_long_conversation_opens_at_its_end_and_earlier_messages_move_nobody(
    page: Page, made: tuple[str, str]
) -> None:
    page.goto(f"/c/{made[0]}/")
    expect(answers(page).last).to_be_in_viewport()
    expect(questions(page)).to_have_count(50)
    log(page).evaluate("element => element.scrollTop = 0")
    first = questions(page).filter(has_text="Question 60")
    before = middle(first)
    show(page, "earlier messages")
    expect(questions(page)).to_have_count(100)
    assert middle(first) == pytest.approx(before, abs=2)
    show(page, "earlier messages")
    expect(questions(page)).to_have_count(110)
    expect(page.get_by_role("button", name="Show earlier messages")).to_have_count(0)
    expect(questions(page).nth(10).get_by_role("button", name="Edit")).to_be_focused()  # it was the first


def test_a_long_trace_shows_its_last_steps_and_earlier_ones_above_them(page: Page, made: tuple[str, str]) -> None:
    page.goto(f"/c/{made[1]}/")
    expect(steps(page).last).to_have_attribute("data-step", "250")
    shown = steps(page).count()
    assert 100 < shown <= 200
    first = trace(page).locator(f'[data-step="{251 - shown}"]')
    before = middle(first)
    show(page, "earlier steps")
    expect(steps(page)).to_have_count(250)
    assert middle(first) == pytest.approx(before, abs=2)
    expect(head(first)).to_be_focused()
    assert [steps(page).nth(n).get_attribute("data-step") for n in (0, 49, 50, 249)] == ["1", "50", "51", "250"]
