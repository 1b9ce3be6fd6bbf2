"""NUL and halves of characters, which PostgreSQL takes nowhere, are kept from the database at every door."""

import re

import pytest
from django.contrib.auth.models import User
from django.test import Client

from agentsite.welcome import welcome_path
from tests.scripted import asks, call, says
from tests.security.asking import HTMX, statements
from tests.security.hers import Hers
from tests.security.talking import Talking
from tests.serving import hidden

NUL = "a\x00b"
UNSTORABLE = re.compile(r"\\x00|\\u0000|\\ud[89a-f]")  # as a value's repr shows it
UNSTORABLE_JSON = re.compile(r"\x00|(?<!\\)(\\\\)*\\u(0000|d[89a-f])")


def test_no_address_brings_nul_to_the_database(alice_client: Client, staff_client: Client, hers: Hers) -> None:
    c, run = f"/c/{hers.conversation.pk}/", f"/runs/{hers.run.pk}/"
    query = dict.fromkeys(
        ("q", "current", "page", "before", "next", "model", "name", "key", "_changelist_filters"), NUL
    )
    own = [c, f"{c}messages/", f"{c}edit/", "/conversations/", "/runs/", run, f"{run}steps/", "/settings/"]
    admin = [f"/admin/chat/{model}/" for model in ("conversation", "message", "run", "step", "toolcall", "fact")]
    paths = ["/c/%00/", "/runs/%00/", "/welcome/%00/", "/admin/chat/run/%00/change/", "/admin/chat/step/%00/", "/%00"]

    with statements() as found:
        for path in (*own, "/", "/accounts/login/"):
            assert alice_client.get(path, query, headers=HTMX).status_code < 500, path
        for path in (*admin, "/admin/auth/user/", "/admin/login/"):
            for name in query:
                assert staff_client.get(path, {name: NUL}).status_code < 500, (path, name)
        for path in paths:
            assert staff_client.get(path).status_code < 500, path
    assert not [sql for sql in found if UNSTORABLE.search(sql)]


@pytest.mark.parametrize("name", ["sessionid", "csrftoken", "theme", "trace", "messages"])
def test_no_cookie_brings_nul_to_the_database(alice: User, alice_client: Client, hers: Hers, name: str) -> None:
    """A quoted cookie may hold any character, written as an octal number."""
    kept = "; ".join(f"{cookie}={value.value}" for cookie, value in alice_client.cookies.items() if cookie != name)

    with statements() as found:
        for path in ("/", f"/c/{hers.conversation.pk}/", "/admin/", "/accounts/login/", "/settings/"):
            said = f'{kept}; {name}="{"a" * 20}\\000\\000b"'
            assert Client().get(path, headers={"cookie": said}).status_code in (200, 302), path
    assert not [sql for sql in found if UNSTORABLE.search(sql)]


def test_no_form_brings_nul_to_the_database(alice_client: Client, staff_client: Client, hers: Hers) -> None:
    facts = [f"/settings/facts/{row.pk}/edit/" for row in (hers.fact, hers.preference)]
    own = [f"/c/{hers.conversation.pk}/edit/", "/settings/facts/", "/settings/preferences/", *facts]
    people = ["/admin/auth/user/add/", "/admin/auth/group/add/"]
    doors = ["/accounts/login/", "/admin/login/", welcome_path()]
    fields = ("title", "instructions", "text", "key", "username", "password", "name")
    form = dict.fromkeys(fields, "fine") | {"owner": str(hers.conversation.owner.pk), "kind": "fact"}

    with statements() as found:
        for client, paths in (
            (alice_client, [*own, "/accounts/password/", "/settings/appearance/"]),
            (staff_client, ["/admin/chat/fact/add/", f"/admin/chat/fact/{hers.fact.pk}/change/", *people]),
            (Client(), doors),
        ):
            for path in paths:
                client.post(path, dict.fromkeys((*fields, "old_password", "new_password1", "kind", "theme"), NUL))
                for name in ("title", "text", "key", "username"):
                    client.post(path, form | {name: NUL, "action": NUL, "_selected_action": NUL})
    assert not [sql for sql in found if UNSTORABLE.search(sql)]


def test_no_message_and_no_reply_brings_nul_to_the_database(talk: Talking) -> None:
    odd = "odd \x00 \ud800 end"
    replies = asks(call("remember", {"fact": odd, odd: odd}), call(odd, {}, id=odd, index=1), text=odd), says(odd)
    form = hidden(talk.alice, "/")
    sent = talk.alice.post("/c/", data={**form, "message": "Nul \x00 by form", "client_id": "nul-1", "model": NUL})
    refused = talk.alice.post("/c/", data={**form, "message": "x", "client_id": NUL})
    talk.frames("Nul \x00 by frame".replace("\x00", "\ufffd"), *replies)

    assert (sent.status_code, refused.status_code) == (302, 422)
    talk.answered(sent.headers["location"])
    assert not [where for where, value in talk.rows() if UNSTORABLE_JSON.search(value)]
