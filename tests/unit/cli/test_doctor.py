"""Every check against the real thing on loopback: certificates, doors, a relay, the pretend provider."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
import trustme
from aiosmtpd.handlers import Sink
from aiosmtpd.smtp import SMTP

from bridge.book.loading import load_book
from bridge.cli.checkup import doors, files, gateways, lately, names, outside
from bridge.cli.checkup.finding import Check, Finding, Patient
from bridge.simulator.serve import running
from bridge.simulator.simulator import Simulator

if TYPE_CHECKING:
    from conftest import House

pytestmark = pytest.mark.anyio

NOW = datetime.now(UTC)


def _patient(house: House, **other: Any) -> Patient:
    return Patient(house.config, load_book(house.config), NOW, within=3.0, **other)


async def _marks(check: Check, patient: Patient) -> list[tuple[str, str]]:
    return [(one.mark, one.what) for one in await check(patient)]


async def _one(check: Check, patient: Patient) -> Finding:
    (found,) = await check(patient)
    if found.mark != "ok":
        assert found.mend, "a finding that is not well must say how to mend it"
    return found


# files


async def test_a_configuration_with_mistakes_is_bad_and_the_first_is_named(house: House) -> None:
    house.config.write_text(house.config.read_text() + "colour: red\n")
    found = await _one(files.configuration, _patient(house))
    assert (found.mark, "colour: no such key" in found.what) == ("bad", True)


@pytest.mark.parametrize("name,mode", [("config.yaml", 0o664), ("rules/10.yaml", 0o666), ("bridge.db", 0o640)])
async def test_T30_what_others_may_change_or_read_is_bad(house: House, name: str, mode: int) -> None:
    os.chmod(house.config, 0o644)
    os.chmod(house.folder / "rules" / "10.yaml", 0o644)
    assert (await _one(files.permissions, _patient(house))).mark == "ok"
    (house.folder / name).chmod(mode)
    found = await _one(files.permissions, _patient(house))
    assert (found.mark, str(house.folder / name) in found.mend) == ("bad", True)
    assert f"mode {mode:04o}" in found.what


async def test_T29_secrets_are_resolved_and_never_shown(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    found = await _one(files.secrets, _patient(house))
    assert (found.mark, found.what) == ("ok", "all 1 can be read")
    monkeypatch.delenv("HOUSE_PASSWORD")
    missing = await _one(files.secrets, _patient(house))
    assert (missing.mark, missing.about) == ("bad", "providers.smsc.password")
    assert missing.mend == "set HOUSE_PASSWORD in the environment of the bridge"


async def test_a_credential_outside_of_the_unit_is_no_fault(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    house.config.write_text(house.config.read_text().replace("{env: HOUSE_PASSWORD}", "{credential: smsc}"))
    found = await _one(files.secrets, _patient(house))
    assert found.mark == "warn"
    assert "-p LoadCredential=smsc:" in found.mend


@pytest.mark.parametrize("free,mark", [(50_000_000, "bad"), (700_000_000, "warn"), (90_000_000_000, "ok")])
async def test_a_full_disk_is_seen_before_the_doors_close(
    house: House, free: int, mark: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = SimpleNamespace(free=free, total=100_000_000_000)
    monkeypatch.setattr("shutil.disk_usage", lambda _folder: usage)
    found = await _one(files.disk, _patient(house))
    assert (found.mark, str(house.folder) in found.what) == (mark, True)


async def test_a_store_that_is_well_missing_old_damaged_or_of_somebody_else(house: House) -> None:
    assert (await _one(files.store, _patient(house))).mark == "ok"
    await asyncio.to_thread(_write_sql, house.db, "UPDATE meta SET value = '9.0' WHERE name = 'schema'")
    newer = await _one(files.store, _patient(house))
    assert (newer.mark, "version 9.0" in newer.what) == ("bad", True)
    house.db.write_bytes(b"no database " * 100)
    assert (await _one(files.store, _patient(house))).mark == "bad"
    house.db.unlink()
    missing = await _one(files.store, _patient(house))
    assert (missing.mark, missing.mend) == ("warn", "smsbridge run makes it")


async def test_mails_that_nobody_reads_and_messages_that_are_held_are_told(house: House) -> None:
    await asyncio.to_thread(house.alert, "db01 disk full")
    sql = (
        "UPDATE mails SET state = 'RECEIVED', received_at = received_at - 3600000000;"
        " UPDATE messages SET state = 'HELD';"
        " INSERT INTO mails (state, received_at) VALUES ('QUARANTINED', 0)"
    )
    await asyncio.to_thread(_write_sql, house.db, sql)
    found = (await files.store(_patient(house)))[1:]
    assert [(one.mark, one.about) for one in found] == [("warn", "mails"), ("bad", "mails"), ("warn", "messages")]


_TAKEN = """
INSERT OR IGNORE INTO accounts (account) VALUES ('smsc:demo');
INSERT INTO messages (id, state, ended_at) VALUES ({0}, '{1}', {2});
INSERT INTO submissions (message_id, attempt, provider, account, state, started_at)
VALUES ({0}, 1, 'smsc', 'smsc:demo', '{3}', {4});
"""


@pytest.mark.parametrize(
    ("ends", "mark", "what"),
    [
        (["DELIVERED"] * 3, "ok", "3 of 3 arrived, receipts after 4 s"),
        (["DELIVERED", "UNKNOWN"], "ok", "1 of 1 arrived, receipts after 4 s, 1 without an answer"),
        (["UNDELIVERED"] * 9 + ["DELIVERED"] * 3, "warn", "3 of 12 arrived, receipts after 4 s"),
    ],
)
async def test_how_a_gateway_did_lately_is_told_and_a_poor_one_is_to_be_looked_at(
    house: House, ends: list[str], mark: str, what: str
) -> None:
    patient, start = _patient(house), int((datetime.now(UTC) - timedelta(minutes=10)).timestamp() * 1e6)
    await asyncio.to_thread(house.store, lambda tx: None)
    assert await lately.outcomes(patient) == ()
    for number, end in enumerate(ends, start=1):
        how = "UNKNOWN" if end == "UNKNOWN" else "ACCEPTED"
        sql = _TAKEN.format(number, end, start + 4_000_000, how, start)
        await asyncio.to_thread(_write_sql, house.db, sql)
    found = await _one(lately.outcomes, patient)
    assert (found.mark, found.about, found.what) == (mark, "smsc", f"of its last {len(ends)} messages in 2 h: {what}")


async def test_a_gateway_in_test_mode_is_a_finding_however_well_it_looks(house: House) -> None:
    patient, start = _patient(house), int((datetime.now(UTC) - timedelta(minutes=10)).timestamp() * 1e6)
    await asyncio.to_thread(house.store, lambda tx: None)
    sql = _TAKEN.format(1, "DELIVERED", start + 4_000_000, "ACCEPTED", start)
    await asyncio.to_thread(_write_sql, house.db, sql)
    await asyncio.to_thread(_write_sql, house.db, "UPDATE messages SET reason = 'virtual sending'")
    found = await _one(lately.outcomes, patient)
    assert (found.mark, found.about) == ("bad", "smsc")
    assert "reached no phone: the account is in test mode" in found.what


def _write_sql(path: Path, sql: str) -> None:
    import sqlite3
    from contextlib import closing

    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(sql)


# doors


@asynccontextmanager
async def _door(greeting: bytes) -> AsyncIterator[int]:
    """Somebody who says *greeting* to whoever comes."""

    async def greet(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(greeting)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(greet, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


@pytest.mark.parametrize(
    "greeting,mark,what",
    [
        (b"220 sms.example.kz ESMTP smsbridge\r\n", "ok", "the bridge listens"),
        (b"220 mail ESMTP Postfix\r\n", "bad", "another program listens"),
    ],
)
async def test_a_port_is_ours_or_somebody_elses(house: House, greeting: bytes, mark: str, what: str) -> None:
    async with _door(greeting) as port:
        _listen(house, f'{{door: smtp, address: "127.0.0.1:{port}", trust: 127.0.0.1}}')
        found = await _one(doors.ports, _patient(house))
    assert (found.mark, found.what) == (mark, what)


async def test_a_port_is_free_or_the_address_is_not_of_this_machine(house: House) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    _listen(house, f'{{door: http, address: "127.0.0.1:{port}"}}')
    assert (await _one(doors.ports, _patient(house))).what == "free, nobody listens yet"
    _listen(house, '{door: http, address: "192.0.2.1:8025"}')
    patient = replace(_patient(house), within=0.3)
    found = await doors.ports(patient)
    assert found[0].mark in ("bad", "ok")  # a router on the way may swallow the question


def _listen(house: House, listener: str, more: str = "") -> None:
    house.write(more=more)
    lines = house.config.read_text().splitlines()
    house.config.write_text("\n".join([f"listen: [{listener}]", *lines[1:]]) + "\n")


def _certificate(folder: Path, ends: timedelta) -> str:
    issued = trustme.CA().issue_cert("sms.example.kz", not_after=datetime.now(UTC) + ends)
    issued.cert_chain_pems[0].write_to_path(str(folder / "cert.pem"))
    issued.private_key_pem.write_to_path(str(folder / "key.pem"))
    return f"{{cert: {folder}/cert.pem, key: {folder}/key.pem}}"


@pytest.mark.parametrize(
    "days,mark,what", [(90, "ok", "certificate holds until"), (5, "warn", " days"), (-1, "bad", "expired")]
)
async def test_a_certificate_is_told_before_it_ends(house: House, days: int, mark: str, what: str) -> None:
    pair = _certificate(house.folder, timedelta(days=days))
    _listen(house, f'{{door: smtp, address: "127.0.0.1:2525", trust: 127.0.0.1, starttls: {pair}}}')
    found = await _one(doors.certificates, _patient(house))
    assert (found.mark, what in found.what) == (mark, True), found


async def test_a_certificate_with_another_key_is_bad(house: House) -> None:
    pair = _certificate(house.folder, timedelta(days=90))
    other = trustme.CA().issue_cert("sms.example.kz")
    other.private_key_pem.write_to_path(str(house.folder / "key.pem"))
    _listen(house, f'{{door: smtp, address: "127.0.0.1:2525", trust: 127.0.0.1, starttls: {pair}}}')
    assert (await _one(doors.certificates, _patient(house))).mark == "bad"


@pytest.mark.parametrize(
    "http,mark,what",
    [
        ("", "warn", "nobody says where"),
        ("http: {public_url: 'http://sms.example.kz'}\n", "bad", "is not https"),
        ("http: {public_url: 'https://localhost'}\n", "bad", "name resolves to"),
        ("http: {public_url: 'https://sms.invalid'}\n", "bad", "the name is not found"),
    ],
)
async def test_a_callback_address_must_be_one_that_others_can_reach(
    house: House, http: str, mark: str, what: str
) -> None:
    house.write(more=http)
    text = house.config.read_text().replace("prices:", "callbacks: {path: {env: A}, secret: {env: B}}, prices:")
    house.config.write_text(text)
    found = await _one(doors.callbacks, _patient(house))
    assert (found.mark, what in found.what) == (mark, True), found


async def test_without_callbacks_nothing_is_said_of_them(house: House) -> None:
    assert await doors.callbacks(_patient(house)) == ()


# names and others


async def test_names_that_are_not_found_are_bad(house: House) -> None:
    house.write(url="https://smsc.invalid", more="outgoing_mail: {relay: 'smtp://localhost:25', from: s@example.kz}\n")
    found = await names.names(_patient(house))
    assert [(one.mark, one.what.split()[0]) for one in found] == [("bad", "smsc.invalid"), ("ok", "localhost")]
    assert "providers.smsc" in found[0].what


async def test_a_provider_tells_login_and_balance(house: House) -> None:
    async with running(Simulator()) as port:
        house.write(url=f"http://127.0.0.1:{port}")
        found = await _one(gateways.providers, _patient(house))
        assert found.mark == "ok"
        assert found.what.startswith("login fits, balance 1 000 KZT, ")
        house.config.write_text(house.config.read_text().replace("prices:", "warn_below: 5000 KZT, prices:"))
        assert (await _one(gateways.providers, _patient(house))).mark == "warn"
        assert (await _one(outside.clock, _patient(house))).what == "agrees with 127.0.0.1"


async def test_a_wrong_password_is_said_and_not_shown(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOUSE_PASSWORD", "quite wrong")
    async with running(Simulator()) as port:
        house.write(url=f"http://127.0.0.1:{port}")
        found = await _one(gateways.providers, _patient(house))
    assert found.mark == "bad"
    assert found.mend == "write the login and password of the account (providers.smsc)"
    assert "quite wrong" not in repr(found)


async def test_a_provider_that_is_away_is_bad_and_the_clock_has_nobody_to_ask(house: House) -> None:
    house.write(url="http://127.0.0.1:9")
    assert (await _one(gateways.providers, _patient(house))).mark == "bad"
    assert (await _one(outside.clock, _patient(house))).mark == "warn"


@pytest.mark.parametrize(
    "seconds,mark,what", [(3, "ok", "agrees with"), (-45, "warn", "45 s behind"), (900, "bad", "900 s ahead of")]
)
async def test_a_clock_that_is_off_is_told(
    house: House, seconds: int, mark: str, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outside, "_difference", lambda _url, _patient: timedelta(seconds=seconds))
    found = await _one(outside.clock, _patient(house))
    assert (found.mark, what in found.what) == (mark, True)


@asynccontextmanager
async def _relay(tls: ssl.SSLContext | None = None, login: bool = False) -> AsyncIterator[int]:
    def made() -> SMTP:
        known: Callable[..., Any] | None = None
        if login:
            from aiosmtpd.smtp import AuthResult

            known = lambda *given: AuthResult(success=given[-1].password == b"right", handled=False)  # noqa: E731
        return SMTP(Sink(), tls_context=tls, authenticator=known, auth_require_tls=tls is not None)

    server = await asyncio.get_running_loop().create_server(made, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


def _with_relay(house: House, port: int, more: str = "") -> None:
    house.write(more=f"outgoing_mail: {{relay: 'smtp://127.0.0.1:{port}', from: s@example.kz{more}}}\n")


async def test_a_relay_must_speak_tls_where_it_is_required(house: House) -> None:
    async with _relay() as port:
        _with_relay(house, port)
        found = await _one(outside.relay, _patient(house))
        assert (found.mark, found.what) == ("bad", "offers no STARTTLS")
        _with_relay(house, port, ", tls: 'off'")
        assert (await _one(outside.relay, _patient(house))).what == "answers, no TLS"
    assert (await _one(outside.relay, _patient(house))).mark == "bad"


async def test_a_relay_with_tls_and_login(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    authority = trustme.CA()
    server, client = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH), ssl.create_default_context()
    authority.issue_cert("127.0.0.1").configure_cert(server)
    authority.configure_trust(client)
    async with _relay(server, login=True) as port:
        _with_relay(house, port, ", user: bridge, password: {env: RELAY}")
        monkeypatch.setenv("RELAY", "right")
        assert (await _one(outside.relay, _patient(house, trust=client))).what == "answers, STARTTLS, login fits"
        monkeypatch.setenv("RELAY", "wrong")
        assert "refuses our login" in (await _one(outside.relay, _patient(house, trust=client))).what
        untrusted = await _one(outside.relay, _patient(house))
        assert (untrusted.mark, "certificate does not hold" in untrusted.what) == ("bad", True)


async def test_without_a_relay_somebody_should_look(house: House) -> None:
    assert (await _one(outside.relay, _patient(house))).mark == "look"


async def test_what_only_a_person_sees_is_named(house: House) -> None:
    (found,) = await outside.switches(_patient(house))
    assert (found.mark, "test mode is off" in found.what) == ("look", True)


# the verb


async def test_the_verb_prints_a_line_a_finding_and_ends_with_1_when_something_is_bad(house: House) -> None:
    house.write(url="http://127.0.0.1:9")
    done = await asyncio.to_thread(house.call, "doctor")
    assert done.code == 1
    lines = done.out.splitlines()
    assert any(line.startswith("✗ smsc: no connection to 127.0.0.1:9") and ". Mend: " in line for line in lines)
    assert lines[-1].endswith(" to look at.")
    as_json = await asyncio.to_thread(house.call, "doctor", "--json")
    assert {one["mark"] for one in json.loads(as_json.out)} >= {"ok", "bad"}


async def test_with_a_wrong_configuration_the_verb_says_only_that(house: House) -> None:
    house.config.write_text("colour: red\n")
    done = await asyncio.to_thread(house.call, "doctor")
    assert (done.code, len(done.out.splitlines())) == (1, 2)


async def test_a_door_that_sends_by_mail_is_asked_at_its_relay(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMSC", "x")
    async with _relay() as port:
        for tls, mark, what in (("required", "bad", "offers no STARTTLS"), ("'off'", "warn", "answers, no TLS, takes")):
            house.write()
            door = (
                f"providers:\n  mail-door: {{type: smsc-smtp, relay: 'smtp://127.0.0.1:{port}', login: a, tls: {tls},"
                " to: send@send.smsc.test, password: {env: SMSC}, mail_from: b@example.kz}\n"
            )
            house.config.write_text(house.config.read_text().replace("providers:\n", door, 1))
            (found,) = [one for one in await gateways.providers(_patient(house)) if one.about == "mail-door"]
            assert (found.mark, found.what.startswith(f"by relay 127.0.0.1:{port}: {what}")) == (mark, True), found
            assert "outgoing_mail" not in found.mend
