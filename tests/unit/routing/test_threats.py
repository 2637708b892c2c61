"""Threat rows of the rules: each test fails when its protection goes."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

BookOf = Callable[..., Any]

EVIL = [
    r"(a+)+$", r"(a|a)*$", r"(a|aa)+$", r"^(a+)+b", r"(.*a){20}$", r"(x+x+)+y", r"((a*)*)*b", r"(a?){50}a{50}",
    r".*.*.*=.*", r"(\w+\s?)*$", r"(.+)+$", r"^(([a-z])+.)+[A-Z]([a-z])+$", r"(a*)*$", r"(?i)(ab|a|b)+c",
    r"([a-zA-Z]+)*@", r"(.*)(.*)(.*)(.*)(.*)[^a]$", r"a*a*a*a*a*a*a*b", r"(\d+)*x", r"(\s*a\s*)*b", r"(a{1,30}){1,30}b",
]  # fmt: skip


@pytest.mark.parametrize("text", ["a" * 9000, "ab " * 3000, "x" * 8999 + "y", "а" * 9000])
def test_T19_twenty_evil_patterns_on_nine_kilobytes_take_less_than_50_ms(book: BookOf, text: str) -> None:
    assert len(EVIL) == 20
    lines = [
        f"- {{rule: r{n}, when: {{text: {{regex: '{evil}'}}}}, mail_to: a@b.kz, continue: true}}"
        for n, evil in enumerate(EVIL)
    ]
    made = book("\n".join(lines))
    made.ask(text=text)
    began = time.process_time()
    made.ask(text=text)
    assert time.process_time() - began < 0.05


def test_T19_a_glob_of_many_stars_is_linear(book: BookOf) -> None:
    made = book(
        f"- {{rule: r, when: {{text: '{'a*' * 50}b'}}, to: aigul}}\n"
        f"- {{rule: q, when: {{text: '{'a?*' * 30}b'}}, to: ivan}}"
    )
    began = time.process_time()
    assert made.who(text="a" * 10_000) == []
    assert time.process_time() - began < 0.05


def test_T19_a_field_is_looked_at_up_to_ten_thousand_characters(book: BookOf) -> None:
    made = book("- {rule: r, when: {text: needle}, to: aigul}")
    assert made.who(text="x" * 9_994 + "needle") == ["r"]
    assert made.who(text="x" * 10_000 + "needle") == []


def test_T23_lone_surrogates_reach_no_matcher(book: BookOf) -> None:
    made = book(
        "- rule: r\n  to: aigul\n"
        "  when: {title: {regex: 'x$'}, host: {regex: '^a'}, recipient: {regex: '@'}, label.l: {regex: '.'}}"
    )
    routed = made.ask(
        title="\ud800x", host="a\udcff", labels={"l": "\udfff"}, recipients=("a\udc80@b.kz",), text="\ud800"
    )
    assert [(route.rule, route.recipients) for route in routed.routes] == [("r", ("a\udc80@b.kz",))]


def test_T23_only_ascii_digits_are_numbers(book: BookOf) -> None:
    made = book("- {rule: r, when: {label.n: {above: 1}}, to: aigul}")
    assert made.who(labels={"n": "5"}) == ["r"]
    assert made.who(labels={"n": "٥"}) == []
    assert made.who(labels={"n": "1e9"}) == []
    assert made.who(labels={"n": "inf"}) == []
