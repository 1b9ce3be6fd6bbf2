"""Canaries for every secret of the site. The endpoint repeats the key it was sent; it must come out nowhere."""

import json
import re
from contextlib import closing
from pathlib import Path

import httpx2
import pytest

from chat.wire.redact import Redactor
from tests.conftest import PASSWORD
from tests.scripted import Body, asks, call, delta, event, says
from tests.security.endpoint import AUTHORIZATION, Reply
from tests.security.talking import KEY, SECRET_KEY, Talking
from tests.sockets import opened

JSON = {"content-type": "application/json"}
SAID = f"You sent {AUTHORIZATION}, I think."
ERROR = {"error": {"message": SAID, "type": "invalid", "code": 400}}
CUTS = [KEY[:at] for at in (1, 9, len(KEY) - 1)]
WHOLE = {"choices": [{"message": {"content": SAID}, "finish_reason": "stop"}]}
IN_PIECES = [
    delta(tool_calls=[call("calculate", '{"expression": "' + KEY[:7])]),
    delta(tool_calls=[{"index": 0, "function": {"arguments": KEY[7:] + '"}'}}]),
    delta("tool_calls"),
]

ECHOES: dict[str, list[Reply]] = {
    "text": [says(SAID)],
    "text and nothing else": [says(AUTHORIZATION)],
    "text, twice": [says(SAID + AUTHORIZATION)],
    "a header as it was": [says(f"Authorization: Bearer {AUTHORIZATION}\n\n`{AUTHORIZATION}`")],
    "a link": [says(f"[see](https://evil.example/?k={AUTHORIZATION}) https://evil.example/{AUTHORIZATION}")],
    "pieces": [says("You sent ", *(KEY[at : at + 5] for at in range(0, len(KEY), 5)), ", I think.")],
    **{f"two pieces, cut after {len(cut)}": [says(f"You sent {cut}", f"{KEY[len(cut):]}, I think.")] for cut in CUTS},
    "thoughts": [asks(call("calculate", {"expression": "1"}), text=SAID), says("Well.")],
    "reasoning": [[delta(reasoning_content=SAID), *says("Well.")]],
    "reasoning in pieces": [[delta(reasoning=KEY[:7]), delta(reasoning=KEY[7:]), *says("Well.")]],
    "refusal": [[delta(refusal=SAID), delta("stop")]],
    "arguments": [asks(call("calculate", {"expression": SAID, AUTHORIZATION: [AUTHORIZATION]})), says("Well.")],
    "arguments that are none": [asks(call("calculate", SAID)), says("Well.")],
    "arguments in pieces": [IN_PIECES, says("Well.")],
    "a tool's name": [asks(call(f"tool_{AUTHORIZATION}", {})), says("Well.")],
    "a call's id": [asks(call("calculate", {"expression": "1"}, id=AUTHORIZATION)), says("Well.")],
    "the model's name": [[{**chunk, "model": AUTHORIZATION} for chunk in says("Well.")]],
    "the finish": [says("Well.", finish=AUTHORIZATION)],
    "extra content": [asks({**call("calculate", {}), "extra_content": {"k": AUTHORIZATION}}), says("Well.")],
    "a whole reply": [Body([json.dumps(WHOLE).encode()], headers=JSON)],
    "an error": [Body([json.dumps(ERROR).encode()], 400, JSON)],
    "an error that is text": [Body([SAID.encode()], 400, {"content-type": "text/plain"})],
    "an error that is a page": [Body([f"<p>{SAID}".encode()], 404, {"content-type": "text/html"})],
    "an error beyond its beginning": [Body([json.dumps({"error": {"message": "x" * 280 + SAID}}).encode()], 400, JSON)],
    "a refused key": [Body([json.dumps(ERROR).encode()], 401, JSON)],
    "an error in mid stream": [Body([event(delta(content="Well")), event(ERROR)])],
    "an error in mid stream, as text": [Body([event(delta(content="Well")), event({"error": SAID})]), says("Well.")],
    "garbage": [Body([f"data: {SAID}\n\n".encode()]), says("Well.")],
    "garbage after text": [Body([event(delta(content=SAID)), f"data: {SAID}\n\n".encode()]), says("Well.")],
}  # fmt: skip


@pytest.fixture(scope="module")
def asked(talk: Talking) -> dict[str, str]:
    """The paths of a conversation for each way to repeat a key; their runs go on side by side."""
    return {where: talk.ask(f"Echo by {where}", *replies) for where, replies in ECHOES.items()}


@pytest.mark.parametrize("where", ECHOES)
def test_a_key_that_the_endpoint_repeats_is_on_no_page(talk: Talking, asked: dict[str, str], where: str) -> None:
    for path, page in talk.pages(asked[where]).items():
        assert KEY not in page, path
        assert not _nearly(page), path


@pytest.mark.parametrize("where", ECHOES)
def test_a_key_that_the_endpoint_repeats_is_in_no_frame(talk: Talking, where: str) -> None:
    frames = "".join(talk.frames(f"Echo live by {where}", *ECHOES[where]))

    assert KEY not in frames
    assert not _nearly(frames)


def test_what_was_said_around_a_key_is_still_there(talk: Talking, asked: dict[str, str]) -> None:
    for where in ("text", "pieces", "thoughts", *(f"two pieces, cut after {len(cut)}" for cut in CUTS)):
        assert re.search(r"You sent \*+, I think\.", talk.answered(asked[where])), where


def test_what_only_begins_like_a_key_is_left_as_it_is(talk: Talking) -> None:
    page = talk.answered(talk.ask("Nearly a key", says("It begins with ", KEY[:8], "-", KEY[:5], ".")))

    assert f"It begins with {KEY[:8]}-{KEY[:5]}." in page


@pytest.mark.parametrize("word", ["ollama", "EMPTY", "none", "lm-studio", "not-needed", "sk-1234"])
def test_a_word_that_only_stands_for_a_key_is_no_secret(word: str) -> None:
    """Endpoints without keys are given such words, and their models may well say them."""
    assert Redactor(word).hide(f"It says {word}.") == f"It says {word}."


def _nearly(text: str) -> bool:
    """Whether all of the key but a few characters stands there, which would be as good as the whole."""
    return KEY[:-4] in text or KEY[4:] in text


# Everything together, at the end


@pytest.fixture(scope="module")
def secrets(talk: Talking, asked: dict[str, str]) -> dict[str, str]:
    """All secrets there are, after everything that could spill them has been done."""
    for path in asked.values():
        talk.answered(path)
    cookies = dict(talk.alice.cookies)
    conversation = asked["text"].split("/")[2]
    with opened(talk.site, talk.alice, conversation) as page:
        # What htmx sends along with each frame, and what a page might be made to send.
        headers = {"HX-Request": "true", "Cookie": cookies["sessionid"], "X-CSRFToken": cookies["csrftoken"]}
        page.say(action="resume", since=0, HEADERS=headers, csrfmiddlewaretoken=cookies["csrftoken"])
        page.until('id="cursor"')
        page.say(action="dance", HEADERS=headers, csrfmiddlewaretoken=cookies["csrftoken"], key=cookies["sessionid"])
        page.until("does not know")
    spill(talk)
    return {
        "the key": KEY,
        "the secret key": SECRET_KEY,
        "the session": cookies["sessionid"],
        "the token": cookies["csrftoken"],
        "the password": PASSWORD,
    }


def spill(talk: Talking) -> None:
    """Errors of every kind, each with a secret in what was asked."""
    session, token = talk.alice.cookies["sessionid"], talk.alice.cookies["csrftoken"]
    for method, path in (
        ("GET", f"/no/such/{session}"), ("POST", "/c/"), ("PUT", "/c/"), ("POST", "/settings/facts/1/delete/"),
        ("GET", f"/admin/chat/run/{session}/change/"), ("GET", f"/?sessionid={session}&csrf={token}"),
    ):  # fmt: skip
        talk.alice.request(method, path, data={"csrfmiddlewaretoken": "wrong"} if method == "POST" else None)
    with closing(httpx2.Client(base_url=talk.site.url, trust_env=False)) as stranger:
        stranger.get("/", headers={"Host": "evil.example"})
        stranger.post("/accounts/login/", data={"username": "alice", "password": PASSWORD})
        stranger.get("/", headers={"Cookie": "sessionid=" + "x" * 200})


@pytest.mark.parametrize("name", ["the key", "the secret key", "the session", "the token", "the password"])
def test_no_secret_is_in_the_log(talk: Talking, secrets: dict[str, str], name: str) -> None:
    log = talk.site.log
    if name in ("the session", "the token"):
        # Who writes a secret into an address puts it there themselves; nobody else does.
        log = "\n".join(line for line in log.splitlines() if "Not Found: /no/such/" not in line)

    assert "run ended" in log
    assert secrets[name] not in log


@pytest.mark.parametrize("name", ["the key", "the secret key", "the token", "the password"])
def test_no_secret_is_in_the_database(talk: Talking, secrets: dict[str, str], name: str) -> None:
    assert not [where for where, value in talk.rows() if secrets[name] in value]


def test_a_session_is_in_the_database_only_as_a_session(talk: Talking, secrets: dict[str, str]) -> None:
    assert {where for where, value in talk.rows() if secrets["the session"] in value} == {"django_session.session_key"}


@pytest.mark.parametrize("name", ["the key", "the secret key", "the session", "the token", "the password"])
def test_no_secret_is_on_a_list_or_an_error_page(talk: Talking, secrets: dict[str, str], name: str) -> None:
    pages = talk.lists() | {
        path: talk.alice.get(path).text for path in ("/no/such/page", "/admin/", "/accounts/logout/", "/healthz")
    }
    pages["csrf"] = talk.alice.post("/c/", data={"message": "x"}).text

    for path, page in pages.items():
        assert secrets[name] not in page, path


@pytest.mark.parametrize("name", ["the key", "the secret key", "the session", "the token", "the password"])
def test_no_secret_is_in_the_title_of_a_process(talk: Talking, secrets: dict[str, str], name: str) -> None:
    root = Path(f"/proc/{talk.site.process.pid}")
    if not root.exists():
        pytest.skip("This system has no /proc.")
    titles = [root / "cmdline", root / "comm", *root.glob("task/*/comm")]

    assert all(secrets[name].encode() not in title.read_bytes() for title in titles)


def test_no_cookie_but_its_own_tells_a_secret(talk: Talking, secrets: dict[str, str]) -> None:
    answer = talk.alice.get("/settings/")

    said = "".join(f"{name}: {value}" for name, value in answer.headers.items() if name != "set-cookie")
    assert not [name for name, secret in secrets.items() if secret in said]


def test_the_key_goes_to_the_endpoint_alone_and_as_its_header(talk: Talking, asked: dict[str, str]) -> None:
    """Without this, the tests above would pass with an endpoint that never got the key."""
    talk.answered(asked["text"])

    assert talk.endpoint.keys == {KEY}
    assert KEY not in json.dumps(talk.endpoint.requests)
    assert SECRET_KEY not in json.dumps(talk.endpoint.requests)
