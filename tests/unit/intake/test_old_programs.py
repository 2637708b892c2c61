from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bridge.book import RuleBook
from bridge.book.loading import load_book
from bridge.config.secrets import SecretText
from bridge.errors import ConfigError
from bridge.intake.old_programs import kept
from bridge.intake.passwords import NONE, Passwords, at_hand, resolved, stand_ins
from bridge.intake.read import read
from bridge.model import Envelope, Reading, Recipient, StoredMail

CONFIG = """
listen: [{door: smtp, address: "127.0.0.1:2525", trust: 127.0.0.0/8}]
domains: send.smsc.kz
operator: {mail: operator@bridge.test}
sources:
  erp: {network: 127.0.0.4, smsc: {login: trade, password: {env: OLD_PASSWORD}}, default_charset: koi8-r}
  till: {network: 127.0.0.5, smsc: {apikey: {env: OLD_KEY}}}
  other: {network: 127.0.0.6}
region: KZ
timezone: Asia/Almaty
currency: KZT
people: {aigul: {phone: "+77010000001"}}
providers: {smsc: {type: smsc-http, base_url: "https://smsc.kz", login: x, password: {env: X}}}
budgets: {total: {money: 1000 KZT/day}}
"""
RULES = """
rules:
  - rule: old
    when: {door: smsc-mail}
    to: recipient
    numbers: {prefixes: ["+77"], at_most: 5}
    track: false
    text: "{{ text }}"
  - {rule: alerts, when: {recipient: "alerts@*"}, to: aigul}
"""
PASSWORD = "s3cret-of-2009"
HEAD = b"From: erp@trade.test\r\nMessage-ID: <1@trade.test>\r\nSubject: s\r\n"


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> RuleBook:
    folder: Path = tmp_path_factory.mktemp("trade")
    (folder / "config.yaml").write_text(CONFIG)
    (folder / "rules").mkdir()
    (folder / "rules" / "10.yaml").write_text(RULES)
    return load_book(folder / "config.yaml").require()


@pytest.fixture(scope="module")
def passwords(book: RuleBook) -> Passwords:
    smsc = [way.smsc for ways in book.config.sources.values() for way in ways if way.smsc]
    secrets = [one.password or one.apikey for one in smsc]
    return Passwords({secret: SecretText(PASSWORD) for secret in secrets if secret})


Hand = Callable[..., Reading]


def _envelope(body: bytes, *to: str, peer: str = "127.0.0.4", head: bytes = b"") -> Envelope:
    recipients = tuple(Recipient(f"{name}@send.smsc.kz") for name in to or ("send",))
    at = datetime(2026, 11, 21, 3, 12, tzinfo=UTC)
    return Envelope(HEAD + head + b"\r\n" + body, at, "erp@trade.test", recipients, peer=peer)


@pytest.fixture
def hand(book: RuleBook, passwords: Passwords) -> Hand:
    def make(body: str | bytes, *to: str, peer: str = "127.0.0.4", head: bytes = b"") -> Reading:
        content = body if isinstance(body, bytes) else body.encode("koi8-r")
        return read(StoredMail(7, _envelope(content, *to, peer=peer, head=head)), book, passwords=passwords)

    return make


def _line(phones: str, text: str, *, login: str = "trade", password: str = PASSWORD) -> str:
    return f"{login}:{password}:0:0:0,0,:{phones}:{text}"


def test_the_phones_of_the_line_are_the_recipients_and_its_text_is_the_text(hand: Hand) -> None:
    reading = hand(_line("77010000031,87010000032", "Заказ 1542: готов"))
    (routed,) = reading.events
    (route,) = routed.routes
    assert (reading.refused, reading.text, route.rule) == ("", "Заказ 1542: готов", "old")
    assert route.recipients == ("+77010000031@send.smsc.kz", "+77010000032@send.smsc.kz")
    assert (route.event.title, route.event.producer) == ("Заказ 1542: готов", "generic")
    assert routed.left == ()


def test_an_api_key_is_a_line_that_begins_with_a_colon(hand: Hand) -> None:
    assert hand(_line("77010000031", "x", login=""), peer="127.0.0.5").refused == ""
    assert hand(_line("77010000031", "x"), peer="127.0.0.5").refused == "wrong login or password"


@pytest.mark.parametrize(
    "line",
    [
        _line("77010000031", "x", password="wrong"),
        _line("77010000031", "x", login="TRADE"),
        _line("77010000031", "x", password=PASSWORD[:-1]),
        _line("77010000031", "x", password="***"),
        _line("77010000031", "x", login=""),
    ],
)
def test_T03_a_wrong_login_or_password_reaches_no_rule(hand: Hand, line: str) -> None:
    reading = hand(line)
    assert reading.refused == "wrong login or password"
    assert [routed.routes for routed in reading.events] == [()]


def test_T03_without_its_secret_every_password_is_wrong(book: RuleBook) -> None:
    mail = StoredMail(7, _envelope(_line("77010000031", "x").encode()))
    assert read(mail, book).refused == "wrong login or password"
    assert read(mail, book, passwords=NONE).refused == "wrong login or password"


def test_T12_what_is_no_line_is_refused(hand: Hand) -> None:
    assert hand("Dear provider, please send this").refused == "wrong format"
    assert hand(_line("", "77010000009:x")).refused == "a list in the text is not taken"


def test_a_source_without_smsc_has_no_such_door(hand: Hand) -> None:
    reading = hand(_line("77010000031", "x"), peer="127.0.0.6")
    assert reading.refused == ""
    assert [route.rule for routed in reading.events for route in routed.routes] == []


def test_other_recipients_of_the_same_mail_see_the_text_without_the_line(hand: Hand) -> None:
    reading = hand(_line("77010000031", "hello"), "send", "alerts")
    told = {route.rule: route.recipients for routed in reading.events for route in routed.routes}
    assert told == {"old": ("+77010000031@send.smsc.kz",), "alerts": ("alerts@send.smsc.kz",)}
    assert PASSWORD not in repr(reading)


@pytest.mark.parametrize("password", [PASSWORD, "a-mistyped-one"])
@pytest.mark.parametrize("cut", [1_000, 60, 30])
def test_T29_nothing_of_the_reading_holds_a_password(hand: Hand, password: str, cut: int) -> None:
    line = _line("77010000031", f"x {PASSWORD}", password=password)[:cut]
    shown = repr(hand(line, head=f"X-Note: {PASSWORD}\r\n".encode()))
    assert password[:12] not in shown
    assert PASSWORD not in shown


@pytest.mark.parametrize("password", [PASSWORD, "a-mistyped-one"])
@pytest.mark.parametrize("encoding", ["8bit", "base64"])
def test_T29_the_bytes_that_are_kept_hold_no_password(
    book: RuleBook, passwords: Passwords, encoding: str, password: str
) -> None:
    line = _line("77010000031", "Заказ", password=password).encode("koi8-r")
    head = b"Content-Type: text/plain;\r\n charset=koi8-r\r\nContent-Transfer-Encoding: " + encoding.encode() + b"\r\n"
    head += f"X-Note: {PASSWORD}\r\n".encode()
    envelope = _envelope(base64.encodebytes(line) if encoding == "base64" else line, head=head)
    masked = kept(envelope, book, passwords)
    assert masked is not None
    assert password.encode() not in masked
    assert PASSWORD.encode() not in masked
    assert base64.b64encode(line)[:30] not in masked
    again = StoredMail(7, Envelope(masked, envelope.received_at, "", envelope.recipients, peer="127.0.0.4"))
    reading = read(again, book, passwords=Passwords(trusting=True))
    assert (reading.text, reading.refused, reading.subject) == ("Заказ", "", "s")


def test_ordinary_mails_are_kept_as_they_came(book: RuleBook, passwords: Passwords) -> None:
    assert kept(_envelope(b"a:b:c", "alerts"), book, passwords) is None
    assert kept(_envelope(b"a:b:c", peer="127.0.0.6"), book, passwords) is None


def test_T30_run_does_not_begin_without_the_passwords(book: RuleBook, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OLD_PASSWORD", raising=False)
    monkeypatch.setenv("OLD_KEY", "with:colon")
    with pytest.raises(ConfigError) as caught:
        resolved(book.config)
    assert caught.value.problems == (
        "sources.erp.smsc.password: the environment variable OLD_PASSWORD is not set",
        'sources.till.smsc.apikey: holds ":", which the mail format of smsc uses between its fields',
    )
    monkeypatch.setenv("OLD_PASSWORD", PASSWORD)
    monkeypatch.setenv("OLD_KEY", "key-without")
    assert len(resolved(book.config).secrets) == 2


def test_who_explains_a_mail_needs_no_secret_but_uses_one(book: RuleBook, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OLD_PASSWORD", raising=False)
    monkeypatch.delenv("OLD_KEY", raising=False)
    mail = StoredMail(7, _envelope(_line("77010000031", "x").encode()))
    wrong = StoredMail(7, _envelope(_line("77010000031", "x", password="wrong").encode()))
    assert read(wrong, book, passwords=at_hand(book.config)).refused == ""
    monkeypatch.setenv("OLD_PASSWORD", PASSWORD)
    assert read(mail, book, passwords=at_hand(book.config)).refused == ""
    assert read(wrong, book, passwords=at_hand(book.config)).refused == "wrong login or password"
    assert read(mail, book, passwords=stand_ins(book.config)).refused == "wrong login or password"
