"""Every address of the admin, walked from its resolver, asked by those who are no staff, or staff without rights."""

import re
from collections.abc import Iterator

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.contrib.contenttypes.models import ContentType
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from agentsite.headers import CONTENT_SECURITY_POLICY
from chat.models import Conversation, Fact, FactKind
from tests.security.asking import ask, statements, writes
from tests.security.hers import WORD, Hers, all_rows, things_of

# These say nothing of anybody, and are there to sign in and out.
DOORS = ("/admin/login/", "/admin/logout/")


def routes(resolver: URLResolver, before: str) -> Iterator[str]:
    for entry in resolver.url_patterns:
        route = before + str(entry.pattern)
        if isinstance(entry, URLPattern):
            yield route
        else:
            yield from routes(entry, route)


def admin_routes() -> list[str]:
    resolvers = [entry for entry in get_resolver().url_patterns if isinstance(entry, URLResolver)]
    [admin] = [entry for entry in resolvers if entry.namespace == "admin"]
    return list(routes(admin, str(admin.pattern)))


@pytest.fixture
def hers(alice: User) -> Hers:
    Group.objects.create(name=f"The {WORD} group")
    return things_of(alice)


@pytest.fixture
def paths(hers: Hers) -> list[str]:
    """Every address of the admin, with an object of alice's where one is named."""
    # The way to a row's public page is closed to all, which test_urls.py holds.
    return [path for route in admin_routes() for path in paths_of(route, hers) if not path.startswith("/admin/r/")]


def paths_of(route: str, hers: Hers) -> list[str]:
    kinds = {kind: ContentType.objects.get(app_label="chat", model=kind).pk for kind in ("conversation", "run")}
    path = "/" + re.sub(r"\^\(\?P<app_label>[^)]*\)/\$", "chat/", route).replace("(?P<url>.*)$", "no/such/page")
    path = path.replace("<path:content_type_id>", str(kinds["conversation"]))
    model = re.match(r"/admin/(?:auth|chat)/(\w+)/", path)
    rows = {
        "conversation": hers.conversation.pk, "run": hers.run.pk, "message": hers.run.message.pk, "fact": hers.fact.pk,
        "step": hers.run.steps.get(number=2).pk, "toolcall": hers.run.steps.get(number=3).pk,
        "user": hers.conversation.owner.pk, "group": Group.objects.get().pk, "": hers.conversation.pk,
    }  # fmt: skip
    pk = str(rows[model[1] if model and model[1] in rows else ""])
    return [path.replace("<path:object_id>", pk).replace("<id>", pk)]


def test_every_address_of_the_admin_is_walked(paths: list[str]) -> None:
    assert len(paths) > 50
    assert not [path for path in paths if re.search(r"[<>^$?(]", path)]


@pytest.mark.parametrize("person", ["client", "bob_client", "alice_client"])
def test_who_is_no_staff_is_sent_to_sign_in_and_changes_nothing(
    request: pytest.FixtureRequest, paths: list[str], person: str
) -> None:
    client: Client = request.getfixturevalue(person)
    before = all_rows()

    for path in paths:
        if path in DOORS:
            continue
        for method in ("GET", "POST"):
            response = ask(client, method, path)
            assert response.status_code == 302, (method, path)
            assert response["Location"] == f"/admin/login/?next={path}"
            assert response["Content-Security-Policy"] == CONTENT_SECURITY_POLICY
    assert all_rows() == before


def test_staff_without_rights_read_nothing_and_change_nothing(paths: list[str]) -> None:
    client = Client()
    client.force_login(User.objects.create_user("plain", is_staff=True))
    before = all_rows()

    for path in paths:
        if path == "/admin/logout/":
            continue
        for method in ("GET", "POST"):
            response = ask(client, method, path)
            assert WORD not in response.content.decode(), (method, path)
            assert response.status_code in (200, 302, 403, 404, 405), (method, path)
    assert all_rows() == before


def test_staff_who_may_only_look_change_nothing(paths: list[str]) -> None:
    reader = User.objects.create_user("reader", is_staff=True)
    reader.user_permissions.set(Permission.objects.filter(codename__startswith="view_"))
    client = Client()
    client.force_login(reader)
    before = all_rows()

    for path in paths:
        if path == "/admin/logout/":
            continue
        for method in ("GET", "POST"):
            assert ask(client, method, path).status_code in (200, 302, 403, 404, 405), (method, path)
    assert all_rows() == before


def test_in_the_admin_too_reading_is_not_writing(staff_client: Client, paths: list[str]) -> None:
    for path in paths:
        with statements() as run:
            response = ask(staff_client, "GET", path)
        assert response.status_code in (200, 302, 403, 404, 405), path
        assert not writes(run), path
        assert response["Content-Security-Policy"] == CONTENT_SECURITY_POLICY


def test_who_is_staff_no_more_is_let_in_no_more(staff: User, staff_client: Client, hers: Hers) -> None:
    page = f"/admin/chat/conversation/{hers.conversation.pk}/change/"
    assert WORD in staff_client.get(page).content.decode()

    User.objects.filter(pk=staff.pk).update(is_staff=False, is_superuser=False)

    assert staff_client.get(page).status_code == 302
    assert staff_client.post(page.replace("change", "delete"), {"post": "yes"}).status_code == 302
    assert Conversation.objects.exists()


def test_a_correction_to_what_is_known_already_is_refused_in_words(staff_client: Client, hers: Hers) -> None:
    """The owner is no field of the form, so Django itself would leave this to the database, and fail."""
    Fact.objects.create(owner=hers.fact.owner, text="Lives in Berlin")
    Fact.objects.create(owner=hers.fact.owner, kind=FactKind.PREFERENCE, key="voice", text="warm")

    for row, form, words in (
        (hers.fact, {"key": "", "text": "lives in  BERLIN"}, "This is remembered already."),
        (hers.preference, {"key": "voice", "text": "x"}, "There is a preference of this name already."),
    ):
        answer = staff_client.post(f"/admin/chat/fact/{row.pk}/change/", form)
        assert answer.status_code == 200
        assert words in answer.content.decode()
        assert Fact.objects.filter(pk=row.pk, text=row.text, key=row.key).exists()


@pytest.mark.parametrize("field", ["run__conversation__owner__password__startswith", "owner__password__startswith"])
@pytest.mark.parametrize("model", ["conversation", "run", "step", "message", "fact", "toolcall"])
def test_a_filter_that_nobody_offered_does_not_ask_for_passwords(
    staff_client: Client, hers: Hers, model: str, field: str
) -> None:
    """Else the answers to a filter would tell a password's hash, letter by letter."""
    answer = staff_client.get(f"/admin/chat/{model}/", {field: "m"})

    assert answer.status_code in (302, 400), answer.content.decode()[-500:]
    assert WORD not in answer.content.decode()
