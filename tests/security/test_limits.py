"""What is too long or too many is refused in words, or cut."""

import http.client
import re
from contextlib import closing, suppress
from uuid import uuid4

import httpx2
import pytest
from django.contrib.auth.models import User
from django.test import Client

from chat.facts import MAX_FACTS
from chat.forms import FactForm, PreferenceForm
from chat.frames import LONGEST_MESSAGE
from chat.models import Conversation, Fact, FactKind
from chat.pretty import pretty
from tests.chat.made import conversation_of
from tests.security.hers import Hers
from tests.serving import Site, hidden
from tests.sockets import opened


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


def test_very_many_facts_of_full_length_are_shown_and_can_be_deleted(alice: User, alice_client: Client) -> None:
    """More than may be added: limits change."""
    Fact.objects.bulk_create(Fact(owner=alice, text=f"{number} {'x' * 490}"[:500]) for number in range(2 * MAX_FACTS))
    some = Fact.objects.all()[0]

    assert alice_client.get("/settings/").content.decode().count(">Delete</button>") == 2 * MAX_FACTS
    assert alice_client.post(f"/settings/facts/{some.pk}/edit/", {"text": "y" * 500}).status_code == 302
    assert alice_client.post(f"/settings/facts/{some.pk}/delete/").status_code == 302
    assert "which is the most" in alice_client.post("/settings/facts/", {"text": "One more"}).content.decode()
    assert Fact.objects.count() == 2 * MAX_FACTS - 1


@pytest.mark.parametrize("form", [FactForm, PreferenceForm])
def test_of_two_that_come_at_once_only_one_takes_the_last_place(alice: User, form: type[FactForm]) -> None:
    Fact.objects.bulk_create(
        Fact(owner=alice, kind=form.kind, key=f"key_{number}", text=f"{number}") for number in range(MAX_FACTS - 1)
    )
    tabs = [form(alice, {"key": f"tab_{number}", "text": f"Tab {number}"}) for number in range(2)]
    assert all(tab.is_valid() for tab in tabs)  # both have seen that there is a place

    assert [tab.write() for tab in tabs] == [True, False]
    assert "which is the most" in str(tabs[1].errors)
    assert Fact.objects.count() == MAX_FACTS


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

    title = re.search(r'<h1 id="title" dir="auto">([^<]*)</h1>', page)
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


@pytest.mark.parametrize("length", [3_000, 90_000, 120_000])
@pytest.mark.parametrize("piece", ["1,", '"ab",', "[" * 40 + "]" * 40 + ","], ids=["numbers", "words", "brackets"])
def test_a_very_long_result_is_shown_without_being_blown_up(piece: str, length: int) -> None:
    """Each number coloured and each bracket on a line of its own would make hundreds of megabytes of some."""
    text = f"[{piece * (length // len(piece))}1]"

    assert len(pretty(text)) < 20 * len(text)
