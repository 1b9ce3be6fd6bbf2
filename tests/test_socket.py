"""The socket of a conversation's page, against the real server: what it acknowledges, refuses and catches up."""

import re
import time
from collections.abc import Callable
from contextlib import closing
from uuid import uuid4

import httpx2
import pytest

from agentsite import close_codes
from tests.conftest import PASSWORD
from tests.serving import ROOT, Site, hidden
from tests.sockets import begin, opened

ANSWERED = r'#m-\d+-head"><span hidden data-mirror="status" data-value="done"'
LONG = "Count to 1000"


def test_a_message_is_acknowledged_by_its_article_and_answered(site: Site, alice_at: httpx2.Client) -> None:
    with opened(site, alice_at, begin(alice_at, "What is 1 + 1?")) as page:
        client_id = page.ask("What is 6 * 7?")
        acknowledged = page.until(f'data-client-id="{client_id}"')
        assert 'data-role="user"' in acknowledged
        assert "42" in page.until(ANSWERED)
        assert "calculate" in page.seen


def test_the_same_id_again_is_acknowledged_and_asks_nothing_new(site: Site, alice_at: httpx2.Client) -> None:
    conversation = begin(alice_at, "What is 1 + 1?")
    with opened(site, alice_at, conversation) as page:
        client_id = page.ask("What is 6 * 7?")
        page.until(ANSWERED)
        page.ask("What is 6 * 7?", client_id)
        page.until(f'data-client-id="{client_id}"')
    assert alice_at.get(f"/c/{conversation}/").text.count('data-role="user"') == 2


def test_the_same_id_with_another_text_is_refused(site: Site, alice_at: httpx2.Client) -> None:
    with opened(site, alice_at, begin(alice_at, "What is 1 + 1?")) as page:
        client_id = page.ask("What is 6 * 7?")
        page.until(ANSWERED)
        page.ask("What is 6 * 8?", client_id)
        refusal = page.until('id="notice" role="alert"[^>]*>[^<]')
        assert "Another message was sent under the same id" in refusal


def test_a_stranger_is_closed_exactly_as_for_a_conversation_that_is_not_there(
    site: Site, alice_at: httpx2.Client, bob_at: httpx2.Client
) -> None:
    conversation = begin(alice_at, "My secret plan")
    for asked in (conversation, str(uuid4())):
        with opened(site, bob_at, asked) as page:
            page.say(action="resume", since=0)
            assert page.close_code() == 4404
            assert page.seen == ""


def test_the_script_of_the_page_knows_the_codes_that_sockets_are_closed_with() -> None:
    script = (ROOT / "static/js/connection.js").read_text()
    found = re.search(r"const \[([A-Z_, ]+)\] = \[([\d, ]+)\];", script)
    assert found
    known = dict(zip(found[1].split(", "), map(int, found[2].split(", ")), strict=True))
    del known["TOO_LARGE"]  # autobahn's own
    assert known == {name: code for name, code in vars(close_codes).items() if name.isupper()}


def test_nobody_is_told_to_sign_in(site: Site, alice_at: httpx2.Client) -> None:
    conversation = begin(alice_at, "What is 1 + 1?")
    with opened(site, None, conversation) as page:
        assert page.close_code() == 4401


def test_another_persons_run_is_taken_like_one_that_is_not_there_and_the_page_follows_its_own(
    site: Site, alice_at: httpx2.Client, bob_at: httpx2.Client
) -> None:
    hers = alice_at.get(f"/c/{begin(alice_at, 'My secret plan')}/").text
    run = re.search(r'data-run="([^"]+)"', hers)
    assert run
    his = begin(bob_at, "What is 1 + 1?")
    answers = []
    for asked in (run[1], str(uuid4())):
        with opened(site, bob_at, his) as page:
            page.say(action="resume", since=0, run=asked, run_since=1, follows="no")
            answers.append(page.until("innerHTML:#trace"))
            assert 'data-follows="yes"' in page.seen
            assert "1 + 1" in page.seen
            assert run[1] not in page.seen
            assert "secret" not in page.seen
    assert answers[0] == answers[1]


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("{", "JSON object"),
        ("[]", "JSON object"),
        ('{"action": "dance"}', "does not know"),
        ('{"action": "send", "client_id": "x", "message": "  "}', "Write a message first"),
        ('{"action": "send", "client_id": "x", "message": 7}', "Write a message first"),
        ('{"action": "send", "message": "hi"}', "client_id"),
        ('{"action": "resume", "since": -1}', "since"),
        ('{"action": "resume", "run": "7"}', "run"),
        ('{"action": "send", "client_id": "x", "message": "' + "x" * 32_769 + '"}', "longer than 32 kB"),
    ],
)
def test_what_is_no_frame_is_refused_in_words_and_the_socket_goes_on(
    site: Site, alice_at: httpx2.Client, said: str, words: str
) -> None:
    with opened(site, alice_at, begin(alice_at, "What is 1 + 1?")) as page:
        page.socket.send(said)
        assert words in page.until('id="notice" role="alert"')
        page.ask("What is 6 * 7?")
        page.until(ANSWERED)


def test_a_flood_is_closed(site: Site, alice_at: httpx2.Client) -> None:
    with opened(site, alice_at, begin(alice_at, "What is 1 + 1?")) as page:
        for _ in range(200):
            page.say(action="resume", since=0)
        assert page.close_code() == 4008


def test_stop_ends_a_run_within_a_second_and_keeps_what_was_said(site: Site, alice_at: httpx2.Client) -> None:
    conversation = begin(alice_at, "What is 1 + 1?")
    with opened(site, alice_at, conversation) as page:
        page.say(action="resume", since=0)
        page.ask(LONG)
        page.until(r'#m-\d+-open"><')
        page.say(action="stop")
        asked = time.monotonic()
        page.until('data-value="stopped"')
        assert time.monotonic() - asked < 5  # a second, on a machine that does nothing else
        page.ask("What is 6 * 7?")
        page.until(ANSWERED)
    text = alice_at.get(f"/c/{conversation}/").text
    assert 'data-status="stopped"' in text
    assert "Stopped." in text


def test_a_message_sent_while_a_run_is_live_waits_its_turn(site: Site, alice_at: httpx2.Client) -> None:
    with opened(site, alice_at, begin(alice_at, "What is 1 + 1?")) as page:
        page.ask("Count to 100")
        page.until('data-status="streaming"')
        page.ask("What is 1000 * 1000?")
        page.until('data-status="queued"')
        page.until(r"1.?000.?000")
        assert page.seen.index('data-status="queued"') < page.seen.rindex('data-value="done"')


def test_a_page_that_comes_back_gets_what_is_newer(site: Site, alice_at: httpx2.Client) -> None:
    conversation = begin(alice_at, "What is 1 + 1?")
    with opened(site, alice_at, conversation) as page:
        page.ask("What is 6 * 7?")
        page.until(ANSWERED)
    with opened(site, alice_at, conversation) as page:
        page.say(action="resume", since=1)
        frame = page.until('id="cursor"')
        assert "6 * 7" in frame
        assert 'data-client-id=""' not in frame


def test_a_page_that_claims_what_never_was_gets_the_whole_list(site: Site, alice_at: httpx2.Client) -> None:
    with opened(site, alice_at, begin(alice_at, "Hello there")) as page:
        page.say(action="resume", since=99_999)
        assert "Hello there" in page.until("innerHTML:#messages")


def test_hostile_text_arrives_as_text(site: Site, alice_at: httpx2.Client) -> None:
    hostile = "</div><script>alert(1)</script><div id='messages' hx-swap-oob='true'>"
    with opened(site, alice_at, begin(alice_at, "What is 1 + 1?")) as page:
        page.ask(hostile)
        page.until(ANSWERED)
        assert "<script" not in page.seen
        assert "<div id='messages'" not in page.seen


@pytest.mark.parametrize("odd", ["\x00", "\ud800", "\u202e", "e" + "\u0301" * 3000, "👩\u200d👩\u200d👧", "\u2028"])
def test_odd_text_is_stored_and_shown_and_breaks_nothing(site: Site, alice_at: httpx2.Client, odd: str) -> None:
    with opened(site, alice_at, begin(alice_at, "What is 1 + 1?")) as page:
        page.ask(f"Say {odd} again")
        page.until(ANSWERED)


def log_out(site: Site, client: httpx2.Client, name: str) -> None:
    client.post("/accounts/logout/", data=hidden(client, "/"))


def change_password(site: Site, client: httpx2.Client, name: str) -> None:
    change(site, name, "u.set_password('another'); u.save()")


def deactivate(site: Site, client: httpx2.Client, name: str) -> None:
    change(site, name, "u.is_active = False; u.save()")


def expire(site: Site, client: httpx2.Client, name: str) -> None:
    past = "from datetime import datetime, UTC; from django.contrib.sessions.models import Session as S; "
    key = client.cookies["sessionid"]
    change(site, name, f"{past}S.objects.filter(pk={key!r}).update(expire_date=datetime(2000, 1, 1, tzinfo=UTC))")


def change(site: Site, name: str, code: str) -> None:
    find = f"from django.contrib.auth.models import User; u = User.objects.get(username={name!r}); "
    site.shell(find + code)


@pytest.mark.parametrize("leave", [log_out, change_password, deactivate, expire])
def test_an_open_socket_is_closed_when_its_session_ends(
    site: Site, leave: Callable[[Site, httpx2.Client, str], None]
) -> None:
    name = f"leaves-{leave.__name__}"
    site.add_user(name, PASSWORD)
    with closing(site.sign_in(name, PASSWORD)) as client, opened(site, client, begin(client, "What is 1 + 1?")) as page:
        page.say(action="resume", since=0)
        page.until('id="cursor"')
        leave(site, client, name)
        left = time.monotonic()
        assert page.close_code() == 4401
        assert time.monotonic() - left < 2
