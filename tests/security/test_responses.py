"""What every answer says about itself, and how little an error page says about the site."""

import ast
import json
import re
from typing import Any

import httpx2
import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client

from tests.conftest import PASSWORD
from tests.security.asking import HTMX
from tests.security.hers import Hers
from tests.serving import Site

# Written out here, so that a change of it is a change of this test too.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; manifest-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}
TELLING = (
    "Traceback",
    "agentsite.",
    "chat.",
    "site-packages",
    "/work",
    "django",
    "sqlite",
    "Exception",
    "SECRET",
    ".py",
    "SELECT",
)


def checked(response: Any, status: int) -> str:
    assert response.status_code == status
    for name, value in HEADERS.items():
        assert response.headers.get(name) == value, name
    assert "Server" not in response.headers
    assert "X-Powered-By" not in response.headers
    return str(response.content.decode())


def says_little(page: str) -> None:
    said = re.sub(r'(href|src|action)="[^"]*"', "", page)
    assert not [word for word in TELLING if word.lower() in said.lower()]


def test_errors_are_as_they_are_for_strangers_everywhere() -> None:
    assert not settings.DEBUG


def test_a_page_that_is_there(alice_client: Client, hers: Hers) -> None:
    for path in ("/", f"/c/{hers.conversation.pk}/", f"/runs/{hers.run.pk}/", "/runs/", "/settings/"):
        checked(alice_client.get(path), 200)
    for path in (f"/runs/{hers.run.pk}/steps/3/result/", "/conversations/?q=x"):
        checked(alice_client.get(path, headers=HTMX), 200)


@pytest.mark.parametrize("person", ["client", "alice_client", "staff_client"])
def test_not_found(db: None, request: pytest.FixtureRequest, person: str) -> None:
    client: Client = request.getfixturevalue(person)

    for path in ("/no/such/", "/c/", "/static/no.css", "/admin/no/such/", "/welcome/x/", "/favicon.ico", "/.env"):
        response = client.get(path)
        if response.status_code == 404:
            says_little(checked(response, 404))
        else:
            checked(response, response.status_code)


def test_not_allowed(alice: User, hers: Hers) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(alice)
    plain = Client()
    plain.force_login(User.objects.create_user("plain", is_staff=True))

    says_little(checked(strict.post("/c/", {"message": "x"}), 403))
    says_little(checked(plain.get(f"/admin/chat/run/{hers.run.pk}/change/"), 403))


def test_the_wrong_method(alice_client: Client) -> None:
    says_little(checked(alice_client.get("/settings/appearance/"), 405))
    says_little(checked(alice_client.delete("/runs/"), 405))


def test_a_redirect(client: Client, alice: User) -> None:
    checked(client.get("/"), 302)
    checked(client.get("/admin/"), 302)
    checked(client.get("/", headers=HTMX), 200)
    checked(client.post("/accounts/login/", {"username": "alice", "password": PASSWORD}), 302)
    checked(client.get("/settings"), 301)


@pytest.mark.parametrize(
    ("path", "options"),
    [
        ("/", {"headers": {"host": "evil.example"}}),
        ("/", {"headers": {"host": "a b"}}),
        ("/accounts/login/", {"data": {f"field{n}": "x" for n in range(1100)}}),
        ("/accounts/login/", {"data": {"username": "x" * 3_000_000}}),
        ("/accounts/login/", {"data": b"x", "content_type": "multipart/form-data"}),
    ],
)
def test_a_request_that_makes_no_sense(db: None, path: str, options: dict[str, Any]) -> None:
    method = "post" if "data" in options else "get"
    page = checked(getattr(Client(raise_request_exception=False), method)(path, **options), 400)

    says_little(page)
    assert "evil.example" not in page


@pytest.mark.parametrize("person", ["alice_client", "client"])
def test_a_failure_on_this_side_says_nothing_of_it(
    hers: Hers, request: pytest.FixtureRequest, person: str, capfd: pytest.CaptureFixture[str]
) -> None:
    client: Client = request.getfixturevalue(person)
    client.raise_request_exception = False
    client.cookies["theme"] = "dark"
    table = "chat_run" if person == "alice_client" else "auth_user"
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("PRAGMA defer_foreign_keys=ON")
        cursor.execute(f"ALTER TABLE {table} RENAME TO gone")  # the test's transaction brings it back

    form = {"username": "alice", "password": PASSWORD}
    response = client.get("/runs/") if person == "alice_client" else client.post("/accounts/login/", form)

    says_little(checked(response, 500))
    assert "Something went wrong" in response.content.decode()
    assert 'data-theme="dark"' in response.content.decode()
    assert PASSWORD not in response.content.decode()
    assert PASSWORD not in "".join(capfd.readouterr())


def test_what_a_page_holds_is_its_readers_alone(alice_client: Client, hers: Hers) -> None:
    for path in ("/", f"/c/{hers.conversation.pk}/", "/runs/", "/settings/", f"/runs/{hers.run.pk}/steps/3/result/"):
        kept = alice_client.get(path)["Cache-Control"]
        assert "private" in kept or "no-store" in kept
        assert "public" not in kept


def test_every_page_holds_htmx_to_this_site_and_to_no_code(client: Client, alice_client: Client, hers: Hers) -> None:
    pages = [client.get("/accounts/login/"), alice_client.get("/no/such/")]
    pages += [alice_client.get(path) for path in ("/", f"/c/{hers.conversation.pk}/", "/runs/", "/settings/")]

    for page in pages:
        said = re.search(r"""<meta name="htmx-config" content='([^']*)'>""", page.content.decode())
        assert said
        config = json.loads(said[1])
        assert config["selfRequestsOnly"] is True
        assert config["allowEval"] is config["allowScriptTags"] is config["includeIndicatorStyles"] is False


def test_no_template_asks_for_code_or_takes_text_for_markup() -> None:
    for template in (settings.BASE_DIR / "templates").rglob("*.html"):
        text = template.read_text("utf-8").replace("field.help_text|safe", "")  # Django's own, of password rules
        assert not re.search(r"hx-on|js:|javascript:|\bon[a-z]+=|<style|\sstyle=|<script(?![^>]*\bsrc=)", text), (
            template
        )
        assert not re.search(r"\|\s*(safe|safeseq)\b|autoescape\s+off", text), template


def test_text_becomes_markup_in_one_place() -> None:
    """Everything else is put together from literals, into which text goes escaped."""
    trusted = []
    for name in ("agentsite", "chat", "tools"):
        for path in (settings.BASE_DIR / name).rglob("*.py"):
            for call in (node for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.Call)):
                function = getattr(call.func, "id", getattr(call.func, "attr", ""))
                made_of = call.args[1:2] if function == "format_html_join" else call.args[:1]
                literal = all(isinstance(argument, ast.Constant) for argument in made_of)
                if (
                    function in ("mark_safe", "SafeString", "SafeText", "format_html", "format_html_join")
                    and not literal
                ):
                    trusted.append(f"{path.relative_to(settings.BASE_DIR)}: {function}")
    assert len(trusted) == 1, trusted
    assert trusted[0].startswith("chat/markdown/")


# On the real server, where other hands have written headers too


def test_the_real_server_says_the_same_of_every_page(site: Site) -> None:
    for path in ("/", "/accounts/login/", "/healthz", "/no/such", "/static/css/base.css", "/static/no.css", "/admin/"):
        answer = httpx2.get(site.url + path, trust_env=False)
        for name, value in HEADERS.items():
            assert answer.headers.get(name) == value, (path, name)
        assert "server" not in answer.headers


@pytest.mark.parametrize("encoding", ["gzip", "br", "identity"])
def test_a_page_that_holds_a_token_is_not_compressed(site: Site, encoding: str) -> None:
    """The length of a compressed page tells, guess by guess, what stands in it beside the guesses."""
    page = httpx2.get(f"{site.url}/accounts/login/", headers={"accept-encoding": encoding}, trust_env=False)

    assert "content-encoding" not in page.headers


@pytest.mark.parametrize(
    "path",
    [
        "/static/../manage.py", "/static/..%2fmanage.py", "/static/%2e%2e/%2e%2e/manage.py", "/static/..\\manage.py",
        "/static//etc/passwd", "/static/....//manage.py", "/static/css/../../var/secret_key", "/static/%00", "/static/",
        "/secret_key", "/var/secret_key", "/db.sqlite3", "/static/css/", "/static/css/base.css/",
        "/static/css/base.css%00.js",
    ],
)  # fmt: skip
def test_no_file_but_a_static_one_is_served(site: Site, path: str) -> None:
    connection_to = httpx2.Client(base_url=site.url, trust_env=False)
    with connection_to as client:
        request = client.build_request("GET", "/")
        request.url = httpx2.URL(site.url).copy_with(raw_path=path.encode())
        answer = client.send(request)

    assert answer.status_code in (400, 404)
    assert "root:" not in answer.text
    says_little(answer.text)
