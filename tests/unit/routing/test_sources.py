"""Who hands something in (FORMAT §3, Source)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bridge.config.document import read
from bridge.config.models import Config
from bridge.model import Envelope, Recipient
from bridge.routing.facts import Facts, facts_of
from bridge.routing.sources import Sources

CONFIG = """
listen: []
operator: {mail: it@example.kz}
providers: {}
sources:
  pair:
    - {network: 10.0.0.1, from: [icinga@mon1.kz, icinga@mon2.kz]}
    - {login: mon2}
  zabbix: {login: [zabbix, zabbix2], network: [10.0.0.0/8], from: "*@shop.kz"}
  signed: {certificate: "CN=mon*,O=acme"}
  box: {mailbox: alarms}
  hook: {token: {env: T}}
  erp: {network: 10.40.0.10, smsc: {login: trade, password: {env: P}}}
  program: {smsc: {login: old, password: {env: P}}}
"""
FACTS = Facts("smtp", "192.168.1.1")


@pytest.fixture
def sources(now: object) -> Sources:
    document = read(CONFIG.encode(), "config.yaml")
    assert not document.problems
    return Sources(Config.model_validate(document.data).sources)


@pytest.mark.parametrize(
    "changes, name",
    [
        ({"peer": "10.0.0.1"}, "pair"),
        ({"peer": "::ffff:10.0.0.1"}, "pair"),
        ({"login": "mon2"}, "pair"),
        ({"login": "zabbix", "peer": "10.1.1.1"}, "zabbix"),
        ({"login": "zabbix2", "peer": "10.1.1.1"}, "zabbix"),
        ({"login": "zabbix"}, "zabbix"),
        ({"login": "other", "peer": "10.1.1.1"}, "other"),
        ({}, "192.168.1.1"),
        ({"certificate": "cn=MON1,o=acme"}, "signed"),
        ({"certificate": "CN=mon1,O=evil"}, "192.168.1.1"),
        ({"mailbox": "alarms", "door": "imap"}, "box"),
        ({"token": "hook", "door": "http"}, "hook"),
        ({"peer": "10.40.0.10"}, "erp"),
        ({"token": "program", "door": "smsc-http"}, "program"),
        ({"peer": "not an address"}, "not an address"),
    ],
)
def test_a_source_is_the_first_that_fits_on_every_kind_it_names(
    sources: Sources, changes: dict[str, str], name: str
) -> None:
    assert sources.of(replace(FACTS, **changes)).name == name  # type: ignore[arg-type]


def test_T05_a_sender_alone_never_makes_a_source(sources: Sources) -> None:
    for sender in ("a@shop.kz", "icinga@mon1.kz"):
        assert sources.of(replace(FACTS, mail_from=sender)).entry is None


def test_a_login_from_the_wrong_network_is_only_its_login(sources: Sources) -> None:
    found = sources.of(replace(FACTS, login="zabbix"))
    assert (found.name, found.entry) == ("zabbix", None)


def test_a_source_by_secret_is_nobody_without_it(sources: Sources) -> None:
    assert sources.of(FACTS).entry is None


@pytest.mark.parametrize(
    "changes, refusal",
    [
        ({"login": "zabbix", "peer": "10.1.1.1", "mail_from": "a@SHOP.kz"}, None),
        ({"login": "zabbix", "peer": "10.1.1.1", "mail_from": ""}, None),
        (
            {"login": "zabbix", "peer": "10.1.1.1", "mail_from": "cfo@example.kz"},
            "550 5.7.1 Login zabbix may not send as cfo@example.kz",
        ),
        (
            {"peer": "10.0.0.1", "mail_from": "other@mon1.kz"},
            "550 5.7.1 Source pair may not send as other@mon1.kz",
        ),
        ({"mail_from": "anyone@example.kz"}, None),
    ],
)
def test_T05_a_source_uses_only_its_own_senders(sources: Sources, changes: dict[str, str], refusal: str | None) -> None:
    assert sources.sender_refusal(replace(FACTS, **changes)) == refusal  # type: ignore[arg-type]


def test_a_refusal_is_one_line_of_ascii_however_hostile_the_sender(sources: Sources) -> None:
    facts = replace(FACTS, login="zabbix", peer="10.1.1.1", mail_from="я\r\n250 ok" + "x" * 5000)
    refusal = sources.sender_refusal(facts)
    assert refusal is not None
    assert refusal.isascii()
    assert refusal.isprintable()
    assert len(refusal) < 200


def test_T05_the_header_from_is_held_against_the_same_list(sources: Sources) -> None:
    facts = replace(FACTS, login="zabbix", peer="10.1.1.1")
    assert sources.may_send_as(facts, "x@shop.kz")
    assert not sources.may_send_as(facts, "x@evil.kz")
    assert sources.may_send_as(FACTS, "x@evil.kz")


def test_the_colon_mail_of_an_old_program_has_a_door_of_its_own(sources: Sources) -> None:
    erp = replace(FACTS, peer="10.40.0.10")
    assert sources.door_of(erp, "Send@send.smsc.kz") == "smsc-mail"
    assert sources.door_of(erp, "ops@send.smsc.kz") == "smtp"
    assert sources.door_of(FACTS, "send@send.smsc.kz") == "smtp"


def test_facts_of_an_envelope_are_its_own(now: object) -> None:
    envelope = Envelope(
        b"",
        now,
        "a@b",
        (Recipient("c@d"), Recipient("e@f")),
        "lmtp",
        "10.0.0.1",
        "me",
        "CN=x",
        "box",
        True,  # type: ignore[arg-type]
    )
    assert facts_of(envelope) == Facts("lmtp", "10.0.0.1", "me", "CN=x", True, "a@b", "box", ("c@d", "e@f"))
