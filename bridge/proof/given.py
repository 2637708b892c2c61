"""Where a rule test begins: what was spent before, and what the gateways' accounts hold."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal

from bridge.config.amounts import Money, parse_money
from bridge.config.derived import main_currency
from bridge.config.models.root import Config
from bridge.dispatch.budgets import in_main
from bridge.memory import Memory
from bridge.model import Message, Spent
from bridge.proof.mails import BadTest

Worth = Callable[[str], Decimal]  # ``60 USD`` in the currency that budgets are compared in; ValueError
_EVER = datetime.min.replace(tzinfo=UTC)
_NUMBER = re.compile(r"[0-9]{1,9}")


class SpentBefore(dict[tuple[str, datetime], Spent]):
    """What budgets have seen before a test began, whatever window is asked for (FORMAT §12 ``spent``).

    ``each_source: 199`` was spent by every source, for each of which the budget has a counter of its own.
    """

    def __init__(self, written: Mapping[str, str], worth: Worth) -> None:
        super().__init__()
        self.written = {name.casefold(): _spent(name, amount, worth) for name, amount in written.items()}

    def get(self, key: tuple[str, datetime], default: object = None) -> Spent:
        """The sums of the budget (``each_person aigul``); nothing was spent from one that is not named."""
        budget, since = key[0].casefold(), key[1]
        seen = self.written.get(budget) or self.written.get(budget.partition(" ")[0])
        return Spent() if seen is None else _since(seen, since)


def _since(seen: Spent, since: datetime) -> Spent:
    """All of it was spent as the window opened: it is the first to leave a sliding one."""
    return Spent(
        seen.messages, seen.segments, seen.money, seen.normal_messages, seen.normal_segments, seen.normal_money, since
    )


def _spent(budget: str, amount: str, worth: Worth) -> Spent:
    """``50`` messages of one segment, or ``45.00 KZT``. Raises BadTest."""
    if _NUMBER.fullmatch(amount):
        count = int(amount)
        return Spent(count, count, Decimal(0), count, count)
    try:
        money = worth(amount)
    except ValueError as error:
        raise BadTest(f"given spent {budget}: {error}") from error
    return Spent(money=money, normal_money=money)


def worth_in(config: Config, written: str) -> Decimal:
    """``60 USD`` in the currency that budgets are compared in. Raises ValueError where ``exchange`` does not say."""
    money = parse_money(written)
    amount = in_main(config, money.amount, money.currency)
    if amount is None:
        raise ValueError(f"no exchange says what {money.currency} is worth in {main_currency(config)}")
    return amount


def spent_of(memory: Memory) -> Mapping[str, Spent]:
    """What each budget has seen in a test, with what was spent before it, by its name."""
    before = memory.spent_before
    named = before.written if isinstance(before, SpentBefore) else {}
    return {budget: memory.spent(budget, _EVER) for budget in dict.fromkeys([*named, *memory.spends])}


@dataclass(slots=True)
class Balances:
    """What the accounts of gateways hold; one that is not named has plenty."""

    left: dict[str, Money] = field(default_factory=dict)

    def pays(self, provider: str, message: Message) -> bool:
        """Whether the account pays for *message*; if so, it has paid."""
        held = self.left.get(provider)
        if held is None or message.price is None or held.currency != message.currency:
            return True
        if held.amount < message.price:
            return False
        self.left[provider] = Money(held.amount - message.price, held.currency)
        return True
