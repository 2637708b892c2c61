"""What budgets have seen, after the decision: settled by the real cost, given back, summed up.

A message takes from its budgets in the transaction that creates it (``plans``); here is what becomes of that. Its
price is settled when the provider says what it took, and given back when it is certain that nothing was taken; what
has no provable outcome counts as spent. The last known price of a segment is kept in the same table, as a row of
message 0 at the moment 0, which no window reaches and nobody forgets.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import and_, bindparam, case, exists, func, select, update

from bridge.model import Spent
from bridge.store import rows, schema
from bridge.store.engine import Keys, Tx
from bridge.store.statements import Statement, from_us, one_of, to_us, upsert

Charge = Callable[[str, str, int, Decimal | None], Decimal | None]
"""(provider, phone, segments, the provider's figure) → what was taken, in the configured currency; None: unknown."""

_OPERATOR_DIGITS = 4  # of a number that tell the network: +7701
_LAST = "\U0010ffff"  # behind every letter
_sp, _m, _s = schema.spends.c, schema.messages.c, schema.submissions.c

_SENT_BY = Statement(select(_m.id, _m.provider, _m.phone, _m.segments).where(one_of(_m.id, "ids")))
_SETTLE = Statement(
    update(schema.spends).where(_sp.message_id == bindparam("message")).values(money=bindparam("new_money"))
)
_LEARN = upsert(schema.spends, ("budget", "at", "message_id"))
_GIVE_BACK = Statement(
    schema.spends.delete().where(
        _sp.message_id != 0,
        one_of(_sp.message_id, "ids"),
        exists().where(_m.id == _sp.message_id, _m.state.in_(("REJECTED", "CANCELLED", "EXPIRED"))),
        ~exists().where(_s.message_id == _sp.message_id, _s.state.in_(("INFLIGHT", "UNKNOWN", "ACCEPTED"))),
    )
)


def _sum_of(column: Any, condition: Any) -> Any:
    return func.coalesce(func.sum(case((and_(condition), column), else_=0)), 0)


_SEEN = Statement(
    select(
        _sp.budget, func.count(), func.sum(_sp.segments), func.sum(_sp.money), _sum_of(1, _sp.critical == 0),
        _sum_of(_sp.segments, _sp.critical == 0), _sum_of(_sp.money, _sp.critical == 0), func.min(_sp.at),
    )
    .where(_sp.budget >= bindparam("low"), _sp.budget <= bindparam("high"), _sp.at >= bindparam("since"), _sp.at > 0)
    .group_by(_sp.budget)
    .order_by(_sp.budget)
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Paid:
    """A message that a provider took; *cost* in the provider's currency, None where it does not say."""

    message_id: int
    cost: Decimal | None


def price_name(provider: str, phone: str) -> str:
    """Under which name the last price of a segment to numbers like *phone* is kept."""
    return f"price/{provider}/{phone[: _OPERATOR_DIGITS + 1]}"


def settle(tx: Tx, paid: Sequence[Paid], charge: Charge | None = None) -> None:
    """Put what was really taken in place of what was reserved.

    Without *charge* figures are taken as they are: there is one currency, and a message whose provider says nothing
    keeps what was reserved for it.
    """
    costs = {each.message_id: each.cost for each in paid}
    settled: list[rows.Values] = []
    learnt: dict[str, rows.Values] = {}
    for number, provider, phone, segments in tx.rows(_SENT_BY, {"ids": Keys(sorted(costs))}) if costs else ():
        cost = costs[number]
        taken = cost if charge is None else charge(provider, phone, segments, cost)
        if taken is None:
            continue
        settled.append({"message": number, "new_money": rows.money(taken)})
        if cost is not None:
            learnt[price_name(provider, phone)] = _price_row(price_name(provider, phone), segments, taken)
    tx.many(_SETTLE, settled)
    tx.many(_LEARN, list(learnt.values()))


def learn(tx: Tx, provider: str, phone: str, segments: int, money: Decimal) -> None:
    """Keep that *segments* to numbers like *phone* cost *money*, in the configured currency."""
    tx.many(_LEARN, [_price_row(price_name(provider, phone), segments, money)])


def _price_row(name: str, segments: int, money: Decimal) -> rows.Values:
    return {"budget": name, "at": 0, "message_id": 0, "segments": segments, "money": rows.money(money), "critical": 0}


def give_back(tx: Tx, ids: Sequence[int]) -> None:
    """Return what was reserved for those of *ids* that ended without having left.

    A message with an attempt that a provider took, or of which nobody knows what became, stays spent.
    """
    if ids:
        tx.run(_GIVE_BACK, {"ids": Keys(sorted(ids))})


def seen(tx: Tx, budget: str, since: datetime) -> Mapping[str, Spent]:
    """What the counters of *budget* have seen since *since* (that moment included), by their names.

    ``total`` is one counter, ``each_person`` one for every person that was sent something.
    """
    counters = budget.startswith("each_") and " " not in budget
    low, high = (f"{budget} ", f"{budget} {_LAST}") if counters else (budget, budget)
    found = tx.rows(_SEEN, {"low": low, "high": high, "since": to_us(since)})
    return {row[0]: _spent(row[1:]) for row in found}


def _spent(row: Sequence[Any]) -> Spent:
    messages, segments, money, normal_messages, normal_segments, normal_money, oldest = row
    return Spent(
        messages, segments, rows.amount(money), normal_messages, normal_segments, rows.amount(normal_money),
        from_us(oldest),
    )  # fmt: skip
