"""``smsbridge new rule``: what it prints passes ``check`` and ``test`` as it stands."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import House

ROOT = Path(__file__).parents[3]
MAILS = sorted((ROOT / "tests" / "golden").glob("*/mail.eml"))


@pytest.fixture
def open_house(house: House) -> House:
    text = house.config.read_text()
    house.config.write_text(
        re.sub(r"listen: .*", 'listen: [{door: smtp, address: "127.0.0.1:9", trust: 10.0.0.0/8}]', text)
    )
    return house


def files_of(printed: str) -> dict[Path, str]:
    """The files that were printed, by where they belong."""
    parts = re.split(r"^# --- (.*)\n", printed, flags=re.M)[1:]
    return {Path(name): text for name, text in zip(parts[::2], parts[1::2], strict=True)}


def holds(house: House) -> str:
    """What ``check`` and ``test`` say; both are content."""
    checked = house.call("check")
    assert checked.code == 0, checked.err
    tested = house.call("test")
    assert tested.code == 0, tested.out + tested.err
    return checked.err + tested.out


def test_the_example_passes_as_it_is_printed(open_house: House) -> None:
    done = open_house.call("new", "rule")
    assert done.code == 0, done.err
    for path, text in files_of(done.out).items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    said = holds(open_house)
    assert "1 test" in said
    assert "never asked" not in said


@pytest.mark.parametrize("mail", MAILS, ids=lambda mail: mail.parent.name)
def test_a_rule_made_of_a_real_mail_passes(open_house: House, mail: Path) -> None:
    made = open_house.folder / "alert.eml"
    shutil.copy(mail, made)
    done = open_house.call("new", "rule", "--from", str(made), "--to", "boris", "--write")
    assert done.code == 0, done.err
    assert [path.name for path in (open_house.folder / "rules" / "tests").iterdir() if path.suffix == ".eml"]
    holds(open_house)


def test_the_mail_is_recognised(open_house: House) -> None:
    mail = ROOT / "tests" / "golden" / "01-zabbix-problem" / "mail.eml"
    done = open_house.call("new", "rule", "--from", str(mail), "--recipient", "db@sms.example.kz")
    rule, test = files_of(done.out).values()
    assert "producer: zabbix" in rule
    assert "recipient: db@sms.example.kz" in rule
    assert "severity: {above: " in rule
    assert "file: mail.eml" in test
    assert "- {sms: asel, " in test
    assert "mail.eml, or say --write" in done.err.replace("\n", "")


def test_the_call_of_the_verb_before_it_begins_names_what_is_wrong(open_house: House) -> None:
    gone = open_house.call("new", "rule", "--from", "nowhere.eml")
    assert (gone.code, "nowhere.eml cannot be read" in gone.err) == (1, True)
    text = open_house.config.read_text()
    open_house.config.write_text(text.replace("trust: 10.0.0.0/8", "auth: off, trust: 10.0.0.0/8") + "colour: red\n")
    assert open_house.call("new", "rule").code == 78


def test_nothing_that_is_there_is_overwritten(open_house: House) -> None:
    assert open_house.call("new", "rule", "--write").code == 0
    rule = next((open_house.folder / "rules").glob("0*.yaml"))
    before = rule.read_bytes()
    again = open_house.call("new", "rule", "--write")
    assert again.code == 0, again.err  # another name, another file
    assert rule.read_bytes() == before
    assert len(list((open_house.folder / "rules").glob("0*.yaml"))) == 2


def test_an_unknown_person_is_a_mistake_of_the_rule(open_house: House) -> None:
    done = open_house.call("new", "rule", "--to", "nobody-here")
    assert done.code == 78
    assert 'nobody is called "nobody-here"' in done.err
