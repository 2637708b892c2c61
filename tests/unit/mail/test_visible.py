"""Which of a mail's text is seen."""

from __future__ import annotations

import pytest

from bridge.mail import headers, mime, visible


def text_of(content: str | bytes) -> str:
    fields, body, _ = headers.cut(content.encode() if isinstance(content, str) else content)
    reader = mime.Reader()
    return visible.text_of(mime.tree(fields, body, reader), reader)


def multipart(kind: str, *parts: str) -> str:
    body = "".join(f"--=b\n{part}\n" for part in parts)
    return f"Content-Type: multipart/{kind}; boundary==b\n\n{body}--=b--\n"


HTML = "Content-Type: text/html\n\n<p>full <b>page</b></p>"


def test_plain_text_is_taken_before_html_wherever_it_stands() -> None:
    assert text_of(multipart("alternative", "\nplain", HTML)) == "plain"
    assert text_of(multipart("alternative", HTML, "Content-Type: text/plain\n\nplain")) == "plain"


@pytest.mark.parametrize(
    "stub", ["", " \n\t", "----", "This is an HTML message.", "View this email in your browser", "Смотрите в браузере"]
)
def test_html_is_taken_when_the_plain_text_says_nothing(stub: str) -> None:
    assert text_of(multipart("alternative", f"\n{stub}", HTML)) == "full page"


def test_a_long_plain_text_that_mentions_html_is_taken() -> None:
    long = "The HTML report of host db01 could not be written. " * 10
    assert text_of(multipart("alternative", f"\n{long}", HTML)) == long.strip()


def test_html_inside_related_inside_alternative() -> None:
    related = multipart("related", HTML, "Content-Type: image/png; name=x.png\n\nx").replace("=b", "=c")
    assert text_of(multipart("alternative", "\n ", related)) == "full page"


def test_parts_of_a_mixed_mail_are_joined_without_what_is_attached() -> None:
    attached = "Content-Type: text/plain; name=log.txt\nContent-Disposition: attachment\n\nsecret log"
    calendar = "Content-Type: text/calendar\n\nBEGIN:VCALENDAR"
    assert text_of(multipart("mixed", "\none", attached, calendar, HTML)) == "one\n\nfull page"


def test_html_that_calls_itself_plain_is_read_as_html() -> None:
    assert text_of("Content-Type: text/plain\n\n<html><body>Host: <b>db01</b></body></html>") == "Host: db01"


def test_text_that_only_begins_with_a_bracket_is_text() -> None:
    assert text_of("\n<34>Oct 11 su: failed") == "<34>Oct 11 su: failed"


def test_the_only_text_may_have_a_name() -> None:
    assert text_of("Content-Type: text/plain; name=alarm.txt\n\nalarm") == "alarm"


def test_a_forwarded_mail_speaks_when_the_outer_one_says_nothing() -> None:
    inner = "Content-Type: message/rfc822\n\nSubject: =?utf-8?B?0JTQsA==?=\nFrom: z@x.kz\n\ninner text"
    assert text_of(multipart("mixed", "\n ", inner)) == "Subject: Да\nFrom: z@x.kz\n\ninner text"
    assert text_of(multipart("mixed", "\nouter", inner)) == "outer"


def test_a_delivery_report_does_not_speak_with_the_words_of_the_mail_it_reports() -> None:
    inner = "Content-Type: message/rfc822\n\nSubject: Problem\n\nours"
    assert text_of(multipart("report; report-type=delivery-status", "\n ", inner)) == ""


def test_flowed_lines_are_joined() -> None:
    assert (
        text_of("Content-Type: text/plain; format=flowed\n\nDisk \nfull\n on db\n-- \nme") == "Disk full\non db\n--\nme"
    )
    assert text_of("Content-Type: text/plain; format=flowed; delsp=yes\n\nDi \nsk") == "Disk"


def test_T21_text_ends_at_256_kb_and_html_at_100_kb() -> None:
    assert len(text_of("\n" + "word " * 200_000)) <= mime.TEXT
    assert len(text_of("Content-Type: text/html\n\n<p>" + "word " * 200_000)) <= mime.HTML
    many = multipart("mixed", *["Content-Type: text/html\n\n<p>" + "word " * 10_000] * 20)
    assert len(text_of(many)) <= mime.HTML + 1000


def test_a_cut_never_leaves_half_a_letter() -> None:
    assert "\ufffd" not in text_of("Content-Type: text/html; charset=utf-8\n\nx" + "ж" * 80_000)
