"""``parse``: any bytes become an Email."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from bridge.mail import mime
from bridge.mail.parse import CONTENT, parse
from bridge.model import Envelope

Wrap = Callable[..., Envelope]


def test_reads_the_fields_a_rule_may_ask(wrap: Wrap) -> None:
    content = (
        b"From: =?utf-8?B?0JjQstCw0L0=?= <Ivan@Shop.Example>\r\nSubject: Disk\r\n full\r\nMessage-ID: <1@shop>\r\n"
        b"References: <a@x> <b@x>\r\nIn-Reply-To: <b@x>\r\nDate: Sat, 21 Nov 2026 02:15:00 +0500\r\n"
        b"X-Prio: 1\r\nX-Prio: =?utf-8?q?=D0=B4=D0=B2=D0=B0?=\r\n\r\nHost: db01\r\nSeverity: High\r\n"
    )
    email = parse(wrap(content))
    assert (email.from_address, email.from_name, email.subject) == ("ivan@shop.example", "Иван", "Disk full")
    assert (email.message_id, email.references) == ("<1@shop>", ("<a@x>", "<b@x>"))
    assert email.date == "Sat, 21 Nov 2026 02:15:00 +0500"
    assert email.headers["x-prio"] == ("1", "два")
    assert email.text == "Host: db01\nSeverity: High"
    assert (email.size, email.automatic, email.problems) == (len(content), "", ())


@pytest.mark.parametrize("end", [b"\r\n", b"\n", b"\r"])
def test_every_kind_of_line_end_is_read(wrap: Wrap, end: bytes) -> None:
    email = parse(wrap(end.join([b"Subject: x", b"", b"one", b"two"])))
    assert (email.subject, email.text) == ("x", "one\ntwo")


@pytest.mark.parametrize("content", [b"", b"\n", b"\r\n\r\n", b"\x00" * 100, b":", b"From", b"\xff\xfe\xfd"])
def test_no_bytes_are_too_odd(wrap: Wrap, content: bytes) -> None:
    assert parse(wrap(content)).size == len(content)


def test_headers_without_charset_follow_the_body(wrap: Wrap) -> None:
    content = "Subject: Сбой\r\n\r\nНапряжение на входе пропало, зал 1\r\n".encode("koi8-r")
    email = parse(wrap(content))
    assert (email.subject, email.text) == ("Сбой", "Напряжение на входе пропало, зал 1")


def test_default_charset_is_for_mails_that_declare_none(wrap: Wrap) -> None:
    assert parse(wrap("Subject: ё\r\n\r\nё".encode("cp866")), "cp866").text == "ё"


@pytest.mark.parametrize(
    ("written", "read"), [("<1@x>", "<1@x>"), ("1@x", "<1@x>"), ("<1@x", "<1@x>"), ("", ""), ("no id", ""), ("<>", "")]
)
def test_message_ids_have_brackets(wrap: Wrap, written: str, read: str) -> None:
    assert parse(wrap(f"Message-ID: {written}\r\n\r\nx".encode())).message_id == read


def test_two_from_fields_are_told(wrap: Wrap) -> None:
    email = parse(wrap(b"From: a@b.kz\r\nFrom: c@d.kz\r\n\r\nx"))
    assert (email.from_address, email.problems) == ("a@b.kz", ("more than one From",))


def test_T21_only_the_first_four_megabytes_are_looked_at(wrap: Wrap) -> None:
    email = parse(wrap(b"Subject: x\r\n\r\n" + b"a" * (CONTENT + 10)))
    assert "only the first 4 MB were read" in email.problems
    assert email.size == CONTENT + 24


@pytest.mark.parametrize("error", [IndexError, AttributeError, ValueError, TypeError, LookupError, RecursionError])
def test_T21_what_the_reader_stumbles_over_is_cut_by_bytes(
    wrap: Wrap, monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    def stumble(*_: object) -> None:
        raise error

    monkeypatch.setattr(mime, "tree", stumble)
    email = parse(wrap("From: Zabbix <Z@shop.kz>\r\nSubject: Disk \u202efull\r\n\r\nHost: db01\r\n".encode()))
    assert (email.subject, email.from_address, email.text) == ("Disk full", "z@shop.kz", "Host: db01")
    assert email.problems == (f"read by bytes only ({error.__name__})",)


def test_T23_nothing_unseen_reaches_subject_text_or_headers(wrap: Wrap) -> None:
    content = "Subject: a\u202eb\u200bc\x00d\r\nX-Y: \u2066e\r\n\r\nf\u202eg\x00h\x1bi\r\n".encode()
    email = parse(wrap(content))
    assert (email.subject, email.headers["x-y"], email.text) == ("abcd", ("e",), "fghi")
