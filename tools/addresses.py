"""Says whether an IP address may be connected to: only the public internet, whatever form it hides in."""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

Address = IPv4Address | IPv6Address

# Where clouds answer their own machines, with credentials among the answers. No setting opens these.
METADATA = frozenset(
    map(ip_address, ("169.254.169.254", "fd00:ec2::254", "168.63.129.16", "100.100.100.200", "192.0.0.192"))
)

# Not global by IANA's registries, though some version of `ipaddress.is_global` lets them through.
_SPECIAL = tuple(map(IPv4Network, ("192.0.0.0/24", "192.88.99.0/24")))
_SPECIAL_6 = tuple(map(IPv6Network, ("2001:db8::/32", "3fff::/20")))
_UNICAST_6 = IPv6Network("2000::/3")  # all of IPv6 that IANA has given out for the public internet

_V4_COMPATIBLE = IPv6Network("::/96")
_NAT64 = IPv6Network("64:ff9b::/96")
_LAST_32_BITS = 0xFFFFFFFF


def refusal(text: str, *, private: bool = False) -> str:
    """Why the address may not be connected to, "" if it may.

    `private` is for hosts an administrator has named: their addresses may be private or loopback ones.
    """
    try:
        address = ip_address(text)
    except ValueError:
        return "is not an IP address"
    reasons = (_reason(reached, private) for reached in _unwrapped(address))
    return next((reason for reason in reasons if reason), "")


def _reason(address: Address, private: bool) -> str:
    if address in METADATA:
        return "belongs to a cloud's metadata service"
    if address.is_multicast or address.is_unspecified or address.is_link_local:
        return "is not the address of one public machine"
    if not private and not _is_public(address):
        return "is not on the public internet"
    return ""


def _is_public(address: Address) -> bool:
    if isinstance(address, IPv4Address):
        return address.is_global and not any(address in network for network in _SPECIAL)
    return address.is_global and address in _UNICAST_6 and not any(address in network for network in _SPECIAL_6)


def _unwrapped(address: Address) -> tuple[Address, ...]:
    """The IPv4 addresses a packet to this IPv6 address ends up at, or the address itself."""
    if isinstance(address, IPv4Address):
        return (address,)
    if address.ipv4_mapped:
        return (address.ipv4_mapped,)
    if address.sixtofour:
        return (address.sixtofour,)
    if address.teredo:
        return address.teredo
    if address in _NAT64 or (address in _V4_COMPATIBLE and int(address) > 1):
        return (IPv4Address(int(address) & _LAST_32_BITS),)
    return (address,)
