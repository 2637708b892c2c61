"""Every gateway door, asked what costs nothing: login and balance, a bind, a relay up to its DATA."""

from __future__ import annotations

import asyncio
import ssl
import time
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from bridge.cli.checkup import relays
from bridge.cli.checkup.finding import Finding, Findings, Patient
from bridge.errors import AccountPaused, ConfigError, DeliveryError, NotSent, OutcomeUnknown, PermanentFailure

if TYPE_CHECKING:
    from bridge.config.addresses import HostPort
    from bridge.config.models import OutgoingMail, Provider
    from bridge.config.units import Money
    from bridge.providers.base import Balance, Gateway

_FULL_OR_STRANGE = (
    "either this machine's address is not on the account's list for SMPP, or as many connections are open as it"
    " allows: a running bridge has one, and then all is well"
)
_REFUSED: dict[int, tuple[str, str]] = {
    0x0D: ("refuses the login (0x0d)", _FULL_OR_STRANGE),
    0x0E: ("refuses the password (0x0e)", "write the account's password for SMPP, which is one of its own"),
    0x0F: ("does not know the login (0x0f)", "write the account's login; SMPP has to be switched on there"),
}


async def providers(patient: Patient) -> Findings:
    """What each door says of us, in the order of the configuration."""
    from bridge.delivery.relays import mail_ways
    from bridge.providers.build import gateways
    from bridge.providers.http import HttpClient

    config = patient.config
    mail = mail_ways(config.outgoing_mail, "localhost")
    async with HttpClient(tls=patient.trust) as client:
        looks = []
        for name, settings in config.providers.items():
            try:
                gateway = gateways({name: settings}, client, mail).get(name)
            except ConfigError as error:
                looks.append(_given((Finding("warn", name, f"not asked: {error}", "see above"),)))
                continue
            if gateway is not None:
                looks.append(_door(patient, settings, gateway))
        return tuple(finding for findings in await asyncio.gather(*looks) for finding in findings)


async def _given(findings: Findings) -> Findings:
    return findings


async def _door(patient: Patient, settings: Provider, gateway: Gateway) -> Findings:
    match settings.type:
        case "smsc-smtp":
            return await _mail_door(patient, gateway.name, settings)
        case "smsc-smpp":
            return await _smpp_door(patient, gateway.name, settings)
        case "plain-http" if settings.plain.balance is None:
            return (await _reached(patient, gateway.name, settings.base_url or ""),)
    return (await _account(gateway, settings.warn_below, settings.currency or patient.config.currency or ""),)


# login and balance


async def _account(gateway: Gateway, warn_below: Money | None, currency: str) -> Finding:
    from bridge.providers.base import NoWayToAsk

    begin, name = time.monotonic(), gateway.name
    try:
        balance = await gateway.balance()
    except AccountPaused as error:
        mend = {
            "password": f"write the login and password of the account (providers.{name})",
            "money": "top the account up",
        }.get(error.cause, "ask the provider why, and whether it lists our address")
        return Finding("bad", name, error.reason, mend)
    except NoWayToAsk as error:
        return Finding("ok", name, f"{error.reason}; login not tried")
    except DeliveryError as error:
        return Finding("bad", name, error.reason, f"look at providers.{name}.base_url, the network and the provider")
    took = int((time.monotonic() - begin) * 1000)
    return _balance(name, balance, warn_below, balance.currency or currency, took)


def _balance(name: str, balance: Balance, warn_below: Money | None, currency: str, took: int) -> Finding:
    left = balance.amount + balance.credit
    whole = f"{balance.amount:,.2f}".replace(",", " ").removesuffix(".00")
    what = f"login fits, balance {whole} {currency}, {took} ms".replace(" ,", ",")
    if left <= 0:
        return Finding("bad", name, what, "top the account up: nothing can be sent")
    if warn_below is not None and balance.amount < warn_below.amount:
        return Finding("warn", name, f"{what}, below warn_below", "top the account up")
    return Finding("ok", name, what)


async def _reached(patient: Patient, name: str, url: str) -> Finding:
    """A gateway that says nothing of its account: as far as a connection."""
    parts = urlsplit(url)
    tls = (patient.trust or ssl.create_default_context()) if parts.scheme == "https" else None
    begin = time.monotonic()
    try:
        async with asyncio.timeout(patient.within):
            port = parts.port or (443 if tls else 80)
            _reader, writer = await asyncio.open_connection(parts.hostname or "", port, ssl=tls)
    except ssl.SSLCertVerificationError as error:
        return Finding("bad", name, f"its certificate does not hold: {error.verify_message}", "ask the provider")
    except OSError as error:  # a timeout is one
        why = error.strerror or "no answer in time"
        return Finding("bad", name, f"cannot be reached: {why}", f"look at providers.{name}.base_url and the network")
    writer.close()
    what = f"can be reached, {int((time.monotonic() - begin) * 1000)} ms; login not tried"
    return Finding("ok", name, f"{what}, it says nothing of its account (plain.balance)")


# smsc by mail


async def _mail_door(patient: Patient, name: str, settings: Provider) -> Findings:
    """Its relay greets us, speaks TLS as the door wants it, and would take a mail of ours for the provider.

    With ``relay: mx`` each mail exchanger is looked at; one that is away is no fault while another takes mails.
    """
    from bridge.delivery.relays import relay_settings

    relay = relay_settings(name, settings, patient.config.outgoing_mail)
    if relay.relay.host:
        return (await asyncio.to_thread(_by_relay, patient, name, settings, relay, "relay"),)
    try:
        hosts = await _exchangers((settings.to or "").rpartition("@")[2])
    except PermanentFailure as error:
        return (Finding("bad", name, error.reason, f"look at providers.{name}.to, and ask the provider"),)
    except NotSent as error:
        return (Finding("bad", name, error.reason, "look at /etc/resolv.conf, and at the way to its servers"),)
    each = [relay.model_copy(update={"relay": replace(relay.relay, host=host, port=port)}) for host, port in hosts]
    looks = [asyncio.to_thread(_by_relay, patient, name, settings, one, "mail exchanger") for one in each]
    found = await asyncio.gather(*looks)
    if any(one.mark != "bad" for one in found):
        return tuple(replace(one, mark="warn") if one.mark == "bad" else one for one in found)
    return tuple(found)


async def _exchangers(domain: str) -> list[tuple[str, int]]:
    """Names and ports, in the order in which mails go there."""
    from bridge.egress.exchangers import Exchangers

    return list(dict.fromkeys((place.name, place.port) for place in await Exchangers().of(domain)))


def _by_relay(patient: Patient, name: str, settings: Provider, relay: OutgoingMail, what_it_is: str) -> Finding:
    sender, at = _bounce_address(relay.from_), relay.relay
    asked = relays.Asked(
        name, f"providers.{name}", sender, settings.to or "", f"providers.{name}.tls: opportunistic, insecure: true"
    )
    found = relays.look(relay, asked, patient)
    what = f"by {what_it_is} {at.host}:{at.port}: {found.what}"
    if found.mark == "ok" and not any(each.door == "smtp" for each in patient.config.listen):
        mend = f"error mails to {sender} cannot reach us: add a listen: {{door: smtp}} that trusts the relay"
        return Finding("warn", name, what, mend)
    return Finding(found.mark, name, what, found.mend)


def _bounce_address(mail_from: str) -> str:
    """One as each attempt has, of an attempt that never was."""
    local, _, domain = mail_from.rpartition("@")
    return f"{local}+0.0@{domain}"


# smsc over SMPP


async def _smpp_door(patient: Patient, name: str, settings: Provider) -> Findings:
    """A bind and an enquire_link at each host; a later host that is away is no fault as long as the first is there."""
    found = await asyncio.gather(*(_bound(patient, name, settings, host) for host in settings.hosts))
    if any(one.mark == "ok" for one in found):
        return tuple(Finding("warn", one.about, one.what, one.mend) if one.mark == "bad" else one for one in found)
    return tuple(found)


async def _bound(patient: Patient, name: str, settings: Provider, host: HostPort) -> Finding:
    from bridge.smpp import pdu
    from bridge.smpp.bodies import Bind
    from bridge.smpp.link import BindRefused, Link, Peer

    tls = None if settings.tls == "off" else patient.trust or ssl.create_default_context()
    password = settings.password.resolve(f"providers.{name}.password").reveal() if settings.password else ""
    begin, about = time.monotonic(), f"{name} {host.host}:{host.port}"
    try:
        link = await Link.opened(
            Peer(host.host, host.port, tls), Bind(settings.login or "", password), pdu.BIND_TRANSMITTER, _not_now,
            within=patient.within,
        )  # fmt: skip
    except BindRefused as error:
        what, mend = _REFUSED.get(error.command_status, (error.reason, "ask the provider"))
        return Finding("warn" if error.command_status == pdu.BIND_FAILED else "bad", about, what, mend)
    except NotSent as error:
        return Finding("bad", about, error.reason, _way_there(name, error.reason))
    try:
        await link.ask(pdu.ENQUIRE_LINK, b"", patient.within)
    except (NotSent, OutcomeUnknown) as error:
        return Finding("bad", about, f"bound, and then {error.reason}", "ask the provider")
    finally:
        await link.close(2.0)
    how, took = "TLS" if tls else "no TLS", int((time.monotonic() - begin) * 1000)
    return Finding("ok", about, f"login fits, enquire_link answered, {how}, {took} ms")


def _way_there(name: str, reason: str) -> str:
    if any(word in reason for word in _NOT_TLS):
        return f"3443 is the port with TLS; for 3700 write providers.{name}.tls: off"
    return f"look at providers.{name}.hosts and the network"


_NOT_TLS = ("no TLS", "hung up", "broke")


async def _not_now(_message: object) -> int:
    return 0x64  # what arrives while we look is for the bridge: the provider keeps it
