"""This user's object or 404, and whose session a cookie is."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.http import Http404
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from chat.access import conversation_or_404, fact_or_404, run_or_404, session_user
from chat.models import Fact
from tests.chat.made import conversation_of, run_in
from tests.conftest import PASSWORD


def test_the_owner_gets_the_object_and_a_stranger_what_a_random_id_gives(alice: User, bob: User) -> None:
    conversation = conversation_of(alice)
    run = run_in(conversation)
    fact = Fact.objects.create(owner=alice, text="Lives in Berlin")
    doors: list[tuple[Callable[[User, Any], object], Any, Any]] = [
        (conversation_or_404, conversation, uuid4()),
        (run_or_404, run, uuid4()),
        (fact_or_404, fact, 2**70),
    ]

    for door, row, random in doors:
        assert door(alice, row.pk) == row
        with pytest.raises(Http404) as stranger:
            door(bob, row.pk)
        with pytest.raises(Http404) as nothing:
            door(bob, random)
        assert str(stranger.value) == str(nothing.value)


def test_each_door_asks_the_database_once(alice: User, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    run = run_in(conversation_of(alice))

    with django_assert_num_queries(1):
        conversation_or_404(alice, run.conversation_id)
    with django_assert_num_queries(1):
        assert run_or_404(alice, run.pk).conversation.title == "A trip"


@pytest.fixture
def key(alice_client: Client) -> str:
    """The session of alice, who just signed in."""
    return alice_client.cookies[settings.SESSION_COOKIE_NAME].value


def test_a_session_names_its_user_in_two_queries(
    alice: User, key: str, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_max_num_queries(2):
        assert session_user(key) == alice


@pytest.mark.parametrize("wrong", ["", "x", "0" * 32, "a\x00b" * 12, "\ud800" * 32, "'; --" * 8])
def test_no_session_is_nobody(db: None, wrong: str) -> None:
    assert session_user(wrong) is None


def test_an_expired_session_is_nobody(key: str) -> None:
    Session.objects.update(expire_date=timezone.now() - timedelta(seconds=1))

    assert session_user(key) is None


def test_after_signing_out_the_session_is_nobody(alice_client: Client, key: str) -> None:
    alice_client.post("/accounts/logout/")

    assert session_user(key) is None


def test_after_another_password_the_session_is_nobody(alice: User, key: str) -> None:
    alice.set_password(PASSWORD + "!")
    alice.save()

    assert session_user(key) is None


def test_an_account_that_is_switched_off_or_gone_is_nobody(alice: User, key: str) -> None:
    User.objects.update(is_active=False)
    assert session_user(key) is None

    User.objects.all().delete()
    assert session_user(key) is None


def test_a_session_from_before_a_new_secret_key_counts_while_the_old_one_is_accepted(
    alice: User, key: str, settings: Any
) -> None:
    old, settings.SECRET_KEY = settings.SECRET_KEY, "x" * 60
    settings.SECRET_KEY_FALLBACKS = [old]
    assert session_user(key) == alice
    assert Session.objects.filter(session_key=key).exists()

    settings.SECRET_KEY_FALLBACKS = []
    assert session_user(key) is None


def test_a_session_that_nobody_signed_in_with_is_nobody(client: Client, db: None) -> None:
    session = client.session
    session["theme"] = "dark"
    session.save()

    assert session.session_key
    assert session_user(session.session_key) is None
