"""What an endpoint says, over real HTTP to a real site: it stays text in every page and frame, and breaks none."""

import json
import re

import pytest

from tests.scripted import Body, asks, call, delta, event, says
from tests.security.endpoint import Reply
from tests.security.markup import HOSTILE, MARK, MARKDOWN, PIECES, holes, words
from tests.security.swaps import misdirected
from tests.security.talking import OVER, Talking

JSON = {"content-type": "application/json"}
ODD = "Hello \ud800 \x00 \udfff there"


def deep(levels: int) -> str:
    return "[" * levels + "]" * levels


def failing(words: str, status: int = 400) -> Body:
    return Body([json.dumps({"error": {"message": words, "type": "invalid", "code": 400}}).encode()], status, JSON)


HOSTILE_REPLIES: dict[str, list[Reply]] = {
    "text": [says(MARKDOWN)],
    "thoughts": [asks(call("calculate", {"expression": "1"}), text=MARKDOWN), says("Well.")],
    "reasoning": [[delta(reasoning_content=HOSTILE), *says("Well.")]],
    "refusal": [[delta(refusal=HOSTILE), delta("stop")]],
    "a tool's name": [asks(*(call(piece, {}, index=n) for n, piece in enumerate(PIECES))), says("Well.")],
    "arguments": [asks(call("calculate", {HOSTILE: HOSTILE, "expression": HOSTILE})), says("Well.")],
    "no arguments": [asks(call("calculate", HOSTILE)), says("Well.")],
    "a call's id": [asks(call("calculate", {"expression": "1"}, id=HOSTILE)), says("Well.")],
    "the model's name": [[{**chunk, "model": HOSTILE} for chunk in says("Well.")]],
    "the finish": [says("Well.", finish=HOSTILE)],
    "an error": [failing(HOSTILE)],
    "an error in mid stream": [
        Body([event(delta(content="Well")), event({"error": json.loads(failing(HOSTILE).parts[0])["error"]})])
    ],
    "a page": [Body([HOSTILE.encode()], 404, {"content-type": "text/html"})],
}


@pytest.mark.parametrize("where", HOSTILE_REPLIES)
def test_hostile_text_of_an_endpoint_stays_text_on_every_page(talk: Talking, where: str) -> None:
    pages = talk.pages(talk.ask(f"{where}: {PIECES[0]}", *HOSTILE_REPLIES[where]))

    for path, page in pages.items():
        assert not holes(page), (path, holes(page)[:5])
    said = words("".join(page for path, page in pages.items() if path.startswith("/c/")))
    assert MARK in said.replace(PIECES[0], "") or where in ("a call's id", "the finish", "a page")


@pytest.mark.parametrize("where", HOSTILE_REPLIES)
def test_hostile_text_of_an_endpoint_stays_text_in_every_frame(talk: Talking, where: str) -> None:
    for frame in talk.frames(f"{where} live: {PIECES[0]}", *HOSTILE_REPLIES[where]):
        assert not holes(frame), holes(frame)[:5]
        assert not misdirected(frame)


def test_a_stream_is_as_safe_in_between_as_at_its_end(talk: Talking) -> None:
    pieces = [MARKDOWN[at : at + 7] for at in range(0, len(MARKDOWN), 7)]
    talk.endpoint.pause = 0.003
    try:
        frames = talk.frames("In pieces", says(*pieces), says("Well."))
    finally:
        talk.endpoint.pause = 0.0

    assert sum("-open" in frame for frame in frames) > 5
    for frame in frames:
        assert not holes(frame), holes(frame)[:5]
        assert not misdirected(frame)


@pytest.mark.parametrize("where", [0, 3000])
def test_what_no_socket_takes_is_made_harmless_before_it_is_sent(talk: Talking, where: int) -> None:
    """In the short open block of a stream, and in a long one, which is sent as plain text."""
    pieces = ["word " * 100 for _ in range(where // 500)]
    talk.endpoint.pause = 0.06
    try:
        frames = talk.frames(f"Odd after {where}", says(*pieces, ODD, " and ", ODD))
    finally:
        talk.endpoint.pause = 0.0

    assert "\ufffd" in "".join(frames)
    assert "\x00" not in "".join(frames)


ODD_REPLIES: dict[str, list[Reply]] = {
    "text": [says(ODD)],
    "text of a reply that is cut": [Body([event(delta(content=ODD))]), says("Well.")],
    "text before an error": [Body([event(delta(content=ODD)), event({"error": {"message": ODD, "type": "invalid"}})])],
    "text that is cut off": [says(ODD, finish="length")],
    "reasoning": [[delta(reasoning=ODD), *says("Well.")]],
    "refusal": [[delta(refusal=ODD), delta("stop")]],
    "a tool's name": [asks(call(ODD, {})), says("Well.")],
    "arguments": [asks(call("calculate", {ODD: {ODD: [ODD]}})), says("Well.")],
    "a call's id": [asks(call("calculate", {"expression": "1"}, id=ODD)), says("Well.")],
    "the model's name": [[{**chunk, "model": ODD} for chunk in says("Well.")]],
    "the finish": [says("Well.", finish=ODD)],
    "an error": [failing(ODD)],
    "bytes that are no text": [
        Body([b'data: {"choices": [{"delta": {"content": "\xff\xfe\x80"}}]}\n\n', b"data: [DONE]\n\n"])
    ],
    **{f"brackets in text, {n} deep": [says(deep(n))] for n in (500, 1500)},
    **{
        f"brackets in arguments, {n} deep": [asks(call("calculate", f'{{"x": {deep(n)}}}')), says("Well.")]
        for n in (300, 700, 20_000)
    },
    "brackets as arguments": [asks(call("calculate", deep(5000))), says("Well.")],
    "brackets as a chunk": [Body([b'data: {"choices": ' + deep(5000).encode() + b"}\n\n"]), says("Well.")],
    "brackets as an error": [Body([deep(5000).encode()], 400, JSON)],
    "no number": [asks(call("calculate", '{"expression": NaN, "x": [-Infinity]}')), says("Well.")],
    "no finite number": [asks(call("calculate", '{"expression": "1", "x": 1e999}')), says("Well.")],
    "a number without end": [asks(call("calculate", f'{{"expression": {"9" * 5000}}}')), says("Well.")],
    "tokens without end": [says("Well.", usage={"prompt_tokens": 10**30, "completion_tokens": 10**30})],
    "a cost without end": [says("Well.", usage={"prompt_tokens": 1, "completion_tokens": 1, "cost": 1e12})],
    "a cost beyond numbers": [says("Well.", usage={"prompt_tokens": 1, "completion_tokens": 1, "cost": "1e400000"})],
    "very long names": [asks(call("x" * 5000, {"y" * 5000: 1}, id="z" * 5000)), says("Well.")],
    "a very long name of a model": [[{**chunk, "model": "m" * 5000} for chunk in says("Well.")]],
}


@pytest.mark.parametrize("where", ODD_REPLIES)
def test_nothing_that_an_endpoint_says_breaks_a_page_or_the_run(talk: Talking, where: str) -> None:
    """Whatever comes is an answer, or an error in words; the pages that show it can be read."""
    before = len(talk.site.log)
    pages = talk.pages(talk.ask(f"Odd {where}", *ODD_REPLIES[where]))

    assert OVER.search("".join(pages.values()))
    assert "Something on the server failed" not in "".join(pages.values())
    assert "Traceback" not in talk.site.log[before:], talk.site.log[before:][-2000:]


def test_hostile_text_of_an_endpoint_stays_text_in_every_list(talk: Talking) -> None:
    for where, replies in HOSTILE_REPLIES.items():
        talk.answered(talk.ask(f"{where} listed: {PIECES[0]}", *replies))

    for path, page in talk.lists().items():
        assert not holes(page), (path, holes(page)[:5])
        assert MARK in words(page) or path in ("/settings/", "/admin/", "/admin/chat/fact/")


def test_nothing_of_all_that_is_stored_so_that_only_sqlite_takes_it(talk: Talking) -> None:
    """PostgreSQL takes no NUL, in JSON no half of a character either, and nothing longer than its column."""
    for path in [talk.ask(f"Odd {where}, kept", *replies) for where, replies in ODD_REPLIES.items()]:
        talk.answered(path)

    unstorable = re.compile(r"\x00|[\ud800-\udfff]|(?<!\\)(\\\\)*\\u(0000|d[89a-f])")
    longest = {"chat_step.name": 200, "chat_run.model": 200, "chat_conversation.model": 200, "chat_run.doing": 200}
    for where, value in talk.rows():
        assert not unstorable.search(value), (where, value[:200])
        assert len(value) <= longest.get(where, len(value)), where
