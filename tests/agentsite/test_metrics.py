"""The metrics are for whoever holds the token and for staff; to everybody else there is no such page."""

import socket
from collections.abc import Callable
from contextlib import closing

import httpx2
import pytest
from django.conf import LazySettings
from django.contrib.auth.models import User
from django.test import Client
from prometheus_client import REGISTRY

from tests.conftest import PASSWORD
from tests.security.asking import METHODS, answer, ask
from tests.serving import Site
from tests.sockets import begin, opened

TOKEN = "canary-of-the-metrics-0123456789"


@pytest.fixture
def token(settings: LazySettings) -> str:
    settings.METRICS_TOKEN = TOKEN
    return TOKEN


def bearing(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def test_the_token_opens_the_page_without_an_account(client: Client, token: str) -> None:
    page = client.get("/metrics", headers=bearing(token))

    assert page.status_code == 200
    assert page["Content-Type"].startswith("text/plain; version=")
    for name in ("agentsite_runs", "agentsite_live_runs", "agentsite_tool_threads", "process_resident_memory_bytes"):
        assert f"# TYPE {name}" in page.content.decode()
    assert not page.cookies


def test_staff_may_look_too(staff_client: Client) -> None:
    assert staff_client.get("/metrics").status_code == 200
    assert staff_client.post("/metrics").status_code == 405


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("who", ["alice_client", "client"])
def test_to_others_the_page_answers_as_one_that_is_not_there(
    who: str, method: str, request: pytest.FixtureRequest, db: None, token: str
) -> None:
    client = request.getfixturevalue(who)

    assert answer(ask(client, method, "/metrics")) == answer(ask(client, method, "/no-such-page"))


@pytest.mark.parametrize(
    "said", ["", "Bearer", "Bearer ", f"Basic {TOKEN}", f"Bearer {TOKEN}x", f"Bearer {TOKEN[:-1]}", "Bearer é"]
)
def test_a_wrong_token_is_no_token(client: Client, db: None, token: str, said: str) -> None:
    assert client.get("/metrics", headers={"Authorization": said}).status_code == 404


def test_where_no_token_is_set_an_empty_one_opens_nothing(client: Client, db: None) -> None:
    assert client.get("/metrics", headers=bearing("")).status_code == 404


def test_staff_who_were_switched_off_see_nothing(staff_client: Client, staff: User) -> None:
    staff.is_active = False
    staff.save()

    assert staff_client.get("/metrics").status_code == 404


def requests_of(view: str, method: str, status: str) -> float:
    labels = {"view": view, "method": method, "status": status}
    name = "django_http_responses_total_by_status_view_method_total"
    return REGISTRY.get_sample_value(name, labels) or 0


def test_requests_are_counted_by_page_method_and_status(client: Client, db: None) -> None:
    before = requests_of("healthz", "GET", "200")

    client.get("/healthz")

    assert requests_of("healthz", "GET", "200") == before + 1


def test_methods_and_paths_that_are_made_up_do_not_make_more_series(client: Client, db: None, token: str) -> None:
    for number in range(3):
        client.generic(f"CANARY{number}", f"/canary-{number}")

    page = client.get("/metrics", headers=bearing(token)).content.decode()

    assert "canary" not in page.lower()


def test_a_served_site_counts_its_runs_and_sockets_and_tells_no_secrets(server: Callable[..., Site]) -> None:
    site = server(METRICS_TOKEN=TOKEN)
    site.add_user("alice", PASSWORD)
    with closing(site.sign_in("alice", PASSWORD)) as alice:
        conversation = begin(alice, "What is 6 * 7, canary?")
        with opened(site, alice, conversation) as page:
            page.say(action="resume", since=0)
            page.until('id="cursor"')
            shown = httpx2.get(f"{site.url}/metrics", headers=bearing(TOKEN), trust_env=False).text
        assert alice.get("/metrics").status_code == 404
    lines = shown.splitlines()
    assert 'agentsite_runs_total{reason="done"} 1.0' in lines
    assert 'agentsite_tool_call_seconds_count{outcome="done",tool="calculate"} 1.0' in lines
    assert "agentsite_open_sockets 1.0" in lines
    assert "agentsite_live_runs 0.0" in lines
    assert any(line.startswith("django_http_responses_total_by_status_view_method_total{") for line in lines)
    assert "canary" not in shown
    assert "canary" not in site.log
    assert site.log.count(" run ended ") == 1


def test_a_length_that_is_no_number_is_refused_before_it_is_counted(site: Site) -> None:
    host, port = site.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as asked:
        asked.sendall(b"POST /healthz HTTP/1.1\r\nHost: localhost\r\nContent-Length: canary\r\n\r\n")
        assert asked.recv(100).startswith(b"HTTP/1.1 400")
