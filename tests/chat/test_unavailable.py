"""A request that the database has no answer for is answered in words, wherever it got to."""

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client

from chat.away import BUSY
from tests import databases

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("table", ["django_session", "auth_user", "chat_conversation"])
def test_a_page_that_waits_for_a_lock_in_vain_says_that_the_database_is_busy(
    postgres: None, alice: User, table: str
) -> None:
    client = Client()
    client.force_login(alice)
    with databases.opened({"DATABASE_URL": databases.suite_url()}) as other, connection.cursor() as own:
        own.execute("SET lock_timeout = '100ms'")
        try:
            other.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
            answer = client.get("/")
        finally:
            own.execute("RESET lock_timeout")
    assert (answer.status_code, answer["Retry-After"]) == (503, "5")
    assert f"{BUSY}." in answer.content.decode().replace("&#x27;", "'")
