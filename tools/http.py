"""The one client for requests to the outside: it connects only to addresses that it has checked."""

import asyncio
import json
import socket
import ssl
from collections.abc import Awaitable, Callable, Iterable, Mapping
from functools import cache, partial
from ipaddress import ip_address

import httpx2

from tools.addresses import refusal
from tools.checked_url import PORTS, CheckedUrl, ports_of
from tools.context import HttpError
from tools.exchange import Response, exchange
from tools.threads import Threads

MAX_SECONDS = 10.0  # for a whole request: names, connections, redirects, body
MAX_REDIRECTS = 3
MAX_ADDRESSES = 4  # of a host that are tried, one after the other

Resolver = Callable[[str, int], Awaitable[list[str]]]

_THREADS = Threads(size=8, name="http")  # getaddrinfo can hang for longer than anybody waits
_TRUSTS_NOBODY = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # for plain http, which asks for no certificate


async def resolve(host: str, port: int) -> list[str]:
    """The addresses of a host, in the system's order of preference. Raises OSError."""
    found = await _THREADS.run(partial(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM))
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


class OutboundHttp:
    """GET requests to the public internet, without any proxy, cookie or login of the environment.

    `private_hosts`: hosts that may have private addresses, for an administrator to name. An entry "host:port" opens
    that port, "host" the usual two. `tls`: the certificates that are trusted, else the system's.
    """

    def __init__(
        self,
        *,
        private_hosts: Iterable[str] = (),
        resolve: Resolver = resolve,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._private = ports_of(private_hosts)
        self._resolve = resolve
        self._given_tls = tls

    async def get_json(
        self,
        url: str,
        params: Mapping[str, str | int | float] = {},
        timeout: float = MAX_SECONDS,  # noqa: ASYNC109
    ) -> object:
        """The parsed body of a reply with a status of 200 to 299. Raises HttpError."""
        response = await self.get(url, params, timeout)
        host = CheckedUrl.parse(response.url).host
        if not 200 <= response.status < 300:
            raise HttpError(f"{host} answered with status {response.status}")
        try:
            parsed: object = json.loads(response.text)
        except (ValueError, RecursionError):
            raise HttpError(f"{host} answered with something that is not JSON") from None
        return parsed

    async def get(
        self,
        url: str,
        params: Mapping[str, str | int | float] = {},
        timeout: float = MAX_SECONDS,  # noqa: ASYNC109
    ) -> Response:
        """Follows at most three redirects, each checked like the first URL. Raises HttpError."""
        target = CheckedUrl.parse(url, params)
        limit = min(timeout, MAX_SECONDS)
        try:
            async with asyncio.timeout(limit):
                return await self._follow(target)
        except TimeoutError:
            raise HttpError(f"{target.host} did not answer within {limit:g} s") from None

    async def _follow(self, target: CheckedUrl) -> Response:
        for _ in range(MAX_REDIRECTS + 1):
            answer = await exchange(target, await self._addresses(target), await self._tls(target))
            if isinstance(answer, Response):
                return answer
            target = answer
        raise HttpError(f"more than {MAX_REDIRECTS} redirects, the last one to {target.host}")

    async def _addresses(self, target: CheckedUrl) -> list[str]:
        """Where to connect to. One address that may not be reached is enough to refuse the host."""
        host, private = target.host, target.host in self._private
        opened = PORTS | self._private.get(host, PORTS)
        if target.port not in opened:
            raise HttpError(f"{host}: port {target.port} is not open to requests")
        addresses = await self._look_up(host, target.port)
        for address in addresses:
            if reason := refusal(address, private=private):
                raise HttpError(f"{host} may not be asked: its address {reason}")
        return addresses[:MAX_ADDRESSES]

    async def _look_up(self, host: str, port: int) -> list[str]:
        try:
            return [str(ip_address(host))]
        except ValueError:  # a name
            pass
        try:
            addresses = await self._resolve(host, port)
        except OSError:
            addresses = []
        if not addresses:
            raise HttpError(f"{host} has no address: there is no such host, or no network")
        return addresses

    async def _tls(self, target: CheckedUrl) -> ssl.SSLContext:
        if target.url.scheme == "http":
            return _TRUSTS_NOBODY
        if self._given_tls is not None:
            return self._given_tls
        return await _THREADS.run(_system_tls)


@cache
def _system_tls() -> ssl.SSLContext:
    """The certificates this machine trusts. Reading them takes long enough to be noticed on the event loop."""
    return httpx2.create_ssl_context(trust_env=False)
