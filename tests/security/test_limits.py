"""What is too long, too many or no text at all is refused in words, or cut, and never reaches the database."""

import http.client
import re
from collections.abc import Iterator
from contextlib import closing, suppress
from typing import Any
from uuid import uuid4

import httpx2
import pytest
from django.contrib.auth.models import User
from django.test import Client

from agentsite.welcome import welcome_path
from chat import trace
from chat.agent.endpoint import Endpoint
from chat.agent.errors import EndpointError
from chat.frames import LONGEST_MESSAGE
from chat.memory import MAX_FACTS
from chat.models import Conversation, Fact, FactKind
from tests.chat.made import conversation_of
from tests.conftest import PASSWORD
from tests.scripted import asks, call, says
from tests.security.asking import HTMX, statements
from tests.security.endpoint import answering
from tests.security.hers import Hers, things_of
from tests.security.talking import Talking
from tests.serving import Site, hidden
from tests.sockets import begin, opened

NUL = "a\x00b"
UNSTORABLE = re.compile(r"\\x00|\\u0000|\\ud[89a-f]")  # as a value's repr shows it
UNSTORABLE_JSON = re.compile(r"\x00|(?<!\\)(\\\\)*\\u(0000|d[89a-f])")


@pytest.fixture
def hers(alice: User) -> Hers:
    return things_of(alice)


@pytest.fixture(scope="module")
def alice_at(site: Site) -> Iterator[httpx2.Client]:
    with closing(site.sign_in("alice", PASSWORD)) as client:
        yield client


@pytest.fixture(scope="module")
def talked(alice_at: httpx2.Client) -> str:
    """A conversation of alice's, for sockets that ask nothing of a model."""
    return begin(alice_at, "Hello")


# NUL, which PostgreSQL takes nowhere


def test_no_address_brings_nul_to_the_database(alice_client: Client, staff_client: Client, hers: Hers) -> None:
    c, run = f"/c/{hers.conversation.pk}/", f"/runs/{hers.run.pk}/"
    names = ("q", "current", "page", "before", "next", "o", "model", "name", "run__id__exact", "_changelist_filters", "e")
    own = ["/", c, f"{c}messages/", f"{c}edit/", "/conversations/", "/runs/", run, f"{run}steps/", "/settings/", "/accounts/login/"]
    admin = [f"/admin/chat/{model}/" for model in ("conversation", "message", "run", "step", "toolcall", "fact")]

    with statements() as found:
        for client, paths in ((alice_client, own), (staff_client, [*admin, "/admin/auth/user/"])):
            for path in paths:
                for name in names:
                    assert client.get(path, {name: NUL}, headers=HTMX).status_code < 500, (path, name)
        for path in ("/c/%00/", "/runs/%00/", "/welcome/%00/", "/admin/chat/run/%00/change/", "/admin/chat/step/%00/", "/%00"):
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
    facts = f"/settings/facts/{hers.fact.pk}/edit/"
    preferences = f"/settings/facts/{hers.preference.pk}/edit/"
    own = [f"/c/{hers.conversation.pk}/edit/", "/settings/facts/", "/settings/preferences/", facts, preferences]
    admin = ["/admin/chat/fact/add/", f"/admin/chat/fact/{hers.fact.pk}/change/", "/admin/auth/user/add/", "/admin/auth/group/add/"]
    fields = ("title", "instructions", "text", "key", "username", "password", "old_password", "new_password1", "kind", "name")
    form = {name: "fine" for name in fields} | {"owner": str(hers.conversation.owner.pk)}

    with statements() as found:
        for client, paths in (
            (alice_client, [*own, "/accounts/password/", "/settings/appearance/"]),
            (staff_client, admin),
            (Client(), ["/accounts/login/", "/admin/login/", welcome_path()]),
        ):
            for path in paths:
                for name in fields:
                    client.post(path, form | {name: NUL, "action": NUL, "_selected_action": NUL, "client_id": NUL})
                client.post(path, dict.fromkeys(fields, NUL))
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


# Long and many


@pytest.mark.parametrize("message", ["x" * (LONGEST_MESSAGE + 1), "é" * (LONGEST_MESSAGE // 2 + 1), "x" * 2_000_000])
@pytest.mark.parametrize("where", ["/c/", "/c/{}/"])
def test_a_message_that_is_too_long_is_refused_and_kept_in_the_box(
    alice_client: Client, hers: Hers, message: str, where: str
) -> None:
    fields = {"message": message, "client_id": "long-1"}

    response = alice_client.post(where.format(hers.conversation.pk), fields)

    assert response.status_code == 422
    assert "longer than 32 kB" in response.content.decode()
    assert message in response.content.decode()
    assert Conversation.objects.count() == 1


@pytest.mark.parametrize("fields", [{}, {"message": ""}, {"message": " \n\t "}, {"message": "x"}, {"client_id": "x"},
    {"message": "x", "client_id": "x" * 65}, {"message": "x", "client_id": "a b"}, {"message": "x", "client_id": "<b>"},
    {"message": "x", "client_id": "x", "model": "m" * 201}, {"message": "x", "client_id": "x\n"}])  # fmt: skip
def test_what_is_no_message_is_refused_in_words(alice_client: Client, fields: dict[str, str]) -> None:
    response = alice_client.post("/c/", fields)

    assert response.status_code == 422
    assert re.search(r'id="notice" role="alert">\S', response.content.decode())
    assert not Conversation.objects.exists()


def test_the_longest_message_is_taken_by_form_and_by_frame(site: Site, alice_at: httpx2.Client, talked: str) -> None:
    """Even where each of its characters takes the most room that JSON has for one."""
    longest = "é" * (LONGEST_MESSAGE // 2)
    form = {**hidden(alice_at, "/"), "message": longest, "client_id": str(uuid4())}
    assert alice_at.post("/c/", data=form).status_code == 302

    with opened(site, alice_at, talked) as page:
        client_id = str(uuid4())
        page.socket.send(f'{{"action": "send", "client_id": "{client_id}", "message": "{longest}"}}')
        page.until(f'data-client-id="{client_id}"')
        page.say(action="stop")


@pytest.mark.parametrize("size", [65_537, 1_000_000])
def test_a_frame_that_is_too_large_closes_its_socket_and_no_other(
    site: Site, alice_at: httpx2.Client, talked: str, size: int
) -> None:
    with opened(site, alice_at, talked) as other, opened(site, alice_at, talked) as page:
        page.socket.send("x" * size)
        assert page.close_code() in (1009, 4008)
        other.say(action="resume", since=0)
        other.until('id="cursor"')


def test_a_frame_in_many_fragments_counts_as_one(site: Site, alice_at: httpx2.Client, talked: str) -> None:
    with opened(site, alice_at, talked) as page:
        page.socket.send("x" * 1000 for _ in range(200))
        assert page.close_code() in (1009, 4008)


@pytest.mark.parametrize("data", [b"\x00\xff", b"{}", b'{"action": "send", "client_id": "b-1", "message": "x"}'])
def test_bytes_are_no_frame(site: Site, alice_at: httpx2.Client, talked: str, data: bytes) -> None:
    with opened(site, alice_at, talked) as page:
        page.socket.send(data)
        page.until('id="notice" role="alert"[^>]*>[^<]')


@pytest.mark.parametrize("said", [
    '{"action": "resume", "since": 1e999}', '{"action": "resume", "since": NaN}', '{"action": "seen", "n": 1e400}',
    '{"action": "resume", "since": ' + "9" * 5000 + "}", '{"action": "resume", "since": "' + "9" * 5000 + '"}',
    '{"action": "resume", "since": 9007199254740993}', '{"action": "resume", "run": {"a": 1}}', '{"action": ["send"]}',
    '{"action": "send", "message": {"a": "b"}, "client_id": "x"}', '{"action": "send", "message": "x", "client_id": []}',
    '{"action": "send", "message": "x", "client_id": "\\ud800"}', '{"action": "\\u0000"}', '{"action": null}',
    '{"action": "send", "message": "x", "client_id": "x", "model": "\\ud800"}', "[" * 30_000, '{"a":' * 10_000,
    '{"action": "resume", "run": "' + "0" * 40_000 + '"}', '{"action": "stop", "action": "dance"}', "\x00", "null",
])  # fmt: skip
def test_a_frame_of_nonsense_is_refused_and_the_socket_goes_on(
    site: Site, alice_at: httpx2.Client, talked: str, said: str
) -> None:
    with opened(site, alice_at, talked) as page:
        page.socket.send(said)
        page.until('id="notice" role="alert"[^>]*>[^<]')
        page.say(action="resume", since=0)
        page.until('id="cursor"')
    assert "Traceback" not in site.log


def test_very_many_facts_of_full_length_are_shown_and_can_be_deleted(alice: User, alice_client: Client) -> None:
    """More than a person may add: an administrator may, and limits change."""
    Fact.objects.bulk_create(Fact(owner=alice, text=f"{number} {'x' * 490}"[:500]) for number in range(2 * MAX_FACTS))
    some = Fact.objects.all()[0]

    assert alice_client.get("/settings/").content.decode().count(">Delete</button>") == 2 * MAX_FACTS
    assert alice_client.post(f"/settings/facts/{some.pk}/edit/", {"text": "y" * 500}).status_code == 302
    assert alice_client.post(f"/settings/facts/{some.pk}/delete/").status_code == 302
    assert "which is the most" in alice_client.post("/settings/facts/", {"text": "One more"}).content.decode()
    assert Fact.objects.count() == 2 * MAX_FACTS - 1


@pytest.mark.parametrize("kind", FactKind.values)
def test_a_fact_has_at_most_500_characters(alice: User, alice_client: Client, kind: str) -> None:
    for length, kept in ((501, 0), (100_000, 0), (500, 1)):
        alice_client.post(f"/settings/{kind}s/", {"key": "tone", "text": "é" * length})
        assert Fact.objects.count() == kept


@pytest.mark.parametrize("title", ["x" * 201, "x" * 100_000, "é" * 201, "x " * 101 + "x"])
def test_a_title_has_at_most_200_characters(alice: User, alice_client: Client, title: str) -> None:
    conversation = conversation_of(alice)

    page = alice_client.post(f"/c/{conversation.pk}/edit/", {"title": title, "instructions": ""})

    assert "at most 200 characters" in page.content.decode()
    assert Conversation.objects.get().title == "A trip"


def test_one_long_word_makes_a_short_title(site: Site, alice_at: httpx2.Client) -> None:
    form = {**hidden(alice_at, "/"), "message": "W" * 30_000, "client_id": str(uuid4())}
    page = alice_at.get(alice_at.post("/c/", data=form).headers["location"]).text

    title = re.search(r'<h1 id="title">([^<]*)</h1>', page)
    assert title
    assert 0 < len(title[1]) <= 61


@pytest.mark.parametrize("length", [15_000, 100_000])
def test_an_address_that_is_too_long_is_refused_and_the_server_goes_on(
    site: Site, alice_at: httpx2.Client, length: int
) -> None:
    connection = http.client.HTTPConnection(site.url.removeprefix("http://"), timeout=30)
    with closing(connection), suppress(ConnectionError):  # it may hang up before all of it was sent
        connection.request("GET", f"/conversations/?q={'x' * length}")
        assert connection.getresponse().status in (302, 400, 414)

    assert alice_at.get("/runs/").status_code == 200


@pytest.mark.parametrize("piece", ["1,", '"ab",', "[" * 40 + "]" * 40 + ","], ids=["numbers", "words", "brackets"])
def test_a_very_long_result_is_shown_without_being_blown_up(piece: str) -> None:
    """Each number coloured and each bracket on a line of its own would make hundreds of megabytes of some."""
    text = f"[{piece * (120_000 // len(piece))}1]"

    assert len(trace.pretty(text)) < 8 * len(text)


# What an endpoint lists as its models


@pytest.mark.parametrize(
    ("listed", "names"),
    [
        ({"data": [{"id": "a"}, {"id": "b"}]}, ["a", "b"]),
        ({"data": []}, []),
        ({"data": None}, []),  # Ollama without a model
        ({}, []),
        ([], []),
        ("no object", []),
        (None, []),
        ({"data": "abc"}, []),
        ({"data": [{"id": None}, {"id": 7}, {"id": ""}, {"id": []}, {"id": "a"}]}, ["a"]),
        ({"data": [None, 1, "x", []]}, []),
        ({"data": [{"id": "a\x00b\ud800c"}, {"id": "b"}]}, ["b"]),  # could not be asked for by that name
        ({"data": [{"id": "m" * 201}, {"id": "b"}]}, ["b"]),  # no column holds it
    ],
)  # fmt: skip
async def test_whatever_an_endpoint_lists_is_a_list_of_names(listed: Any, names: list[str]) -> None:
    with answering() as served:
        served.models = listed
        endpoint = Endpoint(served.url, "sk-test")
        try:
            found = await endpoint.models()
        except EndpointError:
            found = []
        await endpoint.close()

    assert found == names
