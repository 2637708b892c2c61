from __future__ import annotations

import base64
import html
import json
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.observe.redact import forget_secrets, mask_numbers, redact, register_secret

SECRET = 'k7/Пароль "q+& w\\9'


@pytest.mark.parametrize(
    "form",
    [
        SECRET,
        quote(SECRET, safe=""),
        quote(SECRET, safe="").lower(),
        quote_plus(SECRET),
        json.dumps(SECRET),
        json.dumps(SECRET, ensure_ascii=False),
        json.dumps(repr([SECRET])),
        repr(SECRET),
        repr(SECRET.encode()),
        html.escape(SECRET),
    ],
)
def test_T29_a_registered_secret_is_hidden_in_every_form(form: str) -> None:
    register_secret(SECRET)
    assert redact(f"before {form} after") in {"before *** after", 'before "***" after', "before '***' after",
                                              "before b'***' after", "before \"['***']\" after"}  # fmt: skip


@given(st.text(min_size=4, max_size=40), st.binary(max_size=9), st.binary(max_size=9), st.booleans())
def test_T29_base64_hides_nothing_whatever_stands_around_it(
    secret: str, before: bytes, after: bytes, url_safe: bool
) -> None:
    if not secret.strip() or not secret.isprintable():
        return
    forget_secrets()
    register_secret(secret)
    encode = base64.urlsafe_b64encode if url_safe else base64.b64encode
    shown = redact(encode(before + secret.encode() + after).decode())
    assert "***" in shown
    left = shown.split("***")
    assert len("".join(left)) <= 4 * ((len(before) + len(after)) // 3 + 4)


def test_T29_a_short_secret_hides_only_where_it_stands_alone() -> None:
    register_secret("ab1")
    assert redact("login ab1, cab12, psw ab1.") == "login ***, cab12, psw ***."


def test_T29_every_line_of_a_secret_of_many_lines_is_hidden() -> None:
    register_secret("-----BEGIN KEY-----\nMIIBVAIBADANBgkq\n-----END KEY-----\n")
    assert "MIIBVAIBADANBgkq" not in redact("could not read: MIIBVAIBADANBgkq")


@pytest.mark.parametrize(
    "line,shown",
    [
        ("POST /sys/send.php?login=acme&psw=hunter22&phones=7", "POST /sys/send.php?login=acme&psw=***&phones=7"),
        ('{"password": "hunter22", "id": 5}', '{"password": "***", "id": 5}'),
        ("Authorization: Bearer abc.def-1", "Authorization: Bearer ***"),
        ("b'AUTH PLAIN AGFjbWUAaHVudGVyMjI='", "b'AUTH PLAIN ***'"),
        ("the password of acme does not fit", "the password of acme does not fit"),
    ],
)
def test_T29_what_a_telling_name_announces_is_hidden_without_being_registered(line: str, shown: str) -> None:
    assert redact(line) == shown


def test_a_blank_secret_hides_nothing() -> None:
    register_secret("")
    register_secret("  ")
    assert redact("a  b") == "a  b"


@pytest.mark.parametrize(
    "line,shown",
    [
        ("to +77011234567: taken", "to +7 701 ••• 45 67: taken"),
        ("phones=77011234567;", "phones=+7 701 ••• 45 67;"),
        ("+7 (701) 123-45-67", "+7 701 ••• 45 67"),
        ("+4915112345678", "+49 151 ••• 56 78"),
    ],
)
def test_numbers_are_masked(line: str, shown: str) -> None:
    assert mask_numbers(line) == shown


@pytest.mark.parametrize(
    "line",
    ["M-90417 after 1764000000 in 2026-11-21T03:12:44.123456Z", "10.20.30.40:50123 id 4fe19012345678901", "+7 and +8"],
)
def test_ids_and_times_are_not_masked(line: str) -> None:
    assert mask_numbers(line) == line
