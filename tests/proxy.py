"""A TCP proxy before a site, with the faults of real ones: it cuts, it stalls, and it lets no websocket through.

What it passes on names the site's own address instead of its own, so that origins and hosts are what the site expects.
"""

import asyncio
import re
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from threading import Thread
from typing import Any, TypeVar

from tests.serving import Site

UPGRADE = re.compile(rb"^upgrade: *websocket\r$", re.IGNORECASE | re.MULTILINE)
REFUSAL = b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
SENT = 64 * 1024

T = TypeVar("T")


@dataclass(eq=False)
class Connection:
    """One connection of a client, and the one to the site that stands for it.

    It passes on what the client says while `goes` is set, and what the site says while `comes` is.
    """

    writers: list[asyncio.StreamWriter]
    is_socket: bool = False
    goes: asyncio.Event = field(default_factory=asyncio.Event)
    comes: asyncio.Event = field(default_factory=asyncio.Event)


class Proxy:
    """`site` is the site as seen through it. Its loop is another thread's, for a test's may be at work already."""

    def __init__(self, site: Site) -> None:
        self.lets_websockets_through = True
        self.answer = b""  # if there is one, it is the proxy's own to all new connections
        self.handshakes = 0
        self.connections: set[Connection] = set()
        self.serving: set[asyncio.Task[None]] = set()
        self.loop = asyncio.new_event_loop()
        self.thread = Thread(target=self.loop.run_forever)
        self.thread.start()
        self.target = site.url.removeprefix("http://")
        self.own = self._do(self._listen())
        self.site = replace(site, url=f"http://{self.own}")

    def cut(self) -> None:
        """Break every connection that is open now."""
        self._do(self._cut())

    def stall(self, *, answers_only: bool = False) -> None:
        """Pass on nothing more over the websockets that are open now, and let nobody know.

        With `answers_only` the site still hears what the client says.
        """
        self._do(self._stall(answers_only))

    def deafen(self) -> None:
        """Let the site hear nothing more over the websockets that are open now; what it says still comes."""
        self._do(self._deafen())

    def close(self) -> None:
        self._do(self._close())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.loop.close()

    def _do(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(timeout=10)

    async def _listen(self) -> str:
        self.server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        return f"127.0.0.1:{self.server.sockets[0].getsockname()[1]}"

    async def _cut(self) -> None:
        for connection in tuple(self.connections):
            for writer in connection.writers:
                writer.transport.abort()

    async def _stall(self, answers_only: bool) -> None:
        for connection in self.connections:
            if connection.is_socket:
                connection.comes.clear()
                if not answers_only:
                    connection.goes.clear()

    async def _deafen(self) -> None:
        for connection in self.connections:
            if connection.is_socket:
                connection.goes.clear()

    async def _close(self) -> None:
        self.server.close()
        await self._cut()
        for connection in self.connections:
            connection.goes.set()
            connection.comes.set()
        await asyncio.gather(*self.serving)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.serving.add(task := asyncio.create_task(self._serve(reader, writer)))
        task.add_done_callback(self.serving.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.read(SENT)
        is_socket = bool(UPGRADE.search(head))
        self.handshakes += is_socket
        if is_socket and not self.lets_websockets_through:
            writer.write(REFUSAL)
            writer.close()
            return
        if self.answer:
            writer.write(self.answer)
            writer.close()
            return
        host, _, port = self.target.partition(":")
        try:
            back, forth = await asyncio.open_connection(host, int(port))
        except OSError:
            writer.transport.abort()
            return
        connection = Connection([writer, forth], is_socket)
        connection.goes.set()
        connection.comes.set()
        self.connections.add(connection)
        forth.write(self._renamed(head))
        await asyncio.gather(
            self._pass(connection.goes, reader, forth, not is_socket), self._pass(connection.comes, back, writer, False)
        )
        self.connections.discard(connection)

    async def _pass(
        self, passes: asyncio.Event, source: asyncio.StreamReader, sink: asyncio.StreamWriter, renames: bool
    ) -> None:
        """Pass bytes on until either side ends, then end the other."""
        with suppress(OSError):
            while data := await source.read(SENT):
                await passes.wait()
                sink.write(self._renamed(data) if renames else data)
                await sink.drain()
        sink.close()

    def _renamed(self, head: bytes) -> bytes:
        return head.replace(self.own.encode(), self.target.encode())


@contextmanager
def before(site: Site) -> Iterator[Proxy]:
    """A proxy before a site, until the block ends."""
    proxy = Proxy(site)
    try:
        yield proxy
    finally:
        proxy.close()
