"""Holds a test run to this machine: reaching for any other host is an error, in the code and in its test."""

import sys
import unicodedata
from ipaddress import ip_address
from socket import inet_aton

# What was tried since the last look. A call whose error was swallowed is found here all the same.
tried: list[str] = []


class OutsideCall(RuntimeError):
    """No OSError, so that nothing mistakes it for a host that is down."""


def forbid() -> None:
    """From here on, for the whole process; an audit hook cannot be taken off again, nor passed by."""
    sys.addaudithook(_look)


def _look(event: str, arguments: tuple[object, ...]) -> None:
    if event in ("socket.connect", "socket.sendto"):
        address = arguments[1]
        host = address[0] if isinstance(address, tuple) else ""  # A path names a socket on this machine.
        allowed = _is_here(host)
    elif event in ("socket.getaddrinfo", "socket.gethostbyname"):
        host = arguments[0]
        allowed = _is_here(host) or _is_number(host)
    else:
        return
    if not allowed:
        tried.append(f"{event} {host!r}")
        raise OutsideCall(f"A test tried to reach {host!r}. Tests talk to this machine alone.")


def _is_here(host: object) -> bool:
    name = _as_text(host)
    if name in ("", "localhost"):
        return True
    try:
        address = ip_address(name.partition("%")[0])
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified


def _is_number(host: object) -> bool:
    """An address in any of its spellings: looking it up asks nobody."""
    name = _as_text(host)
    try:
        if ":" in name:
            ip_address(name.partition("%")[0])
        else:
            inet_aton(name)
    except (ValueError, OSError):
        return False
    return True


def _as_text(host: object) -> str:
    text = host.decode("ascii", "replace") if isinstance(host, bytes) else str(host or "")
    return unicodedata.normalize("NFKC", text).lower()
