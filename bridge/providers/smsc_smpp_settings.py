"""What the settings of an SMPP door make of its links: where to, how many, how fast, by which login. Pure."""

from __future__ import annotations

import json
import ssl
from datetime import timedelta

from bridge.config.models.providers import Provider
from bridge.config.secrets import SecretText
from bridge.errors import ConfigError
from bridge.providers import smsc_fields
from bridge.providers.smsc_smpp_links import Wanted
from bridge.smpp.bodies import Bind
from bridge.smpp.link import Peer

_WINDOW, _CONNECTIONS, _RATE = 10, 1, 30.0  # what the provider's own example stays below
_A_SECOND = timedelta(seconds=1)


def wanted(name: str, settings: Provider, tls: ssl.SSLContext | None) -> Wanted:
    """The links; *tls* replaces the system's trust. ConfigError without a host."""
    if not settings.hosts:
        raise ConfigError((f"providers.{name}.hosts: is missing; write smpp.smsc.kz:3443",))
    context = None if settings.tls == "off" else tls or ssl.create_default_context()
    peers = tuple(Peer(host.host, host.port, context) for host in settings.hosts)
    return Wanted(peers, settings.connections or _CONNECTIONS, settings.window or _WINDOW, _rate(settings))


def _rate(settings: Provider) -> float:
    """PDUs a second. What holds for longer than a second is counted where messages are claimed (``delivery.pace``):
    spread evenly over the links, a day's worth would make each message wait for minutes.
    """
    if settings.rate is None or settings.rate.window is None or settings.rate.window > _A_SECOND:
        return _RATE
    return settings.rate.count / settings.rate.window.total_seconds()


def check(name: str, login: str, secret: SecretText) -> None:
    """ConfigError for a login that no bind can carry. How an API key would go into one is not documented."""
    if not login:
        raise ConfigError((f"providers.{name}.login: is missing; SMPP takes login and password, no apikey",))
    try:
        Bind(login, secret.reveal()).encoded()
    except ValueError:
        problem = f"providers.{name}: login and password of SMPP are Latin letters, digits and signs, at most 63"
        raise ConfigError((problem,)) from None  # the cause quotes the password


def fingerprint(links: Wanted, login: str, secret: SecretText) -> str:
    """Of what makes a link."""
    peers = [[peer.host, peer.port, peer.tls is not None] for peer in links.peers]
    return smsc_fields.fingerprint(
        json.dumps([peers, links.connections, links.window, links.rate, login, secret.reveal()])
    )


def revision(settings: Provider) -> str:
    """Of what decides who gets a stored request and what it means there; a new password changes nothing."""
    return smsc_fields.fingerprint(json.dumps([settings.type, [str(host) for host in settings.hosts], settings.login]))
