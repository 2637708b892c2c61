from __future__ import annotations

import re

import pytest

from bridge.ingress import replies

CONSTANTS = {name: value for name, value in vars(replies).items() if name.isupper() and isinstance(value, str)}
LONG = "ж" * 400
MADE = [
    replies.greeting("sms.example.kz"),
    replies.kept(2**40),
    replies.announced_too_big(10**12),
    replies.grew_too_big(10**12),
    replies.line_too_long(1 << 20),
    replies.command_too_long(4096),
    replies.recipients_taken(100),
    replies.connections_open(20, "2001:db8:1111:2222:3333:4444:5555:6666"),
    replies.too_many_commands(1000),
    replies.too_quiet(300),
    replies.too_long(1800),
    replies.too_slow(100),
    replies.parameter_unknown(LONG),
    replies.parameter_wrong(LONG),
    replies.no_rule(LONG),
    replies.not_a_number(LONG),
    replies.prefix_not_allowed(LONG, "+4470"),
    replies.may_not_send_as(LONG, LONG),
    replies.network_may_not_send_as(LONG, LONG),
]


@pytest.mark.parametrize("line", [*CONSTANTS.values(), *MADE])
def test_replies_are_short_ascii_lines_with_their_code_first(line: str) -> None:
    assert re.fullmatch(r"[2345]\d\d [ -~]+", line)
    assert len(line) < 200


@pytest.mark.parametrize("line", [value for value in CONSTANTS.values() if value[:3] != "354"] + MADE[1:])
def test_refusals_and_successes_carry_an_enhanced_code_of_their_class(line: str) -> None:
    code, enhanced = line.split(" ")[:2]
    assert re.fullmatch(rf"{code[0]}\.\d\.\d{{1,2}}", enhanced)


def test_the_words_of_the_catalogue() -> None:
    assert replies.too_quiet(300) == "421 4.4.2 Nothing came for 5 minutes, bye"
    assert replies.connections_open(20, "10.20.0.14") == "421 4.7.0 20 connections from 10.20.0.14 are open, try again"
    assert replies.not_a_number("8701x@sms.example.kz") == (
        "550 5.1.1 <8701x@sms.example.kz>: not a telephone number, write +77011234567"
    )
    assert replies.prefix_not_allowed("+4470@sms.example.kz", "+44") == (
        "550 5.1.1 <+4470@sms.example.kz>: SMS to +44 is not allowed here"
    )
    assert replies.may_not_send_as("zabbix", "cfo@example.kz") == (
        "550 5.7.1 Login zabbix may not send as cfo@example.kz"
    )


def test_a_reply_never_holds_a_line_end() -> None:
    assert "\n" not in replies.no_rule("a\r\n250 Ok@x")
