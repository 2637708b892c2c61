from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner, Result

from bridge.cli.test import command
from tests.unit.proof.office import CONFIG, RULES, Office, build

TESTS = """
tests:
  - test: it holds
    mail: note
    expect: [sms: aigul, sms: ivan]
  - test: it does not
    mail: note
    expect: [{sms: aigul, text: paper out}, sms: ivan]
  - test: later
    request: {path: /x}
"""


@pytest.fixture
def office(tmp_path: Path) -> Office:
    made = build(tmp_path, CONFIG, RULES)
    made.write(TESTS)
    return made


def play(office: Office, *words: str) -> Result:
    return CliRunner().invoke(command, ["-c", str(office.config), *words])


def test_shows_each_failed_item_beside_what_happened(office: Office) -> None:
    result = play(office)
    assert result.exit_code == 1
    line = office.tests.read_text().partition("- test: it does not")[0].count("\n") + 1
    assert f"{office.tests}:{line} “it does not”" in result.stdout
    assert "    expected  - {sms: aigul, text: paper out}\n" in result.stdout
    assert "    happened  - {sms: aigul, text: paper low}   # differs: text\n" in result.stdout
    assert "  not built yet: step request\n" in result.stdout


def test_the_last_line_sums_up(office: Office) -> None:
    assert play(office).stdout.splitlines()[-1] == (
        "3 tests, 1 held, 1 not built yet, 1 did not: all.yaml “it does not”"
        " expected {sms: aigul, text: paper out}, got {sms: aigul, text: paper low}."
    )
    assert play(office, "-k", "HOLDS").stdout == "1 test, 1 held.\n"


def test_what_is_not_built_fails_unless_it_is_passed_over(office: Office) -> None:
    assert play(office, "-k", "later").exit_code == 1
    skipped = play(office, "-k", "later", "--skip-unbuilt")
    assert (skipped.exit_code, skipped.stdout) == (0, "1 test, 0 held, 1 not built yet (skipped).\n")


def test_json_has_every_test(office: Office) -> None:
    result = play(office, "--json")
    found = json.loads(result.stdout)
    assert [(one["test"], one["held"], one["not_built"]) for one in found["tests"]] == [
        ("it holds", True, None), ("it does not", False, None), ("later", False, "step request"),
    ]  # fmt: skip
    assert found["tests"][1]["failures"][0]["why"] == "text"
    assert result.exit_code == 1


def test_junit_is_read_by_others(office: Office) -> None:
    file = office.folder / "junit.xml"
    play(office, "--junit", str(file), "--skip-unbuilt")
    suite = ElementTree.parse(file).getroot()  # noqa: S314 - we wrote it
    assert (suite.get("tests"), suite.get("failures"), suite.get("skipped")) == ("3", "1", "1")
    assert "paper out" in str(suite.find("testcase/failure").text)  # type: ignore[union-attr]
    assert all(case.get("classname") and case.get("name") for case in suite.findall("testcase"))


def test_junit_tells_a_test_that_cannot_be_played_from_one_that_does_not_hold(office: Office) -> None:
    office.write(
        "tests: [{test: a, mail: {like: disk, text: 'x'}, given: {spent: {total: much}}, expect: [sms: ivan]}]"
    )
    file = office.folder / "junit.xml"
    play(office, "--junit", str(file))
    suite = ElementTree.parse(file).getroot()  # noqa: S314 - we wrote it
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("1", "0", "1")
    assert "given spent total" in str(suite.find("testcase/error").get("message"))  # type: ignore[union-attr]


def test_coverage_shows_each_rule_and_what_no_test_saw_of_it(office: Office) -> None:
    lines = play(office, "--coverage").stdout.splitlines()
    table = {line.split()[0]: line.split()[2:] for line in lines if "10-all.yaml:" in line and "never" not in line}
    assert table["team"] == ["yes", "2", "of", "3"]
    assert table["disks"] == ["NO", "2", "of", "5"]
    line = RULES[: RULES.index("rule: disks")].count(chr(10)) + 1
    assert f"{office.folder}/rules/10-all.yaml:{line} disks: subject disk never held" in lines
    assert "1 of 6 rules, 8 of 17 branches: 39 %." in lines


def test_coverage_in_json_names_what_is_missing(office: Office) -> None:
    found = json.loads(play(office, "--json", "--coverage").stdout)
    assert len(found["unreached_rules"]) == 5
    assert found["coverage"]["rules"] == {"fitted": 1, "all": 6}
    missing = {(one["rule"], one["what"]) for one in found["coverage"]["missing"]}
    assert ("broken", "text was never sent") in missing


def test_less_coverage_than_is_asked_for_fails(office: Office) -> None:
    less = play(office, "-k", "holds", "--fail-under", "40")
    assert (less.exit_code, less.stderr) == (1, "smsbridge test: less than 40 % of rules and branches were seen.\n")
    enough = play(office, "-k", "holds", "--fail-under", "39")
    assert enough.exit_code == 0, enough.output
    assert play(office, "--fail-under", "101").exit_code == 2


def test_mutate_names_what_could_go_and_fails(office: Office) -> None:
    office.write(TESTS.replace("  - test: it does not", "  - test: later\n    request: {path: /x}\n  - test: more").
                 replace("{sms: aigul, text: paper out}, sms: ivan", "sms: aigul, sms: ivan").
                 rpartition("  - test: later")[0])  # fmt: skip
    result = play(office, "--mutate", "--skip-unbuilt")
    line = RULES[: RULES.index("rule: duty")].count(chr(10)) + 1
    assert result.exit_code == 1
    assert f"{office.folder}/rules/10-all.yaml:{line} duty: class normal instead of critical" in result.stdout
    assert "1 test did not hold and noticed nothing." in result.stdout
    assert "survivors: no test would notice." in result.stdout
    found = json.loads(play(office, "--mutate", "--skip-unbuilt", "--json").stdout)["mutate"]
    assert {"rule": "duty", "file": f"{office.folder}/rules/10-all.yaml", "line": line,
            "what": "class normal instead of critical"} in found["survivors"]  # fmt: skip


def test_a_book_without_survivors_is_a_success(tmp_path: Path) -> None:
    made = build(tmp_path, CONFIG, "rules: [{rule: all, to: aigul}]")
    made.write("tests: [{test: a note, mail: note, expect: [sms: aigul]}]")
    result = play(made, "--mutate", "--coverage", "--fail-under", "100")
    assert result.exit_code == 0
    assert "2 mutants, 0 survivors: every condition is needed by some test." in result.stdout


def test_mutants_are_judged_by_all_tests_or_not_at_all(office: Office) -> None:
    result = play(office, "--mutate", "-k", "holds")
    assert result.exit_code == 2
    assert "--mutate needs all tests" in result.stderr


def test_accept_writes_what_happened(office: Office) -> None:
    result = play(office, "--accept", "it does not")
    assert result.stdout == f"{office.tests} “it does not” written. Look at it before you keep it.\n"
    assert play(office, "-k", "does not").exit_code == 0
    assert play(office, "--accept", "it does not").stdout == f"{office.tests} “it does not” holds already.\n"
    assert play(office, "--accept", "later").exit_code == 1
    assert play(office, "--accept", "nowhere").exit_code == 2


def test_files_narrow_it_down(office: Office) -> None:
    other = office.tests.parent / "other.yaml"
    other.write_text(office.tests.read_text())
    assert play(office, str(other), "-k", "holds").stdout == "1 test, 1 held.\n"
    assert play(office, "-k", "holds").stdout == "2 tests, 2 held.\n"
    strange = play(office, "strange.yaml")
    assert strange.exit_code == 2
    assert "strange.yaml is no test file; they lie in" in strange.stderr


def test_no_tests_is_no_success(office: Office) -> None:
    assert play(office, "-k", "nothing like it").exit_code == 2
    office.tests.unlink()
    assert play(office).exit_code == 2


def test_a_wrong_test_file_is_a_wrong_configuration(office: Office) -> None:
    office.write("tests:\n  - test: x\n    mail: unknown\n")
    result = play(office)
    assert result.exit_code == 78
    assert 'no mail is called "unknown"' in result.stderr
