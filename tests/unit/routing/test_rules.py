"""Inheritance and effective values (FORMAT §4)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bridge.config.models import Condition
from bridge.config.names import Who
from bridge.errors import ConfigError
from bridge.routing.look import Address, Look, address_of
from bridge.routing.rules import Action

BookOf = Callable[..., Any]


def action(book: BookOf, rules: str, name: str = "r", config: str = "") -> Action:
    found: Action = book(rules, config).rules.by_name[name].action
    return found


def test_a_bare_rule_has_the_built_in_values(book: BookOf) -> None:
    made = action(book, "- {rule: r, to: aigul}")
    assert made.to == (Who("name", "aigul"),)
    assert (made.message_class, made.parts, made.alphabet, made.channel) == ("normal", 2, "keep", ("sms",))
    assert (made.repeat, made.ack_lasts, made.close_after) == (
        timedelta(minutes=30), timedelta(hours=24), timedelta(hours=12),
    )  # fmt: skip
    assert (made.track, made.on_recovery, made.replies.news) == (True, "same people", ("ack", "unanswered"))
    assert (made.text, made.template, made.key, made.language, made.sender) == (None, "", "", "", "")
    assert (made.threshold, made.flap, made.group, made.digest, made.quiet, made.escalate) == (None,) * 5 + ((),)
    assert made.send_via == {"default": ("smsc",)}
    assert made.receipts.mail == "failures"


@pytest.mark.parametrize("kind, hours", [("critical", 2), ("normal", 6), ("bulk", 24)])
def test_validity_follows_the_class(book: BookOf, kind: str, hours: int) -> None:
    assert action(book, f"- {{rule: r, to: aigul, class: {kind}}}").validity == timedelta(hours=hours)


def test_a_written_validity_beats_the_class_of_a_child(book: BookOf) -> None:
    made = action(book, "- {rule: p, to: aigul, validity: 10m, rules: [{rule: r, class: critical}]}")
    assert made.validity == timedelta(minutes=10)


def test_a_child_has_every_key_of_its_parents_and_defaults(book: BookOf) -> None:
    made = action(
        book,
        "- {rule: g, to: aigul, parts: 3, rules: [{rule: p, class: bulk, rules: [{rule: r, key: '{host}'}]}]}",
        config="defaults: {alphabet: translit, parts: 1}",
    )
    assert (made.to[0].name, made.parts, made.message_class, made.alphabet) == ("aigul", 3, "bulk", "translit")
    assert made.key == "{host}"


def test_a_childs_value_replaces_the_parents_whole(book: BookOf) -> None:
    made = action(
        book,
        "- {rule: p, to: aigul, replies: {mail: nobody, news: over}, rules: [{rule: r, replies: {mail: thread}}]}",
    )
    assert made.replies.news == ("ack", "unanswered")


@pytest.mark.parametrize("key, value", [
    ("escalate", "[{after: 5m, to: ivan}]"), ("quiet", "{during: {hours: '22:00-06:00'}}"), ("group", "{by: host}"),
    ("digest", "{at: '07:30'}"), ("flap", "{changes: 4 in 10m}"), ("threshold", "3 in 5m"), ("budget", "mine"),
    ("key", "'{host}'"),
])  # fmt: skip
def test_null_means_none_whatever_the_parent_said(book: BookOf, key: str, value: str) -> None:
    rules = f"- {{rule: p, to: aigul, {key}: {value}, rules: [{{rule: keeps}}, {{rule: r, {key}: null}}]}}"
    attribute = getattr(action(book, rules), key)
    assert not attribute
    assert getattr(action(book, rules, "keeps"), key)


def test_null_in_a_child_beats_defaults(book: BookOf) -> None:
    assert (
        action(
            book, "- {rule: r, to: aigul, escalate: null}", config="defaults: {escalate: [{after: 5m, to: ivan}]}"
        ).escalate
        == ()
    )


def test_text_and_template_replace_each_other(book: BookOf) -> None:
    rules = """
- {rule: a, to: aigul, text: one, rules: [{rule: templated, template: night}, {rule: texted}]}
- {rule: b, to: aigul, rules: [{rule: by default}, {rule: own, text: {ru: два}}]}
"""
    made = book(rules, "defaults: {template: alert}").rules.by_name
    seen = {name: (rule.action.text, rule.action.template) for name, rule in made.items()}
    assert seen == {
        "a": ({"": "one"}, ""), "templated": (None, "night"), "texted": ({"": "one"}, ""),
        "b": (None, "alert"), "by default": (None, "alert"), "own": ({"ru": "два"}, ""),
    }  # fmt: skip


def test_a_named_escalation_becomes_its_steps(book: BookOf) -> None:
    made = action(
        book, "- {rule: r, to: aigul, escalate: ladder}",
        config="escalations: {ladder: [{after: 5m, to: ivan}, {after: 10m, to: aigul, again: 2}]}",
    )  # fmt: skip
    assert [(step.after, step.to[0].name, step.again) for step in made.escalate] == [
        (timedelta(minutes=5), "ivan", 0), (timedelta(minutes=10), "aigul", 2),
    ]  # fmt: skip


def test_providers_come_from_the_rule_else_the_configuration_else_are_all(book: BookOf) -> None:
    providers = "{one: {type: smsc-http}, two: {type: smsc-http}}"
    both = f"providers: {providers}"
    assert action(book, "- {rule: r, to: aigul}", config=both).send_via == {"default": ("one", "two")}
    routed = both + "\nsend_via: {'+61': two, default: [one, two]}"
    assert action(book, "- {rule: r, to: aigul}", config=routed).send_via == {
        "+61": ("two",),
        "default": ("one", "two"),
    }
    assert action(book, "- {rule: r, to: aigul, send_via: two}", config=routed).send_via == {"default": ("two",)}


def test_repeat_may_be_a_word(book: BookOf) -> None:
    assert action(book, "- {rule: r, to: aigul, repeat: never}").repeat == "never"
    assert action(book, "- {rule: r, to: aigul, repeat: 2h}").repeat == timedelta(hours=2)


def test_rules_know_their_file_and_line(book: BookOf) -> None:
    rules = book("- {rule: a, to: aigul}\n- rule: b\n  rules:\n    - {rule: c, to: ivan}").rules.by_name
    assert [(rules[name].file, rules[name].line) for name in "abc"] == [
        ("rules/test.yaml", 2), ("rules/test.yaml", 3), ("rules/test.yaml", 5),
    ]  # fmt: skip


def test_conditions_outside_the_rules_are_compiled_with_the_same_names(book: BookOf) -> None:
    made = book("conditions: {lab: {host: lab*}}\nrules: []")
    condition = made.rules.condition(Condition.model_validate({"use": "lab"}))
    look, addresses = _look(made, "lab1")
    assert condition.split(look, addresses)
    assert not condition.split(*_look(made, "web1"))
    with pytest.raises(ConfigError, match=r'when.use: no condition is called "nix"'):
        made.rules.condition(Condition.model_validate({"use": "nix"}))


def _look(made: Any, host: str) -> tuple[Look, tuple[Address, ...]]:
    return Look(replace(made.event, host=host), made.email, made.facts, None), (address_of("a@b"),)


def test_a_mistake_in_a_named_condition_is_told_once_and_in_its_own_place(book: BookOf) -> None:
    with pytest.raises(ConfigError) as refused:
        book(
            "conditions: {bad: {host: {regex: '['}}, twice: {use: bad}}\n"
            "rules:\n- {rule: a, when: {use: twice}, to: aigul}\n- {rule: b, when: {use: bad}, to: aigul}"
        )
    assert refused.value.problems == (
        'rules/test.yaml:1:34 conditions.bad.host.regex: "[" is no pattern: missing ]: [',
    )


def test_a_template_that_is_wrong_is_told_with_its_place(book: BookOf) -> None:
    with pytest.raises(ConfigError, match=r"rules/test.yaml:2:\d+ set.title: broken"):
        book("- {rule: r, set: {title: '{broken}'}, to: aigul}")


def test_set_may_use_subject_and_body_as_carriers_joined_them(book: BookOf) -> None:
    made = book("- {rule: r, set: {title: '{carrier_text}'}, to: aigul}")
    assert made.ask().routes[0].event.title == "(Alarm) it is down"
