"""Parses where an outbound request is to go, once, and refuses what two readers might read differently."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Self

import httpx2

from tools.context import HttpError

PORTS = frozenset({80, 443})

_AMBIGUOUS = re.compile(r"[\\\s\x00-\x20\x7f-\x9f]")
_LABEL = "[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?"
_NAME = re.compile(rf"(?=.{{1,253}}$){_LABEL}(\.{_LABEL})*")
_NUMBER = re.compile(r"(.*\.)?(\d+|0x[0-9a-f]*)")


@dataclass(frozen=True)
class CheckedUrl:
    """A checked http or https URL. `host` is lower case ASCII: a DNS name, or an IP address in one form."""

    url: httpx2.URL
    host: str
    port: int

    @classmethod
    def parse(cls, text: str, params: Mapping[str, str | int | float] = {}) -> Self:
        """Raises HttpError, which names nothing of the URL but its host: the rest may hold secrets."""
        if _AMBIGUOUS.search(text):
            raise HttpError("the URL holds a backslash, a space or a control character")
        try:
            url = httpx2.URL(text)
            url = url.copy_merge_params(params) if params else url
            if url.scheme not in ("http", "https"):
                raise HttpError("only http and https URLs can be opened")
            host = _host(url.raw_host.decode("ascii"))
            if url.userinfo:
                raise HttpError(f"a URL with a user name or password is refused ({host})")
            url = url.copy_with(host=host, fragment=None)
        except (httpx2.InvalidURL, ValueError):
            raise HttpError("that is not the URL of a page") from None
        return cls(url, host, url.port or (443 if url.scheme == "https" else 80))

    def join(self, location: str) -> "CheckedUrl":
        """Where a redirect leads, checked as any other URL."""
        if _AMBIGUOUS.search(location):
            raise HttpError(f"{self.host} redirects to a malformed URL")
        try:
            return CheckedUrl.parse(str(self.url.join(location)))
        except httpx2.InvalidURL:
            raise HttpError(f"{self.host} redirects to a malformed URL") from None


def ports_of(hosts: Iterable[str]) -> dict[str, frozenset[int]]:
    """What a list of "host" and "host:port" opens: a host alone its usual ports, with a port that port."""
    ports: dict[str, frozenset[int]] = {}
    for entry in hosts:
        try:
            target = CheckedUrl.parse(f"http://{entry}")
        except HttpError:
            target = None
        if target is None or target.url.raw_path != b"/":
            raise ValueError(f"{entry!r} is not a host or host:port")
        opened = frozenset({target.port}) if target.url.port else PORTS
        ports[target.host] = ports.get(target.host, frozenset()) | opened
    return ports


def _host(text: str) -> str:
    """The host in its one form, else ValueError. 127.1 and 0x7f000001, a number to some, are refused."""
    host = text.removesuffix(".")
    if ":" in host or _NUMBER.fullmatch(host):
        if "%" in host:
            raise ValueError("an address with a zone")
        return str(ip_address(host))
    if not _NAME.fullmatch(host):
        raise ValueError("not a host name")
    return host
