"""Hand-overs by mail, found again by what an error mail names: the account, our id and the number of the attempt."""

from __future__ import annotations

from sqlalchemy import bindparam, select

from bridge.model import MessageState
from bridge.store import schema
from bridge.store.engine import Tx
from bridge.store.statements import Statement

_m, _s = schema.messages.c, schema.submissions.c
_FIND = Statement(
    select(_m.id, _m.state, _s.state)
    .join(schema.messages, _m.id == _s.message_id)
    .where(
        _s.account == bindparam("account"),
        _s.client_id == bindparam("client_id"),
        _s.attempt == bindparam("number"),
        _s.provider == bindparam("provider"),
    )
    .limit(1)
)


def find(tx: Tx, provider: str, account: str, client_id: str, number: int) -> tuple[int, MessageState, str] | None:
    """(message, its state, the state of the attempt); None: there was no such attempt."""
    values = {"account": account, "client_id": client_id, "number": number, "provider": provider}
    row = tx.one(_FIND, values)
    return None if row is None else (row[0], row[1], row[2])
