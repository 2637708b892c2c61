from __future__ import annotations

import pytest
from aiosmtpd.smtp import SMTP
from hypothesis import given
from hypothesis import strategies as st

from bridge.ingress.addresses import NotAnAddress, read_path


def _slow(text: str) -> tuple[str | None, str | None]:
    return SMTP._getaddr(_Bare(), text)  # type: ignore[arg-type]


class _Bare:
    local_part_limit = 0


def _never(text: str) -> tuple[str | None, str | None]:
    pytest.fail(f"{text} should have taken the fast path")


@pytest.mark.parametrize(
    "text,address,rest",
    [
        ("<>", "", ""),
        ("<> SIZE=5", "", "SIZE=5"),
        ("<ups1@example.kz>", "ups1@example.kz", ""),
        ("<+77011234567@sms.example.kz>", "+77011234567@sms.example.kz", ""),
        ("<A.b+c=d_e@X-y.Example.KZ> SIZE=5 RET=HDRS", "A.b+c=d_e@X-y.Example.KZ", "SIZE=5 RET=HDRS"),
        ("<prvs=1a2b~x#{y}@example.kz>", "prvs=1a2b~x#{y}@example.kz", ""),
    ],
)
def test_plain_paths_never_meet_the_header_parser(text: str, address: str, rest: str) -> None:
    assert read_path(text, _never) == (address, rest)


@pytest.mark.parametrize(
    "text,address",
    [
        ("ups1@example.kz", "ups1@example.kz"),
        ("<root>", "root"),
        ('<"a b"@example.kz>', '"a b"@example.kz'),
        ("<@one.example,@two.example:a@example.kz>", "a@example.kz"),
        ("<a@[10.0.0.1]>", "a@[10.0.0.1]"),
        ("<иван@пример.kz>", "иван@пример.kz"),
    ],
)
def test_odd_paths_are_read_too(text: str, address: str) -> None:
    assert read_path(text, _slow) == (address, "")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "<",
        "<a@b.example",
        "a@@b",
        "<<a@b.example>>",
        "<@b.example>",
        "<a@>",
        "Ivan <a@b.example>",
        "<a@b\x00.example>",
        "<a\udce9@b.example>",
        "<" + "a" * 320 + "@b.example>",
        "(" * 2000 + "<a@b>",
        "<" + "(" * 2000 + "a@b>",
    ],
)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(NotAnAddress):
        read_path(text, _slow)


@given(st.text(st.sampled_from('<>@.:," ()[]ab+\\é\u202e'), max_size=25))
def test_any_text_is_an_address_or_refused(text: str) -> None:
    try:
        address, rest = read_path(text, _slow)
    except NotAnAddress:
        return
    assert "\n" not in address
    assert "\r" not in address
    assert rest == rest.strip()


@given(
    st.from_regex(r"[a-z0-9]{1,5}([.+_=-][a-z0-9]{1,5})?@[a-z0-9]{1,5}(-[a-z]{1,3})?\.[a-z]{2,4}", fullmatch=True),
    st.sampled_from(["", " SIZE=5", "  BODY=8BITMIME"]),
)
def test_the_fast_path_reads_what_the_slow_one_reads(address: str, rest: str) -> None:
    assert read_path(f"<{address}>{rest}", _never) == (_slow(f"<{address}>{rest}")[0], rest.strip())
