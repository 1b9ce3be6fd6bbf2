"""The exact origins of this site, and the door that lets websockets in from their pages alone."""

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
DEFAULT_PORTS = {"http": 80, "https": 443}


def origin_of(scheme: str, host: str, port: int | None) -> str:
    """An origin as browsers write it: small letters, and no port where it is the scheme's own."""
    said = "" if port in (None, DEFAULT_PORTS[scheme]) else f":{port}"
    return f"{scheme}://{host.lower()}{said}"


def origins(hosts: Iterable[str], port: int, public_url: str) -> list[str]:
    """Where pages of this site come from: loopback as it is served, every other host as PUBLIC_URL says.

    Behind https nothing is served over plain loopback, so there its origins are left out.
    """
    public = urlsplit(public_url)
    found = []
    for host in hosts:
        if host in LOOPBACK and public.scheme != "https":
            found.append(origin_of("http", host, port))
        elif public_url and host not in LOOPBACK:
            found.append(origin_of(public.scheme, host, public.port))
        elif host not in LOOPBACK:
            found.append(origin_of("http", host, port))
    return list(dict.fromkeys(found))


class ExactOrigins:
    """ASGI middleware: a websocket whose Origin is not ours, is missing or is doubled is refused with 403.

    Channels' own validator parses the header, and breaks with a traceback on one that cannot be parsed.
    """

    def __init__(self, application: Any, allowed: Iterable[str]) -> None:
        self.application = application
        self.allowed = frozenset(origin.encode("ascii") for origin in allowed)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> Any:
        said = [value for name, value in scope["headers"] if name == b"origin"]
        if len(said) == 1 and said[0] in self.allowed:
            return await self.application(scope, receive, send)
        return await refuse(scope, receive, send)


async def refuse(scope: Any, receive: Any, send: Any) -> None:
    """An ASGI application that answers a websocket's handshake with 403."""
    await receive()
    await send({"type": "websocket.close"})
