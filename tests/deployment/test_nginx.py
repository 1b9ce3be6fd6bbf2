"""The site behind nginx, as docs/nginx.conf has it: https, the socket of a page, and what the proxy must not spoil."""

import re
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from uuid import uuid4

import httpx2
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect
from websockets.typing import Origin

from agentsite.management.commands.serve import PING_EVERY
from chat.frames import TOO_LONG
from tests.conftest import PASSWORD
from tests.deployment.nginx import CONFIGURATION, HOST, Ports, program, proxied
from tests.faults.sites import PROGRAM
from tests.serving import Site, free_port, hidden, served
from tests.sockets import Page, begin

SILENCE = 4  # seconds until this proxy gives a connection up; the server looks every two whom to ping
KEY = "a-key-of-fifty-characters-or-more-0123456789-abcdefghij"


class Public:
    """The site as the world sees it, and alice in it."""

    def __init__(self, site: Site, ports: Ports, trusted: ssl.SSLContext) -> None:
        self.site, self.ports, self.trusted = site, ports, trusted
        self.url = f"https://{HOST}:{ports.https}"
        # The name leads nowhere, so it stands in the headers only. Pages say where they are, which Django asks for.
        headers = {"Host": f"{HOST}:{ports.https}", "Referer": f"{self.url}/"}
        self.alice = httpx2.Client(
            base_url=f"https://127.0.0.1:{ports.https}", headers=headers, verify=trusted, trust_env=False
        )

    @contextmanager
    def page(self, conversation: str, origin: str = "") -> Iterator[Page]:
        cookies = "; ".join(f"{cookie.name}={cookie.value}" for cookie in self.alice.cookies.jar)
        with connect(
            f"{self.url.replace('https', 'wss')}/ws/conversations/{conversation}/",
            sock=socket.create_connection(("127.0.0.1", self.ports.https)),
            ssl=self.trusted,
            origin=Origin(origin or self.url),
            additional_headers={"Cookie": cookies},
            ping_interval=None,
            proxy=None,
        ) as opened:
            yield Page(opened)


@pytest.fixture(scope="module")
def public(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Public]:
    program()
    folder = tmp_path_factory.mktemp("proxied")
    ports = Ports(free_port(), free_port(), free_port())
    variables = {"PORT": str(ports.site), "PUBLIC_URL": f"https://{HOST}:{ports.https}", "SECRET_KEY": KEY}
    with (
        served(folder, program=PROGRAM, PING_SECONDS="1", **variables) as site,
        proxied(folder, ports, SILENCE) as trusted,
    ):
        site.add_user("alice", PASSWORD)
        found = Public(site, ports, trusted)
        with found.alice:
            yield found


@pytest.fixture(scope="module")
def conversation(public: Public) -> str:
    form = hidden(public.alice, "/accounts/login/")
    answer = public.alice.post("/accounts/login/", data={**form, "username": "alice", "password": PASSWORD})
    assert answer.status_code == 302, answer.text
    return begin(public.alice, "Look and note 1")


def test_pages_are_safe_and_their_addresses_are_public(public: Public, conversation: str) -> None:
    answer = public.alice.get(f"/c/{conversation}/")

    assert "max-age" in answer.headers["strict-transport-security"]
    assert all(cookie.secure for cookie in public.alice.cookies.jar)
    assert public.site.link.startswith(public.url)
    plain = httpx2.get(f"http://127.0.0.1:{public.ports.http}/runs/", headers={"Host": HOST}, trust_env=False)
    assert (plain.status_code, plain.headers["location"]) == (301, f"https://{HOST}/runs/")


def test_a_page_of_the_site_follows_its_run_through_the_proxy(public: Public, conversation: str) -> None:
    with public.page(conversation) as page:
        page.ask("Slowly")
        for word in ("word1 ", "word50 ", "word99"):
            page.until(word)


@pytest.mark.parametrize("origin", [f"https://{HOST}", "http://{public}", "https://evil.example"])
def test_a_page_of_any_other_origin_gets_no_socket(public: Public, conversation: str, origin: str) -> None:
    origin = origin.format(public=public.url.removeprefix("https://"))
    with pytest.raises(InvalidStatus, match="403"), public.page(conversation, origin):
        pass


def test_a_socket_that_says_nothing_stays_open_for_longer_than_the_proxy_waits(
    public: Public, conversation: str
) -> None:
    with public.page(conversation) as page:
        page.say(action="resume", since=0)
        page.until('id="cursor"')
        with suppress(TimeoutError):
            while True:
                page.socket.recv(timeout=SILENCE * 1.5)
        page.ask("Look and note 2")
        page.until("All was seen.")


def test_the_proxy_waits_for_several_pings() -> None:
    [seconds] = re.findall(r"proxy_read_timeout (\d+)s;", CONFIGURATION.read_text())
    assert int(seconds) >= 3 * PING_EVERY


def test_a_message_that_is_too_long_is_refused_by_the_site_in_words(public: Public, conversation: str) -> None:
    form = hidden(public.alice, f"/c/{conversation}/")
    longest = {**form, "action": "send", "client_id": str(uuid4()), "message": "\N{GRINNING FACE}" * 100_000}

    answer = public.alice.post(f"/c/{conversation}/", data=longest)
    assert answer.status_code < 500
    assert "nginx" not in answer.text
    assert TOO_LONG in answer.text

    answer = public.alice.post(f"/c/{conversation}/", data={**longest, "message": "a" * 4_000_000})
    assert answer.status_code == 413
    assert "nginx" in answer.text


def test_who_signs_in_is_counted_by_the_address_that_the_proxy_saw(public: Public) -> None:
    """Twenty addresses that the client makes up are one, and then it has to wait."""
    with httpx2.Client(
        base_url=public.alice.base_url, headers=public.alice.headers, verify=public.trusted, trust_env=False
    ) as mallory:
        form = hidden(mallory, "/accounts/login/")
        statuses = []
        for number in range(21):
            said = {"username": f"nobody{number}"}  # no password: nothing to hash
            made_up = {"X-Forwarded-For": f"192.0.2.{number}"}
            statuses.append(mallory.post("/accounts/login/", data={**form, **said}, headers=made_up).status_code)
    assert statuses == [200] * 20 + [429]
