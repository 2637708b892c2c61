"""What contradicts itself between keys, beside the cases of ``tests/bad_configs``."""

from __future__ import annotations

import pytest

from bridge.config.load import lines

CONFIG: list[tuple[str, str]] = [
    ("teams: {nobody: {members: aigul}}", 'teams.nobody: "nobody" is a word of the format; choose another name'),
    ("teams: {aigul: {members: aigul}}",
     "teams.aigul: a person has this name; people and teams share one set of names"),
    ("teams: {a: {members: []}}", "teams.a.members: a team of nobody; name its members"),
    ("rotas: {r: {handover: 09:00}}", "rotas.r: exactly one of members and ical"),
    ("rotas: {r: {members: aigul, calendar: h}}", 'rotas.r.calendar: no calendar is called "h"'),
    ("rotas: {r: {members: aigul, ical: {url: https://a.kz, file: b}}}", "rotas.r: exactly one of members and ical"),
    ("calendars: {c: {}}", "calendars.c: no day in it; write dates: or ical:"),
    ("calendars: {c: {ical: {}}}", "calendars.c.ical: exactly one of file and url"),
    ("windows: {w: {not: office}}", 'windows.w.not: no window is called "office"'),
    ("mailboxes: {m: {host: h, user: u}}", "mailboxes.m: exactly one of password and oauth"),
    ("mailboxes: {m: {host: h, user: u, password: {env: A}, after: {}}}",
     "mailboxes.m.after: seen, delete, {move: FOLDER} or {flag: WORD}"),
    ("sources: {s: {mailbox: m}}", 'sources.s.mailbox: no mailbox is called "m"'),
    ("sources: {s: {smsc: {login: a}}}", "sources.s.smsc: login and password belong together"),
    ("sources: {s: {smsc: {login: a, apikey: {env: A}}}}", "sources.s.smsc: login and password, or apikey alone"),
    ("heartbeat: {every: 1m}", "heartbeat: exactly one of url and mail"),
    ("http: {public_url: 'http://a.kz'}", "http.public_url: providers and people come over the internet; write https://…"),
    ("http: {sign_in: header}", "http.sign_in: header, but header: is missing"),
    ("commands: {one_time_code: []}",
     "commands.one_time_code: may be empty only with trust_caller_id: true; caller numbers can be forged"),
    ("commands: {run: {a: {argv: restart, who: aigul}}}", "commands.run.a.argv: an absolute path comes first"),
    ("commands: {run: {a: {argv: /bin/a, who: olga}}}", 'commands.run.a.who: nobody is called "olga"'),
    ("monitors: {z: {type: zabbix}}", "monitors.z: url is missing"),
    ("monitors: {z: {type: zabbix, url: 'http://10.0.0.1/z'}}",
     "monitors.z.url: without TLS beyond this machine; say insecure: true"),
    ("escalations: {e: [{after: 5m, to: recipient}]}",
     "escalations.e[0].to: recipient has no meaning here; name a person, a team or a rota"),
    ("escalations: {e: {after: 5m, to: '+447010000000'}}",
     'escalations.e.to: +4470… is outside the allowed destinations (region: KZ); write destinations: ["+7", "+44"]'),
    ("send_via: {'+44': smsc, default: smsc}",
     'send_via.+44: +44 is outside the allowed destinations (region: KZ); write destinations: ["+7", "+44"]'),
    ("send_via: {'+7': smsc}", "send_via: default is missing; phones of other prefixes had no provider"),
    ("send_via: []", "send_via: no provider; name at least one"),
    ("exchange: {RUB: 5.60 USD}", "exchange.RUB: USD, but currency is KZT; say it in KZT"),
    ("exchange: {Rub: 5.60 KZT}", 'exchange.Rub: a currency of three letters, like KZT; found "Rub"'),
    ("unrouted: nobody", "unrouted: operator, or {drop: WHY}"),
    ("reload: never", 'reload: signal or on change; found "never"'),
    ("node: two words", 'node: a name of letters, digits, -, _ and . without blanks; found "two words"'),
    ("defaults: {text: a, template: b}", "defaults.template: text with template; keep one"),
    ("defaults: {continue: true}", "defaults.continue: every rule writes its own; defaults cannot hold it"),
    ("defaults: {escalate: nosuch}", 'defaults.escalate: no escalation is called "nosuch"'),
]  # fmt: skip


@pytest.mark.parametrize(("more", "line"), CONFIG, ids=lambda one: one[:40])
def test_the_configuration_contradicts_itself(written, small: str, more: str, line: str) -> None:
    found = [text.split(" ", 1)[1] for text in lines(written(small + more + "\n").errors)]
    assert line in found


PROVIDERS: list[tuple[str, str]] = [
    ("{type: smsc-http, login: x, password: {env: P}}", "providers.p: base_url is missing; smsc-http needs it"),
    ("{type: smsc-http, base_url: https://a.kz}",
     "providers.p: login is missing; write login and password, or apikey or token"),
    ("{type: smsc-http, base_url: https://a.kz, login: x, password: {env: P}, apikey: {env: K}}",
     "providers.p: login and password and apikey; write login and password, or a key alone"),
    ("{type: smsc-smpp, hosts: 'a.kz:3443', login: x, password: {env: P}, tls: off}",
     "providers.p.tls: without TLS beyond this machine; use TLS, or say insecure: true"),
    ("{type: smsc-http, base_url: https://a.kz, apikey: {env: K}, inbound: callback}",
     "providers.p.inbound: callback, but no callbacks are described; write callbacks: or inbound: poll"),
    ("{type: smsc-smpp, hosts: 'a.kz:3443', login: x, password: {env: P}, status: nosuch}",
     'providers.p.status: no provider is called "nosuch"'),
    ("{type: smsc-smpp, hosts: 'a.kz:3443', login: x, password: {env: P}, status: p}",
     "providers.p.status: p is smsc-smpp; smsc-http can be asked"),
    ("{type: smsc-htpp}",
     ("providers.p.type: smsc-http, smsc-smtp, smsc-smpp, smsgate-json, smsgate-get, smsgate-xml or plain-http; "
     'found "smsc-htpp"; did you mean smsc-http, smsc-smtp or smsc-smpp?')),
    ("{type: smsc-http, base_url: 'https://u:hunter2@a.kz', apikey: {env: K}}",
     "providers.p.base_url: a URL must not carry a login or a password"),
    ("{type: smsc-http, base_url: https://a.kz, apikey: {env: K}, prices: {default: cheap}}",
     'providers.p.prices.default: an amount like 14.00; found "cheap"'),
    ("{type: smsc-http, base_url: https://a.kz, apikey: {env: K}, prices: {'7': 14}}",
     'providers.p.prices.7: a prefix, + and 1 to 15 digits, like "+7701"; found "7"'),
]  # fmt: skip


@pytest.mark.parametrize(("provider", "line"), PROVIDERS, ids=lambda one: one[:60])
def test_a_provider_contradicts_itself(written, small: str, provider: str, line: str) -> None:
    rows = [row for row in small.splitlines() if not row.startswith("providers")]
    config = "\n".join([*rows, f"providers: {{p: {provider}}}", "currency: KZT"])
    found = [text.split(" ", 1)[1] for text in lines(written(config).errors)]
    assert line in found


def test_T36_insecure_is_said_each_time(written, small: str) -> None:
    loaded = written(small.replace("https://smsc.kz", "http://smsc.kz").replace("login: x", "login: x, insecure: true"))
    assert lines(loaded.errors) == []
    assert "base_url goes without TLS; everybody on the way can read it" in [one.sentence for one in loaded.problems]


def test_T36_plain_http_on_this_machine_is_fine(written, small: str) -> None:
    loaded = written(small.replace("https://smsc.kz", "http://127.0.0.1:8080"))
    assert not [one for one in loaded.problems if "TLS" in one.sentence]


RULES: list[tuple[str, str]] = [
    ("{rule: x, to: aigul, escalate: nosuch}", 'escalate: no escalation is called "nosuch"'),
    ("{rule: x, to: aigul, when: {network: 10.0.0.1/8}}",
     'network: "10.0.0.1/8" is no network like 10.0.0.0/8; write 10.0.0.0/8'),
    ("{rule: x, to: aigul, when: {severity: {above: bad}}}",
     'severity.above: info, warning, high or critical; found "bad"'),
    ("{rule: x, to: aigul, when: {size: {above: big}}}", 'size.above: a size, like 10MB or 500kB; found "big"'),
    ("{rule: x, to: aigul, when: {size: 10MB}}", "size: above or below and a size, like {above: 1MB}"),
    ("{rule: x, to: aigul, when: {label.n: {above: many}}}", 'label.n.above: a number; found "many"'),
    ("{rule: x, to: aigul, when: {host: {exists: true}}}", "host.exists: only headers and labels may be absent"),
    ("{rule: x, to: aigul, when: {host: {any: [a, {regex: '(?!a)b'}]}}}",
     'host.any[1].regex: "(?!a)b" looks ahead, which RE2 cannot; use not:, or two conditions'),
    ("{rule: x, to: aigul, when: {host: {not: {regex: '(a)\\1'}}}}",
     'host.not.regex: "(a)\\1" refers back to a group, which RE2 cannot'),
    ("{rule: x, to: aigul, when: {door: smpt}}",
     'door: smtp, lmtp, imap, sendmail, http, folder, smsc-mail or smsc-http; found "smpt"; did you mean smtp?'),
    ("{rule: x, to: aigul, when: {any: [{host: a}, {hots: b}]}}", "any[1].hots: no such key; did you mean host?"),
    ("{rule: x, to: [aigul, nobody], when: {host: a}}", "to[1]: nobody stands alone"),
    ("{rule: x, to: aigul, replies: {mail: [aigul, nobody]}}", "replies.mail[1]: nobody stands alone"),
    ("{rule: x, to: aigul, replies: {ack: zabbix}}", 'replies.ack: no monitor is called "zabbix"'),
    ("{rule: x, drop: y, continue: true}", "continue: drop takes the event; nothing can go on"),
    ("{rule: x, to: aigul, set: {hots: y}}", ("set.hots: no such field; host, service, severity, state, title, detail, "
     "key or label.X")),
    ("{rule: x, to: aigul, group: {by: [hots]}}",
     ("group.by[0]: a field of the event (host, service, severity, state, title, "
     'detail, key, source, producer, from, recipient or label.X); found "hots"')),
    ("{rule: x, to: aigul, quiet: {during: {zone: person}}, when: {during: {zone: person}}}",
     "during.zone: person has a meaning only in quiet hours; name a zone"),
    ("{rule: x, to: aigul, text: {russian: a}}", 'text.russian: a language of two letters, like ru; found "russian"'),
    ("{rule: x, to: aigul, template: ../../etc/passwd}",
     'template: a name of a file without folder and ending; found "../../etc/passwd"'),
    ("{rule: x, to: aigul, threshold: 3/5m}", 'threshold: a count in a time, like 3 in 5m; found "3/5m"'),
    ("{rule: x, to: aigul, digest: {at: [24:00]}}", "digest.at[0]: 24:00 is only an end of hours; write 00:00"),
    ("{rule: x, to: aigul, continue: ja}", 'continue: true or false; found "ja"'),
    ("{rule: 'a: b', to: aigul}", 'rule: a name without colon; found "a: b"'),
    ("{rule: x, to: aigul, channel: [sms, phone]}", 'channel[1]: sms, call, flash or viber; found "phone"'),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "line"), RULES, ids=lambda one: one[:60])
def test_a_rule_contradicts_itself(written, small: str, rule: str, line: str) -> None:
    found = [text.split(" ", 1)[1] for text in lines(written(small, f"rules:\n  - {rule}\n").errors)]
    assert line in found


def test_a_child_may_stop_what_it_inherits(written, small: str) -> None:
    rules = "rules:\n  - rule: a\n    to: aigul\n    rules:\n      - {rule: b, when: {host: x}, to: nobody}\n"
    assert lines(written(small, rules).errors) == []


def test_a_child_without_a_deed_of_its_own_does_its_parents(written, small: str) -> None:
    rules = "rules:\n  - rule: a\n    to: aigul\n    rules:\n      - {rule: b, when: {host: x}, class: critical}\n"
    assert lines(written(small, rules).problems) == []


def test_children_are_shadowed_among_themselves_only(written, small: str) -> None:
    rules = (
        "rules:\n  - rule: a\n    when: {host: a}\n    to: aigul\n    rules:\n      - {rule: b}\n      - {rule: c}\n"
        "  - rule: d\n    to: aigul\n"
    )
    shaded = [one.sentence for one in written(small, rules).problems if "never asked" in one.sentence]
    assert shaded == ['rule "c": never asked, "b" in line 6 takes all of it']


def test_answers_by_call_need_no_number(written, small: str) -> None:
    config = small.replace("login: x", "login: x, confirm_by_call: true")
    rules = "rules:\n  - {rule: a, to: aigul, text: '{{ host }} {{ code }} {{ call_to_ack }}'}\n"
    assert lines(written(config, rules).errors) == []


RINGS = "rules:\n  - {rule: a, to: aigul, text: '{{ host }} {{ code }} {{ call_to_ack }}'REST}\n"
LEFT_OUT = "its sentence is always left out"


@pytest.mark.parametrize(
    "provider, person, rest, why",
    [
        ("confirm_by_call: true", "ack_by: call, ", "", ""),
        ("number: '+77055550000'", "ack_by: call, ", "", "smsc has no confirm_by_call"),
        ("confirm_by_call: true", "", "", "nobody has ack_by: call"),
        ("confirm_by_call: true", "ack_by: call, ", ", replies: {ack_by: sms}", "nobody has ack_by: call"),
    ],
)
def test_a_number_to_ring_that_nobody_ever_reads_is_said(
    written, small: str, provider: str, person: str, rest: str, why: str
) -> None:
    config = small.replace("login: x", f"login: x, {provider}").replace("aigul: {", f"aigul: {{{person}")
    found = [one.sentence for one in written(config, RINGS.replace("REST", rest)).problems if LEFT_OUT in one.sentence]
    assert found == ([f"{{{{ call_to_ack }}}} is never filled, because {why}; {LEFT_OUT}"] if why else [])


UNREAD = """
rules:
  - rule: a
    to: aigul
    language: kk
    text: {kk: a, ru: b}
    recovery_text: {ru: c}
    rules:
      - {rule: b, when: {host: x}, language: LANGUAGE, group_text: {kk: d, ru: e}}
"""


@pytest.mark.parametrize(
    ("language", "unread"), [("kk", ["text.ru", "group_text.ru"]), ("ru", ["group_text.kk"]), ("uk", [])]
)
def test_a_text_in_a_language_that_is_never_sent_is_said(written, small: str, language: str, unread: list[str]) -> None:
    problems = written(small, UNREAD.replace("LANGUAGE", language)).problems
    found = [one for one in problems if "never read" in one.sentence]
    assert [one.path.split("].")[-1] for one in found] == unread
    sentence = f"is never read: language: {language} holds here for everybody"
    assert {(one.level, one.sentence) for one in found} <= {("warning", sentence)}


@pytest.mark.parametrize(
    ("rule", "said"),
    [("", True), (", text: 'a {{ code }}'", True), (", text: a", False), (", track: false", False)],
)
def test_a_sender_in_whose_place_the_number_stands_is_said(written, small: str, rule: str, said: bool) -> None:
    rules = f"rules:\n  - {{rule: a, to: aigul, sender: SHOP{rule}}}\n"
    config = small.replace("login: x", 'login: x, number: "+77010000009"')
    found = [line for line in lines(written(config, rules).problems) if "sender" in line]
    assert (len(found), "+77010000009" in "".join(found)) == (int(said), said)
    assert not [line for line in lines(written(small, rules).problems) if "is never shown" in line]
    aside = config.replace("login: x", "login: x, number_as_sender: false")
    assert not [line for line in lines(written(aside, rules).problems) if "is never shown" in line]


def test_what_is_not_built_is_named_with_its_value(written, small: str) -> None:
    config = small.replace("listen: [", "listen: [{door: lmtp, address: 127.0.0.1:24}, ")
    sentences = [str(one) for one in written(config).problems]
    assert "config.yaml:1:11 listen[0].door: lmtp is not built yet; this version does not start it" in sentences


@pytest.mark.parametrize("value", ["null", "[]", "{}"])
def test_nothing_is_said_of_what_is_switched_off(written, small: str, value: str) -> None:
    loaded = written(small, f"rules:\n  - {{rule: a, to: aigul, budget: {'null' if value == '{}' else value}}}\n")
    assert not [one for one in loaded.problems if one.path == "budget"]


TESTS: list[tuple[str, str]] = [
    ("{test: a}", "tests[0]: nothing happens in this test; write steps:, or mail: and expect:"),
    ("{test: a, mail: m, steps: [{mail: m}]}", "tests[0]: steps, or the keys of one step; not both"),
    ("{test: a, mail: x.eml}", 'tests[0].mail: no file "x.eml" beside this test'),
    ("{test: a, mail: {like: x}}", 'tests[0].mail.like: no mail is called "x"'),
    ("{test: a, mail: {file: x.eml}}", 'tests[0].mail.file: no file "x.eml" beside this test'),
    ("{test: a, mail: {source: zabbix}}", 'tests[0].mail.source: no source is called "zabbix"'),
    ("{test: a, provider: {smcs: down}}", 'tests[0].provider.smcs: no provider is called "smcs"; did you mean smsc?'),
    ("{test: a, provider: {smsc: broken}}",
     'tests[0].provider.smsc: accepts, refuses, unknown, down or empty; found "broken"'),
    ("{test: a, reply: {from: olga, text: ok}}", 'tests[0].reply.from: nobody is called "olga"'),
    ("{test: a, receipt: {of: olga, state: delivered}}", 'tests[0].receipt.of: nobody is called "olga"'),
    ("{test: a, given: {balance: {x: 1 KZT}}, mail: m}", 'tests[0].given.balance.x: no provider is called "x"'),
    ("{test: a, given: {on_call: {dba: aigul}}, mail: m}", 'tests[0].given.on_call.dba: no rota is called "dba"'),
    ("{test: a, mail: m, expect: something}",
     'tests[0].expect: a list, nothing, nothing because REASON, or refused CODE; found "something"'),
    ("{test: a, mail: m, expect: [{monitor: z}]}", 'tests[0].expect[0].monitor: no monitor is called "z"'),
    ("{test: a, mail: m, expect: [{sms: aigul, via: x}]}", 'tests[0].expect[0].via: no provider is called "x"'),
    ("{test: a, mail: m, at: at noon}", 'tests[0].at: a date and a time, like 2026-11-21 02:15; found "at noon"'),
    ("{test: a, mail: m, at: '25:00'}", 'tests[0].at: a time of day, like 07:30; found "25:00"'),
]  # fmt: skip


@pytest.mark.parametrize(("test", "line"), TESTS, ids=lambda one: one[:60])
def test_a_rule_test_contradicts_itself(written, test: str, line: str) -> None:
    text = f"mails: {{m: {{subject: x}}}}\ntests:\n  - {test}\n"
    found = [one.split(" ", 1)[1] for one in lines(written(**{"rules/tests/t.yaml": text}).errors)]
    assert line in found


def test_mails_that_are_like_each_other_are_a_circle(written) -> None:
    text = "mails: {a: {like: b}, b: {like: a}}\ntests: [{test: x, mail: a}, {test: x, mail: b}]\n"
    assert [one.split(" ", 1)[1] for one in lines(written(**{"rules/tests/t.yaml": text}).errors)] == [
        "mails.a.like: a circle: a → b → a",
        "tests[1].test: another test of this file has this name",
    ]
