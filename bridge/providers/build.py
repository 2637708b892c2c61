"""From the configuration to open doors."""

from __future__ import annotations

from collections.abc import Mapping

from bridge.config.models.providers import Provider
from bridge.errors import ConfigError
from bridge.providers.base import Gateway
from bridge.providers.http import HttpClient
from bridge.providers.smsc_http import SmscHttp

BUILT = frozenset({"smsc-http"})


def gateways(providers: Mapping[str, Provider], http: HttpClient) -> dict[str, Gateway]:
    """The doors that are built, by their names. Reads secrets; raises ConfigError with all problems at once."""
    opened: dict[str, Gateway] = {}
    problems: list[str] = []
    for name, settings in providers.items():
        if settings.type not in BUILT:
            continue
        try:
            opened[name] = _smsc_http(name, settings, http)
        except ConfigError as error:
            problems.extend(error.problems)
    if problems:
        raise ConfigError(tuple(problems))
    return opened


def _smsc_http(name: str, settings: Provider, http: HttpClient) -> Gateway:
    key, secret = ("password", settings.password) if settings.login else ("apikey", settings.apikey)
    if secret is None:
        raise ConfigError((f"providers.{name}.{key}: is missing",))
    return SmscHttp(name, settings, secret.resolve(f"providers.{name}.{key}"), http)
