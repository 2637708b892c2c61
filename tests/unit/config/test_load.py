"""Reading a whole configuration: includes, the rules folder, permissions, the worked cases, speed."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from bridge.config.load import lines, load, load_tests
from bridge.config.models import BUILT_IN
from bridge.config.problem import Place, Problem, spoken

ROOT = Path(__file__).parents[3]
EXAMPLES = sorted((ROOT / "docs/examples").glob("[0-9]*"))


@pytest.mark.parametrize("case", EXAMPLES, ids=lambda case: case.name)
def test_the_worked_cases_have_no_error(case: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(case)
    loaded = load(Path("config.yaml"), tests=True)
    assert lines(loaded.errors) == []
    assert loaded.rule_files
    assert loaded.test_files
    assert loaded.require() is loaded


def test_the_five_minute_start_has_nothing_wrong_but_what_is_not_built(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT / "docs/examples/01-five-minute-start")
    found = load(Path("config.yaml"), tests=True).problems
    assert [one for one in found if "not built yet" not in one.sentence] == []


def test_config_example_passes_without_a_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    loaded = load(Path("config.example.yaml"))
    assert lines(loaded.errors) == []
    assert loaded.rule_files


def test_includes_are_joined(written) -> None:
    more = "people: {ivan: {phone: '+77010000002'}}\nteams: {all: {members: [aigul, ivan]}}\ntimezone: Asia/Almaty\n"
    loaded = written(
        SMALL_WITH_INCLUDE, **{"more/b.yaml": more, "more/a.yaml": "calendars: {h: {dates: 2026-12-16}}\n"}
    )
    assert lines(loaded.errors) == []
    assert sorted(loaded.config.people) == ["aigul", "ivan"]
    assert loaded.config.timezone == "Asia/Almaty"
    assert loaded.place("config.yaml", ("people", "ivan", "phone")) == ("more/b.yaml", Place(1, 24))


SMALL_WITH_INCLUDE = """\
include: "more/*.yaml"
listen: [{door: smtp, address: "127.0.0.1:2525", trust: 127.0.0.1}]
domains: sms.example.kz
operator: {mail: it@example.kz}
outgoing_mail: {relay: "smtp://localhost:25", from: sms@example.kz}
region: KZ
people: {aigul: {phone: "+77010000001"}}
providers: {smsc: {type: smsc-http, base_url: "https://smsc.kz", login: x, password: {env: P}, currency: KZT}}
"""


def test_an_include_may_not_include(written) -> None:
    loaded = written(SMALL_WITH_INCLUDE, **{"more/b.yaml": "include: x.yaml\n"})
    assert lines(loaded.errors) == ["more/b.yaml:1:1 include: only the first file may include others"]


def test_rule_files_come_in_byte_order_of_their_names(written, small: str) -> None:
    rule = "rules: [{{rule: {0}, to: aigul, when: {{host: {0}}}}}]"
    loaded = written(small, None, **{f"rules/{name}.yaml": rule.format(name) for name in ("b", "B", "a", "ä", "10")})
    assert [Path(file).stem for file, _ in loaded.rule_files] == ["10", "B", "a", "b", "ä"]


def test_a_file_called_yml_is_told(written, small: str) -> None:
    loaded = written(small, **{"rules/x.yml": "rules: []"})
    assert "rules/x.yml: not read; call it .yaml" in lines(loaded.problems)


def test_T38_a_file_that_others_may_change_is_refused(written, tmp_path: Path) -> None:
    written()
    (tmp_path / "config.yaml").chmod(0o666)
    (tmp_path / "rules/10.yaml").chmod(0o646)
    assert lines(load(Path("config.yaml")).errors) == [
        "config.yaml: may be changed by others (mode 0666); chmod 644",
        "rules/10.yaml: may be changed by others (mode 0646); chmod 644",
    ]


def test_T30_check_needs_no_secret(written, small: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("P", raising=False)
    assert lines(written(small).errors) == []


def test_a_configuration_that_is_not_there() -> None:
    loaded = load(Path("no-such-config.yaml"))
    assert lines(loaded.errors) == [
        "no-such-config.yaml: is not there; name it with -c, or copy config.example.yaml",
    ]


def test_a_list_item_that_is_wrong_does_not_move_the_places_of_the_others(written, small: str) -> None:
    rules = "rules:\n  - rule: one\n    to: [aigul, 12 34, aygul]\n  - 12\n  - rule: three\n    to: nobody-here\n"
    assert lines(written(small, rules).errors) == [
        'rules/10.yaml:3:17 to[1]: a person, a team, on-call ROTA, next ROTA or a phone; found "12 34"',
        'rules/10.yaml:3:24 to[2]: nobody is called "aygul"; did you mean aigul?',
        'rules/10.yaml:4:5 rules[1]: keys and values belong here; found "12"',
        'rules/10.yaml:6:9 to: nobody is called "nobody-here"',
    ]


def test_problems_are_told_once_and_in_file_order(written, small: str) -> None:
    rules = "rules:\n  - rule: b\n    to: x\n  - rule: a\n    to: y\n"
    loaded = written(small + "timezone: Nowhere\n", rules, **{"rules/00.yaml": "x: 1\n"})
    assert [(one.file, one.line) for one in loaded.errors] == [
        ("config.yaml", 9), ("rules/00.yaml", 1), ("rules/10.yaml", 3), ("rules/10.yaml", 5),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (("people", "ivan", "phone"), "people.ivan.phone"),
        (("listen", 0, "address"), "listen[0].address"),
        (("rules", 3, "when", "host", "regex"), "host.regex"),
        (("rules", 3, "rules", 0, "escalate", 1, "after"), "escalate[1].after"),
        (("rules", 3), "rules[3]"),
        (("rules", 3, "when"), "when"),
        (("conditions", "db", "host"), "conditions.db.host"),
        ((), ""),
    ],
)
def test_a_place_inside_a_rule_is_spoken_of_from_the_rule(path: tuple[str | int, ...], text: str) -> None:
    assert spoken(path) == text


def test_a_problem_is_one_line() -> None:
    assert (
        str(Problem("config.yaml", 41, 17, "people.ivan.phone", "x; y")) == "config.yaml:41:17 people.ivan.phone: x; y"
    )
    assert str(Problem("config.yaml", 0, 0, "", "no budgets.total")) == "config.yaml: no budgets.total"
    assert str(Problem("config.yaml", 14, 1, "", "a tab")) == "config.yaml:14:1 a tab"


def test_at_most_fifty_problems_are_shown() -> None:
    shown = lines([Problem("c.yaml", n, 1, "", "x") for n in range(1, 63)])
    assert len(shown) == 51
    assert shown[-1] == "and 12 more"
    assert len(lines([Problem("c.yaml", n, 1, "", "x") for n in range(1, 51)])) == 50


def test_load_tests_reads_the_shape_of_a_folder_alone(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("tests:\n  - test: x\n    mail: disk\n    expect: nothing because dropped\n")
    (tmp_path / "b.yaml").write_text("tests:\n  - test: x\n    mial: disk\n")
    files, problems = load_tests(tmp_path)
    assert [Path(name).name for name, _ in files] == ["a.yaml", "b.yaml"]
    assert [one.sentence for one in problems] == ["no such key; did you mean mail?"]


def test_built_in_values_are_those_of_the_reference() -> None:
    reference = (ROOT / "docs/reference/format.md").read_text(encoding="utf-8")
    table = reference.split("<!-- model: Rule -->")[1].split("<!--")[0].splitlines()
    for key, value in {
        "class": "`normal`", "parts": "2", "alphabet": "`keep`", "channel": "`sms`", "track": "true", "repeat": "`30m`",
        "ack_lasts": "`24h`", "close_after": "`12h`", "on_recovery": "`same people`",
    }.items():  # fmt: skip
        row = next(line for line in table if line.startswith(f"| `{key}` |"))
        assert row.split("|")[3].strip() == value
    assert (BUILT_IN.class_, BUILT_IN.parts, BUILT_IN.alphabet, BUILT_IN.track) == ("normal", 2, "keep", True)


def test_a_thousand_rules_load_in_at_most_the_time_of_their_number(written, small: str) -> None:
    rule = (
        "  - rule: r{0}\n"
        "    when: {{host: ['db{0}*', pg{0}], severity: {{above: warning}}, subject: {{regex: 'x{0}.*y'}}}}\n"
        "    to: aigul\n    class: critical\n    text: '{{{{ host }}}} {{{{ title | shrink(2) }}}}'\n"
    )
    seconds = []
    for files in (1, 10):
        made = {
            f"rules/{file:02}.yaml": "rules:\n" + "".join(map(rule.format, range(file * 100, file * 100 + 100)))
            for file in range(files)
        }
        started = time.thread_time()
        loaded = written(small, None, **made)
        seconds.append(time.thread_time() - started)
        assert lines(loaded.errors) == []
        assert sum(len(rules.rules) for _, rules in loaded.rule_files) == files * 100
    assert seconds[1] < seconds[0] * 40  # ten times would be fair; comparing each with each other costs a hundred
