"""Only the public internet may be connected to, in whatever form an address is written."""

from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.addresses import METADATA, refusal

PUBLIC = ["1.1.1.1", "8.8.8.8", "93.184.215.14", "2606:4700:4700::1111", "2a00:1450:4001:82a::200e"]

NOT_PUBLIC = [
    *("0.0.0.0", "0.1.2.3", "127.0.0.1", "127.255.255.254", "10.0.0.1", "172.16.0.1", "192.168.1.1"),  # noqa: S104
    *("100.64.0.1", "169.254.1.1", "192.0.0.1", "192.0.2.1", "198.18.0.1", "198.51.100.1", "203.0.113.1"),
    *("192.88.99.1", "224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255"),
    *("::", "::1", "fe80::1", "fe80::1%eth0", "fec0::1", "fc00::1", "fd12:3456::1", "ff02::1", "ff0e::1"),
    *("2001:db8::1", "3fff::1", "5f00::1", "100::1", "4000::1", "64:ff9b:1::1", "2001::1", "2001:2::1"),
]

# 127.0.0.1 and 10.0.0.1 inside IPv6.
WRAPPED = [
    "::ffff:127.0.0.1",
    "::ffff:7f00:1",
    "::127.0.0.1",
    "::10.0.0.1",
    "2002:7f00:1::",
    "2002:a00:1::5",
    "64:ff9b::127.0.0.1",
    "64:ff9b::a00:1",
    "2001:0:7f00:1::",  # Teredo, its server
    "2001:0:808:808::80ff:fffe",  # Teredo, its client, written inverted
]

# The public 8.8.8.8 inside IPv6.
WRAPPED_PUBLIC = ["::ffff:8.8.8.8", "::8.8.8.8", "64:ff9b::8.8.8.8", "2002:808:808::1"]


@pytest.mark.parametrize("address", PUBLIC + WRAPPED_PUBLIC)
def test_a_public_address_may_be_connected_to(address: str) -> None:
    assert refusal(address) == ""


@pytest.mark.parametrize("address", NOT_PUBLIC + WRAPPED)
def test_an_address_that_is_not_public_may_not(address: str) -> None:
    assert refusal(address)


@pytest.mark.parametrize("address", sorted(map(str, METADATA)))
def test_a_metadata_service_may_not_not_even_as_a_private_host(address: str) -> None:
    forms = [address]
    if ":" not in address:
        number = int(IPv4Address(address))
        forms += [f"::ffff:{address}", f"64:ff9b::{address}", str(IPv6Address((0x2002 << 112) | (number << 80)))]
    for form in forms:
        assert "metadata" in refusal(form)
        assert "metadata" in refusal(form, private=True)


@pytest.mark.parametrize("address", ["127.0.0.1", "10.1.2.3", "::1", "fd12::1", "192.168.1.1", "::ffff:10.0.0.1"])
def test_a_private_host_may_have_a_private_address(address: str) -> None:
    assert refusal(address, private=True) == ""


@pytest.mark.parametrize("address", ["0.0.0.0", "::", "224.0.0.1", "ff02::1", "169.254.1.1", "fe80::1"])  # noqa: S104
def test_a_private_host_may_not_have_an_address_of_no_machine(address: str) -> None:
    assert refusal(address, private=True)


@pytest.mark.parametrize(
    "text", ["", "localhost", "127.1", "0x7f000001", "2130706433", "0", "１２７.０.０.１", "010.0.0.1"]
)
def test_what_is_not_an_address_is_refused(text: str) -> None:
    assert refusal(text)


@given(st.ip_addresses(v=4))
def test_wrapping_an_address_never_opens_it(address: IPv4Address) -> None:
    if refusal(str(address)):
        number = int(address)
        for wrapped in (
            (0xFFFF << 32) | number,
            (0x64FF9B << 96) | number,
            (0x2002 << 112) | (number << 80),
            (0x20010000 << 96) | (number << 64),
            (0x20010000 << 96) | (0x08080808 << 64) | (number ^ 0xFFFFFFFF),
        ):
            assert refusal(str(IPv6Address(wrapped))), IPv6Address(wrapped)


@given(st.ip_addresses(v=4))
def test_what_python_calls_private_is_never_opened(address: IPv4Address) -> None:
    assert address.is_global or refusal(str(address))
