"""A frame that is too large, in pieces, no text, or nonsense: refused in words or closed, and the rest goes on."""

import httpx2
import pytest

from tests.serving import Site
from tests.sockets import opened


@pytest.mark.parametrize("size", [65_537, 1_000_000])
def test_a_frame_that_is_too_large_closes_its_socket_and_no_other(
    site: Site, alice_at: httpx2.Client, talked: str, size: int
) -> None:
    with opened(site, alice_at, talked) as other, opened(site, alice_at, talked) as page:
        page.socket.send("x" * size)
        assert page.close_code() in (1009, 4008)
        other.say(action="resume", since=0)
        other.until('id="cursor"')


def test_a_frame_in_many_fragments_counts_as_one(site: Site, alice_at: httpx2.Client, talked: str) -> None:
    with opened(site, alice_at, talked) as page:
        page.socket.send("x" * 1000 for _ in range(200))
        assert page.close_code() in (1009, 4008)


@pytest.mark.parametrize("data", [b"\x00\xff", b"{}", b'{"action": "send", "client_id": "b-1", "message": "x"}'])
def test_bytes_are_no_frame(site: Site, alice_at: httpx2.Client, talked: str, data: bytes) -> None:
    with opened(site, alice_at, talked) as page:
        page.socket.send(data)
        page.until('id="notice" role="alert"[^>]*>[^<]')


@pytest.mark.parametrize("said", [
    '{"action": "resume", "since": 1e999}', '{"action": "resume", "since": NaN}', '{"action": "seen", "n": 1e400}',
    '{"action": "resume", "since": ' + "9" * 5000 + "}", '{"action": "resume", "since": "' + "9" * 5000 + '"}',
    '{"action": "resume", "since": 9007199254740993}', '{"action": "resume", "run": {"a": 1}}', '{"action": ["send"]}',
    '{"action": "send", "message": {"a": "b"}, "client_id": "x"}',
    '{"action": "send", "message": "x", "client_id": []}',
    '{"action": "send", "message": "x", "client_id": "\\ud800"}', '{"action": "\\u0000"}', '{"action": null}',
    '{"action": "send", "message": "x", "client_id": "x", "model": "\\ud800"}', "[" * 30_000, '{"a":' * 10_000,
    '{"action": "resume", "run": "' + "0" * 40_000 + '"}', '{"action": "stop", "action": "dance"}', "\x00", "null",
])  # fmt: skip
def test_a_frame_of_nonsense_is_refused_and_the_socket_goes_on(
    site: Site, alice_at: httpx2.Client, talked: str, said: str
) -> None:
    with opened(site, alice_at, talked) as page:
        page.socket.send(said)
        page.until('id="notice" role="alert"[^>]*>[^<]')
        page.say(action="resume", since=0)
        page.until('id="cursor"')
    assert "Traceback" not in site.log
