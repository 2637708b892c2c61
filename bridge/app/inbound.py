"""Which doors have to be asked for inbound SMS, and how often."""

from __future__ import annotations

from datetime import timedelta

from bridge.config.models.root import Config


def wanted_polls(config: Config) -> dict[str, timedelta]:
    """Provider → seconds between questions: ``inbound: poll``, and answers or confirmation calls may arrive there."""
    return {
        name: provider.poll
        for name, provider in config.providers.items()
        if provider.inbound == "poll" and (provider.number or provider.confirm_by_call)
    }
