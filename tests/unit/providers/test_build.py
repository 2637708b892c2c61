"""From the configuration to open doors."""

from __future__ import annotations

import pytest

from bridge.config.models.providers import Provider
from bridge.errors import ConfigError
from bridge.providers.build import gateways
from bridge.providers.http import HttpClient


def provider(**keys: object) -> Provider:
    return Provider.model_validate({"type": "smsc-http", "base_url": "https://smsc.kz", **keys})


def test_opens_every_door_under_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMSC", "secret")
    found = gateways(
        {
            "smsc": provider(login="acme", password={"env": "SMSC"}),
            "key": provider(apikey={"env": "SMSC"}),
            "local": Provider.model_validate(
                {
                    "type": "plain-http",
                    "base_url": "https://plain.test",
                    "request": {"to": "{phone}", "text": "{text}"},
                    "success": "OK",
                }
            ),
        },
        HttpClient(),
    )
    assert {name: gateway.name for name, gateway in found.items()} == {"smsc": "smsc", "key": "key", "local": "local"}
    assert found["smsc"].account != found["key"].account


def test_says_all_that_is_missing_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOT_SET", raising=False)
    monkeypatch.setenv("SMSC", "secret")
    with pytest.raises(ConfigError) as caught:
        gateways(
            {
                "a": provider(login="acme", password={"env": "NOT_SET"}),
                "b": provider(login="acme"),
                "c": provider(),
                "d": Provider.model_validate({"type": "smsc-http", "apikey": {"env": "SMSC"}}),
                "e": provider(base_url="http://smsc.kz", login="acme", password={"env": "SMSC"}),
                "f": Provider.model_validate({"type": "plain-http", "base_url": "https://plain.test"}),
            },
            HttpClient(),
        )
    assert [problem.split(": ")[0] for problem in caught.value.problems] == [
        "providers.a.password",
        "providers.b.password",
        "providers.c.apikey",
        "providers.d.base_url",
        "providers.e.base_url",
        "providers.f",
    ]


def test_a_door_is_no_place_to_keep_a_password_in_sight(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMSC", "canary-Passw0rd")
    (gateway,) = gateways({"smsc": provider(login="acme", password={"env": "SMSC"})}, HttpClient()).values()
    assert "canary" not in repr(gateway) + repr(vars(gateway))
