"""A load balancer learns whether this process can be sent work."""

from collections.abc import Iterator

import pytest
from django.db import connection
from django.test import Client

from agentsite import health


@pytest.fixture
def draining() -> Iterator[None]:
    health.draining.set()
    yield
    health.draining.clear()


def test_a_process_that_is_well_says_so_to_anybody(db: None, client: Client) -> None:
    answer = client.get("/healthz")

    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


def test_while_draining_it_wants_no_work(db: None, client: Client, draining: None) -> None:
    answer = client.get("/healthz")

    assert (answer.status_code, answer.json()) == (503, {"status": "unavailable", "reason": "draining"})


def test_without_its_database_it_wants_no_work(db: None, client: Client) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE django_migrations")  # The test's transaction brings it back.

    answer = client.get("/healthz")

    assert (answer.status_code, answer.json()) == (503, {"status": "unavailable", "reason": "no database"})


def test_asking_makes_no_session(db: None, client: Client) -> None:
    assert not client.get("/healthz").cookies
