"""Lines of the log that a stranger, a model or a path would forge: each event stays one line, and says what it is."""

import re
import socket
from contextlib import closing
from urllib.parse import quote

import httpx2

from tests.conftest import PASSWORD
from tests.scripted import asks, call, delta, says
from tests.security.talking import Talking
from tests.serving import Site, hidden

FORGED = "2026-01-01T00:00:00.000000Z ERROR    chat.runs forged"
FORGERY = f"hi\n{FORGED}\r{FORGED}\x1b[31m\x1b]0;title\x07\u2028{FORGED}\u2029\x85{FORGED}\u202e\x08\x7f"
LINE = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z (DEBUG|INFO|WARNING|ERROR|CRITICAL) +[\w.]+ .*")


def well_formed(log: str) -> None:
    for line in log.removesuffix("\n").split("\n") if log else []:
        assert line.isprintable(), repr(line)
        assert not line.startswith(FORGED)
        assert LINE.fullmatch(line), line


def knock(url: str) -> None:
    """All that somebody who is not signed in can have written down."""
    with closing(httpx2.Client(base_url=url, trust_env=False)) as stranger:
        for path in (
            f"/{quote(FORGERY)}",
            f"/welcome/{quote(FORGERY)}/",
            f"/static/{quote(FORGERY)}",
            f"/c/?{quote(FORGERY)}",
        ):
            stranger.get(path)
            stranger.post(path)
        form = {**hidden(stranger, "/accounts/login/"), "username": FORGERY, "password": FORGERY, "next": FORGERY}
        stranger.post("/accounts/login/", data=form)
        stranger.post("/accounts/login/", data={"username": FORGERY})
        for host in ("evil.example", "evil.example forged", "[::1", "a" * 300):
            stranger.get("/", headers={"Host": host})
        stranger.get("/", headers={"Origin": "x\x1b[31m", "Referer": "\x1b[31m", "Cookie": 'sessionid="\\012forged"'})
        stranger.request("FORGED", "/")
    for raw in (
        b"GET /\x1b[31m\x07 HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /\xff\xfe HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nX: a\r\n forged\r\n\r\n",
        b"\x00\x1b[31mforged\r\n\r\n",
        b"GET /?\xe2\x80\xa8forged HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
    ):
        with closing(socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2])), timeout=10)) as plain:
            plain.sendall(raw)
            plain.shutdown(socket.SHUT_WR)
            while plain.recv(65536):
                pass


def speak(talk: Talking) -> None:
    """All that a person who is signed in, and a model, can have written down."""
    names = asks(call(FORGERY, {}), call("calculate", FORGERY, index=1), call("calculate", {FORGERY: FORGERY}, index=2))
    paths = [
        talk.ask(f"{FORGERY} 1", names, says(FORGERY)),
        talk.ask(f"{FORGERY} 2", [delta(refusal=FORGERY), delta("stop")]),
        talk.ask(f"{FORGERY} 3", [{**chunk, "model": FORGERY} for chunk in says(FORGERY, finish=FORGERY)]),
    ]
    for path in paths:
        talk.answered(path)
        form = hidden(talk.alice, f"{path}edit/")
        talk.alice.post(f"{path}edit/", data={**form, "title": FORGERY, "instructions": FORGERY})
    talk.frames(f"{FORGERY} live", says("Well."))


def test_nobody_and_nothing_forges_a_line(site: Site) -> None:
    knock(site.url)

    assert "forged" in site.log
    well_formed(site.log)
    assert httpx2.get(f"{site.url}/healthz", trust_env=False).status_code == 200


def test_neither_a_model_nor_what_is_said_to_it_forges_a_line(talk: Talking) -> None:
    before = len(talk.site.log)
    speak(talk)

    assert "run ended" in talk.site.log[before:]
    well_formed(talk.site.log[before:])


def test_a_request_that_is_refused_is_one_line(site: Site) -> None:
    """Or anybody could fill the log with tracebacks."""
    before = len(site.log)

    answer = httpx2.get(site.url, headers={"Host": "evil.example"}, trust_env=False)

    assert answer.status_code == 400
    assert site.log[before:].count("\n") <= 2
    assert PASSWORD not in site.log
