"""Every answer, whoever wrote it, says what its page may load and who may keep it."""

import pytest
from django.contrib.auth.models import User
from django.test import Client

from agentsite.headers import CONTENT_SECURITY_POLICY
from tests.conftest import PASSWORD

PATHS = [
    pytest.param("/", id="the chat"),
    pytest.param("/accounts/login/", id="signing in"),
    pytest.param("/healthz", id="health"),
    pytest.param("/admin/", id="the admin"),
    pytest.param("/static/admin/css/base.css", id="a static file"),
    pytest.param("/static/none.css", id="no static file"),
    pytest.param("/no/such/page/", id="no page"),
    pytest.param("/accounts/logout/", id="the wrong method"),
    pytest.param("/accounts/password/", id="a redirect to signing in"),
]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("person", ["client", "alice_client", "staff_client"])
def test_every_answer_has_them(db: None, request: pytest.FixtureRequest, person: str, path: str) -> None:
    client: Client = request.getfixturevalue(person)

    headers = client.get(path).headers

    assert headers["Content-Security-Policy"] == CONTENT_SECURITY_POLICY
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert "geolocation=()" in headers["Permissions-Policy"]
    assert "Cache-Control" in headers


def test_so_have_refusals(db: None, client: Client) -> None:
    no_host = client.get("/", headers={"host": "evil.example"})
    no_token = Client(enforce_csrf_checks=True).post("/accounts/login/")

    assert (no_host.status_code, no_token.status_code) == (400, 403)
    for answer in (no_host, no_token):
        assert answer.headers["Content-Security-Policy"] == CONTENT_SECURITY_POLICY


def test_the_policy_forbids_inline_code_and_everything_foreign() -> None:
    rules = dict(rule.split(" ", 1) for rule in CONTENT_SECURITY_POLICY.split("; "))

    assert rules["default-src"] == "'none'"
    assert rules["script-src"] == rules["style-src"] == rules["connect-src"] == rules["form-action"] == "'self'"
    assert rules["img-src"] == "'self' data:"
    assert rules["frame-ancestors"] == rules["base-uri"] == "'none'"
    assert "unsafe" not in CONTENT_SECURITY_POLICY


def test_a_page_is_asked_for_again_each_time(alice_client: Client) -> None:
    assert alice_client.get("/accounts/password/").headers["Cache-Control"] == "private, no-cache"


def test_a_page_that_must_not_be_kept_at_all_keeps_its_word(client: Client, db: None) -> None:
    assert "no-store" in client.get("/accounts/login/").headers["Cache-Control"]


def test_cookies_are_out_of_reach_for_scripts_and_other_sites(client: Client, alice: User) -> None:
    cookies = client.post("/accounts/login/", {"username": "alice", "password": PASSWORD}).cookies

    assert set(cookies) == {"csrftoken", "sessionid"}
    for cookie in cookies.values():
        assert (cookie["httponly"], cookie["samesite"]) == (True, "Lax")
