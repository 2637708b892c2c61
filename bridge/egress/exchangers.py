"""Who takes mail for a domain: its mail exchangers, looked up in DNS.

The only place that knows dnspython. Source: RFC 5321 §5.1 (order, and the domain itself where it names none),
RFC 7505 (null MX). The answers are believed without DNSSEC, so a certificate proves the name that DNS gave, no more.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from ipaddress import ip_address
from random import SystemRandom
from typing import Literal

import dns.asyncresolver
import dns.exception
import dns.name
import dns.resolver
from dns.rdtypes.ANY.MX import MX
from dns.rdtypes.IN.A import A
from dns.rdtypes.IN.AAAA import AAAA

from bridge.config.reachable import may_be_asked
from bridge.egress.smtp import Place
from bridge.errors import NotSent, PermanentFailure

Resolver = dns.asyncresolver.Resolver

_HOSTS = 3  # exchangers that are tried in one go; RFC 5321 §5.1 wants two at least
_ADDRESSES = 2  # of one exchanger: one of each family where it has both
_QUESTION = 3.0  # seconds for one question, all servers and repeats together
_SERVER = 1.0  # seconds for one server to answer it
_chance = SystemRandom().random


def system_resolver() -> Resolver:
    """By /etc/resolv.conf as it is now. Raises DNSException where there is none."""
    resolver = Resolver()
    resolver.timeout, resolver.lifetime = _SERVER, _QUESTION
    return resolver


class Exchangers:
    """A ``smtp.Places``: finds them anew for each mail, in the order in which they are to be tried.

    *resolver* is asked for once a look-up, *port* is theirs; *chance* orders exchangers of one preference.
    """

    def __init__(
        self,
        *,
        resolver: Callable[[], Resolver] = system_resolver,
        port: int = 25,
        chance: Callable[[], float] = _chance,
    ) -> None:
        self._resolver = resolver
        self._port = port
        self._chance = chance

    async def of(self, domain: str) -> tuple[Place, ...]:
        """At least one.

        Raises PermanentFailure where DNS says that nobody takes mail for *domain*, NotSent where it does not answer.
        """
        try:
            name, resolver = dns.name.from_text(domain), self._resolver()
        except dns.resolver.NoResolverConfiguration as error:
            raise NotSent("no name server is configured (/etc/resolv.conf)") from error
        except (dns.exception.DNSException, UnicodeError) as error:
            raise PermanentFailure(f"{domain} is no domain", status="5.1.2") from error
        hosts = (await self._hosts(resolver, name, domain))[:_HOSTS]
        found = await asyncio.gather(*(_addresses(resolver, host) for host in hosts))
        places = [
            Place(_shown(host), address, self._port)
            for host, addresses in zip(hosts, found, strict=True)
            for address in addresses or ()
        ]
        if places:
            return tuple(places)
        if None in found:
            raise NotSent(f"DNS does not say where the mail exchangers of {domain} are")
        raise PermanentFailure(f"{domain} has no mail exchanger with an address", status="5.4.4")

    async def _hosts(self, resolver: Resolver, name: dns.name.Name, domain: str) -> list[dns.name.Name]:
        """The exchangers, best first; the domain itself where it names none."""
        try:
            answer = await resolver.resolve(name, "MX")
        except dns.resolver.NoAnswer:
            return [name]
        except dns.resolver.NXDOMAIN as error:
            raise PermanentFailure(f"the domain {domain} does not exist", status="5.1.2") from error
        except (dns.exception.DNSException, OSError) as error:
            raise NotSent(f"DNS does not say who takes mail for {domain}") from error
        records = [record for record in answer if isinstance(record, MX) and record.exchange != dns.name.root]
        if not records:
            raise PermanentFailure(f"{domain} takes no mail (null MX)", status="5.1.10")
        drawn = sorted((record.preference, self._chance(), record.exchange) for record in sorted(records))
        return list(dict.fromkeys(exchange for _preference, _chance, exchange in drawn))


async def _addresses(resolver: Resolver, host: dns.name.Name) -> Sequence[str] | None:
    """Of *host*, IPv4 first: many a machine has no way to the others. None where DNS did not answer."""
    families = await asyncio.gather(_family(resolver, host, "A"), _family(resolver, host, "AAAA"))
    known = [family for family in families if family]
    if not known:
        return None if None in families else ()
    if len(known) == 1:
        return known[0][:_ADDRESSES]
    return [family[0] for family in known]


async def _family(resolver: Resolver, host: dns.name.Name, kind: Literal["A", "AAAA"]) -> list[str] | None:
    try:
        answer = await resolver.resolve(host, kind)
    except (dns.resolver.NoAnswer, dns.resolver.NXDOMAIN):
        return []
    except (dns.exception.DNSException, OSError):
        return None
    addresses = (record.address for record in answer if isinstance(record, A | AAAA))
    return [address for address in addresses if may_be_asked(ip_address(address))]


def _shown(host: dns.name.Name) -> str:
    """As certificates write it."""
    return host.to_text(omit_final_dot=True).lower()
