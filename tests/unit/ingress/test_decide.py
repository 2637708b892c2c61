"""Who may hand in, without a socket: the same function answers at the door and in rule tests."""

from __future__ import annotations

from typing import Any

import pytest

from bridge.config.models.doors import Listener
from bridge.ingress import replies
from bridge.ingress.decide import admission, is_trusted, mail_refusal, plain_peer, repairs, takes_logins
from bridge.ingress.ports import Facts

TLS = {"starttls": {"cert": "c", "key": "k"}}


def _listener(**keys: Any) -> Listener:
    return Listener.model_validate({"door": "smtp", "address": "0.0.0.0:25"} | keys)


def _facts(peer: str = "203.0.113.7", **known: Any) -> Facts:
    return Facts("smtp", peer, **known)


OFFICE = {"trust": ["192.168.1.0/24", "2001:db8::/32"]}


@pytest.mark.parametrize(
    "keys,facts,answer",
    [
        (OFFICE, _facts("192.168.1.40"), None),
        (OFFICE, _facts("2001:db8::1"), None),
        (OFFICE, _facts(), replies.NETWORK_NOT_LISTED),
        (OFFICE, _facts("nonsense"), replies.NETWORK_NOT_LISTED),
        ({}, _facts("127.0.0.1"), replies.NETWORK_NOT_LISTED),
        (OFFICE | TLS, _facts(), replies.LOG_IN_FIRST),
        (OFFICE | TLS, _facts(login="nas", tls=True), None),
        (OFFICE | TLS, _facts(certificate="CN=nas", tls=True), None),
        (OFFICE | TLS | {"auth": "off"}, _facts(), replies.NETWORK_NOT_LISTED),
        (OFFICE | TLS | {"auth": "required"}, _facts("192.168.1.40"), replies.STARTTLS_FIRST),
        (OFFICE | TLS | {"auth": "required"}, _facts("192.168.1.40", tls=True), replies.LOG_IN_FIRST),
        (OFFICE | TLS | {"auth": "required"}, _facts("192.168.1.40", login="nas", tls=True), None),
        (OFFICE | TLS | {"auth": "required"}, _facts(login="nas", tls=True), replies.NETWORK_NOT_LISTED),
        (TLS | {"auth": "required"}, _facts(login="nas", tls=True), None),
        (TLS | {"auth": "required"}, _facts(certificate="CN=nas", tls=True), None),
    ],
)
def test_T03_T05_trust_is_a_network_a_login_or_a_certificate(keys: Any, facts: Facts, answer: str | None) -> None:
    assert admission(_listener(**keys), facts) == answer


class _Rules:
    hostname = "x"

    def sender_refusal(self, facts: Facts) -> str | None:
        return "550 5.7.1 not you" if facts.mail_from == "cfo@example.kz" else None

    def recipient_refusal(self, facts: Facts, address: str) -> str | None:
        return None


def test_of_several_doors_one_that_takes_the_mail_is_enough_and_the_way_in_is_told() -> None:
    plain, secure = _listener(**OFFICE), _listener(**TLS)
    assert mail_refusal([plain, secure], _Rules(), _facts("192.168.1.40")) is None
    assert mail_refusal([plain, secure], _Rules(), _facts()) == replies.LOG_IN_FIRST
    assert mail_refusal([plain], _Rules(), _facts()) == replies.NETWORK_NOT_LISTED
    assert mail_refusal([], _Rules(), _facts()) == replies.NETWORK_NOT_LISTED


def test_T05_the_sender_is_asked_after_the_peer() -> None:
    listener = _listener(**OFFICE)
    assert mail_refusal([listener], _Rules(), _facts("192.168.1.40", mail_from="cfo@example.kz")) == "550 5.7.1 not you"
    assert mail_refusal([listener], _Rules(), _facts(mail_from="cfo@example.kz")) == replies.NETWORK_NOT_LISTED


def test_T02_logins_are_taken_only_where_there_is_tls() -> None:
    assert takes_logins(_listener(**TLS))
    assert not takes_logins(_listener())
    assert not takes_logins(_listener(auth="optional"))
    assert not takes_logins(_listener(auth="off", **TLS))


@pytest.mark.parametrize(
    "keys,peer,mends",
    [
        ({}, "192.168.1.40", True),
        ({}, "203.0.113.7", False),
        ({"line_ends": "strict"}, "192.168.1.40", False),
        ({"line_ends": "repair"}, "203.0.113.7", True),
    ],
)
def test_T01_line_ends_are_repaired_inside_trust_or_as_written(keys: Any, peer: str, mends: bool) -> None:
    assert repairs(_listener(**OFFICE, **keys), peer) is mends


@pytest.mark.parametrize(
    "host,peer",
    [
        ("10.0.0.1", "10.0.0.1"),
        ("::ffff:10.0.0.1", "10.0.0.1"),
        ("fe80::1%eth0", "fe80::1"),
        ("2001:DB8::1", "2001:db8::1"),
    ],
)
def test_peers_are_compared_in_one_form(host: str, peer: str) -> None:
    assert plain_peer(host) == peer


def test_T03_a_balancer_inside_trust_does_not_make_everybody_trusted() -> None:
    listener = _listener(trust="10.120.0.0/16", proxy_protocol="10.120.0.2")
    assert admission(listener, _facts("10.120.0.2")) == replies.NETWORK_NOT_LISTED
    assert admission(listener, _facts("10.120.0.9")) is None


def test_a_mapped_address_is_inside_the_network_of_its_ipv4_address() -> None:
    assert is_trusted(_listener(**OFFICE), plain_peer("::ffff:192.168.1.40"))
