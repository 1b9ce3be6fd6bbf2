"""Signing in and out as somebody would try it who should not get in, or not be led away."""

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from html import unescape
from urllib.parse import parse_qs, quote, urljoin, urlsplit

import httpx2
import pytest
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.test import Client

from agentsite.login import of_account
from tests.conftest import PASSWORD
from tests.security.asking import HTMX
from tests.security.hers import WORD, Hers, things_of
from tests.serving import Site, served

LOGIN = "/accounts/login/"
ELSEWHERE = [
    "//evil.example", "///evil.example", "////evil.example", "\\\\evil.example", "/\\evil.example", "\\/evil.example",
    "https://evil.example", "https:evil.example", "http:///evil.example", "//evil.example@testserver",
    "//testserver@evil.example", "https://testserver.evil.example", "//evil.example\\@testserver", "/\t/evil.example",
    "\t//evil.example", "/\r\n/evil.example", " //evil.example", "javascript:alert(1)", "JaVaScRiPt:alert(1)",
    "java\tscript:alert(1)", "\x01javascript:alert(1)", "data:text/html,x", "vbscript:x", "ftp://testserver/",
    "//evil.example/%2e%2e", "http://[broken", "//[::1", "https://testserver:evil.example", "\x00//evil.example",
]  # fmt: skip


@pytest.fixture
def hers(alice: User) -> Hers:
    return things_of(alice)


def tries(client: Client, name: str, password: str, number: int = 0) -> int:
    form = {"username": name, "password": password}
    return client.post(LOGIN, form, REMOTE_ADDR=f"192.0.2.{number % 250}").status_code


def stays_here(address: str) -> bool:
    """Whether a browser that reads this on one of our pages stays on the site: it takes \\ for /, and drops blanks."""
    read = re.sub(r"[\t\r\n]", "", address.strip("".join(map(chr, range(33))))).replace("\\", "/")
    try:
        there = urlsplit(urljoin("http://testserver/accounts/login/", read))
    except ValueError:
        return False
    return (there.scheme, there.netloc) == ("http", "testserver")


def test_no_way_of_writing_it_leads_elsewhere_after_signing_in(alice: User) -> None:
    for elsewhere in ELSEWHERE:
        client = Client()
        shown = client.get(LOGIN, {"next": elsewhere}).content.decode()
        kept = re.search(r'name="next" value="([^"]*)"', shown)
        assert kept, elsewhere
        assert stays_here(unescape(kept[1])), elsewhere
        answer = client.post(LOGIN, {"username": "alice", "password": PASSWORD, "next": elsewhere})
        assert stays_here(answer["Location"]), elsewhere
        # Who is signed in already is led on at once.
        assert stays_here(client.get(LOGIN, {"next": elsewhere})["Location"]), elsewhere


def test_no_other_door_leads_elsewhere(alice_client: Client, staff: User) -> None:
    for elsewhere in ELSEWHERE:
        client = Client()
        form = {"username": "staff", "password": PASSWORD, "next": elsewhere}
        assert stays_here(client.post("/admin/login/", form)["Location"]), elsewhere
        for path in ("/accounts/logout/", "/admin/logout/"):
            client.force_login(staff)
            left = client.post(f"{path}?next={quote(elsewhere)}", {"next": elsewhere})
            assert stays_here(left.headers.get("Location", "/")), (path, elsewhere)
        changed = alice_client.post(f"/accounts/password/?next={quote(elsewhere)}", {"next": elsewhere})
        assert "Location" not in changed.headers


def test_the_reader_of_these_tests_knows_elsewhere() -> None:
    gone = [address for address in ELSEWHERE if not stays_here(address)]
    assert len(gone) > 20
    assert stays_here("/settings/")


def test_the_page_that_htmx_names_leads_nowhere_else(client: Client, alice: User) -> None:
    for said in (*ELSEWHERE, "https://evil.example//evil.example/x", "\\", "", "http://testserver/\\evil.example"):
        answer = client.get("/runs/", headers={**HTMX, "HX-Current-URL": said.replace("\r", "").replace("\n", "")})

        assert (answer.status_code, answer.content) == (200, b"")
        leads = parse_qs(urlsplit(answer["HX-Redirect"]).query).get("next", ["/"])[0]
        form = {"username": "alice", "password": PASSWORD, "next": leads}
        assert stays_here(Client().post(LOGIN, form)["Location"]), said


def test_an_attempt_without_a_password_wins_no_further_attempts(client: Client, alice: User) -> None:
    through = 0
    for number in range(3 * of_account.limit):
        through += tries(client, "alice", f"wrong {number}", number) == 200
        tries(client, "alice", "", number)
        tries(client, "alice", "\x00", number)

    assert through <= of_account.limit


def test_nor_at_the_door_of_the_admin(client: Client, staff: User) -> None:
    for number in range(of_account.limit):
        client.post("/admin/login/", {"username": "staff", "password": "wrong"}, REMOTE_ADDR=f"192.0.2.{number}")
        client.post("/admin/login/", {"username": "staff", "password": ""}, REMOTE_ADDR=f"192.0.2.{number}")

    assert tries(client, "staff", PASSWORD, 99) == 429


@pytest.mark.parametrize("name", ["ALICE", " alice ", "ａｌｉｃｅ", "alice\x00"])
def test_another_spelling_of_a_name_wins_no_further_attempts(client: Client, alice: User, name: str) -> None:
    for number in range(of_account.limit):
        tries(client, "alice", "wrong", number)

    assert tries(client, name, PASSWORD, 99) in (200, 429)
    assert "_auth_user_id" not in client.session


def test_a_session_that_was_planted_is_not_the_one_that_is_signed_in(client: Client, alice: User) -> None:
    planted = client.session
    planted["seen"] = True
    planted.save()
    client.cookies["sessionid"] = planted.session_key or ""

    tries(client, "alice", PASSWORD)

    assert client.cookies["sessionid"].value != planted.session_key
    assert not Session.objects.filter(session_key=planted.session_key).exists()


def test_a_session_made_up_by_a_browser_is_nobodys(alice: User) -> None:
    client = Client()
    client.cookies["sessionid"] = "a" * 32

    assert client.get("/").status_code == 302
    assert not Session.objects.filter(session_key="a" * 32).exists()


@pytest.mark.parametrize("path", ["/accounts/logout/", "/admin/logout/"])
@pytest.mark.parametrize("method", ["get", "head", "options"])
def test_a_link_or_a_picture_signs_nobody_out(staff_client: Client, path: str, method: str) -> None:
    getattr(staff_client, method)(path)

    assert staff_client.get("/").status_code == 200


def test_signing_out_without_the_token_is_refused(alice: User) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(alice)

    assert strict.post("/accounts/logout/").status_code == 403
    assert strict.get("/").status_code == 200


def pages(hers: Hers) -> list[str]:
    return ["/", f"/c/{hers.conversation.pk}/", f"/runs/{hers.run.pk}/", "/settings/", "/runs/", "/accounts/password/"]


def password(alice: User) -> None:
    alice.set_password(PASSWORD + "!")
    alice.save()


def switched_off(alice: User) -> None:
    User.objects.filter(pk=alice.pk).update(is_active=False)


def deleted(alice: User) -> None:
    alice.delete()


def signed_out_everywhere(alice: User) -> None:
    Session.objects.all().delete()


@pytest.mark.parametrize("end", [password, switched_off, deleted, signed_out_everywhere])
def test_a_session_that_ended_elsewhere_opens_no_page_any_more(
    alice: User, alice_client: Client, hers: Hers, end: object
) -> None:
    paths = pages(hers)
    assert WORD in alice_client.get(paths[1]).content.decode()

    assert callable(end)
    end(alice)

    for path in paths:
        answer = alice_client.get(path)
        assert (answer.status_code, answer.headers.get("Location")) == (302, f"{LOGIN}?next={path}")
        assert answer.content == b""


def test_after_signing_out_a_page_has_to_be_asked_for_again(alice_client: Client, hers: Hers) -> None:
    for path in pages(hers):
        assert "no-cache" in alice_client.get(path)["Cache-Control"] or "no-store" in path
        assert "private" in alice_client.get(path)["Cache-Control"]


# Behind https, on a real server


@pytest.fixture(scope="module")
def public(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with served(tmp_path_factory.mktemp("public"), PUBLIC_URL="https://chat.example.com") as site:
        site.add_user("alice", PASSWORD)
        yield site


def visitor(site: Site, address: str) -> httpx2.Client:
    """A browser as the proxy hands it on. Secure cookies are sent by hand, since nothing here is really https."""
    headers = {
        "Host": "chat.example.com", "X-Forwarded-Proto": "https", "X-Forwarded-For": address,
        "Origin": "https://chat.example.com",
    }  # fmt: skip
    return httpx2.Client(base_url=site.url, headers=headers, trust_env=False, timeout=60)


def token_of(client: httpx2.Client) -> str:
    return client.get(LOGIN).headers["set-cookie"].partition("csrftoken=")[2].partition(";")[0]


def posted(client: httpx2.Client, name: str, password: str, token: str) -> httpx2.Response:
    form = {"username": name, "password": password, "csrfmiddlewaretoken": token}
    client.cookies.clear()
    return client.post(LOGIN, data=form, headers={"Cookie": f"csrftoken={token}"})


def test_behind_https_cookies_are_sent_over_it_alone(public: Site) -> None:
    with visitor(public, "192.0.2.1") as client:
        page = client.get(LOGIN)
        answer = posted(client, "alice", PASSWORD, token_of(client))

        assert answer.status_code == 302
        cookies = [*page.headers.get_list("set-cookie"), *answer.headers.get_list("set-cookie")]
        assert {cookie.partition("=")[0] for cookie in cookies} == {"csrftoken", "sessionid"}
        for cookie in cookies:
            flags = {flag.strip().lower() for flag in cookie.split(";")[1:]}
            assert {"secure", "httponly", "samesite=lax", "path=/"} <= flags
            assert not any(flag.startswith("domain") for flag in flags)
        assert answer.headers["strict-transport-security"] == "max-age=31536000"


def test_a_form_from_another_origin_is_refused_even_with_its_token(public: Site) -> None:
    with visitor(public, "192.0.2.2") as client:
        token = token_of(client)
        for origin in ("https://evil.example", "null", "http://chat.example.com", "https://chat.example.com:8443"):
            client.headers["Origin"] = origin
            assert posted(client, "alice", PASSWORD, token).status_code == 403


def test_another_host_is_refused(public: Site) -> None:
    with visitor(public, "192.0.2.3") as client:
        for host in ("evil.example", "chat.example.com.evil.example", "chat.example.com@evil.example", "*", ""):
            client.headers["Host"] = host
            assert client.get(LOGIN).status_code == 400


def test_of_twenty_attempts_at_once_no_more_get_through_than_one_by_one(public: Site) -> None:
    with visitor(public, "192.0.2.4") as first:
        token = token_of(first)

    def attempt(number: int) -> int:
        # Each from an address of its own, so that only the account's limit holds.
        with visitor(public, f"198.51.100.{number}") as client:
            return posted(client, "alice", f"wrong {number}", token).status_code

    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(attempt, range(20)))

    assert sorted(answers) == [200] * of_account.limit + [429] * (20 - of_account.limit)
