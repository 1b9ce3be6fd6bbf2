"""A sealed key opens for its own base URL and under our SECRET_KEY, and for nothing else."""

import logging

import pytest
from django.test import override_settings

from agentsite.logs import Redact
from chat.keys import KeyLost, seal, unseal

KEY, URL = "sk-canary-of-the-vault", "https://one.example/v1"


def test_a_key_comes_out_as_it_went_in() -> None:
    assert unseal(seal(KEY, URL), URL) == KEY


def test_what_is_stored_shows_nothing_of_the_key_and_is_never_the_same_twice() -> None:
    sealed = seal(KEY, URL)

    assert "canary" not in sealed
    assert URL not in sealed
    assert sealed != seal(KEY, URL)


@pytest.mark.parametrize(
    "url", ["https://two.example/v1", "http://one.example/v1", "https://one.example", "https://one.example/v1/", ""]
)
def test_for_another_base_url_it_stays_shut(url: str) -> None:
    with pytest.raises(KeyLost, match="another base URL"):
        unseal(seal(KEY, URL), url)


def test_under_another_secret_key_it_stays_shut() -> None:
    sealed = seal(KEY, URL)

    with override_settings(SECRET_KEY="another one"), pytest.raises(KeyLost, match="another SECRET_KEY"):
        unseal(sealed, URL)


@pytest.mark.parametrize("sealed", ["", "x", "gAAAAA", KEY, "é", "\x00"])
def test_garbage_is_no_key(sealed: str) -> None:
    with pytest.raises(KeyLost):
        unseal(sealed, URL)


def test_a_key_that_was_changed_in_its_row_is_no_key() -> None:
    sealed = seal(KEY, URL)
    at = len(sealed) // 2

    with pytest.raises(KeyLost):
        unseal(sealed[:at] + ("A" if sealed[at] != "A" else "B") + sealed[at + 1 :], URL)


def test_a_key_that_was_read_stands_in_no_log_line() -> None:
    redact = Redact(["another secret"])  # made at the start, before the key is known
    unseal(seal('sk-"canary"-of-lines', URL), URL)

    said = redact(logging, "info", {"event": 'with sk-"canary"-of-lines', "sent": [{"key": 'sk-"canary"-of-lines'}]})

    assert said == {"event": "with ***", "sent": [{"key": "***"}]}
