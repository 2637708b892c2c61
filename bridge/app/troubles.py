"""What the operator is told of by mail, another path than the one that is in trouble (threats F24)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from bridge.book import RuleBook
from bridge.delivery.gateways import Gateways
from bridge.model import Trouble, TroubleKind
from bridge.providers.base import Balance, ShowsLink
from bridge.words.figures import money


class Troubles:
    """Names what is wrong with gateways and accounts; *tell* commits it and wakes whoever mails it."""

    def __init__(
        self, gateways: Callable[[], Gateways], book: Callable[[], RuleBook], tell: Callable[[Trouble], None]
    ) -> None:
        self._gateways = gateways
        self._book = book
        self._tell = tell
        self._low: set[str] = set()  # providers whose account has less than ``warn_below``

    def alarm(self, kind: TroubleKind, name: str, why: str) -> None:
        """A gateway or its account cannot be used; the mail says what is left."""
        others = self._gateways().others(name)
        self._tell(Trouble(kind, name, why if others else f"{why}; no other gateway can take SMS now", others))

    def account_mended(self, name: str, paused: timedelta) -> None:
        """The end of what ``alarm`` told: the account of that gateway can send again."""
        self._tell(Trouble("account.well", name, f"the account sends again after {_minutes(paused)}"))

    def link_mended(self, name: str, down: timedelta) -> None:
        """The end of what ``alarm`` told: the link of that gateway is up again."""
        self._tell(Trouble("gateway.well", name, f"its link is up again after {_minutes(down)}"))

    def silent(self, now: datetime) -> dict[str, str]:
        """Gateways that cannot be used although their account is well, and why: their link is down, or they rest."""
        found: dict[str, str] = {}
        for name, door in self._gateways().doors.items():
            link = door.gateway.link if isinstance(door.gateway, ShowsLink) else None
            if link is not None and not link.up:
                found[name] = link.why
            elif door.is_resting(now):
                found[name] = door.last_failure
        return found

    def balance(self, account: str, balance: Balance) -> None:
        """Once for each time that the money of an account falls below what its provider's settings say."""
        for name, door in self._gateways().doors.items():
            settings = self._book().config.providers.get(name)
            wished = settings.warn_below if settings is not None and door.gateway.account == account else None
            if wished is None or balance.currency not in ("", wished.currency):
                continue
            if balance.amount >= wished.amount:
                self._low.discard(name)
            elif name not in self._low:
                self._low.add(name)
                why = f"{money(balance.amount, wished.currency)} left, below {money(wished.amount, wished.currency)}"
                self._tell(Trouble("account.low", name, why))


def _minutes(span: timedelta) -> str:
    return f"{max(1, round(span.total_seconds() / 60))} min"
