"""Why there was no reply, over real sockets where one can be had: named, by its host alone."""

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime

import httpx2
import pytest

from chat.wire.endpoint import Endpoint
from chat.wire.errors import EndpointError
from chat.wire.explained import retry_after, spoken
from chat.wire.stream import Assembler
from tests.faults.faulty import Exchange, Faulty, hangs, running
from tests.serving import free_port


async def leaves(asked: Exchange) -> None:
    """Hang up without a word."""


@pytest.fixture(scope="module")
def silent() -> Iterator[Faulty]:
    """An endpoint that closes each connection without an answer."""
    with running(one := Faulty(leaves)):
        yield one


async def why(base_url: str, transport: httpx2.AsyncBaseTransport | None = None, idle: float = 60) -> str:
    endpoint = Endpoint(base_url, "sk-test-of-a-reason", transport, idle=idle)
    try:
        with pytest.raises(EndpointError) as raised:
            async for _ in endpoint.stream(b"{}", Assembler()):
                pass
    finally:
        await endpoint.close()
    return str(raised.value)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])  # the latter may be two addresses
async def test_credentials_of_an_address_are_not_in_the_reason(host: str) -> None:
    port = free_port()
    words = await why(f"http://someone:secret@{host}:{port}/v1")
    assert words == f"{host}:{port} could not be reached: it refuses connections. Is it running, and its port right?"


@pytest.mark.parametrize("said", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b""])
async def test_a_plain_port_that_is_asked_for_https_is_no_matter_of_certificates(said: bytes) -> None:
    answering: list[asyncio.Task[None] | None] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answering.append(asyncio.current_task())
        await reader.read(100)
        writer.write(said)
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as plain:
        here = f"127.0.0.1:{plain.sockets[0].getsockname()[1]}"
        words = await why(f"https://{here}/v1")
        await asyncio.gather(*filter(None, answering))
    assert words == f"{here} could not be reached: no secure connection came about. Does it speak https?"


async def test_a_connection_that_is_closed_without_a_word_is_said(silent: Faulty) -> None:
    assert await why(silent.url) == f"{silent.address} closed the connection without an answer. Try again in a moment."


async def test_how_long_nothing_was_said_is_in_the_reason() -> None:
    with running(hanging := Faulty(hangs)):
        assert await why(hanging.url, idle=0.2) == f"{hanging.address} said nothing for 0.2 s. Try again in a moment."


class Fails(httpx2.AsyncBaseTransport):
    def __init__(self, error: Exception) -> None:
        self.error = error

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        raise self.error


async def test_an_address_behind_which_nobody_is_and_an_odd_failure_are_told_apart() -> None:
    assert "no connection came about in time" in await why("http://far.invalid/v1", Fails(httpx2.ConnectTimeout("")))
    assert "(ProxyError)" in await why("http://far.invalid/v1", Fails(httpx2.ProxyError("secret")))


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.01, "1 second"), (5, "5 seconds"), (59.2, "1 minute"), (90, "1 minute 30 seconds"), (600, "10 minutes"),
        (3600, "1 hour"), (5400, "1 hour 30 minutes"), (86_400 + 7_200 + 60, "1 day 2 hours"), (90_000, "1 day 1 hour"),
    ],
)  # fmt: skip
def test_a_time_is_said_as_people_say_it(seconds: float, words: str) -> None:
    assert spoken(seconds) == words


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("90", 90),
        ("0", 0),
        ("-1", None),
        ("inf", None),
        ("nan", None),
        ("Sun, 06 Nov 1994 08:51:07 GMT", 90),
        ("Sunday, 06-Nov-94 08:51:07 GMT", 90),
        ("Sun Nov  6 08:51:07 1994", 90),
        ("Sun, 06 Nov 1994 09:51:07 +0100", 90),
        ("Sun, 06 Nov 1994 08:00:00 GMT", 0),
        ("Sun, 31 Feb 1994 08:00:00 GMT", None),
        (f"Sun, 06 Nov {10**20} 08:00:00 GMT", None),
        ("Sun, 06 Nov 1994 08:00:00 +9900", None),
        ("tomorrow", None),
        ("", None),
    ],
)
def test_a_pause_is_asked_for_in_seconds_or_until_a_date(said: str, seconds: float | None) -> None:
    assert retry_after({"retry-after": said}, datetime(1994, 11, 6, 8, 49, 37, tzinfo=UTC)) == seconds
