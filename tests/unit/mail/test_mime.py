"""The tree of parts: bounded, forgiving, and for good mails the same as the standard library's."""

from __future__ import annotations

import email
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.mail import headers, mime


def tree(content: bytes) -> tuple[mime.Part, mime.Reader]:
    reader = mime.Reader()
    fields, body, _ = headers.cut(content)
    return mime.tree(fields, body, reader), reader


def depth(part: mime.Part) -> int:
    return 1 + max((depth(below) for below in part.parts), default=0)


def test_splits_at_its_own_boundary_only() -> None:
    body = b"before\n--ab\none\n--abc\nstill one\n--ab  \ntwo\n--ab--\nafter"
    assert list(mime.split(body, b"ab")) == [b"one\n--abc\nstill one", b"two"]


def test_a_missing_last_boundary_is_at_the_end() -> None:
    assert list(mime.split(b"--a\none\n--a\ntwo", b"a")) == [b"one", b"two"]


def test_empty_parts_are_parts() -> None:
    assert list(mime.split(b"--a\n--a\n\n--a--", b"a")) == [b"", b""]


def test_a_boundary_inside_a_line_is_none() -> None:
    assert list(mime.split(b"\ntext --a\n", b"a")) == []


def test_finds_the_boundary_that_a_header_does_not_name() -> None:
    part, reader = tree(b"Content-Type: multipart/mixed\n\n--real\nContent-Type: text/plain\n\nhello\n--real--\n")
    assert [below.body for below in part.parts] == [b"hello"]
    assert list(reader.troubles) == ["boundary missing or wrong"]


def test_a_multipart_without_parts_is_text() -> None:
    part, _ = tree(b"Content-Type: multipart/mixed; boundary=x\n\njust text")
    assert (part.kind, part.body) == ("text/plain", b"just text")


def test_T21_depth_ends_at_twenty() -> None:
    content = b"".join(b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(1500))
    part, reader = tree(content)
    assert depth(part) == mime.DEPTH + 1
    assert "parts nested deeper than 20" in reader.troubles


def test_T21_forwarded_in_forwarded_ends_at_twenty() -> None:
    part, _ = tree(b"Content-Type: message/rfc822\n\n" * 1500)
    assert depth(part) == mime.DEPTH + 1


def test_T21_parts_end_at_two_hundred() -> None:
    part, reader = tree(b"Content-Type: multipart/mixed; boundary=b\n\n" + b"--b\n\nx\n" * 5000)
    assert len(part.parts) == mime.PARTS
    assert "more than 200 parts" in reader.troubles


def test_attachments_are_named_by_their_last_step() -> None:
    part, _ = tree(
        b"Content-Type: multipart/mixed; boundary=b\n\n--b\n\ntext\n"
        b"--b\nContent-Type: application/ms-tnef; name=winmail.dat\n\nx\n"
        b'--b\nContent-Disposition: attachment; filename="C:\\temp\\log.txt"\n\nx\n'
        b'--b\nContent-Disposition: attachment; filename="=?utf-8?B?0L7Rgi5wZGY=?="\n\nx\n'
        b"--b\nContent-Type: image/png\nContent-Disposition: attachment\n\nx\n--b--\n"
    )
    assert mime.attachments(part) == ("winmail.dat", "log.txt", "от.pdf", "image/png")


leaves = st.builds(lambda text: MIMEText(text, "plain", "utf-8"), st.text("abcдля -=\n", max_size=60))


def joined(parts: list[MIMEText | MIMEMultipart]) -> MIMEMultipart:
    whole = MIMEMultipart("mixed")
    for part in parts:
        whole.attach(part)
    return whole


@given(st.recursive(leaves, lambda below: st.lists(below, min_size=1, max_size=3).map(joined), max_leaves=8))
def test_same_leaves_as_the_standard_library(whole: MIMEText | MIMEMultipart) -> None:
    content = whole.as_bytes()
    theirs = [part.get_payload() for part in email.message_from_bytes(content).walk() if not part.is_multipart()]
    part, reader = tree(content)
    ours: list[str] = []
    waiting = [part]
    while waiting:
        one = waiting.pop()
        if not one.parts:
            ours.append(one.body.decode())
        waiting += reversed(one.parts)
    assert ours == theirs
    assert not reader.troubles


@pytest.mark.parametrize(("written", "kind"), [(b"text", "text/plain"), (b"html", "text/html"), (b"", "text/plain")])
def test_a_content_type_without_a_slash_is_understood(written: bytes, kind: str) -> None:
    assert tree(b"Content-Type: " + written + b"\n\nx")[0].kind == kind
