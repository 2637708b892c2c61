"""A mail relay, as far as one gets without handing in a mail: greeting, TLS, login, where wanted the addresses."""

from __future__ import annotations

import smtplib
import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bridge.cli.checkup.finding import Finding, Patient
from bridge.errors import ConfigError

if TYPE_CHECKING:
    from bridge.config.models import OutgoingMail


@dataclass(frozen=True, slots=True)
class Asked:
    """What is looked at: *key* is where its settings stand, *to* whom it should take mails for ("" = not tried)."""

    about: str
    key: str
    sender: str = ""
    to: str = ""
    tls: str = ""  # how to go on where it has none


def look(settings: OutgoingMail, asked: Asked, patient: Patient) -> Finding:
    """Everything until DATA, and then no further."""
    relay, about = settings.relay, asked.about
    trust = patient.trust or ssl.create_default_context()
    try:
        if relay.scheme == "smtps":
            with smtplib.SMTP_SSL(relay.host, relay.port, timeout=patient.within, context=trust) as client:
                return _greeted(client, settings, asked, "TLS")
        with smtplib.SMTP(relay.host, relay.port, timeout=patient.within) as client:
            client.ehlo()
            if settings.tls != "off" and client.has_extn("starttls"):
                client.starttls(context=trust)
                client.ehlo()
                return _greeted(client, settings, asked, "STARTTLS")
            if settings.tls == "required":
                return Finding("bad", about, "offers no STARTTLS", f"give it TLS, or say {asked.tls}")
            return _greeted(client, settings, asked, "no TLS")
    except ssl.SSLCertVerificationError as error:
        return Finding("bad", about, f"its certificate does not hold: {error.verify_message}", "renew it there")
    except smtplib.SMTPAuthenticationError as error:
        return Finding("bad", about, f"refuses our login ({error.smtp_code})", "outgoing_mail.user and password")
    except (smtplib.SMTPException, OSError) as error:
        return Finding("bad", about, f"cannot be used: {error}", f"look at {asked.key}.relay and the way there")


def _greeted(client: smtplib.SMTP, settings: OutgoingMail, asked: Asked, how: str) -> Finding:
    if not settings.user:
        return _addressed(client, asked, f"answers, {how}")
    if how == "no TLS" and settings.tls != "off":
        mend = f"give it TLS, or say {asked.key}.tls: off"
        return Finding("bad", asked.about, "would get our password without TLS", mend)
    if settings.password is None:
        return Finding("bad", asked.about, "wants a login and has no password", "write outgoing_mail.password")
    try:
        password = settings.password.resolve().reveal()
    except ConfigError:
        return Finding("warn", asked.about, f"answers, {how}; login not tried without its password", "see above")
    client.login(settings.user, password)
    return _addressed(client, asked, f"answers, {how}, login fits")


def _addressed(client: smtplib.SMTP, asked: Asked, so_far: str) -> Finding:
    """Whether it would take a mail from *sender* to *to*; none is handed in."""
    if not asked.to:
        return Finding("ok", asked.about, so_far)
    code, said = client.mail(asked.sender)
    if code != 250:
        what = f"{so_far}, and takes no mail from {asked.sender} ({_said(code, said)})"
        return Finding("bad", asked.about, what, f"let it, or write another {asked.key}.mail_from")
    code, said = client.rcpt(asked.to)
    client.rset()
    if code not in (250, 251):
        what = f"{so_far}, and takes nothing for {asked.to} ({_said(code, said)})"
        return Finding("bad", asked.about, what, f"let this machine relay through it, or look at {asked.key}.to")
    return Finding("ok", asked.about, f"{so_far}, takes mails from {asked.sender} to {asked.to}")


def _said(code: int, said: bytes) -> str:
    words = " ".join(said.decode("utf-8", "replace").split())[:120]
    return f"{code} {words}" if words.isprintable() else str(code)
