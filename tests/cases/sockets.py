"""A script behind a real socket, for what only a real connection does: idle, and break."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx2

from chat.wire.endpoint import IDLE_SECONDS, Endpoint
from tests.scripted import Scripted


@asynccontextmanager
async def over_socket(scripted: Scripted, idle: float = IDLE_SECONDS) -> AsyncIterator[Endpoint]:
    """Serve a script on a port of this machine, one request a connection; `idle` is the client's patience."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await write_out(await scripted.handle_async_request(await request_of(reader)), writer)
        except ConnectionError:
            pass  # the client went away, which is what some cases are about
        finally:
            writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    served = Endpoint(f"http://127.0.0.1:{port}/v1", "sk-test", idle=idle)
    try:
        yield served
    finally:
        await served.close()
        server.close()


async def request_of(reader: asyncio.StreamReader) -> httpx2.Request:
    head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    method, path, _ = head[0].split(" ")
    headers = dict(line.lower().split(": ", 1) for line in head[1:] if line)
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    return httpx2.Request(method, f"http://{headers['host']}{path}", content=body)


async def write_out(response: httpx2.Response, writer: asyncio.StreamWriter) -> None:
    """Send a response whose end is the connection's."""
    headers = {name: value for name, value in response.headers.items() if name != "transfer-encoding"}
    lines = [f"HTTP/1.1 {response.status_code} .", *(f"{name}: {value}" for name, value in headers.items())]
    writer.write("\r\n".join([*lines, "connection: close", "", ""]).encode())
    await writer.drain()
    assert isinstance(response.stream, httpx2.AsyncByteStream)
    async for part in response.stream:
        writer.write(part)
        await writer.drain()
