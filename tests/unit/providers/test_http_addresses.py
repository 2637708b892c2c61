"""The address that was checked is the one that is used; the cloud's own service is not asked by whatever name."""

from __future__ import annotations

import asyncio
import socket
from ipaddress import ip_address
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.config.reachable import literal, may_be_asked
from bridge.errors import ConfigError, NotSent
from bridge.providers.http import HttpClient, check_url

pytestmark = pytest.mark.anyio

FORM = {"mes": "x"}
KEYS = "169.254.169.254"
NEVER = [
    "169.254.169.254",
    "169.254.0.1",
    "2852039166",
    "0xA9FEA9FE",
    "0xa9.0xfe.0xa9.0xfe",
    "0251.0376.0251.0376",
    "169.254.43518",
    "[::ffff:169.254.169.254]",
    "[::ffff:a9fe:a9fe]",
    "[64:ff9b::169.254.169.254]",
    "[2002:a9fe:a9fe::1]",
    "[::169.254.169.254]",
    "[fe80::1]",
    "[fd00:ec2::254]",
    "100.100.100.200",
    "0.0.0.0",
    "0",
    "[::]",
    "255.255.255.255",
    "224.0.0.1",
    "[ff02::1]",
]
ORDINARY = [
    "127.0.0.1",
    "[::1]",
    "10.0.0.5",
    "192.168.1.20",
    "172.17.0.2",
    "[fd12:3456::1]",
    "212.24.33.196",
    "100.64.0.1",
]


class Names:
    """What a name server answers, one list of addresses a question; the last one stays."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *answers: list[str]) -> None:
        self._answers = answers
        self.asked = 0
        self.connected: list[str] = []
        loop_type = type(asyncio.get_running_loop())
        connect = loop_type.sock_connect

        async def spied(loop: Any, sock: Any, address: Any) -> Any:
            self.connected.append(address[0])
            return await connect(loop, sock, address)

        monkeypatch.setattr(socket, "getaddrinfo", self._answer)
        monkeypatch.setattr(loop_type, "sock_connect", spied)

    def _answer(self, host: str, port: int, *_: Any, **__: Any) -> list[tuple[Any, ...]]:
        self.asked += 1
        return [(*_of(address), (address, port)) for address in self._answers[min(self.asked, len(self._answers)) - 1]]


def _of(address: str) -> tuple[Any, ...]:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    return family, socket.SOCK_STREAM, socket.IPPROTO_TCP, ""


# Where a name leads


async def test_T26_a_name_that_flips_to_the_cloud_s_own_service_is_not_asked_again(
    http: HttpClient, wire: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with wire.peer(wire.answer(b"{}")) as peer:
        names = Names(monkeypatch, ["127.0.0.1"], [KEYS])
        url = f"http://gateway.test:{peer.port}/"
        assert (await http.post(url, FORM, within=2)).status == 200
        await http.close()  # what a connection of its own, and the memory of names, end with
        with pytest.raises(NotSent, match=rf"{KEYS} is an address where no gateway can be"):
            await http.post(url, FORM, within=2)
        assert len(peer.bodies) == 1
    assert (names.asked, names.connected) == (2, ["127.0.0.1"])


async def test_T26_a_connection_asks_for_its_name_once_and_goes_where_that_answer_says(
    http: HttpClient, wire: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A resolver that tells the truth to the check and something else to the request finds no second question."""
    async with wire.peer(wire.answer(b"{}")) as peer:
        names = Names(monkeypatch, ["127.0.0.1"], [KEYS])
        await http.post(f"http://gateway.test:{peer.port}/", FORM, within=2)
    assert (names.asked, names.connected) == (1, ["127.0.0.1"])


async def test_T26_of_several_addresses_the_forbidden_ones_are_passed_by(
    http: HttpClient, wire: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with wire.peer(wire.answer(b"{}")) as peer:
        names = Names(monkeypatch, [KEYS, "fe80::1", "127.0.0.1"])
        assert (await http.post(f"http://gateway.test:{peer.port}/", FORM, within=2)).status == 200
    assert names.connected == ["127.0.0.1"]


async def test_T26_localhost_is_this_machine_whatever_a_name_server_says(
    http: HttpClient, wire: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Plain HTTP carries the password to ``localhost`` without ``insecure``."""
    async with wire.peer(wire.answer(b"{}")) as peer:
        names = Names(monkeypatch, ["10.0.0.5", "127.0.0.1"], ["10.0.0.5"])
        assert (await http.post(f"http://localhost:{peer.port}/", FORM, within=2)).status == 200
        await http.close()
        with pytest.raises(NotSent):
            await http.post(f"http://localhost:{peer.port}/", FORM, within=2)
    assert names.connected == ["127.0.0.1"]


@pytest.mark.parametrize("host", NEVER)
async def test_T26_a_forbidden_address_is_not_asked_however_it_is_written(
    http: HttpClient, monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    resolve = socket.getaddrinfo
    names = Names(monkeypatch)
    monkeypatch.setattr(socket, "getaddrinfo", resolve)  # the system's own reading of numbers
    with pytest.raises(NotSent):
        await http.post(f"http://{host}:9/", FORM, within=2)
    with pytest.raises(NotSent):  # as calendars are fetched
        await http.ask("GET", f"https://{host}:9/duty.ics", None, {}, within=2)
    assert names.connected == []


async def test_T26_what_a_redirect_names_is_not_even_looked_up(
    http: HttpClient, wire: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    head = b"HTTP/1.1 302 Found\r\nLocation: http://keys.test/latest/meta-data\r\nContent-Length: 0\r\n\r\n"
    async with wire.peer(wire.raw(head, cut=False)) as peer:
        names = Names(monkeypatch, ["127.0.0.1"])
        assert (await http.post(f"http://gateway.test:{peer.port}/", FORM, within=2)).status == 302
    assert (names.asked, len(names.connected)) == (1, 1)


# What may be written


@pytest.mark.parametrize("host", NEVER)
def test_T26_a_forbidden_address_is_told_at_the_start_even_with_tls(host: str) -> None:
    for url, insecure in ((f"https://{host}/sys", False), (f"http://{host}:8080", True)):
        with pytest.raises(ConfigError, match=r"providers\.smsc\.base_url: .* where no gateway can be"):
            check_url(url, "providers.smsc.base_url", insecure=insecure)


@pytest.mark.parametrize(
    "host", [*ORDINARY, "smsc.kz", "localhost", "gateway", "169.254.169.254.example.kz", "dead.beef"]
)
def test_a_gateway_in_a_private_network_is_an_ordinary_thing(host: str) -> None:
    assert check_url(f"https://{host}/", "providers.smsc.base_url", insecure=False) == f"https://{host}/"


@given(st.integers(0, 2**32 - 1))
def test_T26_the_notations_of_one_address_are_one_address(number: int) -> None:
    dotted = ip_address(number)
    assert literal(str(number)) == literal(hex(number)) == literal(str(dotted)) == dotted
    assert may_be_asked(ip_address(f"::ffff:{dotted}")) is may_be_asked(dotted)


@given(st.text(max_size=30))
def test_T26_any_host_is_a_name_or_an_address(host: str) -> None:
    address = literal(host)
    assert address is None or may_be_asked(address) in (True, False)
