"""The door's addresses (FORMAT §8, §14)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import product
from typing import Any

import pytest

from bridge.routing.addresses import Addresses
from bridge.routing.facts import Facts
from bridge.routing.sources import Sources

BookOf = Callable[..., Any]
DoorOf = Callable[..., Addresses]
FACTS = Facts("smtp", "10.0.0.5", mail_from="a@b.kz")


@pytest.fixture
def door(book: BookOf) -> DoorOf:
    def open_door(rules: str, config: str = "", **more: Any) -> Addresses:
        made = book(rules, config)
        return Addresses(made.rules, made.config, Sources(made.config.sources), **more)

    return open_door


def unknown(address: str) -> str:
    return f"550 5.1.1 <{address}>: no rule takes this address from you"


def test_a_rule_without_recipient_opens_every_local_part_of_our_domains(door: DoorOf) -> None:
    made = door("- {rule: r, when: {host: db*}, to: aigul}", "domains: [sms.example.kz, alarm.example.kz]")
    assert made.refusal(FACTS, "any.thing+x@ALARM.example.kz") is None
    assert made.refusal(FACTS, "x@example.kz") == unknown("x@example.kz")
    assert made.refusal(FACTS, "x@sub.sms.example.kz") == unknown("x@sub.sms.example.kz")
    assert made.refusal(FACTS, "sms.example.kz") == unknown("sms.example.kz")
    assert made.refusal(FACTS, "@sms.example.kz") == unknown("@sms.example.kz")


def test_unrouted_opens_none(door: DoorOf) -> None:
    assert door("- {rule: r, when: {recipient: a@*}, to: aigul}").refusal(FACTS, "b@sms.example.kz") is not None
    assert door("rules: []").refusal(FACTS, "b@sms.example.kz") is not None


@pytest.mark.parametrize(
    "rule", ["set: {severity: high}, continue: true", "rules: [{rule: c, when: {recipient: a@*}, to: aigul}]"]
)
def test_a_rule_that_does_nothing_itself_opens_no_address(door: DoorOf, rule: str) -> None:
    assert door(f"- {{rule: r, {rule}}}").refusal(FACTS, "b@sms.example.kz") is not None


@pytest.mark.parametrize(
    "action", ["to: nobody", "mail_to: x@example.kz", "drop: noise", "mail_to: x@y.kz, continue: true"]
)
def test_every_rule_that_acts_opens_its_addresses(door: DoorOf, action: str) -> None:
    assert door(f"- {{rule: r, {action}}}").refusal(FACTS, "b@sms.example.kz") is None


def test_postmaster_and_abuse_are_always_open(door: DoorOf) -> None:
    made = door("rules: []")
    assert made.refusal(FACTS, "Postmaster@sms.example.kz") is None
    assert made.refusal(FACTS, "abuse@SMS.example.kz") is None
    assert made.refusal(FACTS, "postmaster") is None
    assert made.refusal(FACTS, "postmaster@example.org") is not None


def test_signed_addresses_of_answers_are_always_open(door: DoorOf) -> None:
    made = door("rules: []", is_ours=lambda address: address.startswith("r+"))
    assert made.refusal(FACTS, "r+abc@sms.example.kz") is None
    assert made.refusal(FACTS, "r+abc@elsewhere.kz") is not None


@pytest.mark.parametrize(
    "condition, open_",
    [
        ("recipient: 'a@*'", True),
        ("recipient: 'b@*'", False),
        ("recipient: {regex: '^a'}", True),
        ("source: 10.0.0.5", True),
        ("source: zabbix", False),
        ("identity: zabbix", False),
        ("network: 10.0.0.0/8", True),
        ("network: 192.168.0.0/16", False),
        ("door: smtp", True),
        ("door: lmtp", False),
        ("mail_from: a@b.kz", True),
        ("mail_from: x@b.kz", False),
        ("host: never, subject: never, severity: critical, from: never, during: {hours: '00:00-00:01'}", True),
        ("host: never, door: lmtp", False),
        ("any: [{recipient: 'b@*'}, {door: lmtp}]", False),
        ("any: [{recipient: 'b@*'}, {host: db1}]", True),
        ("not: {recipient: 'a@*'}", False),
        ("not: {recipient: 'b@*'}", True),
        ("not: {recipient: 'a@*', host: db1}", True),
        ("not: {host: {not: db1}}", True),
        ("any: [{host: db1}, {mail_from: x@b.kz}]", True),
        ("all: [{recipient: 'b@*'}, {host: db1}]", False),
        ("all: [{recipient: 'a@*'}, {host: db1}]", True),
        ("any: [{all: [{recipient: 'b@*'}]}, {not: {door: smtp}}]", False),
    ],
)
def test_only_what_the_envelope_decides_is_held_against_an_address(door: DoorOf, condition: str, open_: bool) -> None:
    made = door(f"- {{rule: r, when: {{{condition}}}, to: aigul}}")
    assert (made.refusal(FACTS, "a@sms.example.kz") is None) is open_


def test_named_conditions_count_like_what_they_stand_for(door: DoorOf) -> None:
    made = door("conditions: {ours: {recipient: 'a@*', host: db1}}\nrules: [{rule: r, when: {use: ours}, to: aigul}]")
    assert made.refusal(FACTS, "a@sms.example.kz") is None
    assert made.refusal(FACTS, "b@sms.example.kz") is not None


def test_the_whole_path_must_fit(door: DoorOf) -> None:
    made = door(
        "- {rule: p, when: {recipient: '*@sms.example.kz'}, rules: [{rule: c, when: {recipient: 'a@*'}, to: aigul}]}"
    )
    assert made.refusal(FACTS, "a@sms.example.kz") is None
    assert made.refusal(FACTS, "b@sms.example.kz") is not None


SOURCES = """
domains: [alfa.kz, beta.kz]
sources: {alfa: {login: alfa}, beta: {login: beta}}
"""
CUSTOMERS = """
- {rule: alfa, when: {source: alfa, recipient: "*@alfa.kz"}, to: aigul}
- {rule: beta, when: {source: beta, recipient: "*@beta.kz"}, to: ivan}
"""


def test_T03_one_customer_cannot_reach_anothers_addresses_and_does_not_learn_of_them(door: DoorOf) -> None:
    made = door(CUSTOMERS, SOURCES)
    for login, (domain, local) in product(("alfa", "beta", "eve", ""), product(("alfa", "beta", "none"), ("noc", "x"))):
        address = f"{local}@{domain}.kz"
        refusal = made.refusal(replace(FACTS, login=login, peer="203.0.113.7"), address)
        assert refusal == (None if login == domain else unknown(address))


NUMBERS = "- {rule: n, to: recipient, numbers: {prefixes: ['+7701', '+7702']}, track: false}"


@pytest.mark.parametrize(
    "local, refusal",
    [
        ("77010000001", None),
        ("+77010000001", None),
        ("+7-701-000.00-01", None),
        ('"7701 000 0001"', None),
        ("87010000001", None),
        ("7010000001", None),
        ("8701x", "not a telephone number, write +77011234567"),
        ("8701", "not a telephone number, write +77011234567"),
        ("+7701", "not a telephone number, write +77011234567"),
        ("٧٧٠١٠٠٠٠٠٠١", "no rule takes this address from you"),
        ("112", "not a telephone number, write +77011234567"),
        ("+447012345678", "SMS to +44 is not allowed here"),
        ("+77770000001", "SMS to +7 is not allowed here"),
        ("ops", "no rule takes this address from you"),
        ("send", "no rule takes this address from you"),
        ("+77010000001,+77020000001", "not a telephone number, write +77011234567"),
    ],
)
def test_T03_a_number_in_the_address_opens_only_what_the_rule_lists(
    door: DoorOf, local: str, refusal: str | None
) -> None:
    made = door(NUMBERS, "region: KZ")
    found = made.refusal(FACTS, f"{local}@sms.example.kz")
    assert found is None if refusal is None else found is not None and found.endswith(f"@sms.example.kz>: {refusal}")


def test_T23_a_number_of_other_digits_is_none(door: DoorOf) -> None:
    made = door(NUMBERS, "region: KZ")
    assert made.refusal(FACTS, "٧٧٠١٠٠٠٠٠٠١@sms.example.kz") is not None
    assert made.refusal(FACTS, "7701000000\u0661@sms.example.kz") is not None


def test_T03_destinations_stand_above_the_rule(door: DoorOf) -> None:
    made = door(NUMBERS, "region: KZ\ndestinations: ['+7702']")
    assert made.refusal(FACTS, "+77020000001@sms.example.kz") is None
    assert made.refusal(FACTS, "+77010000001@sms.example.kz") is not None
    assert (
        door("- {rule: n, to: recipient, numbers: {prefixes: '+44'}}", "region: KZ").refusal(
            FACTS, "+447012345678@sms.example.kz"
        )
        == "550 5.1.1 <+447012345678@sms.example.kz>: SMS to +44 is not allowed here"
    )


def test_T03_without_numbers_a_rule_opens_no_number(door: DoorOf) -> None:
    assert door("- {rule: n, to: recipient}", "region: KZ").refusal(FACTS, "77010000001@sms.example.kz") is not None


def test_numbers_of_people_only(door: DoorOf) -> None:
    made = door("- {rule: n, to: recipient, numbers: {prefixes: '+7', only: people}}", "region: KZ")
    assert made.refusal(FACTS, "87010000011@sms.example.kz") is None
    assert made.refusal(FACTS, "87010000099@sms.example.kz") == unknown("87010000099@sms.example.kz")


def test_the_sentence_about_numbers_is_kept_from_those_to_whom_no_number_is_open(door: DoorOf) -> None:
    made = door("- {rule: n, when: {source: erp}, to: recipient, numbers: {prefixes: '+7'}}", "region: KZ")
    assert made.refusal(FACTS, "8701x@sms.example.kz") == unknown("8701x@sms.example.kz")


def test_the_region_of_the_rule_comes_before_that_of_the_source(door: DoorOf) -> None:
    config = "sources: {us: {network: 10.0.0.5, region: US}}\nregion: KZ\ndestinations: ['+7', '+1']"
    by_source = door("- {rule: n, to: recipient, numbers: {prefixes: '+1907'}}", config)
    assert by_source.refusal(FACTS, "9075550142@sms.example.kz") is None
    by_rule = door("- {rule: n, to: recipient, numbers: {prefixes: '+7701', region: KZ}}", config)
    assert by_rule.refusal(FACTS, "87010000001@sms.example.kz") is None


OLD = "sources: {erp: {network: 10.0.0.5, smsc: {login: t, password: {env: P}}}}\nregion: KZ"


def test_an_old_program_may_mail_to_send(door: DoorOf) -> None:
    rule = "- {rule: n, when: {door: smsc-mail}, to: recipient, numbers: {prefixes: '+7'}}"
    made = door(rule, OLD)
    assert made.refusal(FACTS, "send@sms.example.kz") is None
    assert made.refusal(FACTS, "ops@sms.example.kz") is not None
    assert made.refusal(replace(FACTS, peer="10.0.0.6"), "send@sms.example.kz") is not None


def test_a_refusal_is_one_short_line_of_ascii(door: DoorOf) -> None:
    refusal = door("rules: []").refusal(FACTS, "я\r\nRCPT" * 100 + "@sms.example.kz")
    assert refusal is not None
    assert refusal.isascii()
    assert refusal.isprintable()
    assert len(refusal) < 200


def test_the_listing_says_which_rule_opens_what(door: DoorOf) -> None:
    made = door(
        CUSTOMERS
        + "- {rule: n, when: {source: erp}, to: recipient, numbers: {prefixes: '+7'}}\n- {rule: all, mail_to: x@y.kz}",
        "domains: [alfa.kz, beta.kz]\n"
        "sources: {alfa: {login: alfa}, erp: {login: e, smsc: {login: t, password: {env: P}}}}",
    )
    rest = (("*@alfa.kz", "all"), ("*@beta.kz", "all"))
    assert made.listing("alfa") == (("*@alfa.kz", "alfa"), *rest)
    numbers = (("NUMBER@alfa.kz", "n"), ("NUMBER@beta.kz", "n"), ("send@alfa.kz", "n"), ("send@beta.kz", "n"))
    assert made.listing("erp") == (*numbers, *rest)
    assert made.listing() == (("*@alfa.kz", "alfa"), ("*@beta.kz", "beta"), *numbers, *rest)


def test_the_listing_looks_into_named_conditions(door: DoorOf) -> None:
    made = door(
        "conditions: {ours: {source: alfa, recipient: 'noc@*', host: db1}}\n"
        "rules: [{rule: r, when: {use: ours}, to: aigul}]"
    )
    assert made.listing("alfa") == (("noc@*", "r"),)
    assert made.listing("beta") == ()


def test_the_listing_joins_the_patterns_of_a_path(door: DoorOf) -> None:
    made = door(
        "- {rule: p, when: {recipient: '*@sms.example.kz'}, rules: [{rule: c, when: {recipient: 'a@*'}, to: aigul}]}"
    )
    assert made.listing() == (("*@sms.example.kz and a@*", "c"),)
