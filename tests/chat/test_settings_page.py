"""The settings page: facts, preferences and the appearance, with htmx, with plain forms, and for strangers."""

import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.http import HttpResponse
from django.test import Client

from chat.facts import MAX_FACTS
from chat.models import Fact, FactKind
from tests.chat.made import conversation_of, message_in

HTMX = {"HX-Request": "true", "HX-Current-URL": "http://testserver/settings/"}
HOSTILE = "<script>alert(1)</script><b hx-get=/x onclick=x>\"'&"


def fact_of(owner: User, text: str = "Lives in Berlin", **values: Any) -> Fact:
    return Fact.objects.create(owner=owner, text=text, **values)


def preference_of(owner: User, key: str = "tone", text: str = "plain") -> Fact:
    return fact_of(owner, text, kind=FactKind.PREFERENCE, key=key)


def body(response: Any) -> str:
    assert isinstance(response, HttpResponse)
    return response.content.decode()


# What stands there


def test_the_page_lists_what_is_remembered_and_where_it_came_from(alice: User, alice_client: Client) -> None:
    conversation = conversation_of(alice, "A trip")
    message = message_in(conversation)
    fact_of(alice, message=message)
    preference_of(alice)

    page = body(alice_client.get("/settings/"))

    assert 'aria-label="Facts"' in page
    assert 'aria-label="Preferences"' in page
    assert "Lives in Berlin" in page
    place = f"/c/{conversation.pk}/?message={message.pk}#m-{message.pk}"
    assert re.search(rf'Said\s+<time[^>]+>[^<]+</time>\s+in <a href="{re.escape(place)}"><bdi>A trip</bdi></a>', page)
    assert "<code>tone</code>" in page
    assert re.search(r"Added\s+<time", page)
    assert page.count(">Edit</button>") == page.count(">Delete</button>") == 2
    assert ">Add fact</button>" in page
    assert ">Add preference</button>" in page


def test_an_empty_list_says_how_to_fill_it(alice_client: Client) -> None:
    page = body(alice_client.get("/settings/"))

    assert "No facts yet" in page
    assert "No preferences yet" in page


def test_hostile_text_is_shown_as_text(alice: User, alice_client: Client) -> None:
    fact = fact_of(alice, HOSTILE, message=message_in(conversation_of(alice, HOSTILE)))
    preference_of(alice, text=HOSTILE)

    for page in (
        body(alice_client.get("/settings/")),
        body(alice_client.get(f"/settings/facts/{fact.pk}/edit/")),
        body(alice_client.post("/settings/facts/", {"text": HOSTILE * 30})),
    ):
        assert "<script>alert" not in page
        assert "<b hx-get" not in page
        assert "&lt;script&gt;" in page


def test_nothing_on_the_page_asks_for_inline_code(alice: User, alice_client: Client) -> None:
    fact = fact_of(alice)

    for path in ("/settings/", f"/settings/facts/{fact.pk}/edit/"):
        page = body(alice_client.get(path))
        assert not re.search(r"\s(style|on\w+|hx-on[\w:-]*)=", page)
        assert not re.search(r"<script(?![^>]*src=)", page)


def test_what_belongs_to_others_is_not_listed(alice: User, bob: User, bob_client: Client) -> None:
    fact_of(alice)

    assert "Lives in Berlin" not in body(bob_client.get("/settings/"))


def test_a_long_list_takes_no_more_queries_than_a_short_one(
    alice: User, alice_client: Client, django_assert_max_num_queries: Any
) -> None:
    message = message_in(conversation_of(alice))
    for number in range(30):
        fact_of(alice, f"Fact {number}", message=message)

    with django_assert_max_num_queries(8):
        alice_client.get("/settings/")


# Adding, changing, deleting


def test_a_fact_is_added_by_a_plain_form(alice: User, alice_client: Client) -> None:
    response = alice_client.post("/settings/facts/", {"text": "  Lives \n in Berlin "}, follow=True)

    fact = Fact.objects.get()
    assert (fact.owner, fact.kind, fact.text, fact.message, fact.version) == (alice, "fact", "Lives in Berlin", None, 1)
    assert response.redirect_chain == [("/settings/#facts", 302)]
    assert "Lives in Berlin" in body(response)


def test_htmx_gets_only_the_list_that_changed(alice: User, alice_client: Client) -> None:
    page = body(alice_client.post("/settings/facts/", {"text": "Lives in Berlin"}, headers=HTMX))

    assert page.lstrip().startswith("<section")
    assert 'id="facts"' in page
    assert "Lives in Berlin" in page
    assert "Preferences" not in page
    assert '<div hx-swap-oob="innerHTML:#announce">Fact added</div>' in page


def test_a_preference_is_added_under_a_plain_key(alice: User, alice_client: Client) -> None:
    alice_client.post("/settings/preferences/", {"key": "Temperature Units", "text": "Fahrenheit"})

    kept = Fact.objects.get()
    assert (kept.kind, kept.key, kept.text) == ("preference", "temperature_units", "fahrenheit")


@pytest.mark.parametrize(
    ("path", "fields", "said"),
    [
        ("facts", {"text": ""}, "This field is required."),
        ("facts", {"text": " \n "}, "This field is required."),
        ("facts", {}, "This field is required."),
        ("facts", {"text": "x" * 501}, "at most 500 characters"),
        ("facts", {"text": "a\x00b"}, "Null characters are not allowed."),
        ("facts", {"text": "lives in BERLIN"}, "This is remembered already."),
        ("preferences", {"key": "", "text": "plain"}, "This field is required."),
        ("preferences", {"key": "!?", "text": "plain"}, "Use the letters a to z"),
        ("preferences", {"key": "k" * 61, "text": "plain"}, "at most 60 characters"),
        ("preferences", {"key": "Tone", "text": "warm"}, "There is a preference of this name already."),
        ("preferences", {"key": "temperature_units", "text": "kelvin"}, "must be celsius or fahrenheit"),
    ],
)
@pytest.mark.parametrize("headers", [{}, HTMX])
def test_what_is_wrong_is_said_in_its_place_and_nothing_is_stored(
    alice: User, alice_client: Client, path: str, fields: dict[str, str], said: str, headers: dict[str, str]
) -> None:
    fact_of(alice)
    preference_of(alice)

    page = body(alice_client.post(f"/settings/{path}/", fields, headers=headers))

    assert said in page
    assert 'aria-invalid="true"' in page
    assert Fact.objects.count() == 2


def test_no_more_than_the_most_can_be_added(alice: User, alice_client: Client) -> None:
    Fact.objects.bulk_create(Fact(owner=alice, text=f"Fact {number}") for number in range(MAX_FACTS))

    page = body(alice_client.post("/settings/facts/", {"text": "One more"}))

    assert "which is the most" in page
    assert Fact.objects.count() == MAX_FACTS


def test_an_entry_becomes_a_form_and_back(alice: User, alice_client: Client) -> None:
    fact = fact_of(alice)

    form = body(alice_client.get(f"/settings/facts/{fact.pk}/edit/", headers=HTMX))
    shown = body(alice_client.get(f"/settings/facts/{fact.pk}/", headers=HTMX))

    assert 'value="Lives in Berlin"' in form
    assert ">Save</button>" in form
    assert ">Cancel</a>" in form
    assert ">Save</button>" not in shown
    assert "Lives in Berlin" in shown


def test_a_change_makes_a_new_version_that_no_message_said(alice: User, alice_client: Client) -> None:
    fact = fact_of(alice, message=message_in(conversation_of(alice)))
    before = fact.updated

    response = alice_client.post(f"/settings/facts/{fact.pk}/edit/", {"text": "Lives in Paris"}, follow=True)

    fact.refresh_from_db()
    assert (fact.text, fact.version, fact.message, fact.owner) == ("Lives in Paris", 2, None, alice)
    assert fact.updated > before
    assert "Changed" in body(response)


def test_saving_without_a_change_changes_nothing(alice: User, alice_client: Client) -> None:
    fact = fact_of(alice, message=message_in(conversation_of(alice)))

    alice_client.post(f"/settings/facts/{fact.pk}/edit/", {"text": " Lives in  Berlin"})

    fact.refresh_from_db()
    assert fact.version == 1
    assert fact.message


def test_a_preference_may_be_changed_and_renamed(alice: User, alice_client: Client) -> None:
    kept = preference_of(alice)

    alice_client.post(f"/settings/facts/{kept.pk}/edit/", {"key": "voice", "text": "warm"})

    kept.refresh_from_db()
    assert (kept.key, kept.text, kept.version) == ("voice", "warm", 2)


def test_a_wrong_change_is_said_at_the_entry(alice: User, alice_client: Client) -> None:
    fact = fact_of(alice)
    fact_of(alice, "Has a cat")

    page = body(alice_client.post(f"/settings/facts/{fact.pk}/edit/", {"text": "has a CAT"}))

    fact.refresh_from_db()
    assert "This is remembered already." in page
    assert fact.text == "Lives in Berlin"


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_an_entry_is_deleted(alice: User, alice_client: Client, headers: dict[str, str]) -> None:
    fact = fact_of(alice)

    page = body(alice_client.post(f"/settings/facts/{fact.pk}/delete/", headers=headers, follow=True))

    assert not Fact.objects.exists()
    assert "No facts yet" in page


def test_what_is_not_asked_for_in_the_form_is_ignored(alice: User, bob: User, alice_client: Client) -> None:
    other = fact_of(bob, "Lives in Paris")
    forged = {
        "text": "Lives in Rome",
        "owner": bob.pk,
        "id": other.pk,
        "pk": other.pk,
        "kind": "preference",
        "version": 9,
    }

    alice_client.post("/settings/facts/", forged)

    other.refresh_from_db()
    made = Fact.objects.exclude(pk=other.pk).get()
    assert (made.owner, made.kind, made.version) == (alice, "fact", 1)
    assert other.text == "Lives in Paris"


# Appearance


def test_the_appearance_is_kept_in_a_cookie(alice_client: Client) -> None:
    page = body(alice_client.post("/settings/appearance/", {"theme": "dark"}, follow=True))

    cookie = alice_client.cookies["theme"]
    assert cookie.value == "dark"
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"
    assert 'data-theme="dark"' in page
    assert re.search(r'value="dark" aria-pressed="true"', page)


def test_as_the_system_takes_the_cookie_away(alice_client: Client) -> None:
    alice_client.post("/settings/appearance/", {"theme": "dark"})
    page = body(alice_client.post("/settings/appearance/", {"theme": "system"}, follow=True))

    assert not alice_client.cookies["theme"].value
    assert "data-theme" not in page


@pytest.mark.parametrize("wrong", ["", "neon", '"><script>'])
def test_an_unknown_appearance_changes_nothing(alice_client: Client, wrong: str) -> None:
    alice_client.post("/settings/appearance/", {"theme": wrong})

    assert "theme" not in alice_client.cookies


# Who may


@pytest.mark.parametrize(
    ("method", "path"),
    [("get", ""), ("get", "edit/"), ("post", "edit/"), ("post", "delete/")],
)
@pytest.mark.parametrize("headers", [{}, HTMX])
def test_a_stranger_gets_the_same_404_as_for_a_random_id(
    alice: User, bob_client: Client, staff_client: Client, method: str, path: str, headers: dict[str, str]
) -> None:
    fact = fact_of(alice)

    for client in (bob_client, staff_client):
        theirs = getattr(client, method)(f"/settings/facts/{fact.pk}/{path}", {"text": "Mine"}, headers=headers)
        random = getattr(client, method)(f"/settings/facts/{fact.pk + 999}/{path}", {"text": "Mine"}, headers=headers)
        assert theirs.status_code == random.status_code == 404
        assert _without_tokens(body(theirs)) == _without_tokens(body(random))

    fact.refresh_from_db()
    assert (fact.text, fact.version) == ("Lives in Berlin", 1)


PAGES = [
    ("get", "/settings/"),
    ("post", "/settings/facts/"),
    ("post", "/settings/preferences/"),
    ("get", "/settings/facts/1/"),
    ("get", "/settings/facts/1/edit/"),
    ("post", "/settings/facts/1/edit/"),
    ("post", "/settings/facts/1/delete/"),
    ("post", "/settings/appearance/"),
]


@pytest.mark.parametrize(("method", "path"), PAGES)
def test_nobody_is_sent_to_sign_in(client: Client, db: None, method: str, path: str) -> None:
    response = getattr(client, method)(path)

    assert response.status_code == 302
    assert response["Location"] == f"/accounts/login/?next={path}"


@pytest.mark.parametrize(("method", "path"), PAGES)
def test_htmx_leaves_the_page_when_the_session_is_over(client: Client, db: None, method: str, path: str) -> None:
    response = getattr(client, method)(path, {"text": "x"}, headers=HTMX)

    assert response["HX-Redirect"] == "/accounts/login/?next=/settings/"
    assert not response.content


@pytest.mark.parametrize("path", ["/settings/facts/1/delete/", "/settings/appearance/"])
def test_what_changes_something_is_not_done_by_a_link(alice_client: Client, path: str) -> None:
    assert alice_client.get(path).status_code == 405


@pytest.mark.parametrize("path", ["/settings/facts/", "/settings/preferences/"])
def test_the_address_of_a_failed_form_leads_back_to_the_page(alice_client: Client, path: str) -> None:
    assert alice_client.get(path)["Location"] == "/settings/"


@pytest.mark.parametrize(("method", "path"), [page for page in PAGES if page[0] == "post"])
def test_forms_without_their_token_are_refused(alice: User, method: str, path: str) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(alice)

    assert strict.post(path, {"text": "x"}, headers=HTMX).status_code == 403


def test_every_form_that_posts_carries_a_token(alice: User, alice_client: Client) -> None:
    fact = fact_of(alice)

    for page in (
        body(alice_client.get("/settings/")),
        body(alice_client.get(f"/settings/facts/{fact.pk}/edit/", headers=HTMX)),
    ):
        for form in re.findall(r'<form[^>]*method="post".*?</form>', page, re.DOTALL):
            assert "csrfmiddlewaretoken" in form


def _without_tokens(page: str) -> str:
    return re.sub(r'name="csrfmiddlewaretoken" value="[^"]+"', "", page)
