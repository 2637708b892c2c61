"""The walk against a slow one that knows a single recipient, over random books.

The oracle reads FORMAT §7 for one recipient at a time, so whatever holds for it cannot depend on who else is in
the mail. The product must agree with it for every mail, joined or split, traced or not, indexed or not.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bridge.config.models import Config, RuleFile
from bridge.model import Email, Event, RoutedEvent
from bridge.routing.facts import Facts
from bridge.routing.rulebook import Rules, compile_rules

BookOf = Callable[..., Any]
RECIPIENTS = ("a@x.kz", "b@x.kz", "ops@x.kz", "ops@y.kz")
SEVERITY = st.sampled_from(["info", "high", "critical"])
HOST = st.sampled_from(["db1", "web1", "app"])
TEXTS = st.sampled_from([["a@x.kz"], ["ops@*"], ["*@x.kz"], ["b@x.kz", "ops@y.kz"], ["*"], ["zzz"]])


def lists_of_rules(depth: int) -> st.SearchStrategy[list[dict[str, Any]]]:
    simple = st.fixed_dictionaries(
        {},
        optional={
            "when": st.fixed_dictionaries(
                {},
                optional={
                    "recipient": TEXTS,
                    "host": st.sampled_from([["db*"], ["web1", "app"], ["*1"], ["nix"]]),
                    "severity": st.sampled_from([["high"], ["info", "critical"]]),
                    "any": st.just([{"recipient": ["a@*"]}, {"host": ["app"]}]),
                    "not": st.fixed_dictionaries({"recipient": TEXTS}),
                },
            ),
            "set": st.sampled_from([{"severity": "high"}, {"severity": "critical", "host": "db1"}, {"label.t": "1"}]),
            "continue": st.booleans(),
            "action": st.sampled_from(["to", "drop"]),
        },
    )
    rules = simple
    if depth:
        rules = st.tuples(simple, lists_of_rules(depth - 1)).map(lambda pair: {**pair[0], "rules": pair[1]}) | simple
    return st.lists(rules, max_size=12 if depth == 2 else 3)


def written(rules: list[dict[str, Any]], prefix: str = "r") -> list[dict[str, Any]]:
    """The rules as a file holds them, with names."""
    made = []
    for number, rule in enumerate(rules):
        name = f"{prefix}.{number}"
        keys = {key: value for key, value in rule.items() if key not in ("action", "rules")}
        action = {"to": {"to": ["aigul"]}, "drop": {"drop": "x"}}.get(rule.get("action", ""), {})
        made.append({"rule": name, **keys, **action, "rules": written(rule.get("rules", []), name)})
    return made


def compiled(rules: list[dict[str, Any]]) -> Rules:
    config = Config.model_validate({"listen": [], "operator": {"mail": "o@x.kz"}, "providers": {}})
    file = RuleFile.model_validate({"rules": rules})
    return compile_rules(
        [("f", file)],
        config,
        compile_value=lambda text, _place: lambda _variables: text,
        windows=lambda _window: lambda _now: True,
    )


# --- the oracle ----------------------------------------------------------------------------------


def holds(condition: dict[str, Any], event: dict[str, str], recipient: str) -> bool:
    for key, wanted in condition.items():
        if key == "any":
            good = any(holds(each, event, recipient) for each in wanted)
        elif key == "not":
            good = not holds(wanted, event, recipient)
        else:
            value = recipient if key == "recipient" else event[key]
            good = any(fnmatch.fnmatchcase(value, glob) for glob in wanted)
        if not good:
            return False
    return True


def slow(
    rules: list[dict[str, Any]], event: dict[str, str], recipient: str, acted: list[Any], may_act: bool
) -> tuple[bool, dict[str, str]]:
    """Ask *rules* for one recipient: whether it was taken, and what continuing rules changed."""
    kept: dict[str, str] = {}
    for rule in rules:
        if not holds(rule.get("when", {}), {**event, **kept}, recipient):
            continue
        inner = {**event, **kept, **rule.get("set", {})}
        acts = "drop" in rule or "to" in rule or may_act
        gone, below = slow(rule["rules"], inner, recipient, acted, "to" in rule or may_act)
        if gone:
            return True, {}
        if acts:
            acted.append((rule["rule"], {**inner, **below}))
            if not rule.get("continue"):
                return True, {}
        kept = {**kept, **(rule.get("set", {}) if rule.get("continue") else {}), **below}
    return False, kept


def expected(rules: list[dict[str, Any]], event: dict[str, str], recipient: str) -> tuple[list[Any], bool]:
    acted: list[Any] = []
    gone, _kept = slow(rules, event, recipient, acted, False)
    return acted, not gone


def found(routed: RoutedEvent, recipient: str) -> tuple[list[Any], bool]:
    acted = []
    for route in routed.routes:
        if recipient in route.recipients:
            event = {"host": route.event.host, "severity": route.event.severity}
            acted.append((route.rule, {**event, **{f"label.{key}": text for key, text in route.event.labels.items()}}))
    return acted, recipient in routed.left


@pytest.mark.no_cover
@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow])
@given(
    rules=lists_of_rules(2).map(written),
    recipients=st.lists(st.sampled_from(RECIPIENTS), min_size=1, max_size=4, unique=True),
    host=HOST,
    severity=SEVERITY,
    trace=st.booleans(),
)
def test_splitting_or_joining_recipients_never_changes_who_is_paged(
    rules: list[dict[str, Any]], recipients: list[str], host: str, severity: Any, trace: bool, now: Any
) -> None:
    book = compiled(rules)
    event = Event("s", "p", host, "", severity, "problem", "", "t", "")
    email = Email("f@x.kz", "", "s", "t", {}, "", (), "", (), 1)
    facts = Facts("smtp", "10.0.0.1", recipients=tuple(recipients))
    joined = book.walk(event, email, facts, now, trace=trace)
    for recipient in recipients:
        wanted = expected(rules, {"host": host, "severity": severity}, recipient)
        alone = book.walk(event, email, replace(facts, recipients=(recipient,)), now, trace=not trace)
        assert found(joined, recipient) == wanted
        assert found(alone, recipient) == wanted
    assert set(joined.left) | {each for route in joined.routes for each in route.recipients} == set(recipients)


@pytest.mark.no_cover
@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(rules=lists_of_rules(2).map(written), host=HOST, severity=SEVERITY)
def test_a_trace_never_changes_the_routes_and_names_each_rule_once(
    rules: list[dict[str, Any]], host: str, severity: Any, now: Any
) -> None:
    book = compiled(rules)
    event = Event("s", "p", host, "", severity, "problem", "", "t", "")
    email = Email("f@x.kz", "", "s", "t", {}, "", (), "", (), 1)
    facts = Facts("smtp", "10.0.0.1", recipients=RECIPIENTS)
    plain, traced = (book.walk(event, email, facts, now, trace=trace) for trace in (False, True))
    assert (plain.routes, plain.left) == (traced.routes, traced.left)
    names = [visit.rule for visit in traced.trace]
    assert len(names) == len(set(names))
    assert [visit for visit in traced.trace if visit.matched] == list(plain.trace)
    assert all(visit.matched or "fit" in visit.failed for visit in traced.trace)
