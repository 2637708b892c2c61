from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import House

ROOT = Path(__file__).parents[3]


def test_a_house_in_order_gets_one_line(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    house.config.write_text(house.config.read_text().partition("budgets:")[0])
    monkeypatch.delenv("HOUSE_PASSWORD")
    done = house.call("check")
    warnings = done.err.count("(warning)")
    assert warnings > 1
    assert (done.code, done.out) == (0, f"{house.config} and 1 rule file: 1 rule, 2 people. {warnings} warnings.\n")
    assert "config.yaml: no budgets.total; SMS cost money, so say how much a day may cost (warning)\n" in done.err


def test_strict_makes_warnings_errors(house: House) -> None:
    assert house.call("check").code == 0
    assert house.call("check", "--strict").code == 78


def test_mistakes_are_told_all_at_once_on_stderr(house: House) -> None:
    house.config.write_text(house.config.read_text() + "colour: red\nregoin: KZ\n")
    done = house.call("check")
    assert (done.code, done.out) == (78, "")
    assert "colour: no such key" in done.err
    assert "regoin: no such key; did you mean region?" in done.err
    assert done.err.splitlines()[-1].startswith("2 errors, ")
    assert done.err.endswith("Nothing was loaded.\n")


def test_mistakes_in_texts_and_tests_count_too(house: House) -> None:
    (house.folder / "rules" / "10.yaml").write_text('rules: [{rule: all, to: asel, text: "{{ servce }}"}]\n')
    (house.folder / "rules" / "tests").mkdir()
    (house.folder / "rules" / "tests" / "a.yaml").write_text("tests: [{test: x, stpes: []}]\n")
    done = house.call("check")
    assert done.code == 78
    assert "servce" in done.err
    assert "stpes: no such key" in done.err


def test_what_is_wrong_is_told_in_the_order_of_the_files_whoever_finds_it(house: House) -> None:
    """Shape, names, texts, values of set, templates and producer packs: no room hides what another would find."""
    files = {
        "10.yaml": """
rules:
  - {rule: one, when: {host: a}, to: asel, text: "{{ titel }}", set: {severity: "{{ foo }}"}}
  - {rule: two, when: {host: b}, to: asel, key: "{{ ''.__class__ }}"}
  - {rule: three, when: {host: c}, to: asel, template: night}
""",
        "templates/night.j2": "{% for n in range(9) %}{% endfor %}",
        "producers/device.yaml": "producer: device\nrecognise: [{subject: y, form: x}]\nevents: {}\n",
    }
    for name, text in files.items():
        path = house.folder / "rules" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    done = house.call("check")
    assert done.code == 78
    errors = [line for line in done.err.splitlines() if not line.endswith(("(warning)", "(note)"))]
    places = [re.sub(r"^.*/rules/", "", line).split(" ")[:2] for line in errors[:-1]]
    assert [(place.rpartition(":")[0], key) for place, key in places] == [
        ("10.yaml:3", "text:"), ("10.yaml:3", "set.severity:"), ("10.yaml:4", "key:"),
        ("templates/night.j2:1", "a"), ("producers/device.yaml:2", "recognise.form:"),
    ]  # fmt: skip
    assert errors[-1].startswith("5 errors")


def test_json_holds_the_same(house: House) -> None:
    good = json.loads(house.call("check", "--json").out)
    assert (good["errors"], good["rules"], good["people"]) == ([], 1, 2)
    house.config.write_text(house.config.read_text() + "colour: red\n")
    bad = house.call("check", "--json")
    assert bad.code == 78
    assert "colour: no such key" in json.loads(bad.out)["errors"][0]


def test_addresses_lists_what_the_doors_take(house: House) -> None:
    (house.folder / "rules" / "10.yaml").write_text(
        "rules:\n"
        "  - {rule: night, when: {recipient: night@sms.example.kz}, to: asel}\n"
        "  - {rule: shop, when: {source: shop}, to: boris}\n"
    )
    done = house.call("check", "--addresses")
    assert done.code == 0
    assert [line.split() for line in done.out.splitlines()] == [
        ["ADDRESS", "RULE"], ["night@sms.example.kz", "night"], ["*@sms.example.kz", "shop"],
    ]  # fmt: skip
    other = json.loads(house.call("check", "--addresses", "--source", "bank", "--json").out)
    assert other == [{"address": "night@sms.example.kz", "rule": "night"}]
    assert house.call("check", "--source", "bank").code == 2


def test_a_file_that_is_not_there_is_said(house: House) -> None:
    house.config.unlink()
    done = house.call("check")
    assert done.code == 78
    assert "is not there" in done.err


@pytest.mark.parametrize("case", sorted(path.name for path in (ROOT / "docs" / "examples").iterdir()))
def test_every_worked_case_passes(case: str, capsys: pytest.CaptureFixture[str]) -> None:
    from bridge.cli.main import run

    with pytest.raises(SystemExit) as ended:
        run(["check", "-c", str(ROOT / "docs" / "examples" / case / "config.yaml")])
    assert ended.value.code == 0, capsys.readouterr().err
