"""Whom a word on the command line means: a person of the configuration, or a telephone number."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bridge.config.models.root import Config


def phone_of(config: Config, who: str) -> str:
    """E.164. ValueError with a sentence for what is neither, or a person without a phone."""
    from bridge.config.similar import nearest
    from bridge.routing.numbers import read_number

    person = config.people.get(who.casefold())
    if person is not None and not person.phone:
        raise ValueError(f"{who} has no phone in the configuration.")
    phone = person.phone if person is not None else read_number(who, config.region)
    if not phone:
        near = nearest(who.casefold(), [name for name, one in config.people.items() if one.phone])
        remedy = f"Did you mean {' or '.join(near)}?" if near else "Write +77011234567."
        raise ValueError(f"{who!r} is no telephone number and no person. {remedy}")
    return phone
