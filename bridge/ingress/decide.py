"""Who may hand in mail at a door: pure functions, asked by the door and by rule tests alike.

Default deny (threats T03, T05): a peer inside ``trust``, a login, or a certificate that the door's own authority
signed. Header and envelope addresses never prove anything.
Source: FORMAT §3 Listener, §8.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address

from bridge.config.models.doors import Listener
from bridge.config.names import Network
from bridge.ingress import replies
from bridge.ingress.ports import Facts, Policy


def admission(listener: Listener, facts: Facts) -> str | None:
    """The reply that refuses MAIL from this peer, or None. Does not look at any address of the mail."""
    listed = is_trusted(listener, facts.peer)
    proven = bool(facts.login or facts.certificate)
    if listener.auth_mode == "required":
        if listener.trust and not listed:
            return replies.NETWORK_NOT_LISTED
        if proven:
            return None
        return replies.LOG_IN_FIRST if facts.tls else replies.STARTTLS_FIRST
    if listed or proven:
        return None
    return replies.LOG_IN_FIRST if takes_logins(listener) else replies.NETWORK_NOT_LISTED


def mail_refusal(listeners: Iterable[Listener], policy: Policy, facts: Facts) -> str | None:
    """The reply that refuses MAIL at every one of these doors, or None where one of them takes it.

    Of several refusals the one that shows a way in (``530``) is told.
    """
    answers = [admission(listener, facts) for listener in listeners]
    if None in answers:
        return policy.sender_refusal(facts)
    refusals = sorted(answer for answer in answers if answer)
    return refusals[0] if refusals else replies.NETWORK_NOT_LISTED


def is_trusted(listener: Listener, peer: str) -> bool:
    """Whether *peer* (an address without port) lies in one of the door's ``trust`` networks.

    A balancer (``proxy_protocol``) speaks for anybody, so its own address never makes a peer trusted.
    """
    return _inside(peer, listener.trust) and not _inside(peer, listener.proxy_protocol)


def has_tls(listener: Listener) -> bool:
    return listener.tls is not None or listener.starttls is not None


def takes_logins(listener: Listener) -> bool:
    """Whether AUTH can be offered here: never without TLS (threats T02)."""
    return listener.auth_mode != "off" and has_tls(listener)


def repairs(listener: Listener, peer: str) -> bool:
    """Whether bare CR and LF in a mail of *peer* are made CR LF; else they are refused (threats T01)."""
    if listener.line_ends is not None:
        return listener.line_ends == "repair"
    return is_trusted(listener, peer)


def plain_peer(host: str) -> str:
    """An address as the rest of the bridge compares it: no scope, IPv4 where it is mapped into IPv6."""
    address = _address(host.partition("%")[0])
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(address) if address is not None else host


def _inside(peer: str, networks: Iterable[Network]) -> bool:
    address = _address(peer)
    return address is not None and any(
        address.version == network.version and address in network for network in networks
    )


@lru_cache(maxsize=4096)
def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(text)
    except ValueError:
        return None
