"""The grammars of FORMAT §2: what is read, and the sentence for what is not."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from ipaddress import ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.config import addresses, amounts, names, spans
from bridge.config.units import (
    Address,
    CountIn,
    DateSpan,
    Handover,
    HostPort,
    Hours,
    MailTarget,
    Moment,
    Money,
    MoneyRate,
    NumberRange,
    Rate,
    Relay,
    Who,
)
from bridge.config.zones import new_name, parse_zone

READ: list[tuple[Callable[[str], object], str, object]] = [
    (spans.parse_duration, "30s", timedelta(seconds=30)),
    (spans.parse_duration, "1h30m", timedelta(minutes=90)),
    (spans.parse_duration, "7d", timedelta(days=7)),
    (spans.parse_duration, "2w", timedelta(days=14)),
    (spans.parse_duration, "5y", timedelta(days=5 * 365)),
    (spans.parse_turn, "12h", timedelta(hours=12)),
    (spans.parse_repeat, "never", "never"),
    (spans.parse_repeat, "2h", timedelta(hours=2)),
    (spans.parse_rate, "30/s", Rate(30, timedelta(seconds=1))),
    (spans.parse_rate, "5/15m", Rate(5, timedelta(minutes=15))),
    (spans.parse_rate, "300/h", Rate(300, timedelta(hours=1))),
    (spans.parse_rate, "200/24h", Rate(200, timedelta(hours=24))),
    (spans.parse_rate, "200/day", Rate(200, None, "day")),
    (spans.parse_rate, "7/week", Rate(7, None, "week")),
    (spans.parse_rate, "60 / month", Rate(60, None, "month")),
    (spans.parse_count_in, "3 in 5m", CountIn(3, timedelta(minutes=5))),
    (spans.parse_time, "07:00", time(7)),
    (spans.parse_hours, "20:00-08:00", Hours(1200, 480)),
    (spans.parse_hours, "00:00-24:00", Hours(0, 1440)),
    (spans.parse_hours, "20:00 - 08:00", Hours(1200, 480)),
    (spans.parse_date, "2026-03-21", date(2026, 3, 21)),
    (spans.parse_dates, "2026-03-21..2026-03-23", DateSpan(date(2026, 3, 21), date(2026, 3, 23))),
    (spans.parse_dates, "2026-03-21", DateSpan(date(2026, 3, 21), date(2026, 3, 21))),
    (spans.parse_moment, "2026-11-21 02:15", Moment(datetime(2026, 11, 21, 2, 15))),  # noqa: DTZ001
    (spans.parse_moment, "2026-11-21 02:15:30", Moment(datetime(2026, 11, 21, 2, 15, 30))),  # noqa: DTZ001
    (spans.parse_moment, "2026-11-21 02:15 Asia/Almaty", Moment(datetime(2026, 11, 21, 2, 15), "Asia/Almaty")),  # noqa: DTZ001
    (spans.parse_moment, "2026-10-25 00:30 UTC", Moment(datetime(2026, 10, 25, 0, 30), "UTC")),  # noqa: DTZ001
    (spans.parse_handover, "Mon 09:00", Handover(0, 540)),
    (spans.parse_handover, "sun 02:30", Handover(6, 150)),
    (spans.parse_handover, "09:00", Handover(None, 540)),
    (amounts.parse_money, "12.50 KZT", Money(Decimal("12.50"), "KZT")),
    (amounts.parse_money_rate, "5000 KZT/day", MoneyRate(Money(Decimal(5000), "KZT"), None, "day")),
    (amounts.parse_money_rate, "5.00 USD/12h", MoneyRate(Money(Decimal("5.00"), "USD"), timedelta(hours=12))),
    (amounts.parse_percent, "20%", 20),
    (amounts.parse_size, "10MB", 10_000_000),
    (amounts.parse_size, "500 kB", 500_000),
    (amounts.parse_range, "10-99", NumberRange(10, 99)),
    (names.parse_phone, "+7 701 000-00-01", "+77010000001"),
    (names.parse_phone, "+7 (701) 0000001", "+77010000001"),
    (names.parse_our_number, "1414", "1414"),
    (names.parse_prefix, "+7701", "+7701"),
    (names.parse_network, "10.0.0.5", ip_network("10.0.0.5")),
    (names.parse_network, "::1", ip_network("::1")),
    (names.parse_sender, "SHOP-IT", "SHOP-IT"),
    (names.parse_sender, "77010009000", "77010009000"),
    (names.parse_name, "Ночная-смена_2.a", "ночная-смена_2.a"),
    (names.parse_charset, "CP1251", "cp1251"),
    (names.parse_domain, "SMS.Example.KZ", "sms.example.kz"),
    (names.parse_mail_address, "It@Example.KZ", "It@example.kz"),
    (names.parse_who, "aigul", Who("name", "aigul")),
    (names.parse_who, "on-call DBA-night", Who("on-call", "dba-night")),
    (names.parse_who, "next dba", Who("next", "dba")),
    (names.parse_who, "+77010000001", Who("phone", "+77010000001")),
    (names.parse_who, "+7 701 000 00 01", Who("phone", "+77010000001")),
    (names.parse_who, "recipient", Who("recipient")),
    (names.parse_who, "nobody", Who("nobody")),
    (names.parse_reply_target, "thread", MailTarget("thread")),
    (names.parse_reply_target, "dba", MailTarget("name", "dba")),
    (names.parse_mail_target, "sender", MailTarget("sender")),
    (names.parse_mail_target, "it@example.kz", MailTarget("address", "it@example.kz")),
    (addresses.parse_address, "0.0.0.0:25", Address("tcp", "0.0.0.0", 25)),
    (addresses.parse_address, "[::1]:2525", Address("tcp", "::1", 2525)),
    (addresses.parse_address, "unix:/run/x", Address("unix", path="/run/x")),
    (addresses.parse_address, "socket:smtp", Address("systemd", path="smtp")),
    (addresses.parse_address, "/var/spool/in", Address("folder", path="/var/spool/in")),
    (addresses.parse_relay, "smtp://mail.example.kz", Relay("smtp", "mail.example.kz", 25)),
    (addresses.parse_relay, "smtps://mail.example.kz", Relay("smtps", "mail.example.kz", 465)),
    (addresses.parse_relay, "smtp://[::1]:2525", Relay("smtp", "::1", 2525)),
    (addresses.parse_relay_or_mx, "smtps://[::1]", Relay("smtps", "::1", 465)),
    (addresses.parse_relay_or_mx, "mx", Relay("smtp", "", 25)),
    (addresses.parse_host_port, "smpp.example.kz:3443", HostPort("smpp.example.kz", 3443)),
    (addresses.parse_url, "https://smsc.kz/", "https://smsc.kz"),
    (addresses.parse_store_url, "sqlite:///var/lib/x.db", "sqlite:///var/lib/x.db"),
]


@pytest.mark.parametrize(("parse", "text", "value"), READ, ids=lambda one: str(getattr(one, "__name__", one))[:30])
def test_what_the_reference_allows_is_read(parse: Callable[[str], object], text: str, value: object) -> None:
    assert parse(text) == value


REFUSED: list[tuple[Callable[[str], object], str, str]] = [
    (spans.parse_duration, "10", '"10" of what? write 10m'),
    (spans.parse_duration, "10min", 'a length of time, like 30s, 10m or 1h30m; found "10min"'),
    (spans.parse_duration, "-5m", 'a length of time, like 30s, 10m or 1h30m; found "-5m"'),
    (spans.parse_duration, "٣m", 'a length of time, like 30s, 10m or 1h30m; found "٣m"'),
    (spans.parse_duration, "999999999y", '"999999999y" is longer than 200 years'),
    (spans.parse_turn, "90m", 'hours, days or weeks, like 12h or 1w; found "90m"'),
    (spans.parse_rate, "ten", 'a count and a span, like 10/15m; found "ten"'),
    (spans.parse_rate, "10/15min", 'a count and a span, like 10/15m; found "10/15min"'),
    (spans.parse_rate, "x/day", 'a count and a span, like 10/15m; found "x/day"'),
    (spans.parse_count_in, "3/5m", 'a count in a time, like 3 in 5m; found "3/5m"'),
    (spans.parse_time, "24:00", "24:00 is only an end of hours; write 00:00"),
    (spans.parse_time, "7:00", 'a time of day, like 07:30; found "7:00"'),
    (spans.parse_hours, "20-8", '"20-8" is not a span; write "20:00-08:00"'),
    (spans.parse_hours, "9-18", '"9-18" is not a span; write "09:00-18:00"'),
    (spans.parse_hours, "at night", '"at night" is not a span; write "20:00-08:00"'),
    (spans.parse_hours, "24:00-08:00", "24:00 is only an end; begin at 00:00"),
    (spans.parse_date, "2026-02-30", 'a date, like 2026-03-21; found "2026-02-30"'),
    (spans.parse_dates, "2026-03-21..2026-03-20", '"2026-03-21..2026-03-20" ends before it begins'),
    (spans.parse_moment, "2026-11-21", 'a date and a time, like 2026-11-21 02:15; found "2026-11-21"'),
    (spans.parse_handover, "Monday 09:00", 'a day and a time, like Mon 09:00, or a time; found "Monday 09:00"'),
    (amounts.parse_money, "12,50 KZT", 'an amount and a currency, like 12.50 KZT; found "12,50 KZT"'),
    (amounts.parse_money, "1.00001 KZT", 'an amount and a currency, like 12.50 KZT; found "1.00001 KZT"'),
    (amounts.parse_money_rate, "2000/day", 'money and a span, like 5000 KZT/day; found "2000/day"'),
    (amounts.parse_percent, "120%", 'a part of hundred, like 20%; found "120%"'),
    (amounts.parse_size, "10 Mb", 'a size, like 10MB or 500kB; found "10 Mb"'),
    (amounts.parse_range, "99-10", 'two numbers, like 10-99; found "99-10"'),
    (names.parse_phone, "07010000001", '"07010000001" is not an international number; write + and 7 to 15 digits'),
    (names.parse_phone, "+7701٠٠٠٠٠٠١", '"+7701٠٠٠٠٠٠١" is not an international number; write + and 7 to 15 digits'),
    (names.parse_prefix, "7701", 'a prefix, + and 1 to 15 digits, like "+7701"; found "7701"'),
    (names.parse_network, "10.0.0.5/8", '"10.0.0.5/8" is no network like 10.0.0.0/8; write 10.0.0.0/8'),
    (names.parse_network, "10.0.0", '"10.0.0" is no network like 10.0.0.0/8'),
    (names.parse_sender, "ACME-ALERTS-KZ", '"ACME-ALERTS-KZ" has 14 characters; letters and digits, 11 at most'),
    (names.parse_sender, "СТРОЙ", '"СТРОЙ" cannot be a sender; Latin letters and digits, 11 at most'),
    (names.parse_sender, "1234567890123456", '"1234567890123456" has 16 digits; 15 at most'),
    (names.parse_name, "two words", 'a name of letters, digits, -, _ and . without blanks; found "two words"'),
    (names.parse_title, "a: b", 'a name without colon; found "a: b"'),
    (names.parse_charset, "latin99", '"latin99" is no charset; write one like utf-8 or koi8-r'),
    (names.parse_who, "team dba", 'a person, a team, on-call ROTA, next ROTA or a phone; found "team dba"'),
    (names.parse_field, "hsot", "a field of the event (host, service, severity, state, title, detail, key, source, producer, from, recipient or label.X); found \"hsot\""),  # noqa: E501
    (addresses.parse_address, "25", 'a host and a port, like 0.0.0.0:25; found "25"'),
    (addresses.parse_address, "::1:25", 'a host and a port, like 0.0.0.0:25; found "::1:25"'),
    (addresses.parse_address, "host:99999", 'a host and a port, like 0.0.0.0:25; found "host:99999"'),
    (addresses.parse_relay, "mail.kz", 'a mail server, like smtp://mail.example.kz:25; found "mail.kz"'),
    (addresses.parse_relay, "mx", "a mail server, like smtp://mail.example.kz:25; mx is for type: smsc-smtp"),
    (addresses.parse_relay_or_mx, "MX", 'a mail server, like smtp://mail.example.kz:25, or mx; found "MX"'),
    (addresses.parse_relay_or_mx, "mx://a.kz", 'a mail server, like smtp://mail.example.kz:25; found "mx://a.kz"'),
    (addresses.parse_url, "smsc.kz", 'a URL, like https://sms.example.kz; found "smsc.kz"'),
    (addresses.parse_url, "https://a:b@smsc.kz", "a URL must not carry a login or a password"),
    (addresses.parse_store_url, "sqlite://x.db",
     '"sqlite://x.db" names no absolute path; write sqlite:///var/lib/smsbridge/bridge.db'),
    (addresses.parse_store_url, "postgresql://a:b@h/d",
     "a password stands in the URL; write it under password: {credential: NAME}"),
    (parse_zone, "Asia/Almata", '"Asia/Almata" is no time zone; did you mean Asia/Almaty?'),
    (parse_zone, "../../etc/passwd", '"../../etc/passwd" is no time zone; write one like Asia/Almaty'),
]  # fmt: skip


@pytest.mark.parametrize(
    ("parse", "text", "sentence"), REFUSED, ids=lambda one: str(getattr(one, "__name__", one))[:30]
)
def test_what_is_refused_gets_a_sentence_that_says_what_is_right(
    parse: Callable[[str], object], text: str, sentence: str
) -> None:
    with pytest.raises(ValueError) as caught:
        parse(text)
    assert str(caught.value) == sentence


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("Mon-Fri", {0, 1, 2, 3, 4}),
        ("Fri-Mon", {4, 5, 6, 0}),
        ("sat", {5}),
        ("Sun-Sun", {6}),
    ],
)
def test_days_may_be_a_range_over_the_end_of_the_week(text: str, days: set[int]) -> None:
    assert spans.parse_days((text,)) == days


def test_days_refuse_other_words() -> None:
    with pytest.raises(ValueError, match="days of the week"):
        spans.parse_days(("Mon", "Weekend"))


@pytest.mark.parametrize(
    ("text", "region", "meant"),
    [
        ("87010000001", "KZ", "+77010000001"),
        ("8 (701) 000-00-01", "KZ", "+77010000001"),
        ("9075550142", "US", "+19075550142"),
        ("77010000001", None, "+77010000001"),
    ],
)
def test_a_national_number_is_refused_with_the_international_one(text: str, region: str | None, meant: str) -> None:
    with pytest.raises(ValueError, match="did you mean") as caught:
        names.parse_phone(text, region)
    assert f"did you mean {meant.replace('+', '+')}?" in str(caught.value)


@pytest.mark.parametrize(
    ("old", "new"),
    [("Europe/Kiev", "Europe/Kyiv"), ("Asia/Calcutta", "Asia/Kolkata"), ("US/Eastern", "America/New_York")],
)
def test_old_zones_are_known_by_their_new_names(old: str, new: str) -> None:
    assert new_name(old) == new


@pytest.mark.parametrize("zone", ["Asia/Almaty", "Asia/Aqtau", "UTC", "Etc/UTC", "Australia/Lord_Howe"])
def test_zones_of_today_are_no_old_ones(zone: str) -> None:
    assert parse_zone(zone) == zone
    assert new_name(zone) == ""


PARSERS = sorted({parse for parse, _, _ in REFUSED}, key=lambda parse: parse.__name__)


@pytest.mark.parametrize(
    "parse", [addresses.parse_relay, addresses.parse_relay_or_mx, addresses.parse_url, addresses.parse_store_url]
)
@pytest.mark.parametrize(
    "text", ["smtp//u:hunter2@h", "http//u:hunter2@h", "mysql://u:hunter2@h/d", "smtp://u:hunter2@h"]
)
def test_T29_a_password_in_a_url_is_not_quoted(parse: Callable[[str], object], text: str) -> None:
    with pytest.raises(ValueError) as caught:
        parse(text)
    assert "hunter2" not in str(caught.value)


@given(st.sampled_from(PARSERS), st.text(max_size=40))
def test_T20_any_text_gives_a_value_or_a_sentence(parse: Callable[[str], object], text: str) -> None:
    with suppress(ValueError):
        parse(text)


@pytest.mark.parametrize("parse", PARSERS, ids=lambda parse: parse.__name__)
def test_a_sentence_is_one_line_and_not_long(parse: Callable[[str], object]) -> None:
    with pytest.raises(ValueError) as caught:
        parse("two\nlines " * 20)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 200
