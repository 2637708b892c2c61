"""``smsbridge doctor`` at every kind of gateway door, against the pretend provider over real sockets."""

from __future__ import annotations

import asyncio
import functools
import ssl
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
import trustme

from bridge.book.loading import load_book
from bridge.cli.checkup import gateways, names, outside
from bridge.cli.checkup.finding import Finding, Patient
from bridge.egress import exchangers
from bridge.simulator.serve import running
from bridge.simulator.settings import SmppSwitches, SmsgateSwitches
from bridge.simulator.simulator import Simulator
from tests.unit.egress.nameserver import Zone, name_server

if TYPE_CHECKING:
    from conftest import House

pytestmark = pytest.mark.anyio

_SHARED = "login: demo, password: {env: HOUSE_PASSWORD}"


@dataclass
class Places:
    """A pretend provider with all its doors."""

    simulator: Simulator
    http: int
    mail: int
    smpp: int


@asynccontextmanager
async def _provider() -> AsyncIterator[Places]:
    simulator = Simulator()
    async with AsyncExitStack() as stack:
        http = await stack.enter_async_context(running(simulator))
        mail = await simulator.listen_for_mail("127.0.0.1", 0)
        yield Places(simulator, http, mail, await simulator.listen_for_smpp("127.0.0.1", 0))


def _with(house: House, door: str) -> None:
    """The house with one provider more, in front."""
    house.write()
    house.config.write_text(house.config.read_text().replace("providers:\n", f"providers:\n  new: {{{door}}}\n", 1))


async def _found(house: House, **other: Any) -> list[Finding]:
    patient = Patient(house.config, load_book(house.config), datetime.now(UTC), within=3.0, **other)
    found = [one for one in await gateways.providers(patient) if one.about.startswith("new")]
    assert all(one.mend for one in found if one.mark != "ok"), "a finding that is not well must say how to mend it"
    return found


async def test_a_door_that_may_send_and_not_ask_is_no_broken_one(house: House) -> None:
    async with _provider() as places:
        brief = SmsgateSwitches(token_everywhere=False)
        places.simulator.air.switches = places.simulator.air.switches.model_copy(update={"smsgate": brief})
        keys = "token: {env: HOUSE_PASSWORD}, sender: ACME"
        _with(house, f"type: smsgate-json, base_url: 'http://127.0.0.1:{places.http}', {keys}")
        (found,) = await _found(house)
    assert (found.mark, found.what) == ("ok", "no token may ask this here; write login and password; login not tried")


@pytest.mark.parametrize("kind", ["smsc-http", "smsgate-json", "smsgate-xml", "smsgate-get"])
async def test_a_door_over_http_tells_login_and_balance(
    house: House, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with _provider() as places:
        _with(house, f"type: {kind}, base_url: 'http://127.0.0.1:{places.http}', {_SHARED}")
        (found,) = await _found(house)
        assert (found.mark, found.what.partition(" KZT")[0]) == ("ok", "login fits, balance 1 000"), found
        monkeypatch.setenv("HOUSE_PASSWORD", "quite-wrong")
        (found,) = await _found(house)
        assert (found.mark, found.mend) == ("bad", "write the login and password of the account (providers.new)")
        assert "quite-wrong" not in repr(found)


async def test_a_gateway_described_in_yaml_is_reached_where_it_tells_no_balance(house: House) -> None:
    plain = "type: plain-http, request: {{to: '{{{{ phone }}}}', text: '{{{{ text }}}}'}}, success: OK, base_url: 'http://127.0.0.1:{}/x'"
    async with _provider() as places:
        _with(house, plain.format(places.http))
        (found,) = await _found(house)
        assert (found.mark, found.what.startswith("can be reached, ")) == ("ok", True), found
    (found,) = await _found(house)
    assert (found.mark, found.what.startswith("cannot be reached: ")) == ("bad", True)


async def test_smpp_is_bound_and_asked_whether_the_link_lives(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    async with _provider() as places:
        _with(house, f"type: smsc-smpp, hosts: ['127.0.0.1:{places.smpp}', '127.0.0.1:9'], tls: 'off', {_SHARED}")
        first, second = await _found(house)
        assert (first.about, first.mark) == (f"new 127.0.0.1:{places.smpp}", "ok")
        assert first.what.startswith("login fits, enquire_link answered, no TLS, ")
        assert second.mark == "warn", "the second host is there for when the first is not"
        monkeypatch.setenv("HOUSE_PASSWORD", "wrong")
        first, second = await _found(house)
        assert (first.mark, first.what) == ("bad", "refuses the password (0x0e)")
        assert second.mark == "bad"


async def test_smpp_a_running_bridge_that_holds_the_only_link_is_no_fault(house: House) -> None:
    async with _provider() as places:
        places.simulator.air.switches = places.simulator.air.switches.model_copy(update={"smpp": SmppSwitches(binds=0)})
        _with(house, f"type: smsc-smpp, hosts: ['127.0.0.1:{places.smpp}'], tls: 'off', {_SHARED}")
        (found,) = await _found(house)
    assert (found.mark, found.what) == ("warn", "refuses the login (0x0d)")
    assert "a running bridge has one, and then all is well" in found.mend


async def test_smpp_a_link_that_dies_after_the_bind_and_a_port_without_tls_are_told(house: House) -> None:
    async with _provider() as places:
        _with(house, f"type: smsc-smpp, hosts: ['127.0.0.1:{places.smpp}'], {_SHARED}")
        (found,) = await _found(house)
        assert (found.mark, found.mend) == ("bad", "3443 is the port with TLS; for 3700 write providers.new.tls: off")
        _with(house, f"type: smsc-smpp, hosts: ['127.0.0.1:{places.smpp}'], tls: 'off', {_SHARED}")
        places.simulator.set_faults({"smsc-smpp": {"all": {"on": ["link"], "silent": True}}})
        (found,) = await _found(house)
        assert (found.mark, found.what.startswith("bound, and then ")) == ("bad", True), found


async def test_T36_smpp_a_certificate_of_nobody_s_is_bad(house: House) -> None:
    authority = trustme.CA()
    server, client = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH), ssl.create_default_context()
    authority.issue_cert("127.0.0.1").configure_cert(server)
    authority.configure_trust(client)
    listening = await asyncio.start_server(lambda _reader, writer: writer.close(), "127.0.0.1", 0, ssl=server)
    async with listening:
        port = listening.sockets[0].getsockname()[1]
        _with(house, f"type: smsc-smpp, hosts: ['127.0.0.1:{port}'], {_SHARED}")
        (found,) = await _found(house)
        assert "the certificate is not valid" in found.what
        (found,) = await _found(house, trust=client)
        assert "certificate" not in found.what


async def test_the_mail_door_would_take_a_mail_and_gets_none(house: House) -> None:
    async with _provider() as places:
        relay = f"smtp://127.0.0.1:{places.mail}"
        where = f"relay: '{relay}', to: send@send.smsc.test, tls: 'off', mail_from: b@sms.example.kz"
        _with(house, f"type: smsc-smtp, {where}, {_SHARED}")
        (found,) = await _found(house)
        sentence = "answers, no TLS, takes mails from b+0.0@sms.example.kz to send@send.smsc.test"
        assert found.what == f"by relay 127.0.0.1:{places.mail}: {sentence}"
        assert (found.mark, found.mend) == (
            "warn",
            "error mails to b+0.0@sms.example.kz cannot reach us: add a listen: {door: smtp} that trusts the relay",
        )
        assert (places.simulator.messages(), places.simulator.mails()) == ((), ())
        house.config.write_text(
            house.config.read_text().replace("listen: [", 'listen: [{door: smtp, address: "127.0.0.1:9"}, ')
        )
        (found,) = await _found(house)
        assert found.mark == "ok"


async def _by_mx(house: House, zone: Zone, port: int, monkeypatch: pytest.MonkeyPatch) -> list[Finding]:
    """What is found of a door with ``relay: mx`` where DNS says *zone*, and exchangers listen at *port*."""
    where = "relay: mx, to: send@send.smsc.test, tls: 'off', insecure: true, mail_from: b@sms.example.kz"
    _with(house, f"type: smsc-smtp, {where}, {_SHARED}")
    async with name_server(zone) as server:
        ours = functools.partial(exchangers.Exchangers, resolver=server.resolver, port=port)
        monkeypatch.setattr(exchangers, "Exchangers", ours)
        return await _found(house)


async def test_the_mail_exchangers_are_named_and_looked_at(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    zone: Zone = {
        "send.smsc.test MX": ["10 gone.invalid.", "20 localhost."],
        "gone.invalid A": ["127.0.0.9"],
        "localhost A": ["127.0.0.1"],
    }
    async with _provider() as places:
        first, second = await _by_mx(house, zone, places.mail, monkeypatch)
        assert first.what.startswith(f"by mail exchanger gone.invalid:{places.mail}: cannot be used")
        assert first.mark == "warn", "another one takes mails"
        assert second.what.startswith(f"by mail exchanger localhost:{places.mail}: answers, no TLS, takes mails from")
        assert (places.simulator.messages(), places.simulator.mails()) == ((), ())


@pytest.mark.parametrize(
    ("zone", "what"),
    [
        ({"send.smsc.test MX": ["0 ."]}, "send.smsc.test takes no mail (null MX)"),
        ({"other.test A": ["127.0.0.1"]}, "the domain send.smsc.test does not exist"),
        ({"send.smsc.test MX": "SERVFAIL"}, "DNS does not say who takes mail for send.smsc.test"),
    ],
)
async def test_a_provider_without_mail_exchangers_is_said_so(
    house: House, monkeypatch: pytest.MonkeyPatch, zone: Zone, what: str
) -> None:
    (found,) = await _by_mx(house, zone, 25, monkeypatch)
    assert (found.mark, found.what) == ("bad", what)


async def test_names_of_links_and_relays_are_looked_up_too(house: House) -> None:
    _with(house, f"type: smsc-smpp, hosts: ['smpp.invalid:3443'], {_SHARED}")
    patient = Patient(house.config, load_book(house.config), datetime.now(UTC), within=3.0)
    assert any(one.mark == "bad" and "smpp.invalid" in one.what for one in await names.names(patient))
    (switch,) = await outside.switches(patient)
    assert (switch.mark, switch.about) == ("look", "new and smsc"), "two doors of one account"
    assert "SMPP is on, with a password of its own" in switch.what
    assert "no other bridge sends by this login, or each has its own ids" in switch.what
