"""Ten thousand steps, five thousand messages, a result of five megabytes: the page opens at its end, and soon."""

import json
import time
from collections.abc import Iterator
from contextlib import closing

import httpx2
import pytest
from playwright.sync_api import Page, StorageState, expect

from tests.browser.chatting import answers, head, questions, steps, trace, until
from tests.browser.conftest import Visit, session_of
from tests.conftest import PASSWORD
from tests.serving import Site

SOON = 1.0  # seconds, the best of three
LARGE = 5_000_000
MAKE = f"""
from django.contrib.auth.models import User
from tests.chat.made import conversation_of, run_in
from tests.chat.many import add_large_result, add_messages, add_steps
import json
owner = User.objects.create_user("very-long", password={PASSWORD!r})
talk, work = conversation_of(owner, "Many messages"), conversation_of(owner, "Many steps")
add_messages(talk, 5_000)
run = run_in(work, "Work", "Done", steps=0)
add_steps(run, 10_000)
add_large_result(run, {LARGE})
run.__class__.objects.filter(pk=run.pk).update(revision=run.steps.count())
print(json.dumps([str(talk.pk), str(work.pk)]))
"""


@pytest.fixture(scope="module")
def made(site: Site) -> tuple[str, str]:
    talk, work = json.loads(site.shell(MAKE))
    return talk, work


@pytest.fixture(scope="module")
def client(site: Site, made: tuple[str, str]) -> Iterator[httpx2.Client]:
    with closing(site.sign_in("very-long", PASSWORD)) as client:
        yield client


@pytest.fixture(scope="module")
def of_somebody(site: Site, made: tuple[str, str]) -> StorageState:
    return session_of(site, "very-long")


@pytest.fixture
def page(visit: Visit, site: Site, of_somebody: StorageState) -> Page:
    return visit(site, of_somebody)


def seconds(client: httpx2.Client, path: str) -> float:
    """The best of three."""
    taken = []
    for _ in range(3):
        began = time.monotonic()
        assert client.get(path).status_code == 200
        taken.append(time.monotonic() - began)
    return min(taken)


def test_five_thousand_messages_open_at_their_end_and_grow_on_demand(
    page: Page, client: httpx2.Client, made: tuple[str, str]
) -> None:
    path = f"/c/{made[0]}/"
    assert len(client.get(path).content) < 512 * 1024
    assert seconds(client, path) < SOON
    page.goto(path)
    expect(answers(page).last).to_be_in_viewport()
    expect(answers(page).last).to_contain_text("Number 4999")
    expect(questions(page)).to_have_count(50)
    page.get_by_role("button", name="Show earlier messages").click()
    expect(questions(page)).to_have_count(100)


def test_a_message_thousands_above_the_end_is_opened_by_its_address_and_led_on_from(
    page: Page, client: httpx2.Client, made: tuple[str, str]
) -> None:
    path = f"/c/{made[0]}/"
    page.goto(path)
    last = int((questions(page).last.get_attribute("id") or "").removeprefix("m-"))
    far = f"{path}?message={last - 4_000}#m-{last - 4_000}"
    assert seconds(client, far) < SOON
    page.goto(far)
    expect(page.get_by_text("Number 998", exact=True)).to_be_in_viewport()
    page.get_by_role("link", name="Later messages").click()
    expect(page.get_by_text("Number 1047", exact=True)).to_be_in_viewport()
    page.get_by_role("link", name="Open the conversation at its end").click()
    expect(answers(page).last).to_contain_text("Number 4999")


def test_ten_thousand_steps_open_at_their_end_and_five_megabytes_of_one_when_they_are_asked_for(
    page: Page, client: httpx2.Client, made: tuple[str, str]
) -> None:
    path = f"/c/{made[1]}/"
    assert len(client.get(path).content) < 512 * 1024
    assert seconds(client, path) < SOON
    page.goto(path)
    expect(answers(page).last).to_be_in_viewport()
    expect(steps(page).last).to_have_attribute("data-step", "10001")
    shown = steps(page).count()
    assert shown > 100
    large = steps(page).last
    head(large).click()
    large.get_by_role("button", name="Show all").click()
    until(page, f"document.querySelector('#trace li:last-child').textContent.length > {LARGE - 1_000}")
    expect(head(large)).to_be_focused()
    page.get_by_role("button", name="Show earlier steps").click()
    expect(trace(page).locator(f'[data-step="{10_001 - shown}"]')).to_have_count(1)
