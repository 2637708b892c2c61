"""The models and the tables of the reference hold the same keys, both ways; defaults are those of the tables."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bridge.config import models
from bridge.config.models.base import Model, aliases
from bridge.config.models.ruletests import Given
from bridge.config.scalar import Scalar

ROOT = Path(__file__).parents[3]
REFERENCE = (ROOT / "docs/reference/format.md").read_text(encoding="utf-8")
MODELS = {"Mail": "TestMail", "Test": "RuleTest"}  # a class called Test… would be collected, Mail is a noun elsewhere
EXPECT_KEYS = re.compile(r"`([^`]+)`")


def tables() -> dict[str, list[str]]:
    """Model → first cells of its table, in order."""
    found: dict[str, list[str]] = {}
    for part in REFERENCE.split("\n<!-- model: ")[1:]:
        name, _, rest = part.partition(" -->")
        rows = rest.lstrip().splitlines()
        end = next((at for at, line in enumerate(rows) if not line.startswith("|")), len(rows))
        found[name] = rows[2:end]
    return found


def keys_of(row: str) -> list[str]:
    return re.findall(r"`([^`]+)`", row.split("|")[1])


TABLES = tables()


def model(name: str) -> type[Model]:
    return getattr(models, MODELS.get(name, name))


@pytest.mark.parametrize("name", sorted(set(TABLES) - {"Expect"}))
def test_every_key_of_the_reference_is_in_the_model_and_the_other_way_round(name: str) -> None:
    documented = {key for row in TABLES[name] for key in keys_of(row)} - {"label.X", "header.X"}
    if name == "Test":
        documented |= {key for row in TABLES["TestStep"] for key in keys_of(row)}
    if name == "Condition":  # keys of free names
        assert {"label.X", "header.X"} <= {key for row in TABLES[name] for key in keys_of(row)}
    assert documented == set(aliases(model(name)))


def test_every_key_of_an_expected_item_is_in_the_reference_and_the_other_way_round() -> None:
    documented = set()
    for row in TABLES["Expect"]:
        first, further = row.split("|")[1:3]
        documented.add(re.split(r"[`:]", first.strip())[1])
        documented.update(word for some in EXPECT_KEYS.findall(further) for word in some.split())
    event_only = {"producer", "host", "service", "title", "key"}  # inside ``event:``
    assert documented - event_only == set(aliases(models.Expect))
    assert event_only | {"severity", "state"} == set(aliases(models.EventLook))


@pytest.mark.parametrize("name", sorted(set(TABLES) - {"Budgets", "Condition", "Pattern", "Expect"}))
def test_what_is_bold_in_the_reference_must_be_given(name: str) -> None:
    bold = {key for row in TABLES[name] if row.startswith("| **") for key in keys_of(row)[:1]}
    required = {field.alias or key for key, field in model(name).model_fields.items() if field.is_required()}
    assert required == bold


@pytest.mark.parametrize("name", sorted(set(TABLES) - {"Pattern", "Budgets"}))
def test_every_model_refuses_a_key_it_does_not_know(name: str) -> None:
    with pytest.raises(ValueError, match="Extra inputs are not permitted"):
        model(name).model_validate({"no_such_key_at_all": 1})


def test_models_never_show_their_input_in_an_error() -> None:
    with pytest.raises(ValueError) as caught:
        models.Provider.model_validate({"type": "smsc-http", "password": "hunter2-very-secret"})
    assert "hunter2" not in str(caught.value)


def test_a_rule_tells_a_key_that_was_written_as_null_from_one_that_was_not() -> None:
    rule = models.Rule.model_validate({"rule": "x", "escalate": Scalar("~"), "to": "aigul"})
    assert rule.escalate is None
    assert "escalate" in rule.model_fields_set
    assert "quiet" not in rule.model_fields_set


@pytest.mark.parametrize("key", ["to", "text", "class", "parts", "replies", "send_via", "when", "rules", "drop"])
def test_null_is_a_mistake_where_it_does_not_mean_none(key: str) -> None:
    with pytest.raises(ValueError):
        models.Rule.model_validate({"rule": "x", key: Scalar("")})


@pytest.mark.parametrize("key", ["key", "escalate", "quiet", "group", "digest", "flap", "threshold", "budget"])
def test_null_means_none_for_the_eight_keys_that_can_be_undone(key: str) -> None:
    rule = models.Rule.model_validate({"rule": "x", "to": "a", key: Scalar("null")})
    assert getattr(rule, key) is None
    assert key in rule.model_fields_set


def test_one_value_may_stand_alone_where_a_list_is_allowed() -> None:
    alone = models.Rule.model_validate({"rule": "x", "to": "aigul", "when": {"host": "db*"}})
    listed = models.Rule.model_validate({"rule": "x", "to": ["aigul"], "when": {"host": ["db*"]}})
    assert alone == listed


def test_names_are_matched_without_regard_to_case() -> None:
    config = models.Config.model_validate(
        {
            "listen": [],
            "operator": {"mail": "a@b.kz"},
            "providers": {"SMSC": {"type": "smsc-http"}},
            "people": {"Айгуль": {"phone": "+77010000001"}},
            "teams": {"Admins": {"members": "АЙГУЛЬ"}},
        }
    )
    assert config.teams["admins"].members == tuple(config.people)
    assert config.people["айгуль"].name == "Айгуль"
    assert "smsc" in config.providers


def test_own_budgets_stand_beside_the_general_ones() -> None:
    budgets = models.Budgets.model_validate({"total": {"money": "5 EUR/day"}, "cards": {"messages": "5/h"}})
    assert budgets.total is not None
    assert budgets.own["cards"].messages[0].count == 5


def test_labels_and_headers_are_asked_by_their_names() -> None:
    condition = models.Condition.model_validate({"label.env": "prod", "header.X-Prio": {"exists": True}})
    assert condition.labels["env"].globs == ("prod",)
    assert condition.headers["x-prio"].exists is True


def test_a_threshold_may_be_its_count_alone() -> None:
    rule = models.Rule.model_validate({"rule": "x", "to": "a", "threshold": "3 in 10m"})
    assert rule.threshold is not None
    assert rule.threshold.by == ("key",)


@pytest.mark.parametrize(
    ("phrase", "outcome"),
    [
        ("nothing", models.Nothing()),
        ("nothing because quiet hours until 07:00", models.Nothing("quiet hours until 07:00")),
        ("nothing because refused …", models.Nothing("refused", open_end=True)),
        ("refused 550 5.1.1", models.Refused("550", "5.1.1")),
        ("refused 550 5.1.1 for a@b.kz", models.Refused("550", "5.1.1", address="a@b.kz")),
        ("refused 530 5.7.0 Log in first", models.Refused("530", "5.7.0", text="Log in first")),
    ],
)
def test_the_phrases_of_expect(phrase: str, outcome: object) -> None:
    assert models.TestStep.model_validate({"mail": "x", "expect": phrase}).expect == outcome


def test_names_of_conditions_may_hold_blanks_and_are_matched_without_case(written) -> None:
    rules = (
        "conditions: {Big Databases: {host: db*}}\n"
        "rules:\n"
        "  - {rule: one, when: {use: big databases}, to: aigul}\n"
        "  - {rule: two, when: {use: [BIG DATABASES]}, to: aigul}\n"
    )
    assert [one.sentence for one in written(rules=rules).problems if one.level == "error"] == []


def test_what_was_spent_may_be_of_one_prefix() -> None:
    given = Given.model_validate({"spent": {"each_prefix +7702": "50", "each_person aigul": "3"}})
    assert given.spent == {"each_prefix +7702": "50", "each_person aigul": "3"}
