"""Names of hosts as a text prints them."""

from __future__ import annotations

import pytest

from bridge.render.names import host_part


@pytest.mark.parametrize("name, shown", [
    ("db01.shop.example", "db01"), ("db01", "db01"), ("db01.local.", "db01"), ("w1.dc.example:9100", "w1:9100"),
    ("w1:9100", "w1:9100"), ("10.0.0.1", "10.0.0.1"), ("10.0.0.1:80", "10.0.0.1:80"), ("[::1]", "[::1]"),
    ("ups1.2", "ups1.2"),
    ("сервер.склад.рф", "сервер"), ("Boiler 3.b", "Boiler 3.b"), ("a.b c.d", "a.b c.d"), (".example", ".example"),
    ("", ""),
    ("http://x.example/", "http://x.example/"), ("db01..example", "db01..example"),
])  # fmt: skip
def test_only_a_domain_is_left_out(name: str, shown: str) -> None:
    assert host_part(name) == shown


def test_a_long_name_is_read_in_no_time() -> None:
    name = "a." * 5000 + "1"
    assert host_part(name) == name
