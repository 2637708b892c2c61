"""What follows from the configuration without being written: its currency, where SMS may go."""

from __future__ import annotations

import phonenumbers

from bridge.config.models import Config


def main_currency(config: Config) -> str | None:
    """The currency in which budgets and prices are compared: ``currency``, or that of the only one in use.

    None when providers have none or several and ``currency`` says nothing (``check`` refuses that).
    """
    if config.currency:
        return config.currency
    used = {provider.currency for provider in config.providers.values() if provider.currency}
    return used.pop() if len(used) == 1 else None


def provider_currency(config: Config, name: str) -> str | None:
    """The currency in which provider *name* counts."""
    return config.providers[name].currency or main_currency(config)


def allowed_destinations(config: Config) -> tuple[str, ...]:
    """Prefixes that SMS may go to: ``destinations``, or the region's plan (KZ: ``+7``); () = no limit is known."""
    if config.destinations is not None:
        return config.destinations
    code = phonenumbers.country_code_for_region(config.region) if config.region else 0
    return (f"+{code}",) if code else ()
