"""From the configuration to open doors."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from bridge.config.models.providers import Provider
from bridge.config.secrets import SecretText
from bridge.errors import ConfigError
from bridge.providers.base import Gateway
from bridge.providers.http import HttpClient
from bridge.providers.plain_http import PlainHttpGateway
from bridge.providers.smsc_http import SmscHttp
from bridge.providers.smsc_mail import MailWay, SmscMail
from bridge.providers.smsc_smpp import SmscSmpp
from bridge.providers.smsgate import DIALECTS, Smsgate

BUILT = frozenset({*DIALECTS, "plain-http", "smsc-http", "smsc-smpp", "smsc-smtp"})
MailWays = Callable[[str, Provider], MailWay]


def _no_mail(name: str, settings: Provider) -> MailWay:
    raise ConfigError((f"providers.{name}: no mail is sent from here",))


def gateways(providers: Mapping[str, Provider], http: HttpClient, mail: MailWays = _no_mail) -> dict[str, Gateway]:
    """The doors that are built, by their names. Reads secrets; raises ConfigError with all problems at once.

    *mail* gives the relay of a door that sends by mail, and the address its bounces go to.
    """
    opened: dict[str, Gateway] = {}
    problems: list[str] = []
    for name, settings in providers.items():
        if settings.type not in BUILT:
            continue
        try:
            if settings.type in DIALECTS:
                opened[name] = _smsgate(name, settings, http)
            elif settings.type == "smsc-smtp":
                opened[name] = _smsc_mail(name, settings, mail)
            elif settings.type == "smsc-smpp":
                opened[name] = SmscSmpp(name, settings, _smsc_secret(name, settings))
            elif settings.type == "plain-http":
                opened[name] = _plain_http(name, settings, http)
            else:
                opened[name] = _smsc_http(name, settings, http)
        except ConfigError as error:
            problems.extend(error.problems)
    if problems:
        raise ConfigError(tuple(problems))
    _let_doors_ask(opened)
    return opened


def _smsc_http(name: str, settings: Provider, http: HttpClient) -> Gateway:
    return SmscHttp(name, settings, _smsc_secret(name, settings), http)


def _smsc_mail(name: str, settings: Provider, mail: MailWays) -> Gateway:
    return SmscMail(name, settings, _smsc_secret(name, settings), mail(name, settings))


def _smsgate(name: str, settings: Provider, http: HttpClient) -> Gateway:
    key, secret = ("password", settings.password) if settings.login else ("token", settings.token or settings.apikey)
    if secret is None:
        raise ConfigError((f"providers.{name}.{key}: is missing",))
    return Smsgate(name, settings, secret.resolve(f"providers.{name}.{key}"), http)


def _plain_http(name: str, settings: Provider, http: HttpClient) -> Gateway:
    named = {"password": settings.password, "token": settings.token, "apikey": settings.apikey}
    secrets = {key: one.resolve(f"providers.{name}.{key}") for key, one in named.items() if one is not None}
    return PlainHttpGateway(name, settings, secrets, http)


def _smsc_secret(name: str, settings: Provider) -> SecretText:
    key, secret = ("password", settings.password) if settings.login else ("apikey", settings.apikey)
    if secret is None:
        raise ConfigError((f"providers.{name}.{key}: is missing",))
    return secret.resolve(f"providers.{name}.{key}")


def _let_doors_ask(opened: Mapping[str, Gateway]) -> None:
    """What a door cannot be asked itself, one over HTTP answers for its account: that of ``status``, else the first."""
    http = [gateway for gateway in opened.values() if isinstance(gateway, SmscHttp)]
    for gateway in opened.values():
        if isinstance(gateway, SmscMail | SmscSmpp):
            named = [one for one in http if one.name == gateway.status_door]
            gateway.ask_at(next((one for one in [*named, *http] if one.account == gateway.account), None))
