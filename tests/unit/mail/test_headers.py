"""Header fields as senders write them."""

from __future__ import annotations

import base64
import time

import pytest

from bridge.mail import headers


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def test_cuts_fields_and_body() -> None:
    fields, body, troubles = headers.cut(b"From: a@b\nSubject: x\n y\n\nbody\n\nmore")
    assert fields == [("from", b" a@b"), ("subject", b" x\n y")]
    assert (body, troubles) == (b"body\n\nmore", [])


def test_passes_over_an_mbox_line_and_leading_empty_lines() -> None:
    fields, body, _ = headers.cut(b"\n\nFrom sender Mon Jan 5\nSubject: x\n\nbody")
    assert fields == [("subject", b" x")]
    assert body == b"body"


def test_a_line_that_is_no_field_begins_the_body() -> None:
    fields, body, troubles = headers.cut(b"Subject: x\nPower failed at 02:14\nsecond\n\nthird")
    assert fields == [("subject", b" x")]
    assert body == b"Power failed at 02:14\nsecond\n\nthird"
    assert troubles == ["no empty line after the header"]


def test_a_body_without_header_is_a_body() -> None:
    assert headers.cut(b"just text\nhere")[1] == b"just text\nhere"


def test_T21_header_is_read_up_to_100_kb_and_the_body_is_not_lost() -> None:
    fields, body, troubles = headers.cut(b"Subject: x\n" + b"X-A: b\n" * 100_000 + b"\nbody")
    assert fields[0] == ("subject", b" x")
    assert (body, troubles) == (b"body", ["headers cut at 100 kB"])


def test_letters_cut_between_encoded_words_are_joined() -> None:
    data = "Нет места".encode()
    assert headers.words(f"=?utf-8?B?{b64(data[:5])}?=\n =?UTF-8?B?{b64(data[5:])}?=") == "Нет места"


def test_base64_cut_within_its_group_of_four_is_joined() -> None:
    whole = b64("Нет места".encode())
    assert headers.words(f"=?utf-8?B?{whole[:6]}?= =?utf-8?B?{whole[6:]}?=") == "Нет места"


def test_words_of_two_charsets_side_by_side() -> None:
    first, second = b64("Диск".encode("koi8-r")), b64(" полон".encode())
    assert headers.words(f"=?koi8-r?B?{first}?= =?utf-8?B?{second}?=") == "Диск полон"


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("=?utf-8?Q?full?_=3D_yes?=", "full? = yes"),
        ("=?utf-8?Q?a?=3Db?=", "a?=b"),
        ("=?utf-8?Q?Disk full now?=", "Disk full now"),
        ("=?utf-8?q?x?=glued", "xglued"),
        ("pre=?utf-8?q?x?= post", "prex post"),
        ("=?utf-8*en?Q?lang?=", "lang"),
        ("=?utf-8?B?0JTQsA?=", "Да"),
        ("=?utf-8?X?abc?=", "=?utf-8?X?abc?="),
        ("=?utf-8?Q?no end", "=?utf-8?Q?no end"),
        ("=?? =?", "=?? =?"),
    ],
)
def test_broken_encoded_words_are_read_as_meant_or_left(written: str, read: str) -> None:
    assert headers.words(written) == read


def test_T11_decoded_line_ends_become_a_blank() -> None:
    assert headers.text_of(b" =?utf-8?q?x=0D=0ABcc:_evil=40a.b?=") == "x Bcc: evil@a.b"


def test_raw_8_bit_is_read_in_the_declared_charset() -> None:
    assert headers.text_of("Сбой".encode("koi8-r"), "koi8-r") == "Сбой"


@pytest.mark.parametrize(
    ("written", "address", "name"),
    [
        (b" Zabbix <Zabbix@Shop.Example>", "zabbix@shop.example", "Zabbix"),
        (b' "Petrov, Ivan" <i@b.c>', "i@b.c", "Petrov, Ivan"),
        (b' "real@bank.kz" <evil@b.c>', "evil@b.c", "real@bank.kz"),
        (b" bare@b.c", "bare@b.c", ""),
        (b" bare@b.c (UPS in hall 1)", "bare@b.c", "UPS in hall 1"),
        (b" =?utf-8?Q?nas=40firm.example?=", "nas@firm.example", ""),
        (b" =?utf-8?B?0JjQstCw0L0=?= <i@b.c>", "i@b.c", "Иван"),
        (b" a@b.c, d@e.f", "a@b.c", ""),
        (b" ups@[10.1.2.3]", "ups@[10.1.2.3]", ""),
        (b" undisclosed", "", "undisclosed"),
        (b"", "", ""),
    ],
)
def test_reads_the_first_address_and_its_name(written: bytes, address: str, name: str) -> None:
    assert headers.address(written) == (address, name)


def test_ids_have_brackets_and_no_doubles() -> None:
    assert headers.ids("<a@b> junk <c@d>\t<a@b>") == ("<a@b>", "<c@d>")


def test_ids_keep_the_first_and_the_last() -> None:
    found = headers.ids(" ".join(f"<{n}@x>" for n in range(500)))
    assert (len(found), found[0], found[-1]) == (50, "<0@x>", "<499@x>")


@pytest.mark.parametrize(
    ("written", "name"),
    [
        (b' attachment; filename="a.pdf"', "a.pdf"),
        (b" attachment; filename=a.pdf", "a.pdf"),
        (b" attachment; filename*=utf-8''%D0%BE%D1%82.pdf", "от.pdf"),
        (b" attachment; filename*=koi8-r'ru'%CF%D4.pdf", "от.pdf"),
        (b" attachment; filename*0*=utf-8''%D0%BE;\n filename*1*=%D1%82.pdf", "от.pdf"),
        (b' attachment; filename*0="long"; filename*1=".pdf"', "long.pdf"),
        (b" attachment; filename*=%D0%BE.pdf", "о.pdf"),
        (b" attachment; filename*x=1", "1"),
        (b' attachment; filename="a;b\\".pdf"', 'a;b".pdf'),
    ],
)
def test_reads_file_names_of_rfc_2231_and_its_breakers(written: bytes, name: str) -> None:
    kind, given = headers.parameters(written)
    assert (kind, given["filename"]) == ("attachment", name)


def test_parameters_without_anything() -> None:
    assert headers.parameters(b" Text/HTML ") == ("text/html", {})
    assert headers.parameters(b"") == ("", {})


@pytest.mark.parametrize(
    "value",
    [
        b"=?utf-8?q?" * 1000,
        b"=?utf-8?b?" * 1000,
        b'"\\' * 5000,
        b"<" * 10_000,
        b"a@" * 5000,
        b";a=" * 3000,
        b'a="' * 3000,
    ],
)
def test_T21_hostile_values_cost_less_than_a_quarter_second(value: bytes) -> None:
    begin = time.process_time()
    headers.text_of(value)
    headers.address(value)
    headers.parameters(b"text/plain; " + value)
    assert time.process_time() - begin < 0.25
