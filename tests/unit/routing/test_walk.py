"""FORMAT §7 and the walk's fine print (§14)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from bridge.errors import ConfigError
from bridge.model import RoutedEvent

BookOf = Callable[..., Any]
A, B, C = "a@sms.example.kz", "b@sms.example.kz", "c@sms.example.kz"


def taken(routed: RoutedEvent) -> dict[str, list[str]]:
    """Rule → recipients."""
    return {route.rule: list(route.recipients) for route in routed.routes}


def test_the_first_rule_that_fits_takes_it(book: BookOf) -> None:
    made = book("- {rule: one, when: {host: web*}, to: aigul}\n- {rule: two, to: ivan}")
    routed = made.ask()
    assert taken(routed) == {"one": ["ops@sms.example.kz"]}
    assert routed.left == ()


def test_what_no_rule_takes_is_left(book: BookOf) -> None:
    assert book("- {rule: one, when: {host: db*}, to: aigul}").ask(recipients=(A, B)).left == (A, B)


def test_a_recipient_pattern_takes_only_those_that_fit(book: BookOf) -> None:
    made = book(f"- {{rule: a, when: {{recipient: {A}}}, to: aigul}}\n- {{rule: rest, to: ivan}}")
    assert taken(made.ask(recipients=(B, A, C))) == {"a": [A], "rest": [B, C]}


def test_one_mail_to_two_teams_is_seen_by_both(book: BookOf) -> None:
    made = book(
        f"- {{rule: a, when: {{recipient: {A}}}, to: aigul}}\n- {{rule: b, when: {{recipient: {B}}}, to: ivan}}"
    )
    routed = made.ask(recipients=(A, B))
    assert taken(routed) == {"a": [A], "b": [B]}
    assert routed.left == ()


def test_a_door_without_recipients_has_one_made_up(book: BookOf) -> None:
    routed = book("- {rule: r, when: {recipient: '*'}, to: aigul}").ask(recipients=())
    assert taken(routed) == {"r": [""]}


def test_a_recipient_named_twice_is_one(book: BookOf) -> None:
    assert taken(book("- {rule: r, to: aigul}").ask(recipients=(A, B, A))) == {"r": [A, B]}


def test_the_walk_ends_when_nobody_is_left(book: BookOf) -> None:
    made = book("- {rule: one, to: aigul}\n- {rule: two, to: ivan}")
    assert [visit.rule for visit in made.ask(trace=True).trace] == ["one"]


def test_children_are_asked_before_their_parent_acts(book: BookOf) -> None:
    made = book("- {rule: p, to: aigul, rules: [{rule: no, when: {host: db*}}, {rule: yes, when: {host: web*}}]}")
    assert made.who() == ["yes"]
    assert made.who(host="app") == ["p"]


def test_children_are_not_asked_when_the_parent_does_not_fit(book: BookOf) -> None:
    made = book("- {rule: p, when: {host: db*}, to: aigul, rules: [{rule: child}]}\n- {rule: last, to: ivan}")
    assert list(made.why()) == ["p", "last"]


def test_a_parent_without_action_lets_the_walk_go_on(book: BookOf) -> None:
    made = book("- {rule: p, rules: [{rule: child, when: {host: db*}, to: aigul}]}\n- {rule: last, to: ivan}")
    assert made.who() == ["last"]


def test_a_child_that_takes_only_some_leaves_the_rest_to_its_parent(book: BookOf) -> None:
    made = book(f"- {{rule: p, to: aigul, rules: [{{rule: child, when: {{recipient: {A}}}, to: ivan}}]}}")
    assert taken(made.ask(recipients=(A, B))) == {"child": [A], "p": [B]}


def test_a_grandchild_may_take_it(book: BookOf) -> None:
    made = book("- {rule: p, rules: [{rule: c, rules: [{rule: g, to: aigul}]}]}\n- {rule: last, to: ivan}")
    assert made.who() == ["g"]


@pytest.mark.parametrize("action", ["to: aigul", "mail_to: x@example.kz", "drop: noise", "to: nobody"])
def test_every_kind_of_action_takes_it(book: BookOf, action: str) -> None:
    assert book(f"- {{rule: one, {action}}}\n- {{rule: two, to: ivan}}").who() == ["one"]


def test_continue_acts_and_takes_nothing_out(book: BookOf) -> None:
    made = book("- {rule: copy, mail_to: x@example.kz, continue: true}\n- {rule: two, to: ivan}")
    assert made.who() == ["copy", "two"]
    assert book("- {rule: copy, mail_to: x@example.kz, continue: true}").ask().left == ("ops@sms.example.kz",)


def test_continue_is_not_inherited(book: BookOf) -> None:
    made = book("- {rule: p, to: aigul, continue: true, rules: [{rule: c}]}\n- {rule: two, to: ivan}")
    assert made.who() == ["c"]


def test_a_parent_acts_beside_a_child_that_continues(book: BookOf) -> None:
    made = book("- {rule: p, to: aigul, rules: [{rule: c, to: ivan, continue: true}]}")
    assert made.who() == ["c", "p"]


def test_drop_is_not_inherited_and_beats_an_inherited_to(book: BookOf) -> None:
    made = book(
        "- {rule: p, drop: noise, rules: [{rule: c, when: {host: web*}, to: ivan}]}\n"
        "- {rule: q, to: aigul, mail_to: x@example.kz, rules: [{rule: d, drop: no}]}"
    )
    rules = made.rules.by_name
    assert rules["c"].action.drop == ""
    assert (rules["d"].action.to, rules["d"].action.mail_to, rules["d"].action.drop) == ((), (), "no")


# --- set ---------------------------------------------------------------------------------------------------


def test_set_changes_the_event_for_its_rule_and_children(book: BookOf) -> None:
    made = book(
        "- rule: p\n  set: {severity: critical, label.team: '{host}'}\n"
        "  rules: [{rule: c, when: {severity: critical}, to: ivan}]"
    )
    event = made.ask().routes[0].event
    assert (event.severity, event.labels) == ("critical", {"team": "web1"})


def test_set_without_continue_ends_with_its_rule(book: BookOf) -> None:
    made = book(
        "- {rule: p, set: {severity: high}, rules: [{rule: c, when: {host: db*}, to: ivan}]}\n- {rule: last, to: aigul}"
    )
    assert made.ask().routes[0].event.severity == "info"


def test_set_with_continue_holds_for_later_rules(book: BookOf) -> None:
    made = book("- {rule: s, set: {severity: high}, continue: true}\n- {rule: last, when: {severity: high}, to: aigul}")
    assert made.ask().routes[0].event.severity == "high"


def test_set_of_a_continuing_child_holds_behind_its_parent_which_keeps_its_own_to_itself(book: BookOf) -> None:
    made = book(
        """
- rule: p
  set: {service: inner}
  rules:
    - {rule: c, set: {severity: high}, continue: true}
    - {rule: d, when: {host: db*}, to: ivan}
- {rule: last, to: aigul}
"""
    )
    event = made.ask().routes[0].event
    assert (event.severity, event.service) == ("high", "")


def test_set_of_a_continuing_child_is_seen_by_the_parent_that_acts(book: BookOf) -> None:
    made = book("- {rule: p, to: aigul, rules: [{rule: c, set: {severity: high}, continue: true}]}")
    assert made.ask().routes[0].event.severity == "high"


def test_a_value_set_again_by_a_continuing_child_outlives_the_parent_that_set_the_same(book: BookOf) -> None:
    made = book(
        "- {rule: p, set: {severity: high}, rules: [{rule: c, set: {severity: high}, continue: true}]}\n"
        "- {rule: last, to: aigul}"
    )
    assert made.ask().routes[0].event.severity == "high"


def test_a_continuing_rule_and_its_continuing_child_both_reach_later_rules(book: BookOf) -> None:
    made = book(
        """
- rule: p
  set: {service: outer}
  continue: true
  rules: [{rule: c, set: {severity: high}, continue: true}]
- {rule: last, to: aigul}
"""
    )
    event = made.ask().routes[0].event
    assert (event.service, event.severity) == ("outer", "high")


def test_set_for_one_recipient_changes_nothing_for_the_other(book: BookOf) -> None:
    made = book(
        f"- {{rule: s, when: {{recipient: {A}}}, set: {{severity: high}}, continue: true}}\n- {{rule: last, to: aigul}}"
    )
    routes = made.ask(recipients=(A, B)).routes
    assert {route.recipients: route.event.severity for route in routes} == {(A,): "high", (B,): "info"}


def test_equal_events_on_different_ways_are_one_route(book: BookOf) -> None:
    made = book(
        f"- {{rule: s, when: {{recipient: {B}}}, set: {{severity: info}}, continue: true}}\n- {{rule: last, to: aigul}}"
    )
    assert taken(made.ask(recipients=(A, B, C))) == {"last": [A, B, C]}
    assert len(made.ask(recipients=(A, B, C)).routes) == 1


def test_routes_stand_in_the_order_of_the_book_whoever_went_ahead(book: BookOf) -> None:
    made = book(
        f"- {{rule: s, when: {{recipient: {B}}}, set: {{severity: info}}, continue: true}}\n"
        "- {rule: copy, mail_to: x@example.kz, continue: true}\n- {rule: last, to: aigul}"
    )
    assert [(route.rule, route.recipients) for route in made.ask(recipients=(A, B)).routes] == [
        ("copy", (A, B)),
        ("last", (A, B)),
    ]


def test_all_values_of_one_set_see_the_event_before_it(book: BookOf) -> None:
    made = book("- {rule: r, set: {host: '{service}', service: '{host}'}, to: aigul}")
    event = made.ask(service="db").routes[0].event
    assert (event.host, event.service) == ("db", "web1")


def test_groups_act_downward_and_into_set(book: BookOf) -> None:
    made = book(
        "- rule: p\n  when: {subject: {regex: 'on (?P<h>[a-z]+)'}}\n  set: {host: '{m.h}'}\n"
        "  rules: [{rule: c, when: {host: dbx}, to: aigul}]"
    )
    route = made.ask(subject="fire on dbx").routes[0]
    assert (route.rule, route.event.host, route.groups) == ("c", "dbx", {"h": "dbx"})


def test_groups_of_a_rule_that_does_not_continue_end_with_it(book: BookOf) -> None:
    made = book(
        "- {rule: p, when: {subject: {regex: '(?P<h>A)'}}, rules: [{rule: c, when: {host: no}, to: ivan}]}\n"
        "- {rule: last, to: aigul}"
    )
    assert made.ask().routes[0].groups == {}


def test_groups_of_a_continuing_rule_reach_later_rules(book: BookOf) -> None:
    made = book(
        "- {rule: s, when: {subject: {regex: '(?P<h>A)'}}, set: {key: k}, continue: true}\n- {rule: last, to: aigul}"
    )
    assert made.ask().routes[0].groups == {"h": "A"}


def test_groups_in_the_address_part_recipients(book: BookOf) -> None:
    made = book("- {rule: r, when: {recipient: {regex: '^(?P<team>[^@]+)'}}, set: {service: '{m.team}'}, to: aigul}")
    routes = made.ask(recipients=(A, B)).routes
    assert [(route.recipients, route.event.service) for route in routes] == [((A,), "a"), ((B,), "b")]


def test_a_word_that_is_no_severity_is_left_out_and_noted(book: BookOf) -> None:
    made = book("- {rule: r, set: {severity: '{subject}', title: new}, to: aigul}")
    routed = made.ask(subject="Hoch")
    assert (routed.routes[0].event.severity, routed.routes[0].event.title) == ("info", "new")
    assert routed.trace[0].note == 'set severity: "hoch" is no severity, took ops@sms.example.kz'
    assert made.ask(subject="CRITICAL ").routes[0].event.severity == "critical"


def test_a_constant_that_is_no_severity_is_refused_at_load(book: BookOf) -> None:
    with pytest.raises(ConfigError, match=r'set.severity: "hoch" is no severity; write info, warning, high, critical'):
        book("- {rule: r, set: {severity: hoch}, to: aigul}")


def test_a_template_that_fails_leaves_the_field_and_is_noted(book: BookOf) -> None:
    routed = book("- {rule: r, set: {title: '{fails}', service: x}, to: aigul}").ask()
    assert (routed.routes[0].event.title, routed.routes[0].event.service) == ("down", "x")
    assert routed.trace[0].note.startswith("set title failed: no such value")


# --- the trace ---------------------------------------------------------------------------------------------


def test_the_trace_names_every_rule_asked_with_the_first_condition_that_failed(book: BookOf) -> None:
    made = book(
        f"""
- {{rule: db, when: {{host: "db*", severity: high}}, to: aigul}}
- {{rule: copy, mail_to: x@example.kz, continue: true}}
- rule: web
  when: {{host: "web*"}}
  to: ivan
  rules:
    - {{rule: a only, when: {{recipient: {A}}}}}
    - {{rule: night, when: {{state: recovery}}}}
- {{rule: never asked, to: aigul}}
"""
    )
    routed = made.ask(trace=True, recipients=(A, B))
    assert [(visit.rule, visit.matched, visit.failed, visit.note) for visit in routed.trace] == [
        ("db", False, "severity info does not fit high", ""),
        ("copy", True, "", f"continue for {A} {B}"),
        ("web", True, "", f"took {B}"),
        ("a only", True, "", f"took {A}"),
        ("night", False, "state problem does not fit recovery", ""),
    ]


def test_the_trace_says_when_a_child_took_it(book: BookOf) -> None:
    trace = book("- {rule: p, to: aigul, rules: [{rule: c}]}").ask(trace=True).trace
    assert [visit.note for visit in trace] == ["child took it", "took ops@sms.example.kz"]


def test_without_trace_those_that_fitted_are_still_named(book: BookOf) -> None:
    made = book("- {rule: no, when: {host: db}, to: aigul}\n- {rule: yes, to: ivan}")
    assert [visit.rule for visit in made.ask().trace] == ["yes"]


def test_two_rules_of_one_name_are_refused(book: BookOf) -> None:
    with pytest.raises(ConfigError, match=r'"r" stands here and in rules/test.yaml line 2; rules need names'):
        book("- {rule: r, to: aigul}\n- {rule: r, to: ivan}")
