"""Names of the servers we need, looked up."""

from __future__ import annotations

import asyncio
import socket
from ipaddress import ip_address
from urllib.parse import urlsplit

from bridge.cli.checkup.finding import Finding, Findings, Patient


async def names(patient: Patient) -> Findings:
    """Whether the names of providers and relay are found."""
    hosts = _hosts(patient)
    found = await asyncio.gather(*(addresses_of(host, patient.within) for host in hosts))
    return tuple(
        Finding("ok", "name", f"{host} is {', '.join(addresses)}")
        if addresses
        else Finding(
            "bad", "name", f"{host} is not found ({hosts[host]})", "look at /etc/resolv.conf, and at the spelling"
        )
        for host, addresses in zip(hosts, found, strict=True)
    )


async def addresses_of(host: str, within: float) -> list[str]:
    """Addresses of *host*, without doubles; none when it is not found in *within* seconds."""
    try:
        async with asyncio.timeout(within):
            found = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):  # TimeoutError is an OSError
        return []
    return list(dict.fromkeys(str(entry[4][0]).partition("%")[0] for entry in found))


def _hosts(patient: Patient) -> dict[str, str]:
    """Host → the key that names it; addresses need no look-up."""
    wanted: dict[str, str] = {}
    for name, provider in patient.config.providers.items():
        for url in filter(None, (provider.base_url, *provider.reserve_urls)):
            wanted.setdefault(urlsplit(url).hostname or "", f"providers.{name}")
        of_links = [place.host for place in provider.hosts]
        for host in [*of_links, *([provider.relay.host] if provider.relay else [])]:
            wanted.setdefault(host, f"providers.{name}")
    if patient.config.outgoing_mail is not None:
        wanted.setdefault(patient.config.outgoing_mail.relay.host, "outgoing_mail.relay")
    return {host: key for host, key in wanted.items() if host and not _is_address(host)}


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
