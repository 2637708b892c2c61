"""What old programs show as their login at the provider, compared here and never passed on (FORMAT §3 ``smsc``).

The rule book names secrets and holds none: ``run`` resolves them once for each book; ``test`` has stand-ins for them,
so that rules are proven where no secret is; ``explain`` and ``backtest`` also look at mails that were kept with their
password masked.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from bridge.config.models import Config
from bridge.config.models.doors import SmscLogin
from bridge.config.secrets import Secret, SecretText
from bridge.errors import ConfigError
from bridge.intake.colon import MASK

_TOO_SHORT = 4  # characters: taking a shorter secret out of a text would leave stars everywhere


@dataclass(frozen=True, slots=True)
class Passwords:
    """The secrets of ``sources.*.smsc``. *trusting*: one that is not at hand, and a masked one, count as right."""

    secrets: Mapping[Secret, SecretText] = field(default_factory=dict)
    trusting: bool = False

    def right(self, wanted: SmscLogin, login: str, password: str) -> bool:
        """Whether this login is *wanted*; an empty *login* means that *password* is an API key.

        Takes the same time wherever they differ.
        """
        secret = wanted.password or wanted.apikey
        if secret is None:
            return False
        same_login = hmac.compare_digest((wanted.login or "").encode(), login.encode("utf-8", "replace"))
        known = self.secrets.get(secret)
        if self.trusting and (known is None or password == MASK):
            return same_login
        text = known.reveal().encode() if known is not None else b""
        same_password = hmac.compare_digest(text, password.encode("utf-8", "replace"))
        return same_login and same_password and bool(text)

    def hidden(self, text: str) -> str:
        """*text* with stars in place of every secret in it."""
        for secret in self.secrets.values():
            if len(secret.reveal()) >= _TOO_SHORT:
                text = text.replace(secret.reveal(), MASK)
        return text


NONE = Passwords()
"""Nobody's: every login is wrong."""


def resolved(config: Config) -> Passwords:
    """The passwords as ``run`` needs them. Raises ConfigError for what cannot be had, or cannot stand in a line."""
    problems: list[str] = []
    secrets: dict[Secret, SecretText] = {}
    for where, secret in _named(config):
        try:
            text = secret.resolve(where)
        except ConfigError as error:
            problems += error.problems
            continue
        if ":" in text.reveal():
            problems.append(f'{where}: holds ":", which the mail format of smsc uses between its fields')
        secrets[secret] = text
    if problems:
        raise ConfigError(tuple(problems))
    return Passwords(secrets)


def at_hand(config: Config) -> Passwords:
    """Those that can be had here; the others count as right."""
    secrets: dict[Secret, SecretText] = {}
    for where, secret in _named(config):
        try:
            secrets[secret] = secret.resolve(where)
        except ConfigError:
            continue  # whoever explains a mail need not be allowed to read secrets
    return Passwords(secrets, trusting=True)


def stand_ins(config: Config) -> Passwords:
    """Made-up ones, for tests of rules."""
    return Passwords({secret: SecretText(stand_in(secret)) for _where, secret in _named(config)})


def stand_in(secret: Secret) -> str:
    """What a test writes for ``{password}``."""
    return f"stand-in-for-{secret.kind}-{secret.name.replace(':', '-')}"


def _named(config: Config) -> Iterator[tuple[str, Secret]]:
    """Every secret of an old program, with the path of its key."""
    for name, ways in config.sources.items():
        for number, way in enumerate(ways):
            path = f"sources.{name}.{number}.smsc" if len(ways) > 1 else f"sources.{name}.smsc"
            if way.smsc and way.smsc.password:
                yield f"{path}.password", way.smsc.password
            if way.smsc and way.smsc.apikey:
                yield f"{path}.apikey", way.smsc.apikey
