"""Which doors have to be asked for inbound SMS, how often, and whose list is believed before a post (threats T25)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from bridge.config.models.root import Config


def wanted_polls(config: Config) -> dict[str, timedelta]:
    """Provider → seconds between questions: ``inbound: poll``, and answers or confirmation calls may arrive there."""
    return {
        name: provider.poll
        for name, provider in config.providers.items()
        if provider.inbound == "poll" and (provider.number or provider.confirm_by_call)
    }


def lists_of(config: Config, accounts: Mapping[str, str]) -> dict[str, str]:
    """Account → provider by which what came in is fetched, where its posts are signed in a way that can be repeated."""
    polled = (name for name in wanted_polls(config) if config.providers[name].type == "smsc-http" and name in accounts)
    return {accounts[name]: name for name in polled}
