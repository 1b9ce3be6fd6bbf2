"""Websockets come from pages of this site alone."""

import http.client
from contextlib import closing
from uuid import uuid4

import pytest

from agentsite.origins import origins
from tests.serving import Site


@pytest.mark.parametrize(
    ("hosts", "public_url", "expected"),
    [
        (["127.0.0.1", "localhost"], "", ["http://127.0.0.1:8000", "http://localhost:8000"]),
        (["localhost", "box.lan"], "", ["http://localhost:8000", "http://box.lan:8000"]),
        (["localhost", "box.lan"], "http://box.lan", ["http://localhost:8000", "http://box.lan"]),
        (["localhost", "Chat.Example"], "https://Chat.Example:443", ["https://chat.example"]),
        (
            ["a.example", "b.example"],
            "https://a.example:8443",
            ["https://a.example:8443", "https://b.example:8443"],
        ),
        (["[2001:db8::1]"], "http://[2001:db8::1]:9000", ["http://[2001:db8::1]:9000"]),
    ],
)
def test_origins_follow_from_hosts_port_and_public_url(hosts: list[str], public_url: str, expected: list[str]) -> None:
    assert origins(hosts, 8000, public_url) == expected


def handshake(site: Site, path: str, *origin: str) -> int:
    """The status that a websocket's handshake is answered with."""
    connection = http.client.HTTPConnection(site.url.removeprefix("http://"), timeout=30)
    connection.putrequest("GET", path)
    for name, value in (
        ("Connection", "Upgrade"),
        ("Upgrade", "websocket"),
        ("Sec-WebSocket-Version", "13"),
        ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
        *(("Origin", said) for said in origin),
    ):
        connection.putheader(name, value)
    connection.endheaders()
    with closing(connection), connection.getresponse() as answer:
        return answer.status


def test_a_page_of_this_site_gets_a_socket(site: Site) -> None:
    path = f"/ws/conversations/{uuid4()}/"

    assert handshake(site, path, site.url) == 101
    assert handshake(site, path, site.url.replace("127.0.0.1", "localhost")) == 101


def test_any_other_origin_gets_none(site: Site) -> None:
    for said in (
        (),
        ("null",),
        ("https://evil.example",),
        ("http://127.0.0.1",),
        ("http://127.0.0.1:1",),
        (site.url.replace("http:", "https:"),),
        (site.url + "/",),
        (site.url.replace("127.0.0.1", "127.0.0.1.evil.example"),),
        (site.url.replace("//", "//evil.example@"),),
        ("http://[broken",),
        ("http://127.0.0.1:port",),
        (site.url, "https://evil.example"),
    ):
        assert handshake(site, f"/ws/conversations/{uuid4()}/", *said) in (400, 403), said


def test_a_path_without_socket_is_refused_like_a_foreign_page(site: Site) -> None:
    assert handshake(site, "/ws/nothing/", site.url) == 403
