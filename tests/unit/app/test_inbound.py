"""Whose inbound SMS are fetched, and where a post is believed by the list alone."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from bridge.app.inbound import lists_of, wanted_polls
from bridge.config.models.root import Config

HTTP: dict[str, Any] = {"type": "smsc-http", "login": "a", "password": {"env": "P"}, "number": "+77770000000"}
MAIL: dict[str, Any] = {"type": "smsc-smtp", "login": "a", "password": {"env": "P"}}


def config(**providers: dict[str, Any]) -> Config:
    return Config.model_validate({"listen": [], "operator": {"mail": "it@example.kz"}, "providers": providers})


@pytest.mark.parametrize(
    ("changes", "lists"),
    [
        ({}, {"smsc:a": "http"}),
        ({"inbound": "callback"}, {}),
        ({"inbound": "off"}, {}),
        ({"number": None}, {}),
        ({"number": None, "confirm_by_call": True}, {"smsc:a": "http"}),
        ({"type": "smsgate-json"}, {}),
    ],
)
def test_T25_the_list_of_an_account_stands_for_all_its_doors(changes: dict[str, Any], lists: dict[str, str]) -> None:
    made = config(http={**HTTP, **changes}, mail=MAIL)
    assert lists_of(made, {"http": "smsc:a", "mail": "smsc:a"}) == lists


def test_a_door_that_was_not_opened_has_no_list() -> None:
    assert lists_of(config(http=HTTP), {}) == {}
    assert wanted_polls(config(http={**HTTP, "poll": "1m"})) == {"http": timedelta(minutes=1)}
