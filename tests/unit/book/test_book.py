"""What dispatch asks the book: who, by which provider, for how much, in which words."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from bridge.book import RuleBook
from bridge.book.book import longest_prefix
from bridge.book.loading import load_book
from bridge.errors import ConfigError
from bridge.intake.read import read
from bridge.model import Envelope, StoredMail

CONFIG = """
listen: [{door: smtp, address: "127.0.0.1:2525", trust: 127.0.0.0/8}]
domains: bridge.test
operator: {mail: operator@bridge.test}
outgoing_mail: {relay: "smtp://127.0.0.1:2526", from: sms@bridge.test}
region: KZ
timezone: Asia/Almaty
language: ru
currency: KZT
send_via: {"+7701": [local, world], default: world}
people:
  aigul: {name: Айгуль, phone: "+77010000001", email: aigul@bridge.test, language: kk, timezone: Europe/Berlin}
  ivan: {phone: "+77010000002"}
teams: {both: {members: [aigul, ivan], email: both@bridge.test}}
providers:
  local: {type: smsc-http, base_url: "https://smsc.kz", login: x, password: {env: X}, number: "+77770000000",
          prices: {"+7701": 14.00, default: 20.00}}
  world: {type: smsc-http, base_url: "https://smsc.ru", login: y, password: {env: X}}
budgets: {total: {money: 1000 KZT/day}}
"""
RULES = """
rules:
  - {rule: told, when: {recipient: a@bridge.test}, to: both}
  - {rule: own, when: {recipient: b@bridge.test}, to: [aigul, both], send_via: world, text: "{{ title }}"}
  - {rule: parent, when: {recipient: c@bridge.test}, to: ivan, rules: [{rule: nobody, to: nobody}]}
  - {rule: by mail, when: {recipient: d@bridge.test}, to: ivan, key: "{{ from }}/{{ subject }}/{{ text }}/{{ fqdn }}"}
  - {rule: as carriers, when: {recipient: e@bridge.test}, to: ivan, key: "{{ carrier_text }}"}
  - {rule: too much, when: {recipient: f@bridge.test}, to: ivan, key: "{{ text }}{{ text }}{{ text }}{{ text }}"}
"""
NOW = datetime(2026, 11, 21, 3, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made: Path = tmp_path_factory.mktemp("office")
    (made / "config.yaml").write_text(CONFIG)
    (made / "rules").mkdir()
    (made / "rules" / "10.yaml").write_text(RULES)
    return made


@pytest.fixture(scope="module")
def book(folder: Path) -> RuleBook:
    return load_book(folder / "config.yaml").require()


def key_of(book: RuleBook, rule: str, text: str) -> str:
    """What *rule* makes of a mail with *text*."""
    head = b"From: boiler@district.test\r\nSubject: Boiler 3\r\n\r\n"
    mail = StoredMail(1, Envelope(head + text.encode(), NOW, "boiler@district.test", ()))
    reading = read(mail, book)
    return book.key(rule, reading.events[0].event, {}, reading)


def test_a_key_may_be_made_of_the_mail_itself(book: RuleBook) -> None:
    assert key_of(book, "by mail", "low water") == "boiler@district.test/Boiler 3/low water/boiler"
    assert key_of(book, "as carriers", "low water") == "(Boiler 3) low water"
    assert key_of(book, "told", "low water") == ""


def test_a_key_of_a_whole_text_is_cut_and_stays_its_own(book: RuleBook) -> None:
    one, other = (key_of(book, "as carriers", "x" * 5_000 + end) for end in "ab")
    assert one != other
    assert max(len(one), len(other)) < 520
    assert one == key_of(book, "as carriers", "x" * 5_000 + "a")


def test_a_key_that_cannot_be_made_of_this_mail_is_none(book: RuleBook) -> None:
    assert key_of(book, "too much", "x" * 30_000) == ""


def test_the_longest_prefix_wins_and_default_is_the_last_resort() -> None:
    table = {"+7": 1, "+7701": 2, "default": 3}
    assert [longest_prefix(table, phone) for phone in ("+77010000001", "+79990000000", "+4917600000")] == [
        "+7701", "+7", "default",
    ]  # fmt: skip
    assert longest_prefix({"+7": 1}, "+49176") == ""


def test_a_rule_s_own_chain_beats_that_of_the_configuration(book: RuleBook) -> None:
    told, own = book.action("told"), book.action("own")
    assert book.chain(told, "+77010000001") == ("local", "world")
    assert book.chain(told, "+4917600000001") == ("world",)
    assert book.chain(own, "+77010000001") == ("world",)


def test_only_a_chain_with_a_number_can_be_answered(book: RuleBook) -> None:
    assert book.answerable(("local", "world"))
    assert not book.answerable(("world",))
    assert book.number(("world", "local")) == "+77770000000"


def test_prices_are_those_of_the_first_provider_for_the_number(book: RuleBook) -> None:
    assert book.price(("local",), "+77010000001", 2) == (Decimal("28.00"), "KZT")
    assert book.price(("local",), "+79990000000", 1) == (Decimal("20.00"), "KZT")
    assert book.price(("world",), "+77010000001", 1)[0] is None


def test_nobody_is_meant_twice_by_one_rule(book: RuleBook) -> None:
    action = book.action("own")
    assert action is not None
    found = book.targets(action, (), NOW)
    assert [target.phone for target in found.people] == ["+77010000001", "+77010000002"]


def test_to_nobody_is_said_and_not_a_hole(book: RuleBook) -> None:
    action = book.action("nobody")
    assert action is not None
    found = book.targets(action, (), NOW)
    assert (found.people, found.reasons, found.nobody) == ((), (), True)


def test_people_have_names_languages_and_zones_of_their_own(book: RuleBook) -> None:
    assert book.person_of("+77010000001") == "aigul"
    assert book.person_of("+77019999999") == ""
    assert [book.name("aigul"), book.name("ivan")] == ["Айгуль", "ivan"]
    assert [book.language("aigul"), book.language("ivan")] == ["kk", "ru"]
    assert [str(book.zone("aigul")), str(book.zone(""))] == ["Europe/Berlin", "Asia/Almaty"]


def test_a_rule_nobody_has_has_no_action(book: RuleBook) -> None:
    assert book.action("gone") is None


def test_T38_the_digest_names_exactly_this_book(folder: Path, book: RuleBook, tmp_path: Path) -> None:
    again = load_book(folder / "config.yaml").require()
    (tmp_path / "config.yaml").write_text(CONFIG)
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "10.yaml").write_text(RULES.replace("to: nobody", "to: ivan"))
    other = load_book(tmp_path / "config.yaml").require()
    assert again.digest == book.digest != other.digest
    for name in ("templates/night.j2", "producers/device.yaml"):
        path = tmp_path / "rules" / name
        path.parent.mkdir()
        path.write_text("producer: device\nrecognise: {subject: x}\nevents: {}\n")
        another = load_book(tmp_path / "config.yaml").require()
        assert another.digest != other.digest
        other = another


def test_F14_a_book_with_one_mistake_is_no_book_and_all_mistakes_are_said(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text(CONFIG.replace("+77010000002", "8701"))
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "10.yaml").write_text(RULES.replace("to: both", "to: bath"))
    with pytest.raises(ConfigError) as refused:
        load_book(tmp_path / "config.yaml").require()
    said = "\n".join(refused.value.problems)
    assert "config.yaml:" in said
    assert "10.yaml:3:" in said
    assert "bath" in said


def test_a_template_without_a_code_is_warned_of_once_as_a_text_is(tmp_path: Path) -> None:
    (tmp_path / "rules" / "templates").mkdir(parents=True)
    (tmp_path / "config.yaml").write_text(CONFIG)
    (tmp_path / "rules" / "templates" / "bare.j2").write_text("{{ title }}")
    (tmp_path / "rules" / "templates" / "coded.j2").write_text("{{ title }} {{ code }}")
    (tmp_path / "rules" / "10.yaml").write_text(
        "rules:\n"
        "  - {rule: bulk, to: ivan, class: bulk, template: bare, when: {host: a}}\n"
        "  - {rule: coded, to: ivan, template: coded, when: {host: b}}\n"
        "  - {rule: not answerable, to: ivan, template: bare, send_via: world, when: {host: c}}\n"
        "  - {rule: parent, to: ivan, template: bare, when: {host: d}, rules: [{rule: child, when: {title: x}}]}\n"
    )
    warnings = [one for one in load_book(tmp_path / "config.yaml").warnings if "{{ code }}" in one]
    warnings = [one.removeprefix(f"{tmp_path}/") for one in warnings]
    sentence = "answers are possible, and the text shows no {{ code }}; with two alerts open the bridge asks back"
    assert warnings == [f"rules/10.yaml:5:40 template: {sentence}"]
