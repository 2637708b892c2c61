from __future__ import annotations

from bridge.ingress.limits import BytesInFlight, Connections, Tries, network_of

KEYS = ("peer 10.0.0.1", "login zabbix")


def test_T06_ten_tries_in_a_minute_and_fifty_in_a_day() -> None:
    tries = Tries()
    assert [tries.begin(KEYS, 0.0) for _ in range(11)] == [True] * 10 + [False]
    assert not tries.begin(KEYS, 59.0)
    allowed = [tries.begin(KEYS, 60.0 * minute) for minute in range(1, 60)]
    assert allowed.count(True) == 40
    assert not tries.begin(KEYS, 86_399.0)
    assert tries.begin(KEYS, 86_401.0)


def test_T06_address_and_login_are_limited_each_for_itself() -> None:
    tries = Tries(per_minute=1)
    assert tries.begin(("peer a", "login x"), 0.0)
    assert not tries.begin(("peer a", "login y"), 1.0)
    assert not tries.begin(("peer b", "login x"), 1.0)
    assert tries.begin(("peer b", "login y"), 1.0)


def test_T06_a_try_that_fitted_is_not_counted() -> None:
    tries = Tries(per_minute=1)
    for moment in range(5):
        assert tries.begin(KEYS, float(moment))
        tries.forget(KEYS, float(moment))
    assert tries.begin((), 0.0)


def test_T06_the_delay_grows_and_has_an_end() -> None:
    tries = Tries()
    delays = []
    for moment in range(10):
        tries.begin(KEYS, float(moment))
        delays.append(tries.delay(KEYS, float(moment)))
    assert delays[:4] == [0.5, 1.0, 2.0, 4.0]
    assert max(delays) == 8.0
    assert tries.delay(KEYS, 500.0) == 0.25


def test_T06_memory_of_tries_is_bounded() -> None:
    tries = Tries(keys=100)
    for number in range(1000):
        tries.begin((f"peer {number}",), 0.0)
    assert len(tries._failed) == 100


def test_T07_a_tenth_of_the_places_is_kept_for_trusted_peers() -> None:
    places = Connections(total=10, per_address=100)
    assert [places.enter(f"10.0.0.{number}", trusted=False) for number in range(10)] == [None] * 9 + ["total"]
    assert places.enter("10.1.0.1", trusted=True) is None
    assert places.enter("10.1.0.1", trusted=True) == "total"
    places.leave("10.0.0.1", trusted=False)
    assert places.enter("10.1.0.1", trusted=True) is None


def test_T07_trusted_peers_have_no_cap_of_their_own() -> None:
    places = Connections(total=100, per_address=1)
    assert {places.enter("10.0.0.1", trusted=True) for _ in range(50)} == {None}
    assert places.enter("10.0.0.2", trusted=False) is None
    assert places.enter("10.0.0.2", trusted=False) == "address"
    places.leave("10.0.0.2", trusted=False)
    assert places.enter("10.0.0.2", trusted=False) is None


def test_T07_an_ipv6_subnet_is_one_address() -> None:
    assert network_of("2001:db8::1") == network_of("2001:db8::ffff:1") != network_of("2001:db8:0:1::1")
    assert network_of("10.0.0.1") == "10.0.0.1"
    assert network_of("nonsense") == "nonsense"


def test_T08_small_mails_pass_while_big_ones_fill_the_memory() -> None:
    flight = BytesInFlight(limit=1000, free=100)
    held = flight.grow(0, 1100)
    assert held == 1000
    assert flight.grow(0, 101) is None
    assert flight.grow(0, 100) == 0
    flight.give_back(held)
    assert flight.grow(0, 101) == 1
