"""Where a gateway can be: the addresses that nothing of ours is ever sent to (threats T26).

A gateway or a calendar in a private network is an ordinary thing; what answers at a link-local address never is one,
it is the cloud's own service that hands out the machine's keys. TLS does not help there: those services speak plain
HTTP, and plain HTTP may be configured.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

_NEVER = tuple(
    ip_network(network)
    for network in (
        "0.0.0.0/8",  # this machine, by another name
        "100.100.100.200/32",  # keys of the machine, at Alibaba
        "168.63.129.16/32",  # at Azure
        "169.254.0.0/16",  # link-local; the keys of the machine, nearly everywhere
        "192.0.0.192/32",  # at Oracle
        "224.0.0.0/4",  # many machines
        "240.0.0.0/4",  # none, and all of them
        "::/128",
        "fd00:ec2::254/128",  # at Amazon
        "fd20:ce::254/128",  # at Google
        "fe80::/10",
        "ff00::/8",
    )
)
_NAT64 = ip_network("64:ff9b::/96")
_COMPATIBLE = ip_network("::/96")
_LOW_32 = 0xFFFFFFFF

Address = IPv4Address | IPv6Address


def literal(host: str) -> Address | None:
    """The address that *host* is, in any way in which a socket reads one: ``[::1]``, ``2130706433``, ``0x7f.1``.

    None for a name.
    """
    plain = host.removeprefix("[").removesuffix("]").partition("%")[0]
    try:
        return ip_address(plain)
    except ValueError:
        pass
    try:
        return IPv4Address(socket.inet_aton(plain))
    except (OSError, ValueError):  # ValueError: letters beyond ASCII
        return None


def may_be_asked(address: Address) -> bool:
    """Whether a gateway or a calendar can be there, whichever way the address is wrapped."""
    return not any(one in network for one in _meant(address) for network in _NEVER if one.version == network.version)


def _meant(address: Address) -> Iterator[Address]:
    """The address, and those to which networks unwrap it."""
    yield address
    if isinstance(address, IPv4Address):
        return
    if address.ipv4_mapped is not None:
        yield address.ipv4_mapped
    if address.sixtofour is not None:
        yield address.sixtofour
    if address in _NAT64 or (address in _COMPATIBLE and not address.is_loopback):
        yield IPv4Address(int(address) & _LOW_32)
