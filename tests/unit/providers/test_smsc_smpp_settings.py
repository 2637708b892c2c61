from __future__ import annotations

from typing import Any

import pytest

from bridge.config.models.providers import Provider
from bridge.config.secrets import SecretText
from bridge.errors import ConfigError
from bridge.providers import smsc_smpp_settings

SECRET = SecretText("canaryPW")


def settings(**changes: Any) -> Provider:
    known = {"type": "smsc-smpp", "hosts": ["smpp.smsc.kz:3443"], "login": "acme", "password": {"env": "SMSC"}}
    return Provider.model_validate({**known, **changes})


@pytest.mark.parametrize(
    ("rate", "pace"), [(None, 30.0), ("5/s", 5.0), ("100/s", 100.0), ("60/1m", 30.0), ("100/day", 30.0)]
)
def test_the_link_paces_what_is_said_for_a_second_and_claims_count_the_rest(rate: str | None, pace: float) -> None:
    known = settings(**({} if rate is None else {"rate": rate}))
    assert smsc_smpp_settings.wanted("smpp", known, None).rate == pace


def test_T36_a_link_is_verified_tls_unless_the_settings_say_otherwise() -> None:
    (peer,) = smsc_smpp_settings.wanted("smpp", settings(), None).peers
    assert peer.tls is not None
    assert (peer.tls.check_hostname, peer.tls.verify_mode.name) == (True, "CERT_REQUIRED")
    (peer,) = smsc_smpp_settings.wanted("smpp", settings(tls="off"), None).peers
    assert peer.tls is None


def test_without_a_host_there_is_no_door() -> None:
    with pytest.raises(ConfigError, match="hosts"):
        smsc_smpp_settings.wanted("smpp", settings(hosts=[]), None)


@pytest.mark.parametrize(
    ("login", "secret"),
    [("", "x"), ("логин", "x"), ("acme", "пароль-canary"), ("acme", "canary\0"), ("acme", "canary" * 11)],
)
def test_T29_what_no_bind_can_carry_is_said_without_the_password(login: str, secret: str) -> None:
    with pytest.raises(ConfigError) as caught:
        smsc_smpp_settings.check("smpp", login, SecretText(secret))
    assert "canary" not in f"{caught.value!r} {caught.value} {caught.value.__cause__!r}"


@pytest.mark.parametrize(
    "change", [{"hosts": ["smpp2.smsc.kz:3443"]}, {"window": 9}, {"connections": 2}, {"rate": "9/s"}]
)
def test_what_makes_a_link_makes_its_fingerprint(change: dict[str, Any]) -> None:
    def of(known: Provider, login: str = "acme", secret: SecretText = SECRET) -> str:
        return smsc_smpp_settings.fingerprint(smsc_smpp_settings.wanted("smpp", known, None), login, secret)

    assert of(settings()) == of(settings(sender="Other"))
    assert (
        len({of(settings()), of(settings(**change)), of(settings(), "b"), of(settings(), "acme", SecretText("b"))}) == 4
    )
    assert "canary" not in of(settings())


def test_T05_a_revision_changes_with_who_gets_a_request_and_not_with_its_password() -> None:
    known = smsc_smpp_settings.revision(settings())
    assert known == smsc_smpp_settings.revision(settings(password={"env": "OTHER"}, window=5))
    others = ({"hosts": ["smpp2.smsc.kz:3443"]}, {"login": "other"})
    assert known not in {smsc_smpp_settings.revision(settings(**change)) for change in others}
