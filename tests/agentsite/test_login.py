"""Signing in: who gets in, who has to wait, and where one lands."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client, RequestFactory, override_settings

from agentsite.login import address_of, in_words, of_account, of_address
from tests.conftest import PASSWORD

LOGIN = "/accounts/login/"
TOO_MANY = b"Too many attempts. Try again in 5 minutes."


def sign_in(client: Client, name: str, password: str, *, address: str = "192.0.2.1", to: str = LOGIN) -> Any:
    return client.post(to, {"username": name, "password": password}, REMOTE_ADDR=address)


def test_the_right_password_lets_in_and_leads_to_the_chat(client: Client, alice: User) -> None:
    answer = sign_in(client, "alice", PASSWORD)

    assert (answer.status_code, answer["Location"]) == (302, "/")
    assert client.session["_auth_user_id"] == str(alice.pk)


def test_signing_in_changes_the_key_of_the_session(client: Client, alice: User) -> None:
    client.session["before"] = True
    key = client.session.session_key

    sign_in(client, "alice", PASSWORD)

    assert client.session.session_key != key


@pytest.mark.parametrize("name", ["alice", "nobody-of-that-name"])
def test_wrong_passwords_make_one_wait_whether_or_not_the_account_exists(
    client: Client, alice: User, name: str
) -> None:
    answers = [sign_in(client, name, "wrong") for _ in range(of_account.limit + 1)]

    assert [answer.status_code for answer in answers] == [200] * of_account.limit + [429]
    assert TOO_MANY in answers[-1].content
    assert b"alice" not in answers[-1].content.replace(b'value="alice"', b"")


def test_who_has_to_wait_does_not_get_in_with_the_right_password_either(client: Client, alice: User) -> None:
    for _ in range(of_account.limit):
        sign_in(client, "Alice", "wrong")

    answer = sign_in(client, "alice", PASSWORD)

    assert answer.status_code == 429
    assert "_auth_user_id" not in client.session


def test_one_account_waits_and_another_does_not(client: Client, alice: User, bob: User) -> None:
    for _ in range(of_account.limit + 1):
        sign_in(client, "alice", "wrong")

    assert sign_in(client, "bob", PASSWORD).status_code == 302


def test_one_address_cannot_try_account_after_account(client: Client, bob: User) -> None:
    for number in range(of_address.limit):
        sign_in(client, f"name{number}", "wrong")

    assert sign_in(client, "bob", PASSWORD).status_code == 429
    assert sign_in(client, "bob", PASSWORD, address="192.0.2.2").status_code == 302


def test_people_who_get_in_do_not_use_up_their_address(client: Client, alice: User) -> None:
    for _ in range(of_address.limit + 1):
        assert sign_in(client, "alice", PASSWORD).status_code == 302
        client.logout()


def test_getting_in_clears_the_account(client: Client, alice: User) -> None:
    for _ in range(3):
        for _ in range(of_account.limit - 1):
            sign_in(client, "alice", "wrong")
        assert sign_in(client, "alice", PASSWORD).status_code == 302
        client.logout()


def test_the_door_of_the_admin_counts_too(client: Client, staff: User) -> None:
    for _ in range(of_account.limit):
        sign_in(client, "staff", "wrong", to="/admin/login/")

    assert TOO_MANY in sign_in(client, "staff", PASSWORD, to="/admin/login/").content
    assert sign_in(client, "staff", PASSWORD).status_code == 429


def test_the_door_of_the_admin_lets_only_staff_in(client: Client, alice: User, staff: User) -> None:
    assert sign_in(client, "alice", PASSWORD, to="/admin/login/?next=/admin/").status_code == 200
    assert sign_in(client, "staff", PASSWORD, to="/admin/login/?next=/admin/").status_code == 302


def test_an_account_that_was_switched_off_does_not_get_in(client: Client, alice: User) -> None:
    alice.is_active = False
    alice.save()

    assert sign_in(client, "alice", PASSWORD).status_code == 200
    assert "_auth_user_id" not in client.session


@pytest.mark.parametrize(
    "elsewhere",
    [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example",
        "http:evil.example",
        "javascript:alert(1)",
    ],
)
def test_next_leads_nowhere_else(client: Client, alice: User, elsewhere: str) -> None:
    answer = client.post(LOGIN, {"username": "alice", "password": PASSWORD, "next": elsewhere})

    assert answer["Location"] == "/"


def test_next_leads_back_to_the_page_that_was_asked_for(client: Client, alice: User) -> None:
    answer = client.post(LOGIN, {"username": "alice", "password": PASSWORD, "next": "/settings/"})

    assert answer["Location"] == "/settings/"


def test_signing_out_takes_a_post(alice_client: Client) -> None:
    assert alice_client.get("/accounts/logout/").status_code == 405
    assert "_auth_user_id" in alice_client.session

    answer = alice_client.post("/accounts/logout/")

    assert answer["Location"] == LOGIN
    assert "_auth_user_id" not in alice_client.session


def test_a_form_from_elsewhere_is_refused(alice: User) -> None:
    client = Client(enforce_csrf_checks=True)

    assert sign_in(client, "alice", PASSWORD).status_code == 403


def test_a_new_password_keeps_this_session_and_ends_the_others(alice: User, alice_client: Client) -> None:
    other = Client()
    other.force_login(alice)
    new = "a staple of correct batteries"

    answer = alice_client.post(
        "/accounts/password/", {"old_password": PASSWORD, "new_password1": new, "new_password2": new}
    )

    assert answer.status_code == 302
    assert b"Password changed" in alice_client.get("/accounts/password/done/").content
    assert other.get("/accounts/password/")["Location"] == f"{LOGIN}?next=/accounts/password/"


@pytest.mark.parametrize(
    ("remote", "counted"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("", "unknown"),
    ],
)
def test_an_address_is_counted_as_what_one_person_can_hold(remote: str, counted: str) -> None:
    assert address_of(RequestFactory().get("/", REMOTE_ADDR=remote)) == counted


def test_the_proxys_word_counts_only_where_there_is_one() -> None:
    request = RequestFactory().get("/", REMOTE_ADDR="192.0.2.9", HTTP_X_FORWARDED_FOR="10.9.9.9, 192.0.2.7")

    assert address_of(request) == "192.0.2.9"
    with override_settings(BEHIND_HTTPS=True):
        assert address_of(request) == "192.0.2.7"


def test_the_wait_is_said_in_whole_minutes() -> None:
    assert [in_words(wait) for wait in (1, 60, 61, 300)] == ["a minute", "a minute", "2 minutes", "5 minutes"]


def test_the_rules_of_a_password_are_a_list_beside_its_field(alice_client: Client) -> None:
    page = alice_client.get("/accounts/password/").content.decode()

    assert '_helptext"><ul><li>' in page
