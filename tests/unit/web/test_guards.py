"""Who may open the console, and which form is ours."""

from __future__ import annotations

import pytest
from starlette.requests import Request

from bridge.web import guards


def request(method: str = "GET", **headers: str) -> Request:
    named = [(name.replace("_", "-").lower().encode(), value.encode()) for name, value in headers.items()]
    scope = {
        "type": "http", "method": method, "path": "/", "query_string": b"", "headers": named, "scheme": "http",
        "server": ("127.0.0.1", 8025),
    }  # fmt: skip
    return Request(scope)


@pytest.mark.parametrize(
    "host, known",
    [
        ("localhost", True), ("127.0.0.1:8025", True), ("[::1]", True), ("[::1]:8025", True), ("LOCALHOST:1", True),
        ("sms.example.kz:443", True), ("evil.example", False), ("127.0.0.1.evil.example", False), ("", False),
        ("localhost.evil.example:8025", False), ("127.0.0.1@evil.example", False), ("[::2]:8025", False),
    ],
)  # fmt: skip
def test_T28_only_names_of_ours_open_the_console(host: str, known: bool) -> None:
    assert guards.known_host(request(host=host), frozenset({"sms.example.kz"})) is known


@pytest.mark.parametrize(
    "headers, ours",
    [
        ({}, True),
        ({"sec_fetch_site": "same-origin"}, True),
        ({"sec_fetch_site": "same-site"}, False),
        ({"sec_fetch_site": "cross-site"}, False),
        ({"sec_fetch_site": "none"}, False),
        ({"origin": "http://localhost:8025"}, True),
        ({"origin": "http://localhost:9"}, False),
        ({"origin": "null"}, False),
        ({"sec_fetch_site": "same-origin", "origin": "null"}, True),
        ({"sec_fetch_site": "cross-site", "origin": "null"}, False),
        ({"sec_fetch_site": "same-origin", "origin": "http://evil.example"}, False),
    ],
)
def test_T28_an_act_begins_on_a_page_of_ours(headers: dict[str, str], ours: bool) -> None:
    assert guards.same_origin(request("POST", host="localhost:8025", **headers)) is ours


def test_T28_a_token_fits_its_own_session_alone() -> None:
    one, other = guards.new_session(), guards.new_session()
    assert one != other
    assert guards.token_fits(one, guards.token_for(one))
    assert not guards.token_fits(other, guards.token_for(one))
    assert not guards.token_fits("", guards.token_for(""))
    assert not guards.token_fits(one, "")
    assert not guards.token_fits(one, "ё")


def test_a_cookie_that_we_did_not_make_is_no_session() -> None:
    good = guards.new_session()
    assert guards.session_of(request(cookie=f"bridge={good}")) == good
    for bad in ("", "short", good + "x", good[:-1]):
        assert guards.session_of(request(cookie=f"bridge={bad}")) == ""
