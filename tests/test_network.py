"""The guard that keeps a test run on this machine does keep it there."""

import asyncio
import socket

import httpx2
import pytest

from tests import network


@pytest.mark.parametrize(
    ("host", "here"),
    [
        ("127.0.0.1", True),
        ("127.8.8.8", True),
        ("::1", True),
        ("localhost", True),
        ("8.8.8.8", False),
        ("pypi.org", False),
    ],
)
def test_only_this_machine_can_be_connected_to(host: str, here: bool) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as found:
        found.settimeout(5)
        with pytest.raises(OSError if here else network.OutsideCall):
            found.connect((host, 9))  # Nobody listens there.

    assert bool(network.tried) is not here
    network.tried.clear()


def test_a_name_is_not_looked_up() -> None:
    with pytest.raises(network.OutsideCall):
        socket.getaddrinfo("example.com", 80)

    assert network.tried == ["socket.getaddrinfo 'example.com'"]
    network.tried.clear()


@pytest.mark.parametrize("number", ["10.0.0.1", "127.1", "0x7f000001", "2130706433", "2001:db8::1"])
def test_an_address_in_any_spelling_may_be_read(number: str) -> None:
    socket.getaddrinfo(number, 80)


async def test_asynchronous_clients_are_held_too() -> None:
    async with httpx2.AsyncClient(trust_env=False) as client:
        with pytest.raises(network.OutsideCall):
            await client.get("http://example.com/")
    with pytest.raises(network.OutsideCall):
        await asyncio.open_connection("192.0.2.1", 80)

    assert len(network.tried) == 2
    network.tried.clear()
