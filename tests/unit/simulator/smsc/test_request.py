"""Reading requests: charsets, multipart, JSON, and what is shown of them."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote_from_bytes

import pytest

from bridge.simulator.smsc.request import Raw

BOUNDARY = b"----x"


def raw(query: bytes = b"", body: bytes = b"", kind: str = "application/x-www-form-urlencoded") -> Raw:
    return Raw("send", "POST", "/sys/send.php", query, body, kind, "127.0.0.1", "smsc.test")


def multipart(**fields: bytes) -> bytes:
    parts = [
        b'--%s\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n' % (BOUNDARY, name.encode(), value)
        for name, value in fields.items()
    ]
    return b"".join(parts) + b"--%s--\r\n" % BOUNDARY


@pytest.mark.parametrize(("charset", "codec"), [("", "cp1251"), ("utf-8", "utf-8"), ("koi8-r", "koi8-r")])
def test_percent_escapes_are_bytes_of_the_charset_that_is_named(charset: str, codec: str) -> None:
    mes = quote_from_bytes("ёлка".encode(codec)).encode()

    assert raw(body=b"mes=" + mes + b"&charset=" + charset.encode()).asked.get("mes") == "ёлка"


def test_an_unknown_charset_is_a_wrong_parameter(world: Any) -> None:
    assert world.send(charset="utf-7") == "0,-1"


def test_the_body_wins_over_the_query_and_empty_pairs_are_skipped() -> None:
    asked = raw(b"id=1&&x=1", b"id=2&&y").asked

    assert (asked.get("id"), asked.get("x"), asked.get("y")) == ("2", "1", "")


def test_reads_a_multipart_form_with_newlines_and_the_guard_of_the_library() -> None:
    body = multipart(mes="строка\r\nдва".encode("cp1251"), psw=b"\0@secret")

    asked = raw(body=body, kind="multipart/form-data; boundary=----x").asked
    assert asked.get("mes") == "строка\r\nдва"
    assert asked.get("psw") == "@secret"


def test_reads_json_numbers_and_answers_json() -> None:
    asked = raw(body='{"id": 7, "mes": "ёлка", "time": null}'.encode(), kind="application/json").asked

    assert (asked.get("id"), asked.get("mes"), asked.get("time"), asked.fmt) == ("7", "ёлка", "", 3)


@pytest.mark.parametrize("body", [b"{", b"{]", b"\xff\xfe", b"[1]", b"=&=&%zz%"])
def test_never_raises_for_a_broken_body(world: Any, body: bytes) -> None:
    for kind in ("application/json", "multipart/form-data; boundary=x", "multipart/form-data", "", "text/plain"):
        answer = world.simulator.smsc.answer(raw(body=body, kind=kind)).body
        assert b"ERROR" in answer or b"error_code" in answer


@pytest.mark.parametrize(
    ("query", "body", "kind"),
    [
        (b"login=demo&psw=hush%21&x=1", b"", ""),
        (b"apikey=hush!", b"", ""),
        (b"", b"x=1&psw=hush!&y=2", "application/x-www-form-urlencoded"),
        (b"", b'{"psw": "hush!"}', "application/json"),
        (b"", multipart(psw=b"hush!"), "multipart/form-data; boundary=----x"),
    ],
)
def test_shown_requests_hold_no_secret(query: bytes, body: bytes, kind: str) -> None:
    target, shown = raw(query, body, kind).shown()

    assert "hush" not in target + shown
    assert "***" in target + shown
