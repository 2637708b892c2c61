"""Each line of FORMAT §5."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from bridge.errors import ConfigError

BookOf = Callable[..., Any]


def fits(book: BookOf, condition: str, **changes: Any) -> bool:
    """Whether a rule with this condition takes the event, the same with and without a trace."""
    made = book(f"- {{rule: r, when: {{{condition}}}, to: aigul}}")
    plain, traced = made.ask(**changes), made.ask(trace=True, **changes)
    assert plain.routes == traced.routes
    return bool(plain.routes)


@pytest.mark.parametrize(
    "condition, changes, expected",
    [
        ("source: mon", {}, True),
        ("source: MON", {}, True),
        ("source: mo", {}, False),
        ("producer: zabbix", {"producer": "zabbix"}, True),
        ("producer: [alertmanager, zabbix]", {"producer": "zabbix"}, True),
        ("producer: [alertmanager, icinga]", {"producer": "zabbix"}, False),
        ("door: smtp", {}, True),
        ("door: [http, lmtp]", {}, False),
        ("identity: zabbix", {"login": "Zabbix"}, True),
        ("identity: 'CN=mon1*'", {"certificate": "CN=mon1,O=acme"}, True),
        ("identity: '*'", {}, True),
        ("identity: '?*'", {}, False),
        ("from: mon@example.kz", {}, True),
        ("from: '*@example.kz'", {}, True),
        ("from: example", {}, False),
        ("mail_from: '<>'", {"mail_from": ""}, True),
        ("mail_from: '<>'", {"mail_from": "a@b"}, False),
        ("mail_from: '*@b'", {"mail_from": "a@B"}, True),
        ("recipient: ops@sms.example.kz", {}, True),
        ("recipient: 'ops@*'", {}, True),
        ("recipient: ops", {}, False),
        ("host: web*", {}, True),
        ("host: WEB1", {}, True),
        ("host: web1", {"host": "web1.example.kz"}, True),
        ("host: web1.example.kz", {"host": "web1.example.kz"}, True),
        ("host: web", {"host": "web1.example.kz"}, False),
        ("host: 10", {"host": "10.0.0.1"}, False),
        ("host: 10.0.0.1", {"host": "10.0.0.1"}, True),
        ("host: {not: web1}", {"host": "web1.example.kz"}, False),
        ("service: 'web?'", {"service": "web1"}, True),
        ("service: 'web?'", {"service": "web12"}, False),
        ("severity: critical", {"severity": "critical"}, True),
        ("severity: {above: warning}", {"severity": "high"}, True),
        ("severity: {above: warning}", {"severity": "warning"}, False),
        ("severity: {below: high}", {"severity": "warning"}, True),
        ("severity: {above: info, below: critical}", {"severity": "critical"}, False),
        ("state: recovery", {"state": "recovery"}, True),
        ("state: recovery", {}, False),
        ("key: 'disk/*'", {"key": "disk/db1"}, True),
        ("label.env: prod", {"labels": {"env": "Prod"}}, True),
        ("label.env: prod", {"labels": {"env": "dev"}}, False),
        ("label.env: ''", {}, True),
        ("label.env: {not: dev}", {}, True),
        ("label.env: {exists: false}", {}, True),
        ("label.env: {exists: true}", {"labels": {"env": ""}}, True),
        ("label.use: {above: 90}", {"labels": {"use": "95.5 %"}}, True),
        ("label.use: {above: 90}", {"labels": {"use": "٩٥"}}, False),
        ("label.use: {below: 90}", {"labels": {"use": "much"}}, False),
        ("subject: alarm", {}, True),
        ("subject: lar", {}, True),
        ("subject: 'a*m'", {}, True),
        ("subject: 'a?a'", {}, True),
        ("subject: '[FIRING:1]'", {"subject": "re: [firing:1] x"}, True),
        ("subject: '[FIRING:1]'", {"subject": "F"}, False),
        ("title: DOWN", {}, True),
        ("text: is down", {}, True),
        ("detail: диск", {"detail": "На ДИСКЕ мало места"}, True),
        ("header.X-Prio: 1", {"headers": {"x-prio": ("prio 1",)}}, True),
        ("header.X-Prio: {is: ['1', '2']}", {"headers": {"x-prio": ("2",)}}, True),
        ("header.X-Prio: {is: ['1', '2']}", {"headers": {"x-prio": ("22",)}}, False),
        ("header.X-Prio: {exists: true}", {}, False),
        ("header.X-Prio: {exists: false}", {}, True),
        ("header.X-Prio: '*'", {}, False),
        ("header.Received: relay2", {"headers": {"received": ("relay1", "relay2")}}, True),
        ("attachment: '*.pdf'", {"attachments": ("a.txt", "B.PDF")}, True),
        ("attachment: '*.pdf'", {}, False),
        ("attachment: {not: '*.exe'}", {"attachments": ("a.txt", "b.exe")}, False),
        ("attachment: {not: '*.exe'}", {"attachments": ("a.txt",)}, True),
        ("size: {above: 1kB}", {"size": 1001}, True),
        ("size: {above: 1kB}", {"size": 1000}, False),
        ("size: {below: 1MB}", {}, True),
        ("network: 10.0.0.0/8", {}, True),
        ("network: [192.168.0.0/16, 10.0.0.5]", {}, True),
        ("network: 192.168.0.0/16", {}, False),
        ("network: 10.0.0.0/8", {"peer": "::ffff:10.1.1.1"}, True),
        ("network: 10.0.0.0/8", {"peer": ""}, False),
        ("use: lab", {}, None),
        ("any: [{host: db*}, {host: web*}]", {}, True),
        ("any: [{host: db*}, {host: app*}]", {}, False),
        ("all: [{host: web*}, {state: problem}]", {}, True),
        ("all: [{host: web*}, {state: recovery}]", {}, False),
        ("not: {host: db*}", {}, True),
        ("not: {host: web*, state: problem}", {}, False),
        ("not: {host: web*, state: recovery}", {}, True),
        ("host: web*, state: recovery", {}, False),
        ("host: {is: web1}", {}, True),
        ("host: {is: WEB1}", {}, False),
        ("host: {regex: '^web[0-9]$'}", {}, True),
        ("host: {regex: '^WEB'}", {}, False),
        ("host: {regex: '(?i)^WEB'}", {}, True),
        ("host: {regex: b1}", {}, True),
        ("host: {any: ['shop*', 'web*'], not: '*-old'}", {}, True),
        ("host: {any: ['shop*', 'web*'], not: '*-old'}", {"host": "web-old"}, False),
        ("host: {not: {any: [db1, web1]}}", {}, False),
        ("subject: {not: test}", {"subject": "a TEST"}, False),
        ("subject: {regex: 'упал'}", {"subject": "сервер упал"}, True),
        ("title: 'Disk full?'", {"title": "disk full!"}, True),
    ],
)
def test_a_condition_means_what_the_format_says(
    book: BookOf, condition: str, changes: dict[str, Any], expected: bool | None
) -> None:
    if expected is None:
        with pytest.raises(ConfigError, match='no condition is called "lab"'):
            fits(book, condition, **changes)
    else:
        assert fits(book, condition, **changes) is expected


def test_a_named_condition_is_shared_by_rules_and_by_other_conditions(book: BookOf) -> None:
    made = book(
        """
conditions:
  lab: {host: ["lab*", "*-test"]}
  real: {not: {use: lab}}
rules:
  - {rule: real, when: {use: real}, to: aigul}
  - {rule: lab, when: {use: lab}, to: ivan}
"""
    )
    assert made.who(host="web1") == ["real"]
    assert made.who(host="a-test") == ["lab"]
    assert made.why(host="lab1")["real"] == "use real: not: use lab: host lab1 fits lab* or *-test"


def test_a_condition_that_uses_itself_is_refused_once(book: BookOf) -> None:
    with pytest.raises(ConfigError) as refused:
        book("conditions: {a: {use: b}, b: {use: a}}\nrules: [{rule: r, when: {use: a}, to: aigul}]")
    assert len(refused.value.problems) == 1
    assert refused.value.problems[0].endswith("a uses itself")


def test_during_is_the_clock_of_arrival_in_the_zone_of_the_window(book: BookOf) -> None:
    made = book(
        "- {rule: night, when: {during: night}, to: aigul}",
        "timezone: Asia/Almaty\nwindows: {night: {hours: 23:00-07:00}}",
    )
    night = datetime(2026, 11, 21, 20, 0, tzinfo=UTC)  # 01:00 in Almaty
    assert made.who(at=night) == ["night"]
    assert made.who(at=night.replace(hour=10)) == []
    assert made.why(at=night.replace(hour=10)) == {"night": "during Sat 15:00 does not fit night"}


def test_a_window_may_stand_in_the_condition(book: BookOf) -> None:
    made = book("- {rule: r, when: {during: {days: Sat, hours: '12:00-13:00'}}, to: aigul}")
    assert made.who() == ["r"]
    assert made.who(at=datetime(2026, 11, 21, 13, 0, tzinfo=UTC)) == []


@pytest.mark.parametrize(
    "condition, changes, told",
    [
        ("host: 'db*'", {}, "host web1 does not fit db*"),
        ("host: ['db*', 'pg*']", {}, "host web1 does not fit db* or pg*"),
        ("host: db*", {"host": "web1.example.kz"}, "host web1.example.kz or web1 does not fit db*"),
        ("severity: {above: warning}", {}, "severity info does not fit above warning"),
        ("service: x", {}, 'service "" does not fit x'),
        ("subject: {regex: '^a.c'}", {}, "subject Alarm does not fit /^a.c/"),
        ("text: fire", {"text": "long " * 20}, "text long long long long long long long long… does not fit fire"),
        ("header.X: {exists: true}", {}, 'header.x "" does not fit exists'),
        ("not: {host: web*}", {}, "not: host web1 fits web*"),
        ("any: [{host: a}, {host: b}]", {}, "any: host web1 does not fit a, host web1 does not fit b"),
        ("all: [{host: web1}, {key: k}]", {}, 'key "" does not fit k'),
        ("network: 192.168.0.0/16", {}, "network 10.0.0.5 does not fit 192.168.0.0/16"),
        ("recipient: a@b", {}, "recipient ops@sms.example.kz does not fit a@b"),
        ("host: {any: [a, b], not: c}", {}, "host web1 does not fit a or b and not c"),
        ("during: {hours: '01:00-02:00'}", {}, "during Sat 12:00 does not fit its window"),
    ],
)
def test_the_first_condition_that_fails_is_told(
    book: BookOf, condition: str, changes: dict[str, Any], told: str
) -> None:
    made = book(f"- {{rule: r, when: {{{condition}}}, to: aigul}}")
    assert made.why(**changes) == {"r": told}


@pytest.mark.parametrize(
    "condition, sentence",
    [
        ("host: {regex: '(?<=a)b'}", 'rules/test.yaml:2:34 host.regex: "(?<=a)b" looks behind, which RE2 cannot'),
        ("host: {regex: 'a(?=b)'}", '"a(?=b)" looks ahead, which RE2 cannot'),
        ("host: {regex: 'a(?!b)'}", '"a(?!b)" looks ahead, which RE2 cannot'),
        ("host: {regex: '(a)\\1'}", '"(a)\\1" refers back to a group, which RE2 cannot'),
        ("host: {regex: '['}", '"[" is no pattern: missing ]: ['),
        ("host: {regex: '(?x) a'}", "has the flag x, which RE2 cannot"),
        ("host: {regex: 'a\\Z'}", r'"a\Z": \Z is \z in RE2'),
        ("host: {regex: 'a{2000}'}", "is too expensive for RE2"),
        ("severity: fatal", '"fatal" is no severity'),
        ("state: {not: broken}", '"broken" is no state'),
        ("severity: {above: worst}", '"worst" is no severity; write info < warning < high < critical'),
        ("label.use: {above: much}", '"much" is no number, like 90 or 0.5'),
        ("size: {above: 10}", "a size, like 10MB"),
        ("during: nights", 'no window is called "nights"'),
    ],
)
def test_a_wrong_pattern_is_refused_with_a_sentence(book: BookOf, condition: str, sentence: str) -> None:
    with pytest.raises(ConfigError) as refused:
        book(f"- {{rule: r, when: {{{condition}}}, to: aigul}}")
    assert len(refused.value.problems) == 1
    assert sentence in refused.value.problems[0]


def test_more_and_less_are_said_in_the_words_of_the_pattern(book: BookOf) -> None:
    made = book("- {rule: r, when: {label.n: {above: 1, below: '3,5', not: {is: '2'}, regex: '^[0-9]'}}, to: aigul}")
    assert made.why(labels={"n": "2"}) == {
        "r": "label.n 2 does not fit /^[0-9]/ and above 1 and below 3,5 and not exactly 2"
    }
    assert made.who(labels={"n": "3.4"}) == ["r"]


def test_a_pattern_of_any_that_demands_nothing_still_fits(book: BookOf) -> None:
    assert fits(book, "host: {any: [{not: db1}, {regex: '^db'}]}")
    assert fits(book, "host: {any: [{not: web1}, {regex: '^web'}]}")
    assert not fits(book, "host: {any: [{not: web1}, {regex: '^db'}]}")


def test_all_wrong_patterns_are_told_at_once(book: BookOf) -> None:
    with pytest.raises(ConfigError) as refused:
        book("- {rule: r, when: {host: {regex: '['}, key: {regex: '('}}, to: aigul}")
    assert len(refused.value.problems) == 2


def test_named_groups_come_with_the_route(book: BookOf) -> None:
    made = book(
        "- rule: r\n"
        "  when: {subject: {regex: 'on (?P<host>\\S+)'}, text: {regex: '(?P<use>[0-9]+)%(?P<no>x)?'}}\n"
        "  to: aigul"
    )
    route = made.ask(subject="Disk on db1", text="97% used").routes[0]
    assert route.groups == {"host": "db1", "use": "97", "no": ""}


def test_groups_come_from_the_part_of_any_that_fits(book: BookOf) -> None:
    made = book(
        "- {rule: r, when: {any: [{subject: {regex: 'a(?P<x>1)'}}, {subject: {regex: 'b(?P<x>2)'}}]}, to: aigul}"
    )
    assert made.ask(subject="b2").routes[0].groups == {"x": "2"}
