from __future__ import annotations

import pytest

from bridge.sms.edits import edited
from bridge.sms.links import addresses
from bridge.sms.tables import table

LONG = "https://grafana.example.com/d/abcdef/node?orgId=1&from=now-3h"


def shorter(text: str, language: str = "en") -> str:
    return edited(text, list(addresses(text, table(language))))


@pytest.mark.parametrize("text, expected", [
    (f"Disk full. Details: {LONG}", "Disk full"),
    (f"Disk full. Details: {LONG}. Call us", "Disk full. Call us"),
    (f"Disk full, see {LONG}", "Disk full"),
    (f"Disk full ({LONG})", "Disk full"),
    (f"Disk full (see {LONG}) now", "Disk full now"),
    (f"Disk full <{LONG}>", "Disk full"),
    (f"Disk full\n{LONG}\nnow", "Disk full\nnow"),
    (f"{LONG}\nDisk full", "\nDisk full"),
])  # fmt: skip
def test_an_address_beside_what_is_said_goes(text: str, expected: str) -> None:
    assert shorter(text) == expected


@pytest.mark.parametrize("text, expected", [
    ("https://shop.example/pay is down", "shop.example/pay is down"),
    ("Cannot reach https://www.shop.example/", "Cannot reach shop.example"),
    ("Cannot open https://shop.example:8443/", "Cannot open shop.example:8443"),
    ("http://user:secret@shop.example/pay?x=1#y slow", "shop.example/pay slow"),
    ("See https://shop.example/pay which is slow", "See shop.example/pay which is slow"),
    ("https://shop.example/a/very/long/path/to/the/page/of/it is down", "shop.example is down"),
    ("(https://shop.example/wiki/A_(b) is down)", "(shop.example/wiki/A_(b) is down)"),
    (LONG, "grafana.example.com/d/abcdef/node"),
    ("https://?x", "https://?x"),
])  # fmt: skip
def test_of_an_address_that_is_spoken_of_host_and_path_stay(text: str, expected: str) -> None:
    assert shorter(text) == expected


@pytest.mark.parametrize("language, text, expected", [
    ("ru", f"Мало места, подробнее: {LONG}", "Мало места"),
    ("ru", f"Мало места. Подробнее {LONG}", "Мало места"),
    ("kk", f"Орын аз, толығырақ: {LONG}", "Орын аз"),
    ("uk", f"Мало місця, докладніше: {LONG}", "Мало місця"),
    ("de", f"Platte voll, siehe: {LONG}", "Platte voll, siehe: grafana.example.com/d/abcdef/node"),
    ("", f"Disk full ({LONG})", "Disk full"),
])  # fmt: skip
def test_words_that_announce_an_address_are_those_of_the_readers(language: str, text: str, expected: str) -> None:
    assert shorter(text, language) == expected


def test_no_address_no_change() -> None:
    assert list(addresses("db01:/var/lib registry.example/app/image", table("en"))) == []
