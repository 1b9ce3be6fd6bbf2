"""Endpoints that fail in every way there is, over real sockets, until they are well again."""

import asyncio
import re
import socket
import ssl
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from threading import Thread
from typing import Any, TypeVar

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.scripted import delta, event, says
from tests.serving import free_port

T = TypeVar("T")

SSE = "content-type: text/event-stream"
WELL = "All is well."
LINGER_OFF = b"\x01\x00\x00\x00\x00\x00\x00\x00"  # a connection is then broken off instead of closed


@dataclass
class Exchange:
    """One request that was read, with the `key` that came with it, and what is answered."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    key: bytes

    async def say(self, *parts: bytes, status: int = 200, gap: float = 0, kind: str = SSE) -> None:
        """Answer in parts, with so many seconds between them; the end of the connection is the end of the answer."""
        self.writer.write(f"HTTP/1.1 {status} So\r\n{kind}\r\nconnection: close\r\n\r\n".encode())
        for number, part in enumerate(parts):
            await asyncio.sleep(gap if number else 0)
            self.writer.write(part)
            await self.writer.drain()


Fault = Callable[[Exchange], Awaitable[None]]


async def well(asked: Exchange) -> None:
    await asked.say(*(event(chunk) for chunk in says(WELL)), b"data: [DONE]\n\n")


def answers(status: int, *headers: str) -> Fault:
    """An error as a status, with the key in its words, as some send it."""

    async def answer(asked: Exchange) -> None:
        said = b'{"error": {"message": "The key ' + asked.key + b' is to blame."}}'
        await asked.say(said, status=status, kind="\r\n".join(["content-type: application/json", *headers]))

    return answer


async def hangs(asked: Exchange) -> None:
    """Say nothing until the other side hangs up."""
    await asked.reader.read()


def trickles(gap: float, pieces: int) -> Fault:
    """A reply in so many pieces, with so many seconds between two of them."""

    async def trickle(asked: Exchange) -> None:
        chunks = says(*(f"piece{n} " for n in range(pieces)))
        await asked.say(*(event(chunk) for chunk in chunks[1:-1]), event(chunks[-1]) + b"data: [DONE]\n\n", gap=gap)

    return trickle


def once(fault: Fault) -> Fault:
    """A fault of the first request alone."""
    faults = [fault]

    async def answer(asked: Exchange) -> None:
        await (faults.pop() if faults else well)(asked)

    return answer


async def cuts(asked: Exchange) -> None:
    """Break the connection off in the middle of a reply."""
    await asked.say(event(delta(content="Half an ans")))
    await asyncio.sleep(0.1)
    asked.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_OFF)


async def garbles(asked: Exchange) -> None:
    await asked.say(b"data: <<< " + asked.key + b" >>>\n\n")


async def shows_a_page(asked: Exchange) -> None:
    await asked.say(b"<h1>Welcome to nginx!</h1>", kind="content-type: text/html")


@dataclass
class Faulty:
    """An endpoint with a `fault` until it is well again; None: nothing listens. `trusted` makes it speak TLS.

    `asked` are the moments of its requests, `left` those at which the other side had hung up.
    """

    fault: Fault | None
    host: str = "127.0.0.1"
    trusted: ssl.SSLContext | None = None
    port: int = field(default_factory=free_port)
    asked: list[float] = field(default_factory=list)
    left: list[float] = field(default_factory=list)
    server: asyncio.Server | None = None

    @property
    def address(self) -> str:
        return f"{self.host}:{self.port}"

    @property
    def url(self) -> str:
        return f"http{'s' if self.trusted else ''}://{self.address}/v1"

    async def listen(self) -> None:
        self.server = await asyncio.start_server(self._serve, "127.0.0.1", self.port, ssl=self.trusted)

    async def recover(self) -> None:
        gone, self.fault = self.fault is None, well
        if gone:
            await self.listen()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            [key], [length] = (re.findall(name + rb": (?:Bearer )?(\S+)", head, re.IGNORECASE) for name in NAMES)
            await reader.readexactly(int(length))
            self.asked.append(time.monotonic())
            assert self.fault
            await self.fault(Exchange(reader, writer, key))
            self.left.append(time.monotonic())
        except (OSError, asyncio.IncompleteReadError):
            pass  # who asks may leave in the middle
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()


NAMES = (b"authorization", b"content-length")


class Running:
    """An event loop in a thread of its own, for endpoints beside a test that waits."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(timeout=10)


@contextmanager
def running(*endpoints: Faulty) -> Iterator[Running]:
    """All of them listen, but for those that are gone."""
    here = Running()
    thread = Thread(target=here.loop.run_forever)
    thread.start()
    try:
        for one in endpoints:
            if one.fault:
                here.do(one.listen())
        yield here
    finally:
        here.do(_end(endpoints))
        here.loop.call_soon_threadsafe(here.loop.stop)
        thread.join()
        here.loop.close()


async def _end(endpoints: Sequence[Faulty]) -> None:
    for one in endpoints:
        if one.server:
            one.server.close()
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)


def self_signed(folder: Path) -> ssl.SSLContext:
    """A certificate that only its maker vouches for."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "nobody")])
    now, here = datetime.now(UTC), x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    made = made.serial_number(x509.random_serial_number()).add_extension(here, critical=False)
    made = made.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
    secret = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    file = folder / "self-signed.pem"
    signed = made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    file.write_bytes(key.private_bytes(*secret) + signed)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context
