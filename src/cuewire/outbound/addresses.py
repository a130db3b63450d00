"""The address policy: which IP addresses may be reached at an origin that no operator has named."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

from cuewire.model.errors import InvalidInput

_GLOBAL_UNICAST = IPv6Network("2000::/3")
_NAT64 = IPv6Network("64:ff9b::/96")
# Answer to every virtual machine of their clouds with secrets, though they count as public.
_METADATA = (IPv4Network("168.63.129.16/32"), IPv4Network("192.0.0.0/24"))


def is_public(text: str) -> bool:
    """Tell whether an IP address, as written by the resolver, is one of the open internet.

    Loopback, private, link-local, carrier-grade NAT, multicast, reserved and metadata addresses are not, nor is an
    IPv6 address that leads to one of them by mapping, NAT64 or 6to4.
    """
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return False
    if isinstance(address, IPv6Address):
        inner = _embedded(address)
        if inner is None:
            return address in _GLOBAL_UNICAST and address.is_global
        address = inner
    return address.is_global and not address.is_multicast and not any(address in network for network in _METADATA)


def check_addresses(host: str, addresses: Sequence[str]) -> None:
    """Refuse a host if any of its addresses is not public. Raises InvalidInput."""
    for address in addresses:
        if not is_public(address):
            raise InvalidInput(
                f"{host!r} leads to {address}, which is not a public address",
                field="/url",
                hint="an operator can allow the origin by configuring it",
            )


def _embedded(address: IPv6Address) -> IPv4Address | None:
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return None
