"""What was reserved or taken of budgets."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Spend:
    """What one message takes from one budget, from the moment it was planned."""

    budget: str  # "total", "each_person aigul", "each_prefix +7702" …
    at: datetime
    message_id: int
    segments: int
    money: Decimal  # in the configured currency; 0 for an unknown price
    critical: bool


@dataclass(frozen=True, slots=True)
class Spent:
    """What a budget has seen since some moment."""

    messages: int = 0
    segments: int = 0
    money: Decimal = Decimal(0)
    normal_messages: int = 0  # the same without class critical, whose reserve others may not touch
    normal_segments: int = 0
    normal_money: Decimal = Decimal(0)
    oldest: datetime | None = None  # first of them

    def plus(self, spend: Spend) -> Spent:
        """The sums with one more."""
        normal = 0 if spend.critical else 1
        return Spent(
            self.messages + 1, self.segments + spend.segments, self.money + spend.money, self.normal_messages + normal,
            self.normal_segments + normal * spend.segments, self.normal_money + normal * spend.money,
            min(self.oldest, spend.at) if self.oldest else spend.at,
        )  # fmt: skip
