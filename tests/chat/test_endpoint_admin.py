"""Endpoints in the admin: who may come in, what is saved, what a test finds, and that a key never comes out again."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.test import Client, override_settings

from chat.models import Endpoint, EndpointModel
from chat.wire.refusals import REFUSALS
from tests.chat.made import NOW
from tests.chat.stored import Answers, scripts, stored
from tests.scripted import Body, asks, call, says

ONE, TWO = "http://one.invalid/v1", "http://two.invalid/v1"
LIST, ADD = "/admin/chat/endpoint/", "/admin/chat/endpoint/add/"
KEY = "sk-canary-of-the-admin"
COUNTED = says("1 ", "2 ", "3", usage={"prompt_tokens": 9, "completion_tokens": 19})
ONE_CALL = asks(call("add", {"a": 2, "b": 3}))
TWO_CALLS = asks(call("add", {"a": 2, "b": 3}, index=0), call("add", {"a": 4, "b": 5}, index=1))
REFUSED = Body(
    [json.dumps({"error": {"message": f"Bad key {KEY}"}}).encode()], 401, {"content-type": "application/json"}
)


@pytest.fixture
def answers() -> Iterator[Answers]:
    with scripts() as answers:
        yield answers


def page_of(endpoint: Endpoint) -> str:
    return f"{LIST}{endpoint.pk}/change/"


def form(*models: EndpointModel | str, **fields: str) -> dict[str, str]:
    """What the page's form sends: the fields, then a line for each model."""
    sent = {
        "name": "One", "base_url": ONE, "enabled": "on", "key": "", "requests_per_minute": "", "max_concurrent": "",
        "models-TOTAL_FORMS": str(len(models)), "models-INITIAL_FORMS": "0",
    }  # fmt: skip
    for at, model in enumerate(models):
        row = model if isinstance(model, EndpointModel) else EndpointModel(name=model, position=at)
        sent |= {f"models-{at}-name": row.name, f"models-{at}-position": str(row.position)}
        sent |= {f"models-{at}-{mark}": "on" for mark in ("offered", "small", "fallback") if getattr(row, mark)}
        if row.pk:
            sent |= {f"models-{at}-id": str(row.pk), f"models-{at}-endpoint": str(row.endpoint_id)}
            sent["models-INITIAL_FORMS"] = str(at + 1)
    return sent | fields


def post(client: Client, path: str, sent: dict[str, str]) -> str:
    """The page that saving leads to."""
    response = client.post(path, sent, follow=True)
    assert response.status_code == 200
    page = response.content.decode()
    assert "errornote" not in page, page
    return page


# Who may come in


def test_nobody_and_a_user_are_sent_to_sign_in_and_change_nothing(client: Client, alice_client: Client) -> None:
    one = stored("One", ONE, KEY, "a")
    for visitor in (client, alice_client):
        for path in (LIST, ADD, page_of(one)):
            for response in (visitor.get(path), visitor.post(path, form(name="Mine", key="sk-mine") | {"_test": "1"})):
                assert response.status_code == 302
                assert response["Location"].startswith("/admin/login/")

    assert list(Endpoint.objects.values_list("name", flat=True)) == ["One"]


def test_staff_without_the_permission_are_refused(alice: User, alice_client: Client) -> None:
    alice.is_staff = True
    alice.save()
    one = stored("One", ONE, KEY, "a")

    for path in (LIST, ADD, page_of(one)):
        assert alice_client.get(path).status_code == 403
        assert alice_client.post(path, form(name="Mine")).status_code == 403


def test_staff_who_may_only_look_see_no_key_and_can_test_nothing(alice: User, alice_client: Client) -> None:
    alice.is_staff = True
    alice.save()
    alice.user_permissions.add(Permission.objects.get(codename="view_endpoint"))
    one = stored("One", ONE, KEY, "a")

    page = alice_client.get(page_of(one)).content.decode()

    assert ">set<" in page
    assert KEY not in page
    assert 'name="key"' not in page
    assert "Test endpoint" not in alice_client.get(LIST).content.decode()
    assert alice_client.post(page_of(one), form(name="Mine") | {"_test": "1"}).status_code == 403
    alice_client.post(LIST, {"action": "test_endpoints", "_selected_action": str(one.pk)})
    one.refresh_from_db()
    assert (one.name, one.tested) == ("One", None)


# What is saved


def test_an_endpoint_is_added_with_its_key_and_models(staff_client: Client) -> None:
    post(staff_client, ADD, form("big", "mini", key=KEY, base_url=f"{ONE}/", requests_per_minute="30"))

    one = Endpoint.objects.get()
    assert (one.name, one.base_url, one.requests_per_minute, one.max_concurrent) == ("One", ONE, 30, None)
    assert one.unsealed_key() == KEY
    assert [model.name for model in one.models.all()] == ["big", "mini"]


def test_a_key_stays_where_none_is_typed(staff_client: Client) -> None:
    one = stored("One", ONE, KEY)

    post(staff_client, page_of(one), form(name="Another", base_url=f"{ONE}/"))

    one.refresh_from_db()
    assert (one.name, one.unsealed_key()) == ("Another", KEY)


def test_with_another_base_url_the_key_is_dropped_and_that_is_said(staff_client: Client) -> None:
    one = stored("One", ONE, KEY, abilities={"tools": True}, test_result={"problems": ["It is slow."]})

    page = post(staff_client, page_of(one), form(base_url=TWO))

    one.refresh_from_db()
    assert (one.base_url, one.sealed_key, one.abilities, one.test_result) == (TWO, "", {}, {})
    assert "The key was dropped" in page


def test_with_another_base_url_and_its_key_that_one_is_kept(staff_client: Client) -> None:
    one = stored("One", ONE, KEY)

    page = post(staff_client, page_of(one), form(base_url=TWO, key="sk-of-two"))

    one.refresh_from_db()
    assert one.unsealed_key() == "sk-of-two"
    assert "The key was dropped" not in page


def test_a_key_can_be_forgotten(staff_client: Client) -> None:
    one = stored("One", ONE, KEY)

    both = staff_client.post(page_of(one), form(forget_key="on", key="sk-other")).content.decode()
    assert "A key is typed above." in both
    post(staff_client, page_of(one), form(forget_key="on"))

    one.refresh_from_db()
    assert one.sealed_key == ""


def test_a_mark_moves_to_the_model_that_it_is_given_to(staff_client: Client) -> None:
    stored("Two", TWO, "", "c")
    EndpointModel.objects.update(small=True)
    one = stored("One", ONE, "", "a", "b")
    first, second = one.models.all()
    first.fallback = True
    first.save()
    second.small = second.fallback = True

    post(staff_client, page_of(one), form(second, first))

    assert set(EndpointModel.objects.values_list("name", "small", "fallback")) == {
        ("a", False, False),
        ("b", True, True),
        ("c", False, False),
    }


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"base_url": "ftp://one.invalid"}, "Give an http:// or https:// address"),
        ({"base_url": "http://user:word@one.invalid/v1"}, "Give an http:// or https:// address"),
        ({"base_url": "http://one.invalid/v1?key=x"}, "Give an http:// or https:// address"),
        ({"base_url": "http://one.invalid/v1#x"}, "Give an http:// or https:// address"),
        ({"base_url": "one.invalid"}, "Give an http:// or https:// address"),
        ({"base_url": "http://one.invalid:99999/v1"}, "Give an http:// or https:// address"),
        ({"key": f"{KEY}é"}, "one line of plain ASCII characters"),
        ({"key": f"{KEY}\tx"}, "one line of plain ASCII characters"),
        ({"requests_per_minute": "0"}, "greater than or equal to 1"),
        ({"name": "Two"}, "already exists"),
    ],
)
def test_nonsense_is_refused_without_showing_the_key(staff_client: Client, fields: dict[str, str], words: str) -> None:
    stored("Two", TWO)

    page = staff_client.post(ADD, form("a", **{"key": KEY, **fields})).content.decode()

    assert words in page
    assert KEY not in page
    assert Endpoint.objects.count() == 1


def test_a_model_belongs_to_one_endpoint(staff_client: Client) -> None:
    stored("Two", TWO, "", "a")

    page = staff_client.post(ADD, form("a")).content.decode()

    assert "already exists" in page
    assert EndpointModel.objects.count() == 1


# The test


@pytest.mark.django_db(transaction=True)
def test_saving_and_testing_keeps_what_is_found(staff_client: Client, answers: Answers) -> None:
    script = answers(ONE, COUNTED, ONE_CALL, TWO_CALLS)

    page = post(staff_client, ADD, form("big", key=KEY) | {"_test": "1"})

    one = Endpoint.objects.get()
    assert one.tested
    assert one.test_result == {"models": {"scripted": None}, "problems": []}
    assert one.abilities["parallel_tools:big"] is True
    assert "One: all of it works." in page
    assert "Calls several tools at once (big)</th><td>yes" in page
    assert {request["model"] for request in script.requests} == {"big"}
    assert {headers["authorization"] for headers in script.headers} == {f"Bearer {KEY}"}
    assert "works" in staff_client.get(LIST).content.decode()


@pytest.mark.django_db(transaction=True)
def test_several_are_tested_by_an_action_and_each_says_what_failed(staff_client: Client, answers: Answers) -> None:
    answers(ONE, COUNTED, ONE_CALL, TWO_CALLS)
    answers(TWO, REFUSED, REFUSED)
    one, two = stored("One", ONE, "sk-of-one", "a"), stored("Two", TWO, KEY, "b")

    page = post(staff_client, LIST, {"action": "test_endpoints", "_selected_action": [one.pk, two.pk]})  # type: ignore[dict-item]

    assert "One: all of it works." in page
    assert "Two: two.invalid refused the key (401)" in page
    assert "1 problem" in page
    for shown in (page, staff_client.get(page_of(two)).content.decode()):
        assert "refused the key (401)" in shown or "1 problem" in shown
        assert KEY not in shown


@pytest.mark.django_db(transaction=True)
def test_a_key_that_cannot_be_read_is_said_and_nothing_is_asked(staff_client: Client, answers: Answers) -> None:
    script = answers(ONE)
    one = stored("One", ONE, KEY, "a")

    with override_settings(SECRET_KEY="quite another secret key, as after a move to a new machine"):
        staff_client.force_login(User.objects.get())
        page = post(staff_client, LIST, {"action": "test_endpoints", "_selected_action": str(one.pk)})

        assert "The key was saved under another SECRET_KEY. Type it again." in page
        assert "lost: it was saved under another SECRET_KEY" in page
    assert script.headers == []


@pytest.mark.django_db(transaction=True)
def test_a_context_size_that_is_listed_goes_to_a_model_without_one(staff_client: Client, answers: Answers) -> None:
    answers(ONE, COUNTED, ONE_CALL, TWO_CALLS).listed = [
        {"id": "a", "max_model_len": 8192},
        {"id": "b", "max_model_len": 8192},
    ]
    one = stored("One", ONE, "", "a", "b")
    EndpointModel.objects.filter(name="b").update(context_tokens=4096)

    post(staff_client, LIST, {"action": "test_endpoints", "_selected_action": str(one.pk)})

    assert dict(EndpointModel.objects.values_list("name", "context_tokens")) == {"a": 8192, "b": 4096}
    assert "a (8,192 tokens)" in staff_client.get(page_of(one)).content.decode()


@pytest.mark.django_db(transaction=True)
def test_a_test_forgets_what_was_refused_before_unless_nobody_answers(staff_client: Client, answers: Answers) -> None:
    refused = {"stream_options": False, "tools:b": False, "ids": False}
    one = stored("One", ONE, KEY, "a", abilities=refused)
    test = {"action": "test_endpoints", "_selected_action": str(one.pk)}

    answers(ONE, REFUSED, REFUSED)
    post(staff_client, LIST, test)
    one.refresh_from_db()
    assert one.abilities == refused

    answers(ONE, COUNTED, ONE_CALL, TWO_CALLS)
    post(staff_client, LIST, test)
    one.refresh_from_db()
    assert one.abilities == {
        "streaming": True,
        "usage_in_stream": True,
        "stream_options": True,
        "tools:a": True,
        "parallel_tools:a": True,
    }


# The key comes out nowhere


def test_a_key_is_on_no_page_in_no_history_and_in_no_column(staff_client: Client) -> None:
    post(staff_client, ADD, form("a", key=KEY))
    one = Endpoint.objects.get()
    post(staff_client, page_of(one), form(name="Renamed", key=f"{KEY}-2"))

    pages = [LIST, page_of(one), f"{LIST}{one.pk}/history/", f"{LIST}{one.pk}/delete/", f"{LIST}?q=one", "/admin/"]
    said = [staff_client.get(page).content.decode() for page in pages]
    said += [f"{entry!r} {entry.object_repr} {entry.change_message}" for entry in LogEntry.objects.all()]
    said += [repr(one), str(one), str(vars(one)), str(list(Endpoint.objects.values()))]

    assert LogEntry.objects.count() == 2
    assert not [text for text in said if "canary" in text]


def test_what_may_be_refused_and_learned_is_said_in_words(staff_client: Client) -> None:
    learned = {**dict.fromkeys(REFUSALS, False), "window:a": 8192}
    page = staff_client.get(page_of(stored("One", ONE, "", "a", abilities=learned))).content.decode()

    assert not [name for name in REFUSALS if f'<th scope="row">{name}</th>' in page]
    assert '<th scope="row">Takes in at most so many tokens (a)</th><td>8192</td>' in page


def test_what_an_endpoint_says_is_shown_as_text(staff_client: Client) -> None:
    hostile = "<script>alert(1)</script>"
    found = {"models": {hostile: 1}, "problems": [hostile]}
    one = stored("One", ONE, "", hostile, abilities={hostile: hostile}, tested=NOW, test_result=found)

    page = staff_client.get(page_of(one)).content.decode()

    assert hostile not in page
    assert page.count("&lt;script&gt;") >= 5


def test_no_page_asks_for_inline_code_and_a_list_takes_few_queries(
    staff_client: Client, django_assert_max_num_queries: Any
) -> None:
    for number in range(10):
        stored(f"One {number}", ONE, KEY, f"a{number}", f"b{number}")

    with django_assert_max_num_queries(9):
        listed = staff_client.get(LIST).content.decode()

    for page in (listed, staff_client.get(page_of(Endpoint.objects.first())).content.decode()):  # type: ignore[arg-type]
        assert "style=" not in page
        assert "onclick=" not in page
