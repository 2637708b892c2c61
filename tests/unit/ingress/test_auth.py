from __future__ import annotations

from base64 import b64encode

import pytest

from bridge.ingress.auth import Credentials, NotUnderstood, decoded, plain


def _b64(text: str) -> str:
    return b64encode(text.encode()).decode()


def test_plain_gives_login_and_password() -> None:
    assert plain(_b64("\0zabbix\0пароль 1")) == Credentials("zabbix", "пароль 1")
    assert plain(_b64("zabbix\0zabbix\0x")) == Credentials("zabbix", "x")


def test_T05_acting_for_somebody_else_fits_nobody() -> None:
    assert plain(_b64("admin\0zabbix\0x")) == Credentials("", "")


@pytest.mark.parametrize(
    "line,reply",
    [
        ("*", "501 5.7.0"),
        ("#", "501 5.5.2"),
        ("YQ", "501 5.5.2"),
        ("/w==", "501 5.5.2"),
        ("ж", "501 5.5.2"),
        ("YQ==", "501 5.5.2"),
    ],
)
def test_what_is_no_plain_answer_is_refused(line: str, reply: str) -> None:
    with pytest.raises(NotUnderstood, match=reply):
        plain(line)


def test_an_equals_sign_is_the_empty_answer() -> None:
    assert decoded("=") == ""


def test_T29_a_password_never_shows() -> None:
    assert "secret" not in repr(plain(_b64("\0zabbix\0secret")))
