"""Rules in the shade: what is claimed is true, for the walk itself."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bridge.config.checks import shade
from bridge.config.checks.implied import follows
from bridge.config.load import load
from bridge.model import Email, Event
from bridge.oncall.windows import Windows
from bridge.routing.facts import Facts
from bridge.routing.rulebook import compile_rules

CONFIG = """\
listen: [{door: smtp, address: "127.0.0.1:2525", trust: 127.0.0.1}]
domains: sms.example.kz
operator: {mail: it@example.kz}
region: KZ
people: {aigul: {phone: "+77010000001"}}
windows: {night: {hours: "22:00-06:00"}, day: {hours: "08:00-20:00"}}
providers: {p: {type: smsc-http, base_url: "https://smsc.kz", login: a, password: {env: P}, currency: KZT}}
"""
NEVER = re.compile(r'rule "(\w+)": never asked')
Never = Callable[[str], list[str]]


@pytest.fixture
def never(tmp_path: Path) -> Never:
    """The rules of a book that are said to be never asked; a text that begins with ``- `` is the list of rules."""

    def told(text: str) -> list[str]:
        return sentences(tmp_path, text)

    return told


def sentences(folder: Path, text: str) -> list[str]:
    (folder / "rules").mkdir(exist_ok=True)
    (folder / "config.yaml").write_text(CONFIG)
    body = f"rules:\n{text}" if text.lstrip().startswith("- ") else text
    (folder / "rules" / "10.yaml").write_text(body)
    loaded = load(folder / "config.yaml")
    assert not loaded.errors, loaded.errors
    return [problem.sentence for problem in loaded.problems if "never asked" in problem.sentence]


SHADED = [  # what the first rule asks, what the second asks
    ("{host: 'db*'}", "{host: db1}"),
    ("{host: 'db*'}", "{host: 'db-web*'}"),
    ("{host: ['db*', 'web*']}", "{host: [web1, db2], severity: high}"),
    ("{host: '*'}", "{service: x}"),
    ("{subject: disk}", "{subject: 'disk full'}"),
    ("{subject: 'd?sk'}", "{subject: 'the disk is *full'}"),
    ("{severity: [high, critical]}", "{severity: {above: warning}}"),
    ("{severity: {above: info}}", "{severity: critical}"),
    ("{severity: {not: info}}", "{severity: {above: info, not: high}}"),
    ("{state: [problem, recovery, update, info]}", "{host: x}"),
    ("{network: 10.0.0.0/8}", "{network: [10.1.0.0/16, 10.2.3.4]}"),
    ("{during: night}", "{during: night, host: x}"),
    ("{label.team: 'db*'}", "{label.team: {is: dba}}"),
    ("{any: [{host: a}, {host: b}]}", "{host: b, severity: high}"),
    ("{any: [{host: a}, {host: b}]}", "{any: [{host: b, service: x}, {host: a}]}"),
    ("{all: [{host: 'a*'}, {service: x}]}", "{host: a1, service: x}"),
    ("{use: lab}", "{host: lab7, severity: info}"),
    ("{not: {severity: info}}", "{severity: critical}"),
    ("{service: {not: [cron, at]}}", "{service: http}"),
    ("{recipient: '*@a.kz'}", "{recipient: ops@a.kz}"),
    ("{title: {regex: 'a+'}}", "{title: {regex: 'a+'}, host: x}"),
    ("{size: {above: 1MB}}", "{size: {above: 2MB}}"),
]
REACHED = [
    ("{host: db1}", "{host: 'db*'}"),
    ("{host: 'db-*'}", "{host: 'db*'}"),
    ("{host: 'a*b'}", "{host: 'a*'}"),
    ("{host: 'd?'}", "{host: 'd*'}"),
    ("{subject: 'disk full'}", "{subject: disk}"),
    ("{subject: {is: Disk}}", "{subject: disk}"),
    ("{severity: [high, critical]}", "{severity: {above: info}}"),
    ("{host: a, severity: high}", "{host: a}"),
    ("{during: night}", "{during: day}"),
    ("{network: 10.1.0.0/16}", "{network: 10.0.0.0/8}"),
    ("{header.X-Y: '*'}", "{host: a}"),  # a header that is not there fits nothing
    ("{attachment: '*'}", "{host: a}"),
    ("{attachment: {not: '*.exe'}}", "{attachment: 'a.pdf'}"),  # another attachment may be one
    ("{host: {not: 'db*'}}", "{host: web.example.kz}"),
    ("{any: [{host: a}, {service: x}]}", "{any: [{host: a}, {service: y}]}"),
    ("{not: {host: a}}", "{host: b}"),  # a host has two names: proofs about two are not tried
    ("{title: {regex: 'a+'}}", "{title: aaa}"),
    ("{service: {is: HTTP}}", "{service: http}"),
    ("{not: {service: {is: HTTP}}}", "{service: http}"),
    ("{service: {not: {is: HTTP}}}", "{service: http}"),
    ("{use: lab}", "{host: 'la*'}"),
]


@pytest.mark.parametrize("first, second", SHADED)
def test_a_rule_is_told_that_an_earlier_one_takes_all_of_it(never: Never, first: str, second: str) -> None:
    found = never(
        "conditions: {lab: {host: 'lab*'}}\nrules:\n"
        f"  - {{rule: one, to: aigul, when: {first}}}\n  - {{rule: two, to: aigul, when: {second}}}\n"
    )
    assert found == ['rule "two": never asked, "one" in line 3 takes all of it']


@pytest.mark.parametrize("first, second", REACHED)
def test_a_rule_that_something_reaches_is_not_accused(never: Never, first: str, second: str) -> None:
    text = "conditions: {lab: {host: 'lab*'}}\nrules:\n"
    text += f"  - {{rule: one, to: aigul, when: {first}}}\n  - {{rule: two, to: aigul, when: {second}}}\n"
    assert never(text) == []


def test_who_goes_on_or_does_nothing_shades_nobody(never: Never) -> None:
    assert never("- {rule: a, to: aigul, continue: true}\n- {rule: b, to: aigul, when: {host: x}}") == []
    assert never("- {rule: a, set: {host: y}, continue: true}\n- {rule: b, to: aigul}") == []
    assert never("- {rule: a, rules: [{rule: c, when: {host: y}, to: aigul}]}\n- {rule: b, to: aigul}") == []


def test_children_that_take_everything_shade_what_stands_behind_their_parent(never: Never) -> None:
    text = "- {rule: a, when: {host: x}, rules: [{rule: c, when: {state: info}, to: aigul}, {rule: d, to: aigul}]}\n"
    assert never(text + "- {rule: b, when: {host: x, state: info}, to: aigul}") == [
        'rule "b": never asked, "a" in line 2 takes all of it'
    ]


def test_a_child_stands_in_the_shade_of_rules_before_its_parent(never: Never) -> None:
    text = "- {rule: a, when: {host: 'db*', severity: critical}, drop: x}\n"
    text += "- {rule: p, when: {severity: critical}, rules: [{rule: b, when: {host: db1}, to: aigul}]}"
    assert never(text) == ['rule "b": never asked, "a" in line 2 takes all of it']


def test_what_set_changes_on_the_way_proves_nothing(never: Never) -> None:
    first, last = "- {rule: a, when: {host: 'db*'}, to: aigul}\n", "- {rule: b, when: {host: db1}, to: aigul}\n"
    changes = "- {rule: c, when: {title: x}, set: {host: db1}, continue: true}\n"
    assert never(first + last) != []
    assert never(first + changes + last) == []
    assert never(first + changes.replace("host: db1", "key: db1") + last) != []
    inside = "- {rule: p, rules: [{rule: c, set: {host: db1}, continue: true}]}\n"
    assert never(first + inside + last) == []
    assert never(first + "- {rule: p, set: {host: db1}, rules: [{rule: b, when: {host: db1}, to: aigul}]}\n") == []
    outside = "- {rule: p, when: {host: 'web*'}, set: {host: db1}, rules: [{rule: a, when: {host: 'web*'}, to: aigul}"
    assert never(outside + ", {rule: b, when: {service: x}, to: aigul}]}\n") == []


def test_conditions_that_cannot_hold_together_are_told(never: Never) -> None:
    child = "- {rule: p, when: {severity: [high, critical]}, to: aigul, rules: [{rule: b, when: {%s}, drop: x}]}"
    why = ['rule "b": never asked, its conditions, with those of the rules around it, cannot all hold']
    assert never(child % "severity: {below: high}") == why
    assert never(child % "severity: {above: warning}") == []
    assert (
        never("- {rule: p, when: {service: http}, to: aigul, rules: [{rule: b, when: {service: dns}, drop: x}]}") != []
    )
    assert (
        never("- {rule: p, when: {host: a}, to: aigul, rules: [{rule: b, when: {host: a.example.kz}, drop: x}]}") == []
    )
    assert never("- {rule: b, when: {severity: {above: critical}}, to: aigul}") == why


def test_a_shaded_rule_is_told_once_and_its_children_not_at_all(never: Never) -> None:
    text = "- {rule: a, to: aigul}\n- {rule: b, to: aigul, rules: [{rule: c, when: {host: x}, to: aigul}]}\n"
    assert never(text) == ['rule "b": never asked, "a" in line 2 takes all of it']


def test_ten_times_the_rules_are_not_a_hundred_times_the_comparisons(never: Never, monkeypatch) -> None:
    asked = 0

    def counted(*given: object) -> bool:
        nonlocal asked
        asked += 1
        return follows(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(shade, "follows", counted)
    counts = []
    for half in (50, 500):
        rules = "".join(f"- {{rule: r{n}, when: {{host: h{n}, subject: 'a{n}b'}}, to: aigul}}\n" for n in range(half))
        rules += "".join(f"- {{rule: s{n}, when: {{host: 'g{n}-*'}}, to: aigul}}\n" for n in range(half))
        rules += "".join(f"- {{rule: t{n}, when: {{subject: {{regex: 'x{n}.*y'}}}}, to: aigul}}\n" for n in range(half))
        asked = 0
        assert never(rules + "- {rule: x, when: {host: [h7], subject: 'a7b', service: y}, to: aigul}\n") != []
        counts.append(asked)
    assert counts[1] < counts[0] * 40  # short names stand in longer ones: h1 in h10


WORDS = ["a", "ab", "b"]
GLOBS = ["a", "a*", "*b", "a?", "*", "ab"]
_texts = st.one_of(
    st.sampled_from(GLOBS),
    st.lists(st.sampled_from(GLOBS), min_size=1, max_size=2),
    st.fixed_dictionaries({"not": st.sampled_from(GLOBS)}),
    st.fixed_dictionaries({"is": st.sampled_from(["A", *WORDS])}),
    st.fixed_dictionaries({"regex": st.sampled_from(["a", "^b"])}),
    st.fixed_dictionaries({"any": st.lists(st.sampled_from(GLOBS), min_size=1, max_size=2)}),
)
_severities = st.one_of(
    st.sampled_from(["high", "*", "info"]),
    st.fixed_dictionaries({"above": st.sampled_from(["info", "warning", "high"])}),
    st.fixed_dictionaries({"below": st.sampled_from(["critical", "warning"])}),
    st.fixed_dictionaries({"not": st.sampled_from(["high", "info"])}),
)
_flat = st.fixed_dictionaries(
    {},
    optional={
        "host": _texts, "service": _texts, "title": _texts, "label.x": _texts, "severity": _severities,
        "recipient": _texts, "header.X-Y": _texts, "during": st.sampled_from(["night", "day"]),
    },
)  # fmt: skip
_conditions = st.recursive(
    _flat,
    lambda inner: st.fixed_dictionaries(
        {}, optional={"any": st.lists(inner, min_size=1, max_size=2), "not": inner, "host": _texts, "use": st.just("n")}
    ),
    max_leaves=3,
)


def _rule(children: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.fixed_dictionaries(
        {"when": _conditions, "deed": st.sampled_from(["to", "to", "drop", "set", "nothing"])},
        optional={"continue": st.just(True), "rules": st.lists(children, min_size=1, max_size=2)},
    )


_rules = st.lists(_rule(_rule(st.nothing())), min_size=2, max_size=4)
_events = st.lists(
    st.tuples(
        st.sampled_from(["a", "b.c", "ab", "ab.x"]), st.sampled_from([*WORDS, "A"]), st.sampled_from(WORDS),
        st.sampled_from(["info", "warning", "high", "critical"]), st.sampled_from(WORDS), st.sampled_from(WORDS),
        st.sampled_from([3, 12, 21]), st.sampled_from([(), ("a",), ("b", "ab")]),
    ),
    min_size=30, max_size=60,
)  # fmt: skip


def _written(drawn: list[Any], count: list[int]) -> list[Any]:
    rules = []
    for each in drawn:
        count[0] += 1
        rule: dict[str, Any] = {"rule": f"r{count[0]}", "when": each["when"]}
        deed = {"to": {"to": "aigul"}, "drop": {"drop": "x"}, "set": {"set": {"host": "a", "severity": "high"}}}
        rule |= deed.get(each["deed"], {})
        if "continue" in each and each["deed"] != "drop":
            rule["continue"] = True
        if "rules" in each:
            rule["rules"] = _written(each["rules"], count)
        elif each["deed"] == "nothing" or (each["deed"] == "set" and "continue" not in each):
            rule["to"] = "aigul"
        rules.append(rule)
    return rules


@pytest.mark.no_cover
@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(_rules, _flat, _events)
def test_no_rule_is_accused_that_any_event_reaches(
    tmp_path_factory: pytest.TempPathFactory, drawn: list[Any], named: Any, events: list[Any]
) -> None:
    """Whatever the book: an event that a rule fits was never said to be impossible."""
    import json

    folder = tmp_path_factory.mktemp("book")
    written = {"conditions": {"n": named}, "rules": _written(drawn, [0])}
    found = sentences(folder, json.dumps(written))
    accused = {NEVER.search(sentence)[1] for sentence in found}  # type: ignore[index]
    if not accused:
        return
    loaded = load(folder / "config.yaml")
    windows = Windows(loaded.config.windows, loaded.config.calendars, loaded.config.timezone)
    book = compile_rules(
        loaded.rule_files, loaded.config, compile_value=lambda text, _: lambda _: text, windows=windows.test
    )
    for host, service, title, severity, label, recipient, hour, header in events:
        event = Event("s", "p", host, service, severity, "problem", "", title, "", {"x": label})
        email = Email("a@b", "", "", "", {"x-y": header} if header else {}, "", (), "", (), 1)
        facts = Facts("smtp", recipients=(recipient, "ab"))
        routed = book.walk(event, email, facts, datetime(2026, 11, 21, hour, tzinfo=UTC), trace=True)
        fitting = {visit.rule for visit in routed.trace if visit.matched}
        assert not fitting & accused, (found, written)
