"""Mail exchangers by a real name server: their order, and what its silence means."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from bridge.egress.exchangers import Exchangers, Resolver, system_resolver
from bridge.egress.smtp import Place
from bridge.errors import DeliveryError, NotSent, PermanentFailure
from tests.unit.egress.nameserver import Zone, name_server

pytestmark = pytest.mark.anyio

TWO = {
    "send.test MX": ["20 mx2.send.test.", "10 MX1.send.test."],
    "mx1.send.test A": ["192.0.2.1"],
    "mx2.send.test A": ["192.0.2.2"],
    "mx2.send.test AAAA": ["2001:db8::2"],
}


async def found(zone: Zone, domain: str = "send.test", chance: Callable[[], float] = lambda: 0.5) -> tuple[Place, ...]:
    async with name_server(zone) as server:
        return await Exchangers(resolver=server.resolver, chance=chance).of(domain)


async def test_the_preferred_exchanger_comes_first_with_its_addresses_of_both_families() -> None:
    assert await found(TWO) == (
        Place("mx1.send.test", "192.0.2.1", 25),
        Place("mx2.send.test", "192.0.2.2", 25),
        Place("mx2.send.test", "2001:db8::2", 25),
    )


async def test_case_and_a_final_dot_of_the_domain_make_no_difference() -> None:
    assert (await found(TWO, "SEND.test."))[0].name == "mx1.send.test"


@pytest.mark.parametrize(("chances", "first"), [((0.1, 0.9), "mx1.send.test"), ((0.9, 0.1), "mx2.send.test")])
async def test_chance_orders_exchangers_of_one_preference(chances: tuple[float, ...], first: str) -> None:
    zone = {**TWO, "send.test MX": ["10 mx1.send.test.", "10 mx2.send.test."]}
    async with name_server(zone) as server:
        dice = iter(chances)
        places = await Exchangers(resolver=server.resolver, chance=lambda: next(dice)).of("send.test")
    assert places[0].name == first


async def test_without_exchangers_the_domain_itself_is_one() -> None:
    assert await found({"send.test A": ["192.0.2.7"]}) == (Place("send.test", "192.0.2.7", 25),)


async def test_no_more_than_three_exchangers_and_two_addresses_of_each_are_tried() -> None:
    zone: dict[str, list[str]] = {"send.test MX": [f"{n} mx{n}.send.test." for n in range(1, 8)]}
    zone |= {f"mx{n}.send.test A": [f"192.0.2.{n}{m}" for m in range(5)] for n in range(1, 8)}
    async with name_server(zone) as server:
        places = await Exchangers(resolver=server.resolver).of("send.test")
        assert not any("mx4" in question for question in server.asked)
    assert [place.name for place in places] == [f"mx{n}.send.test" for n in (1, 1, 2, 2, 3, 3)]


async def test_an_exchanger_without_an_address_is_passed_over() -> None:
    zone = {**TWO, "send.test MX": ["5 gone.send.test.", "7 text.send.test.", "10 mx1.send.test."]}
    assert [place.name for place in await found({**zone, "text.send.test TXT": ["x"]})] == ["mx1.send.test"]


async def test_an_exchanger_that_dns_is_silent_about_is_passed_over_while_another_is_known() -> None:
    zone = {**TWO, "mx1.send.test A": "SERVFAIL", "mx1.send.test AAAA": "SERVFAIL"}
    assert {place.name for place in await found(zone)} == {"mx2.send.test"}


async def test_an_answer_too_long_for_a_datagram_is_asked_for_over_tcp() -> None:
    async with name_server(
        {**TWO, "send.test MX": "truncated", "send.test MX over tcp": ["1 mx1.send.test."]}
    ) as server:
        assert len(await Exchangers(resolver=server.resolver).of("send.test")) == 1
        assert [one for one in server.asked if "MX" in one] == ["udp send.test MX", "tcp send.test MX"]


@pytest.mark.parametrize(
    ("zone", "status", "why"),
    [
        ({"send.test MX": ["0 ."]}, "5.1.10", "takes no mail"),
        ({"other.test A": ["192.0.2.1"]}, "5.1.2", "does not exist"),
        ({"send.test TXT": ["x"]}, "5.4.4", "no mail exchanger with an address"),
        ({"send.test MX": ["10 gone.send.test."]}, "5.4.4", "no mail exchanger with an address"),
    ],
)
async def test_what_dns_denies_is_for_good(zone: Zone, status: str, why: str) -> None:
    with pytest.raises(PermanentFailure, match=why) as caught:
        await found(zone)
    assert caught.value.status == status


async def test_T26_an_address_where_no_gateway_can_be_is_none() -> None:
    zone: Zone = {"send.test MX": ["1 mx.send.test."], "mx.send.test A": ["169.254.169.254", "192.0.2.1"]}
    assert [place.host for place in await found(zone)] == ["192.0.2.1"]


@pytest.mark.parametrize(
    "zone",
    [
        {"send.test MX": "SERVFAIL"},
        {"send.test MX": "REFUSED"},
        {"send.test MX": "silent"},
        {"send.test MX": "SERVFAIL", "send.test A": ["192.0.2.7"]},
        {"send.test MX": ["1 mx.send.test."], "mx.send.test A": "silent", "mx.send.test AAAA": "SERVFAIL"},
        {"send.test A": "SERVFAIL", "send.test AAAA": []},
    ],
    ids=str,
)
async def test_what_dns_does_not_say_is_not_sent_and_no_exchanger_is_guessed(zone: Zone) -> None:
    with pytest.raises(NotSent) as caught:
        await found(zone)
    assert "send.test" in caught.value.reason


@pytest.mark.parametrize("domain", ["a..test", "x" * 64 + ".test", ""])
async def test_what_is_no_domain_is_refused(domain: str) -> None:
    with pytest.raises(PermanentFailure):
        await found({}, domain)


async def test_a_null_mx_among_others_is_passed_over() -> None:
    assert (await found({**TWO, "send.test MX": ["0 .", "10 mx1.send.test."]}))[0].name == "mx1.send.test"


async def test_a_machine_without_name_servers_has_sent_nothing() -> None:
    def without() -> Resolver:
        resolver = Resolver(configure=False)
        resolver.read_resolv_conf("/nowhere/resolv.conf")
        return resolver

    with pytest.raises(NotSent, match="name server"):
        await Exchangers(resolver=without).of("send.test")


def test_a_question_to_the_servers_of_this_machine_ends_before_a_mail_would() -> None:
    resolver = system_resolver()
    assert 0 < resolver.lifetime <= 3


async def test_a_silent_name_server_costs_no_more_than_its_time() -> None:
    begin = asyncio.get_running_loop().time()
    with pytest.raises(DeliveryError):
        await found({"send.test MX": "silent"})
    assert asyncio.get_running_loop().time() - begin < 2
