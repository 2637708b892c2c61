"""The index only leaves out what cannot fit."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bridge.routing import words
from bridge.routing.look import Address, Look, address_of
from bridge.routing.words import WordFilter, literally

BookOf = Callable[..., Any]
WORDS = [
    "disk",
    "full",
    "ДИСК",
    "Straße",
    "STRASSE",
    "K",
    "ς",
    "a",
    "İx",
    "db1",
    "[x]",
    "100%",
    "\u212aelvin",
    "e\u0301",
]
PATTERNS = st.one_of(
    st.sampled_from(WORDS).map(lambda word: f"'{word}'"),
    st.sampled_from(WORDS).map(lambda word: f"{{is: '{word}'}}"),
    st.tuples(st.sampled_from(WORDS), st.sampled_from(WORDS)).map(lambda two: f"'{two[0]}*{two[1]}'"),
    st.tuples(st.sampled_from(WORDS), st.sampled_from(WORDS)).map(lambda two: f"{{any: ['{two[0]}', '{two[1]}']}}"),
    st.sampled_from(["disk", "(?i)диск", "d.sk|full", "^a", "(?i)straße", "[0-9]+%", ".*", "(?i)k", "ς$"]).map(
        lambda regex: f"{{regex: '{regex}'}}"
    ),
    st.sampled_from(WORDS).map(lambda word: f"{{not: '{word}'}}"),
    st.sampled_from(WORDS).map(lambda word: f"'{word[:1]}?{word[2:]}'"),
)


@pytest.mark.no_cover
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    patterns=st.lists(
        st.tuples(st.sampled_from(["subject", "host", "text", "key"]), PATTERNS), min_size=8, max_size=40
    ),
    said=st.lists(
        st.sampled_from([*WORDS, *(word.upper() for word in WORDS), *(word.lower() for word in WORDS)]), max_size=4
    ),
)
def test_a_long_list_is_asked_as_if_there_were_no_index(
    book: BookOf, patterns: list[tuple[str, str]], said: list[str]
) -> None:
    rules = [
        f"- {{rule: r{number}, when: {{{name}: {pattern}}}, mail_to: a@b.kz, continue: true}}"
        for number, (name, pattern) in enumerate(patterns)
    ]
    made = book("\n".join(rules))
    text = " ".join(said)
    changes = {"subject": text, "text": text, "host": said[0] if said else "", "key": text}
    assert made.rules.top.index is not None
    assert made.ask(**changes).routes == made.ask(trace=True, **changes).routes


def test_any_of_different_fields_is_indexed_too(book: BookOf) -> None:
    lines = [f"- {{rule: r{n}, when: {{any: [{{host: h{n}}}, {{service: 's{n}-*'}}]}}, to: aigul}}" for n in range(20)]
    made = book("\n".join(lines))
    assert made.who(host="h7") == ["r7"]
    assert made.who(service="s13-x") == ["r13"]
    assert len(made.rules.top.index.candidates(*_asked(made, service="s13-x"))) < 3


def test_only_rules_that_may_fit_are_asked(book: BookOf) -> None:
    lines = [f"- {{rule: r{n}, when: {{subject: 'word{n} here', severity: info}}, to: aigul}}" for n in range(300)]
    made = book("\n".join(lines))
    assert list(made.rules.top.index.candidates(*_asked(made, subject="x WORD77 here"))) == [77]


def test_a_filter_that_gives_up_leaves_nothing_out(monkeypatch: pytest.MonkeyPatch) -> None:
    patterns = [(literally(word), number) for number, word in enumerate(["disk", "full"])]
    assert WordFilter(patterns).hits("a full one") == [[1]]
    monkeypatch.setattr(words, "_PROOF", "something else")
    silent = WordFilter(patterns)
    monkeypatch.setattr(words, "_PROOF", "never found")
    assert silent.hits("a full one") == [(0, 1)]


def test_patterns_that_do_not_fit_into_one_filter_are_shared_out() -> None:
    hard = [(rf"(?i)ошибка{number} диска.*код{number}", number) for number in range(2500)]
    found = WordFilter(hard).hits("ОШИБКА77 диска, КОД77")
    assert [number for numbers in found for number in numbers] == [77]


def test_a_filter_that_never_compiles_asks_all() -> None:
    broken = WordFilter([("[", 0), ("(", 1)])
    assert broken.hits("x") == [(0,), (1,)]


@pytest.mark.no_cover
def test_ten_thousand_rules_cost_little_more_than_ten(book: BookOf) -> None:
    def cost(count: int) -> float:
        kinds = [
            "host: 'db{}*'",
            "from: mon{}@x.kz",
            "from: '*@h{}.kz'",
            "subject: disk{} full",
            "text: {{regex: 'err{} .*x'}}",
        ]
        lines = [f"- {{rule: r{n}, when: {{{kinds[n % 5].format(n)}}}, to: aigul}}" for n in range(count)]
        made = book("\n".join([*lines, "- {rule: last, to: aigul}"]))
        assert made.who() == ["last"]
        times = []
        for _ in range(30):
            began = time.process_time_ns()
            for _ in range(20):
                made.ask()
            times.append(time.process_time_ns() - began)
        return min(times)

    assert cost(5000) < 8 * cost(10)


def _asked(made: Any, **changes: Any) -> tuple[Look, tuple[Address, ...]]:
    event = replace(made.event, **{name: value for name, value in changes.items() if hasattr(made.event, name)})
    email = replace(made.email, **{name: value for name, value in changes.items() if hasattr(made.email, name)})
    return Look(event, email, made.facts, None), (address_of("a@b"),)
