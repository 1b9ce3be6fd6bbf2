"""Every address of the site, asked by its owner, by a stranger, by staff and by nobody.

An address that is new makes a test here fail until it is entered: each pattern of the project has its line.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import product
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from agentsite.headers import CONTENT_SECURITY_POLICY
from chat.models import Fact
from chat.routing import websocket_urlpatterns
from tests.security.asking import METHODS, Answer, answer, ask, statements, writes
from tests.security.hers import WORD, Hers, all_rows, things_of

RANDOM_NUMBER = 999_999_999


@dataclass(frozen=True)
class Door:
    """An address, and what it takes. `id` is the object it names; `public` is what nobody needs to sign in for."""

    allows: str = "GET"
    id: Callable[[Hers], object] | None = None
    public: bool = False


def of_conversation(hers: Hers) -> object:
    return hers.conversation.pk


def of_run(hers: Hers) -> object:
    return hers.run.pk


def of_fact(hers: Hers) -> object:
    return hers.fact.pk


DOORS = {
    "": Door(),
    "c/": Door("GET POST"),
    "c/<uuid:pk>/": Door("GET POST", of_conversation),
    "c/<uuid:pk>/messages/": Door("GET", of_conversation),
    "c/<uuid:pk>/frames/": Door("GET", of_conversation),
    "c/<uuid:pk>/edit/": Door("GET POST", of_conversation),
    "c/<uuid:pk>/delete/": Door("GET POST", of_conversation),
    "conversations/": Door(),
    "runs/": Door(),
    "runs/<uuid:pk>/": Door("GET", of_run),
    "runs/<uuid:pk>/steps/": Door("GET", of_run),
    "runs/<uuid:pk>/steps/<int:number>/<slug:field>/": Door("GET", of_run),
    "settings/": Door(),
    "settings/facts/": Door("GET POST"),
    "settings/preferences/": Door("GET POST"),
    "settings/facts/<int:pk>/": Door("GET", of_fact),
    "settings/facts/<int:pk>/edit/": Door("GET POST", of_fact),
    "settings/facts/<int:pk>/delete/": Door("POST", of_fact),
    "settings/appearance/": Door("POST"),
    "accounts/password/": Door("GET POST"),
    "accounts/password/done/": Door(),
    "accounts/login/": Door("GET POST", public=True),
    "accounts/logout/": Door("POST", public=True),
    "healthz": Door(public=True),
    "metrics": Door(public=True),  # a page for staff; to all others there is none
    "^admin/r/": Door(public=True),
    "welcome/<str:token>/": Door("GET POST", public=True),
}
OBJECTS = [route for route, door in DOORS.items() if door.id]
PRIVATE = [route for route, door in DOORS.items() if not door.public]


def routes(resolver: URLResolver | None = None, before: str = "") -> Iterator[str]:
    """Every pattern of the project but the admin's, which have a test of their own."""
    for entry in (resolver or get_resolver()).url_patterns:
        route = before + str(entry.pattern)
        if isinstance(entry, URLPattern):
            yield route
        elif entry.namespace != "admin":
            yield from routes(entry, route)


def addresses(route: str, pk: object) -> list[str]:
    """The addresses of an object under a pattern; a step has one for each of its fields."""
    path = "/" + re.sub(r"<(uuid|int):pk>", str(pk), route.lstrip("^")).replace("<str:token>", "x")
    if "<int:number>" not in path:
        return [path]
    fields = {2: ("request", "response"), 3: ("result",), 1: ("result",), RANDOM_NUMBER: ("result",)}
    return [
        path.replace("<int:number>", str(number)).replace("<slug:field>", field)
        for number, names in fields.items()
        for field in names
    ]


def of_all(hers: Hers, routes: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Each address of what is hers, and the same with an id that nothing has."""
    for route in routes:
        of = DOORS[route].id
        pk = of(hers) if of else ""
        random: object = RANDOM_NUMBER if isinstance(pk, int) else uuid4()
        yield from zip(addresses(route, pk), addresses(route, random), strict=True)


@pytest.fixture
def plain_staff_client(db: None) -> Client:
    """Staff to whom no right was given yet."""
    client = Client()
    client.force_login(User.objects.create_user("plain", is_staff=True))
    return client


def test_every_address_of_the_project_has_its_line_here() -> None:
    assert set(routes()) == set(DOORS)


def test_every_address_of_a_socket_is_known() -> None:
    assert [str(entry.pattern) for entry in websocket_urlpatterns] == ["ws/conversations/<uuid:id>/"]


@pytest.mark.parametrize("person", ["bob_client", "staff_client", "plain_staff_client"])
def test_anothers_object_answers_as_one_that_is_not_there_and_nothing_changes(
    request: pytest.FixtureRequest, hers: Hers, person: str
) -> None:
    client: Client = request.getfixturevalue(person)
    before = all_rows()

    for theirs, nothing in of_all(hers, OBJECTS):
        for method, htmx in [*product(METHODS, [False]), ("GET", True), ("POST", True)]:
            with statements() as run:
                one, two = (answer(ask(client, method, path, htmx)) for path in (theirs, nothing))
            assert one == two, (method, theirs)
            assert one.status in (404, 405), (method, theirs)
            assert WORD not in one.body
            assert not writes(run), (method, theirs)
    assert all_rows() == before


def test_nobody_is_sent_to_sign_in_whatever_they_ask_and_nothing_changes(client: Client, hers: Hers) -> None:
    before = all_rows()

    for theirs, nothing in of_all(hers, PRIVATE):
        for method in METHODS:
            response = ask(client, method, theirs)
            address = urlsplit(response["Location"])
            assert response.status_code == 302, (method, theirs)
            assert (address.netloc, address.path) == ("", "/accounts/login/")
            assert parse_qs(address.query) == {"next": [theirs]}
            assert answer(response) == answer(ask(client, method, nothing))

            if not theirs.startswith("/accounts/"):  # Django's own, of which htmx asks for no part
                partly = ask(client, method, theirs, htmx=True)
                assert (partly.content, partly["HX-Redirect"]) == (b"", "/accounts/login/?next=/")
    assert all_rows() == before


def test_reading_is_not_writing(alice_client: Client, hers: Hers) -> None:
    before = all_rows()

    for path, _ in of_all(hers, DOORS):
        for method, htmx in (("GET", False), ("GET", True), ("HEAD", False), ("OPTIONS", False)):
            with statements() as run:
                response = ask(alice_client, method, path, htmx)
            assert not writes(run), (method, path)
            assert response.status_code < 500
    assert all_rows() == before


def test_what_only_reads_takes_no_form_and_what_only_writes_is_no_link(alice_client: Client, hers: Hers) -> None:
    refused = {"GET": ("POST", "PUT", "PATCH", "DELETE"), "POST": ("GET", "HEAD", "PATCH")}

    for route, door in DOORS.items():
        for path, _ in of_all(hers, [route]):
            for method in refused.get(door.allows, ()):
                assert ask(alice_client, method, path).status_code in (404, 405), (method, path)


@pytest.mark.parametrize("person", ["client", "bob_client", "staff_client"])
def test_no_list_of_anothers_holds_a_word_of_hers(request: pytest.FixtureRequest, hers: Hers, person: str) -> None:
    client: Client = request.getfixturevalue(person)

    for path, _ in of_all(hers, [route for route in DOORS if route not in OBJECTS]):
        for htmx in (False, True):
            assert WORD not in ask(client, "GET", path, htmx).content.decode(), path


def test_the_owner_is_answered(alice_client: Client, hers: Hers) -> None:
    for route in OBJECTS:
        if "GET" in DOORS[route].allows:
            found = [ask(alice_client, "GET", path, htmx=True) for path, _ in of_all(hers, [route])]
            assert found[0].status_code == 200, route
            assert any(WORD in response.content.decode() for response in found), route


def test_every_answer_has_the_same_policy(client: Client, alice_client: Client, hers: Hers) -> None:
    for person in (client, alice_client):
        for pair in of_all(hers, DOORS):
            for path, method in product(pair, ("GET", "PUT", "OPTIONS")):
                assert ask(person, method, path)["Content-Security-Policy"] == CONTENT_SECURITY_POLICY, path


def test_another_users_step_is_not_reached_through_a_run_of_ones_own(bob: User, bob_client: Client, hers: Hers) -> None:
    """The numbers of steps are per run, so bob's has none of hers."""
    mine = things_of(bob, word="nougat")
    mine.run.steps.filter(number=3).delete()

    def result(number: int) -> Answer:
        return answer(bob_client.get(f"/runs/{mine.run.pk}/steps/{number}/result/"))

    assert result(hers.tool_step).status == 404
    assert result(hers.tool_step) == result(RANDOM_NUMBER)


@pytest.mark.parametrize("before", ["", "?before={}", "?before=99999999999"])
def test_a_message_of_another_conversation_opens_nothing_of_it(
    bob: User, bob_client: Client, hers: Hers, before: str
) -> None:
    mine = things_of(bob, word="nougat")
    path = f"/c/{mine.conversation.pk}/messages/{before.format(hers.run.answer.pk + 1)}"

    response = bob_client.get(path)

    assert response.status_code == 200
    assert WORD not in response.content.decode()


def test_a_fact_keeps_its_owner_and_kind_whatever_a_form_says(alice: User, alice_client: Client, hers: Hers) -> None:
    kept = Fact.objects.filter(pk=hers.fact.pk).values("owner", "kind", "key", "created").get()

    assert ask(alice_client, "POST", f"/settings/facts/{hers.fact.pk}/edit/").status_code == 302

    changed = Fact.objects.get(pk=hers.fact.pk)
    assert (changed.text, changed.version) == ("Mine now", 2)
    assert Fact.objects.filter(pk=hers.fact.pk).values("owner", "kind", "key", "created").get() == kept
    assert Fact.objects.count() == 2
