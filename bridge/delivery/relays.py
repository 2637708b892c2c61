"""The mail relays that gateways send through (``type: smsc-smtp``), with the patience of a gateway."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from typing import TYPE_CHECKING

from bridge.config.checks.money import is_loopback
from bridge.config.models.providers import Provider
from bridge.config.models.service import OutgoingMail
from bridge.egress.smtp import MailRelay
from bridge.errors import ConfigError
from bridge.providers.smsc_mail import MailWay

if TYPE_CHECKING:
    from bridge.egress.exchangers import Exchangers

_ANSWER, _BEGUN, _TAKEN = 8.0, 9.0, 13.0  # seconds; with the farewell less than ``providers.base.LONGEST``


def mail_ways(
    outgoing: OutgoingMail | None,
    hostname: str,
    *,
    trust: ssl.SSLContext | None = None,
    exchangers: Exchangers | None = None,
) -> Callable[[str, Provider], MailWay]:
    """How the mails of each door leave: by its own ``relay``, with the login of ``outgoing_mail`` where it is the same
    relay, or to the mail exchangers of the provider (``relay: mx``; *exchangers* replaces those that DNS names).
    *hostname* is what we say in EHLO; *trust* replaces the system's. What is given raises ConfigError."""

    def way(name: str, settings: Provider) -> MailWay:
        known = relay_settings(name, settings, outgoing)
        password = known.password.resolve("outgoing_mail.password") if known.user and known.password else None
        relay = MailRelay(
            known, password, hostname=hostname, trust=trust, answer_within=_ANSWER, taken_within=_TAKEN,
            begun_within=_BEGUN, headers_only=True,
            places=None if known.relay.host else exchangers or _exchangers(),
        )  # fmt: skip
        return MailWay(relay, known.from_)

    return way


def relay_settings(name: str, settings: Provider, outgoing: OutgoingMail | None) -> OutgoingMail:
    """The relay of one door; ``from_`` is where its error mails go. Raises ConfigError."""
    where, relay = f"providers.{name}", settings.relay
    if relay is None:
        raise ConfigError((f"{where}.relay: is missing; write smtp://HOST:25, or mx",))
    mail_from = settings.mail_from or (outgoing.from_ if outgoing else None)
    if mail_from is None:
        raise ConfigError((f"{where}.mail_from: is missing, and there is no outgoing_mail.from",))
    if settings.tls != "required" and not settings.insecure and not is_loopback(relay.host):
        raise ConfigError((f"{where}.tls: the mail carries a password; write required, or insecure: true",))
    if outgoing is not None and outgoing.relay == relay:
        return outgoing.model_copy(update={"from_": mail_from, "tls": settings.tls})
    return OutgoingMail.model_construct(relay=relay, from_=mail_from, tls=settings.tls)


def _exchangers() -> Exchangers:
    from bridge.egress.exchangers import Exchangers  # few deliver directly: the others need not load a DNS library

    return Exchangers()
