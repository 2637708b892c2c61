"""What is known of provider accounts: balance, pause, and the newest inbound SMS that was fetched."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, select

from bridge.store import schema
from bridge.store.engine import Tx
from bridge.store.statements import Statement, columns_of, from_us, to_us, upsert

_COLUMNS = columns_of(schema.accounts)
_ALL = Statement(select(schema.accounts).order_by(schema.accounts.c.account))
_ONE = Statement(select(schema.accounts).where(schema.accounts.c.account == bindparam("account")))
_USED = Statement(
    select(schema.submissions.c.account)
    .where(schema.submissions.c.provider == bindparam("provider"))
    .order_by(schema.submissions.c.started_at.desc())
    .limit(1)
)
_PUT = upsert(schema.accounts, ("account",))


@dataclass(frozen=True, slots=True)
class AccountRow:
    """One account as pages show it. *state* is ``well``, or why it is paused: ``money``, ``password``, ``blocked``."""

    account: str
    state: str = "well"
    reason: str = ""
    since: datetime | None = None
    until: datetime | None = None
    balance: str | None = None
    currency: str = ""
    asked_at: datetime | None = None
    last_inbound_id: str = ""


def everyone(tx: Tx) -> list[AccountRow]:
    """All accounts, by name."""
    return [_account(row) for row in tx.rows(_ALL)]


def get(tx: Tx, account: str) -> AccountRow:
    """One account; a new one when nothing is known."""
    row = tx.one(_ONE, {"account": account})
    return AccountRow(account) if row is None else _account(row)


def of_provider(tx: Tx, provider: str) -> str:
    """The account that a provider's door has used, "" when it never handed anything over."""
    row = tx.one(_USED, {"provider": provider})
    return "" if row is None else str(row[0])


def put(tx: Tx, account: AccountRow) -> None:
    """Write what is known now."""
    tx.run(
        _PUT,
        {
            "account": account.account,
            "state": account.state,
            "reason": account.reason,
            "since": _us(account.since),
            "until": _us(account.until),
            "balance": account.balance,
            "currency": account.currency,
            "asked_at": _us(account.asked_at),
            "last_inbound_id": account.last_inbound_id,
        },
    )


def _us(moment: datetime | None) -> int:
    return 0 if moment is None else to_us(moment)


def _moment(value: int) -> datetime | None:
    return from_us(value) if value else None


def _account(row: tuple[object, ...]) -> AccountRow:
    values = dict(zip(_COLUMNS, row, strict=True))
    for name in ("since", "until", "asked_at"):
        values[name] = _moment(values[name])  # type: ignore[arg-type]
    return AccountRow(**values)  # type: ignore[arg-type]
