"""Asks a site for something, and holds what comes back so that two answers can be compared."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple
from urllib.parse import urlencode

from django.db import connection
from django.test import Client

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
HTMX = {"HX-Request": "true", "HX-Current-URL": "http://testserver/"}
# A form of everything: what the site's own forms send, and what a body may try to say beside it.
FORM = {
    "message": "Mine now", "client_id": "forged-1", "action": "send", "title": "Mine now", "text": "Mine now",
    "key": "mine", "instructions": "Mine now", "theme": "dark", "post": "yes",
    "id": "1", "pk": "1", "owner": "1", "owner_id": "1", "user": "1", "user_id": "1", "created": "2001-01-01",
    "updated": "2001-01-01", "revision": "99", "born": "99", "role": "assistant", "kind": "preference", "version": "9",
    "model": "other", "status": "done", "is_staff": "on", "is_superuser": "on", "conversation": "1", "message_id": "1",
}  # fmt: skip


class Answer(NamedTuple):
    """An answer without what differs from one request to the next: tokens, and the address that was asked."""

    status: int
    headers: dict[str, str]
    cookies: set[str]
    body: str


def ask(client: Client, method: str, path: str, htmx: bool = False) -> Any:
    """Send a request with any method; those that may carry a body carry a form of everything."""
    body = "" if method in ("GET", "HEAD", "OPTIONS") else urlencode(FORM)
    kind = "application/x-www-form-urlencoded"
    return client.generic(method, path, body, kind, headers=HTMX if htmx else {})


def answer(response: Any) -> Answer:
    asked = response.request["PATH_INFO"]
    body = re.sub(r'(name="csrfmiddlewaretoken" value=")[^"]*', r"\1", response.content.decode())
    headers = {name: value.replace(asked, "ASKED") for name, value in response.headers.items()}
    return Answer(response.status_code, headers, set(response.cookies), body)


@contextmanager
def statements() -> Iterator[list[str]]:
    """The SQL that is run meanwhile, with its values."""
    found: list[str] = []

    def note(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        found.append(f"{sql} {params!r}")
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note):
        yield found


def writes(found: list[str]) -> list[str]:
    reads = ("SELECT", "WITH RECURSIVE", "SAVEPOINT", "RELEASE", "ROLLBACK TO")
    return [sql for sql in found if not sql.lstrip().startswith(reads)]
