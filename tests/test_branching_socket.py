"""Branches and the queue over the real socket, and by a form: what is done, and what is refused in words."""

import re
from typing import Any
from uuid import uuid4

import httpx2
import pytest

from tests.serving import Site, hidden
from tests.sockets import Page, begin, opened

ANEW = "innerHTML:#messages"
ENDED = r'#m-\d+-head"><span hidden data-mirror="status" data-value="done"'
LONG = "Count to 1000"


@pytest.fixture(scope="module")
def hers(alice_at: httpx2.Client) -> str:
    return begin(alice_at, "My secret plan")


@pytest.fixture(scope="module")
def his(bob_at: httpx2.Client) -> str:
    return begin(bob_at, "How are you?")


def messages(client: httpx2.Client, conversation: str, role: str) -> list[int]:
    page = client.get(f"/c/{conversation}/").text
    return [int(pk) for pk in re.findall(rf'id="m-(\d+)" data-role="{role}"', page)]


def refusal(page: Page, **fields: Any) -> str:
    page.say(**fields)
    return page.until('id="notice" role="alert"[^>]*>[^<]')


def post(client: httpx2.Client, conversation: str, **fields: Any) -> httpx2.Response:
    path = f"/c/{conversation}/"
    return client.post(path, data={**hidden(client, path), **fields})


def test_an_edit_and_a_switch_back_are_seen_by_every_page(site: Site, alice_at: httpx2.Client) -> None:
    here = begin(alice_at, "What is 6 * 7?")
    [question] = messages(alice_at, here, "user")
    with opened(site, alice_at, here) as page, opened(site, alice_at, here) as other:
        other.say(action="resume", since=2)
        page.say(action="edit", message_id=question, message="What is 6 * 8?", client_id=str(uuid4()))
        for one in (page, other):
            assert "6 * 8" in one.until(ANEW)
            one.until(ENDED)
        page.say(action="show", message_id=question)
        for one in (page, other):
            assert "6 * 7" in one.until(ANEW)


def test_an_edit_sent_twice_is_one(site: Site, alice_at: httpx2.Client) -> None:
    here = begin(alice_at, "What is 6 * 7?")
    [question] = messages(alice_at, here, "user")
    with opened(site, alice_at, here) as page:
        for _ in range(2):
            page.say(action="edit", message_id=question, message="What is 6 * 8?", client_id=f"edit.{here}")
        page.until(ENDED)
        assert "Branch 2 of 2" in alice_at.get(f"/c/{here}/").text


def test_a_message_sent_again_that_stands_on_another_branch_is_said_to(site: Site, alice_at: httpx2.Client) -> None:
    here = begin(alice_at, "How are you?")
    with opened(site, alice_at, here) as page:
        client_id = page.ask("What is 6 * 7?")
        page.until(ENDED)
        page.say(action="edit", message_id=messages(alice_at, here, "user")[-1], message="What is 6 * 8?")
        page.until(ENDED)
        page.ask("What is 6 * 7?", client_id)
        page.until("stands on another branch")
    assert len(messages(alice_at, here, "user")) == 2


def test_a_second_regenerate_is_refused_while_the_first_goes_on(site: Site, alice_at: httpx2.Client) -> None:
    here = begin(alice_at, "How are you?")
    with opened(site, alice_at, here) as page:
        page.ask(LONG)
        page.until('data-status="streaming"')
        [answer] = messages(alice_at, here, "assistant")[:1]
        page.say(action="regenerate", message_id=answer)
        page.until(ANEW)
        assert "being answered already" in refusal(page, action="regenerate", message_id=answer)
        page.say(action="stop")


def test_what_waits_is_taken_back_once_and_its_text_returned_to_who_took_it(
    site: Site, alice_at: httpx2.Client
) -> None:
    here = begin(alice_at, "How are you?")
    with opened(site, alice_at, here) as page, opened(site, alice_at, here) as other:
        other.say(action="resume", since=2)
        page.ask(LONG)
        page.ask("Not <b>now</b>")
        page.until("Take back")
        waits = messages(alice_at, here, "user")[-1]
        page.say(action="unqueue", message_id=waits)
        assert '#taken-back">Not &lt;b&gt;now&lt;/b&gt;</div>' in page.until("taken-back")
        assert "Not &lt;b&gt;" not in other.until(ANEW)
        assert "taken-back" not in other.seen
        assert "no such message" in refusal(page, action="unqueue", message_id=waits)
        begun = messages(alice_at, here, "user")[-1]
        assert "does not wait any more" in refusal(page, action="unqueue", message_id=begun)
        assert "does not wait any more" in refusal(page, action="stop_and_send", message_id=begun)
        page.say(action="stop")


def test_a_page_that_shows_what_was_taken_back_comes_back_and_goes_on(site: Site, alice_at: httpx2.Client) -> None:
    here = begin(alice_at, "How are you?")
    with opened(site, alice_at, here) as other:
        other.say(action="resume", since=2)
        other.ask(LONG)
        other.ask("Not now")
        other.until("Take back")
        waits = re.findall(r'"resume", "run": "([0-9a-f-]{36})"', other.seen)[-1]
        question = re.findall(r'id="m-(\d+)" data-role="user"', other.seen)[-1]
        with opened(site, alice_at, here) as page:
            page.say(action="resume", since=2, run=waits)
            page.until(f'id="cursor-run" hidden data-run="{waits}"')
            other.say(action="unqueue", message_id=int(question))
            newest = re.search(r'id="cursor-run" hidden data-run="([^"]+)"', page.until("innerHTML:#trace"))
            assert newest
            assert newest[1] != waits
        with opened(site, alice_at, here) as page:
            page.say(action="resume", since=2, run=waits, run_since=0, follows="no")
            page.until(f'id="cursor-run" hidden data-run="{newest[1]}"')
            other.say(action="stop")
            page.until('data-value="stopped"')


def test_stop_and_send_begins_what_waits(site: Site, alice_at: httpx2.Client) -> None:
    here = begin(alice_at, "How are you?")
    with opened(site, alice_at, here) as page:
        page.ask(LONG)
        page.ask("What is 6 * 7?")
        page.until("Take back")
        page.say(action="stop_and_send", message_id=messages(alice_at, here, "user")[-1])
        page.until('data-value="stopped"')
        assert "42" in page.until(ENDED)


@pytest.mark.parametrize("action", ["edit", "regenerate", "continue", "show", "unqueue", "stop_and_send"])
@pytest.mark.parametrize("of", ["hers", "none"])
def test_a_message_of_another_is_refused_like_one_that_is_not_there(
    site: Site, alice_at: httpx2.Client, bob_at: httpx2.Client, hers: str, his: str, action: str, of: str
) -> None:
    message = messages(alice_at, hers, "user")[0] if of == "hers" else 10**9
    with opened(site, bob_at, his) as page:
        words = refusal(page, action=action, message_id=message, message="Mine now")
        assert "There is no such message in this conversation." in words
        assert "secret" not in page.seen
    answer = post(bob_at, his, action=action, message_id=message, message="Mine now")
    assert answer.status_code == 422
    assert "There is no such message in this conversation." in answer.text
    assert "Mine now" not in alice_at.get(f"/c/{hers}/").text


@pytest.mark.parametrize("message_id", ["", "x", -1, 0, 2**63, None, [1], "1 OR 1=1"])
def test_what_is_no_id_is_refused_in_words(site: Site, alice_at: httpx2.Client, hers: str, message_id: object) -> None:
    with opened(site, alice_at, hers) as page:
        for action in ("show", "edit"):
            assert "message_id" in refusal(page, action=action, message_id=message_id, message="x")


def test_a_form_does_what_the_frames_do(alice_at: httpx2.Client) -> None:
    here = begin(alice_at, "What is 6 * 7?")
    [question], [answer] = messages(alice_at, here, "user"), messages(alice_at, here, "assistant")

    assert post(alice_at, here, action="regenerate", message_id=answer).headers["location"] == f"/c/{here}/"
    assert len(messages(alice_at, here, "assistant")) == 1
    assert "Branch 2 of 2" in alice_at.get(f"/c/{here}/").text
    post(alice_at, here, action="show", message_id=answer)
    assert messages(alice_at, here, "assistant") == [answer]
    post(alice_at, here, action="edit", message_id=question, message=LONG)
    post(alice_at, here, action="send", message="Never mind", client_id=str(uuid4()))
    taken = post(alice_at, here, action="unqueue", message_id=messages(alice_at, here, "user")[-1])
    assert (taken.status_code, "\nNever mind</textarea>" in taken.text) == (200, True)
    post(alice_at, here, action="stop")


def test_a_fork_is_opened_and_asked_for_by_a_form_alone(
    site: Site, alice_at: httpx2.Client, bob_at: httpx2.Client, his: str
) -> None:
    here = begin(alice_at, "My secret plan")
    [answer] = messages(alice_at, here, "assistant")
    fields = {"action": "fork", "message_id": answer, "client_id": str(uuid4())}

    there = post(alice_at, here, **fields).headers["location"]
    assert there != f"/c/{here}/"
    assert post(alice_at, here, **fields).headers["location"] == there
    assert "My secret plan (fork)" in alice_at.get(there).text
    assert alice_at.get(f"/c/{here}/?action=fork&message_id={answer}").status_code == 200
    with opened(site, alice_at, here) as page:
        assert "asked for by a form" in refusal(page, **fields)

    refused = post(bob_at, his, **fields)
    assert (refused.status_code, "no such message" in refused.text) == (422, True)
    path = f"/c/{here}/"
    assert bob_at.post(path, data={**hidden(bob_at, f"/c/{his}/"), **fields}).status_code == 404
    assert "secret" not in bob_at.get("/").text
