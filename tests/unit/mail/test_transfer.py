"""Transfer encodings, kept to and not."""

from __future__ import annotations

import base64

from bridge.mail.transfer import decoded

TEXT = "Нет места на /data, зал 1, стойка 7\n" * 5
CODED = base64.encodebytes(TEXT.encode())


def test_base64_and_quoted_printable() -> None:
    assert decoded(CODED, "base64") == (TEXT.encode(), "")
    assert decoded(b"=D0=9D=\nx=3D", "quoted-printable") == ("Н".encode() + b"x=", "")


def test_broken_quoted_printable_keeps_what_it_can() -> None:
    assert decoded(b"100=% =ZZ =", "quoted-printable")[0].startswith(b"100=% =ZZ ")


def test_base64_without_its_padding() -> None:
    assert decoded(CODED.rstrip().rstrip(b"="), "base64")[0] == TEXT.encode()


def test_a_disclaimer_behind_base64_is_kept_as_text() -> None:
    data, trouble = decoded(CODED + b"\nThis message is confidential.\n", "base64")
    assert data == TEXT.encode() + b"\nThis message is confidential."
    assert trouble == "base64 with something else behind it"


def test_text_that_only_says_it_is_base64_is_taken_as_text() -> None:
    assert decoded(b"Power failed, hall 1\nsecond line", "base64") == (
        b"Power failed, hall 1\nsecond line",
        "base64 that is none",
    )


def test_unknown_encodings_are_none() -> None:
    assert decoded(b"x=3D", "x-uuencode") == (b"x=3D", "")
