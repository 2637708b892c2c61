"""The others: what each provider says of our account, whether the relay takes our mail, whether clocks agree."""

from __future__ import annotations

import asyncio
import http.client
import smtplib
import ssl
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from bridge.cli.checkup.finding import Finding, Findings, Mark, Patient
from bridge.errors import AccountPaused, ConfigError, DeliveryError

if TYPE_CHECKING:
    from bridge.config.models import OutgoingMail, Provider
    from bridge.config.units import Money
    from bridge.providers.base import Balance, Gateway

_OFF, _FAR_OFF = timedelta(seconds=30), timedelta(minutes=5)


async def providers(patient: Patient) -> Findings:
    """Login and balance of each account, asked once."""
    from bridge.providers.build import BUILT
    from bridge.providers.http import HttpClient

    async with HttpClient(tls=patient.trust) as client:
        doors = [(name, one) for name, one in patient.config.providers.items() if one.type in BUILT]
        asked = [(name, one) for name, one in doors if one.type != "smsc-smtp"]
        found = await asyncio.gather(*(_provider(patient, name, one, client) for name, one in asked))
        by_mail = [(name, one) for name, one in doors if one.type == "smsc-smtp"]
        return *found, *[await asyncio.to_thread(_mail_door, patient, name, one) for name, one in by_mail]


async def relay(patient: Patient) -> Findings:
    """Whether the relay greets us, speaks TLS as the configuration wants it, and knows our login."""
    outgoing = patient.config.outgoing_mail
    if outgoing is None:
        return (Finding("look", "relay", "no outgoing_mail: nobody hears of failures by mail", "write outgoing_mail:"),)
    return (await asyncio.to_thread(_relay, outgoing, patient),)


async def clock(patient: Patient) -> Findings:
    """How far this machine's clock is from that of a provider; receipts and validity need both."""
    urls = [one.base_url for one in patient.config.providers.values() if one.base_url]
    for url in dict.fromkeys(urls):
        difference = await asyncio.to_thread(_difference, url, patient)
        if difference is not None:
            return (_clock(difference, urlsplit(url).hostname or url),)
    return (Finding("warn", "clock", "no provider answered to compare with", "timedatectl shows whether it is set"),)


async def switches(patient: Patient) -> Findings:
    """What only a person can see in the provider's cabinet."""
    found: list[Finding] = []
    for name, provider in patient.config.providers.items():
        if provider.type.startswith("smsc"):
            wanted = ["test mode is off", "the list of allowed addresses holds this machine's, or is empty"]
            if provider.callbacks is not None:
                wanted += ["statuses go to our URL", "inbound SMS go to our URL", "the secret word signs them"]
            found.append(Finding("look", name, f"in the cabinet: {'; '.join(wanted)}"))
    return tuple(found)


async def _provider(patient: Patient, name: str, settings: Provider, client: object) -> Finding:
    from bridge.providers.build import gateways
    from bridge.providers.http import HttpClient

    assert isinstance(client, HttpClient)  # noqa: S101 - the import is late for a quick --help
    try:
        gateway = gateways({name: settings}, client)[name]
    except ConfigError as error:
        return Finding("warn", name, f"not asked: {error}", "see above")
    return await _account(gateway, name, settings.warn_below, settings.currency or patient.config.currency or "")


async def _account(gateway: Gateway, name: str, warn_below: Money | None, currency: str) -> Finding:
    begin = time.monotonic()
    try:
        balance = await gateway.balance()
    except AccountPaused as error:
        mend = {
            "password": f"write the login and password of the account (providers.{name})",
            "money": "top the account up",
        }.get(error.cause, "ask the provider why, and whether it lists our address")
        return Finding("bad", name, error.reason, mend)
    except DeliveryError as error:
        return Finding("bad", name, error.reason, f"look at providers.{name}.base_url, the network and the provider")
    took = int((time.monotonic() - begin) * 1000)
    return _balance(name, balance, warn_below, balance.currency or currency, took)


def _mail_door(patient: Patient, name: str, settings: Provider) -> Finding:
    """A door that sends by mail: its relay greets us and speaks TLS as the door wants it."""
    from bridge.config.models import OutgoingMail

    if settings.relay is None:
        return Finding("warn", name, "not asked: no relay", f"write providers.{name}.relay")
    found = _relay(OutgoingMail.model_construct(relay=settings.relay, from_="", tls=settings.tls), patient)
    mend = found.mend.replace("outgoing_mail.", f"providers.{name}.")
    return replace(found, about=name, what=f"by {found.about}: {found.what}", mend=mend)


def _balance(name: str, balance: Balance, warn_below: Money | None, currency: str, took: int) -> Finding:
    left = balance.amount + balance.credit
    whole = f"{balance.amount:,.2f}".replace(",", " ").removesuffix(".00")
    what = f"login fits, balance {whole} {currency}, {took} ms".replace(" ,", ",")
    if left <= 0:
        return Finding("bad", name, what, "top the account up: nothing can be sent")
    if warn_below is not None and balance.amount < warn_below.amount:
        return Finding("warn", name, f"{what}, below warn_below", "top the account up")
    return Finding("ok", name, what)


def _relay(outgoing: OutgoingMail, patient: Patient) -> Finding:
    relay = outgoing.relay
    about = f"relay {relay.host}:{relay.port}"
    trust = patient.trust or ssl.create_default_context()
    try:
        if relay.scheme == "smtps":
            with smtplib.SMTP_SSL(relay.host, relay.port, timeout=patient.within, context=trust) as client:
                return _greeted(client, outgoing, about, "TLS")
        with smtplib.SMTP(relay.host, relay.port, timeout=patient.within) as client:
            client.ehlo()
            if outgoing.tls != "off" and client.has_extn("starttls"):
                client.starttls(context=trust)
                return _greeted(client, outgoing, about, "STARTTLS")
            if outgoing.tls == "required":
                return Finding(
                    "bad", about, "offers no STARTTLS", "give it TLS, or say outgoing_mail.tls: opportunistic"
                )
            return _greeted(client, outgoing, about, "no TLS")
    except ssl.SSLCertVerificationError as error:
        return Finding("bad", about, f"its certificate does not hold: {error.verify_message}", "renew it there")
    except smtplib.SMTPAuthenticationError as error:
        return Finding("bad", about, f"refuses our login ({error.smtp_code})", "outgoing_mail.user and password")
    except (smtplib.SMTPException, OSError) as error:
        return Finding("bad", about, f"cannot be used: {error}", "look at outgoing_mail.relay and the way there")


def _greeted(client: smtplib.SMTP, outgoing: OutgoingMail, about: str, how: str) -> Finding:
    if not outgoing.user:
        return Finding("ok", about, f"answers, {how}")
    if how == "no TLS" and outgoing.tls != "off":
        return Finding("bad", about, "would get our password without TLS", "give it TLS, or say outgoing_mail.tls: off")
    if outgoing.password is None:
        return Finding("bad", about, "wants a login and has no password", "write outgoing_mail.password")
    try:
        password = outgoing.password.resolve().reveal()
    except ConfigError:
        return Finding("warn", about, f"answers, {how}; login not tried without its password", "see above")
    client.login(outgoing.user, password)
    return Finding("ok", about, f"answers, {how}, login fits")


def _difference(url: str, patient: Patient) -> timedelta | None:
    """How much this clock is ahead of the server's, by the Date of its answer; None without one."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    connection: http.client.HTTPConnection
    if parts.scheme == "https":
        trust = patient.trust or ssl.create_default_context()
        connection = http.client.HTTPSConnection(host, parts.port, timeout=patient.within, context=trust)
    else:
        connection = http.client.HTTPConnection(host, parts.port, timeout=patient.within)
    try:
        connection.request("HEAD", "/", headers={"User-Agent": "smsbridge"})
        said = parsedate_to_datetime(connection.getresponse().getheader("Date", ""))
    except (OSError, http.client.HTTPException, ValueError):
        return None
    finally:
        connection.close()
    return datetime.now(UTC) - said.astimezone(UTC)


def _clock(difference: timedelta, host: str) -> Finding:
    seconds = round(difference.total_seconds())
    if abs(difference) < _OFF:
        return Finding("ok", "clock", f"agrees with {host}")
    way = "ahead of" if seconds > 0 else "behind"
    mark: Mark = "bad" if abs(difference) > _FAR_OFF else "warn"
    return Finding(mark, "clock", f"{abs(seconds)} s {way} {host}", "timedatectl set-ntp true")
