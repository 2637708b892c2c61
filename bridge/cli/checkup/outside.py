"""The others: whether the relay takes our mail, whether clocks agree, what only a person can see."""

from __future__ import annotations

import asyncio
import http.client
import ssl
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from bridge.cli.checkup import relays
from bridge.cli.checkup.finding import Finding, Findings, Mark, Patient

if TYPE_CHECKING:
    from bridge.config.models import Provider

_OFF, _FAR_OFF = timedelta(seconds=30), timedelta(minutes=5)


async def relay(patient: Patient) -> Findings:
    """Whether the relay greets us, speaks TLS as the configuration wants it, and knows our login."""
    outgoing = patient.config.outgoing_mail
    if outgoing is None:
        return (Finding("look", "relay", "no outgoing_mail: nobody hears of failures by mail", "write outgoing_mail:"),)
    about = f"relay {outgoing.relay.host}:{outgoing.relay.port}"
    asked = relays.Asked(about, "outgoing_mail", tls="outgoing_mail.tls: opportunistic")
    return (await asyncio.to_thread(relays.look, outgoing, asked, patient),)


async def clock(patient: Patient) -> Findings:
    """How far this machine's clock is from that of a provider; receipts and validity need both."""
    urls = [one.base_url for one in patient.config.providers.values() if one.base_url]
    for url in dict.fromkeys(urls):
        difference = await asyncio.to_thread(_difference, url, patient)
        if difference is not None:
            return (_clock(difference, urlsplit(url).hostname or url),)
    return (Finding("warn", "clock", "no provider answered to compare with", "timedatectl shows whether it is set"),)


async def switches(patient: Patient) -> Findings:
    """What only a person can see: in the cabinet of each account, in the DNS, and what other bridges do."""
    doors: dict[tuple[str, str], dict[str, Provider]] = {}
    for name, provider in patient.config.providers.items():
        account = provider.login or name
        doors.setdefault((provider.type.partition("-")[0], account), {})[name] = provider
    return tuple(
        Finding("look", " and ".join(of_account), "; ".join(wanted))
        for of_account in doors.values()
        if (wanted := list(dict.fromkeys(_wanted(of_account))))
    )


def _wanted(of_account: Mapping[str, Provider]) -> Iterator[str]:
    for name, provider in of_account.items():
        smsc = provider.type.startswith("smsc")
        if smsc:
            yield "in the cabinet: test mode is off"
            yield "the list of allowed addresses holds this machine's, or is empty"
        if provider.callbacks is not None:
            yield "statuses go to our URL"
            yield "inbound SMS go to our URL"
        if provider.callbacks is not None and smsc:
            yield "the secret word signs them"
        if provider.type == "smsc-smpp":
            yield "SMPP is on, with a password of its own"
        if provider.type == "smsc-smtp":
            yield f"error mails of {name} come to this bridge, from a relay it trusts (MX of the domain of mail_from)"
        if provider.type != "plain-http" and provider.ids is None:
            yield "no other bridge sends by this login, or each has its own ids"


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
