"""The first start: one link, one first account."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client

from agentsite.welcome import welcome_path

NAME, PASSWORD = "ada", "an engine of many columns"
FORM = {"username": NAME, "password": PASSWORD}


def test_looking_at_the_page_uses_nothing_up(db: None, client: Client) -> None:
    for _ in range(3):
        assert b"Username" in client.get(welcome_path()).content

    assert not User.objects.exists()


def test_the_form_makes_an_administrator_and_signs_in(db: None, client: Client) -> None:
    answer = client.post(welcome_path(), FORM)

    owner = User.objects.get()
    assert (answer.status_code, answer["Location"]) == (302, "/")
    assert (owner.username, owner.is_staff, owner.is_superuser) == (NAME, True, True)
    assert owner.check_password(PASSWORD)
    assert client.session["_auth_user_id"] == str(owner.pk)
    assert client.get("/admin/").status_code == 200


def test_the_session_of_before_is_not_the_one_after(db: None, client: Client) -> None:
    before = client.session.session_key

    client.post(welcome_path(), FORM)

    assert client.session.session_key != before


def test_the_link_is_dead_once_there_is_any_account(client: Client, bob: User) -> None:
    assert client.get(welcome_path()).status_code == 404
    assert client.post(welcome_path(), FORM).status_code == 404
    assert User.objects.get() == bob


@pytest.mark.parametrize("token", ["x", "0" * 40, "ünïcode"])
def test_another_token_is_no_page_at_all(db: None, client: Client, token: str) -> None:
    wrong = client.get(f"/welcome/{token}/")

    assert wrong.status_code == 404
    assert client.post(f"/welcome/{token}/", FORM).status_code == 404
    assert not User.objects.exists()


@pytest.mark.parametrize(
    ("form", "complaint"),
    [
        ({**FORM, "password": "short"}, b"too short"),
        ({**FORM, "password": "1029384756102938"}, b"entirely numeric"),
        ({**FORM, "password": "password1234"}, b"too common"),
        ({"username": "ada-lovelace", "password": "ada-lovelace"}, b"too similar to the username"),
        ({**FORM, "password": ""}, b"required"),
        ({**FORM, "username": ""}, b"required"),
        ({**FORM, "username": "a b <script>"}, b"Enter a valid username"),
        ({**FORM, "username": "a" * 151}, b"at most 150 characters"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_made(
    db: None, client: Client, form: dict[str, str], complaint: bytes
) -> None:
    answer = client.post(welcome_path(), form)

    assert complaint in answer.content
    assert not User.objects.exists()


def test_a_password_is_never_sent_back(db: None, client: Client) -> None:
    assert b"sesame" not in client.post(welcome_path(), {"username": "", "password": "sesame"}).content


@pytest.mark.django_db(transaction=True)
def test_of_many_at_once_one_makes_the_account() -> None:
    at_once = Barrier(8)

    def post(number: int) -> int:
        client = Client()
        client.get(welcome_path())
        at_once.wait(timeout=30)
        answer = client.post(welcome_path(), {**FORM, "username": f"{NAME}{number}"})
        connection.close()
        return answer.status_code

    with ThreadPoolExecutor(8) as pool:
        statuses = sorted(pool.map(post, range(8)))

    assert statuses == [302] + [404] * 7
    assert User.objects.count() == 1
