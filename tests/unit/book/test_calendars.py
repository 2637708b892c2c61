"""iCalendars of a configuration: read with the book, warned of before they leave nobody on call."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from bridge.book.adding import with_rules
from bridge.book.loading import LoadedBook, load_book
from bridge.config.load import load
from bridge.errors import ConfigError

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
CONFIG = """\
listen: [{door: smtp, address: "127.0.0.1:2525", trust: 127.0.0.1}]
domains: sms.example.kz
operator: {mail: it@example.kz}
region: KZ
timezone: Asia/Almaty
people:
  aigul: {phone: "+77010000001", name: Айгүл}
  ivan: {phone: "+77010000002"}
providers: {p: {type: smsc-http, base_url: "https://smsc.kz", login: a, password: {env: P}, currency: KZT}}
"""
RULES = "rules: [{rule: all, to: on-call duty}]\n"


def house(folder: Path, more: str, *events: str) -> LoadedBook:
    (folder / "rules").mkdir(exist_ok=True)
    (folder / "rules" / "10.yaml").write_text(RULES)
    (folder / "config.yaml").write_text(CONFIG + more)
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//example//EN"]
    for number, event in enumerate(events):
        lines += ["BEGIN:VEVENT", f"UID:{number}@x", "DTSTAMP:20260101T000000Z", *event.split("; "), "END:VEVENT"]
    (folder / "duty.ics").write_text("\r\n".join([*lines, "END:VCALENDAR", ""]))
    return load_book(folder / "config.yaml")


SHIFTS = (
    "SUMMARY:aigul; DTSTART:20261101T090000; DTEND:20261201T090000",
    "SUMMARY:Petya; DTSTART:20261201T090000; DTEND:20261208T090000",
    "SUMMARY:Ivan; DTSTART:20261208T090000; DTEND:20270301T090000",
)


def test_a_rota_of_a_file_is_known_with_the_book(tmp_path: Path) -> None:
    book = house(tmp_path, "rotas: {duty: {ical: {file: duty.ics}, otherwise: ivan}}\n", *SHIFTS).require()
    assert book.people.rotas.who("duty", NOW) == "aigul"


def test_holes_of_the_next_days_and_strangers_are_warned_of(tmp_path: Path) -> None:
    loaded = house(tmp_path, "rotas: {duty: {ical: {file: duty.ics}, otherwise: ivan}}\n", *SHIFTS)
    assert [warning.partition("duty.ical: ")[2] for warning in loaded.ahead(NOW)] == [
        '"Petya" is nobody here; a title is a person\'s key, name or email',
        "nobody from 2026-12-01 09:00 to 2026-12-08 09:00; otherwise has it",
    ]
    assert loaded.ahead(NOW)[0].startswith(f"{tmp_path}/config.yaml:10:")


def test_many_holes_are_counted_and_a_rota_without_otherwise_says_who_gets_them(tmp_path: Path) -> None:
    shifts = "SUMMARY:ivan; DTSTART:20261101T090000; DTEND:20261101T180000; RRULE:FREQ=DAILY"
    loaded = house(tmp_path, "rotas: {duty: {ical: {file: duty.ics}}}\n", shifts)
    (hole,) = loaded.ahead(NOW)
    assert "and 87 more; the operator gets it; say who then: otherwise: NAME" in hole
    narrow = "rotas: {duty: {ical: {file: duty.ics}, hours: '09:00-18:00', otherwise: ivan}}\n"
    assert house(tmp_path, narrow, shifts).ahead(NOW) == ()  # nobody is wanted then


def test_a_url_is_left_to_the_application(tmp_path: Path) -> None:
    more = 'rotas: {duty: {ical: {url: "https://example.kz/duty.ics"}, otherwise: ivan}}\n'
    loaded = house(tmp_path, more, *SHIFTS)
    book = loaded.require()
    feeds = book.people.rotas.feeds
    assert (feeds.urls, loaded.ahead(NOW)) == (("https://example.kz/duty.ics",), ())
    assert book.people.rotas.who("duty", NOW) is None
    feeds.take("https://example.kz/duty.ics", (tmp_path / "duty.ics").read_bytes())
    assert book.people.rotas.who("duty", NOW) == "aigul"


def test_F17_a_calendar_of_a_file_narrows_a_rule(tmp_path: Path) -> None:
    more = "rotas: {duty: {members: ivan}}\ncalendars: {feasts: {ical: {file: duty.ics}}}\n"
    more += "windows: {feast: {calendar: feasts}}\n"
    book = house(tmp_path, more, "SUMMARY:x; DTSTART;VALUE=DATE:20261216; RRULE:FREQ=YEARLY").require()
    assert book.windows.inside("feast", datetime(2030, 12, 15, 20, tzinfo=UTC))  # the 16th in Almaty
    assert not book.windows.inside("feast", datetime(2030, 12, 15, 18, tzinfo=UTC))


def test_a_rule_that_is_only_written_yet_is_tried_without_a_file(tmp_path: Path) -> None:
    house(tmp_path, "rotas: {duty: {members: ivan}}\n")
    loaded = load(tmp_path / "config.yaml")
    tried = with_rules(loaded, "05-new.yaml", "rules: [{rule: new, when: {host: db1}, to: aigul}]\n")
    assert list(tried.require().rules.by_name) == ["new", "all"]  # in the order of file names
    late = with_rules(loaded, "20-new.yaml", "rules: [{rule: new, when: {host: db1}, to: aigul}]\n")
    assert any('"new": never asked' in warning for warning in late.warnings)
    assert "nobody is called" in with_rules(loaded, "05.yaml", "rules: [{rule: x, to: nix}]\n").errors[0]
    with pytest.raises(ConfigError, match="colour: no such key"):
        with_rules(loaded, "05.yaml", "rules: [{rule: x, to: ivan, colour: red}]\n")
    assert [path.name for path in (tmp_path / "rules").iterdir()] == ["10.yaml"]
