"""What stands in the URLs of a gateway that is described here: said, or refused where it may stand elsewhere."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from bridge.config.load import Loaded

Write = Callable[[str], Loaded]
START = (
    "listen: [{door: smtp, address: 127.0.0.1, trust: 127.0.0.1}]", "domains: x.kz", "operator: {mail: o@x.kz}",
    "outgoing_mail: {relay: 'smtp://localhost:25', from: b@x.kz}", "region: KZ", "currency: KZT",
)  # fmt: skip
GATEWAY = (
    "type: plain-http, base_url: 'https://a.kz', login: x, password: {env: A}, success: 'OK', "
    "request: {to: '{digits}', text: '{text}'%s}, plain: {%s}"
)
IN_A_URL = "a secret in a URL is written into logs on the way"


def problems(written: Write, request: str, plain: str) -> list[tuple[str, str]]:
    gateway = GATEWAY % (request, plain)
    loaded = written("\n".join([*START, f"providers: {{p: {{{gateway}}}}}"]))
    return [(one.level, f"{one.path}: {one.sentence}") for one in loaded.problems if "providers.p" in one.path]


@pytest.mark.parametrize(
    ("request_", "plain", "key"),
    [
        (", k: '{password}'", "method: get", "providers.p.request"),
        ("", "query: {k: '{password}'}", "providers.p.plain.query"),
        ("", "method: get, query: {k: '{password}'}", "providers.p.plain.query"),
    ],
)
def test_T29_a_secret_in_a_url_is_said_each_time(written: Write, request_: str, plain: str, key: str) -> None:
    ((level, said),) = problems(written, request_, plain)
    assert (level, said.startswith(f"{key}: {IN_A_URL}")) == ("warning", True)


@pytest.mark.parametrize("plain", ["method: get", "query: {u: '{login}', i: '{id}'}", "body: json"])
def test_what_holds_no_secret_needs_no_word(written: Write, plain: str) -> None:
    assert problems(written, "", plain) == []


def test_T29_a_question_by_get_holds_no_secret_where_sending_needs_no_get(written: Write) -> None:
    balance = "balance: {amount: /a, method: get, request: {k: '{password}'}}"
    assert [level for level, said in problems(written, "", balance) if IN_A_URL in said] == ["error"]
    assert [level for level, said in problems(written, "", f"method: get, {balance}") if IN_A_URL in said] == [
        "warning"
    ]


@pytest.mark.parametrize(
    ("plain", "said"),
    [
        ("body: json, charset: koi8-r", "providers.p.plain.charset: JSON is UTF-8 (RFC 8259 §8.1)"),
        (
            "body: json, balance: {amount: /a, request: {/a/b: x, /a: y}}",
            "providers.p.plain.balance.request: /a stands where another field is",
        ),
        ("method: get, body: json", "providers.p.plain.body: by GET there is no body; all fields stand in the URL"),
        (
            "query: {t: '{text}'}",
            "providers.p.plain.query.t: {text} is nothing here; apikey, id, login, password, token",
        ),
    ],
)
def test_what_makes_no_sense_is_an_error(written: Write, plain: str, said: str) -> None:
    assert problems(written, "", plain) == [("error", said)]
