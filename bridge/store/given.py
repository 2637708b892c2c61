"""Finding messages by the ids that their providers gave them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import bindparam, select

from bridge.store import schema
from bridge.store.engine import Tx
from bridge.store.statements import Statement, to_us

_m, _s = schema.messages.c, schema.submissions.c
_UNDER_WAY = Statement(
    select(_s.client_id, _m.phone)
    .join(schema.messages, _m.id == _s.message_id)
    .where(
        # letter by letter the condition of the index messages_watched: few messages are under way
        _m.state.in_(("INFLIGHT", "UNKNOWN", "ACCEPTED", "ACCEPTED_NO_ID", "HANDED_OVER")),
        _s.account == bindparam("account"),
        _s.provider_id == bindparam("provider_id"),
    )
    .limit(1)
)
_WRITTEN_TO = Statement(
    select(_s.message_id)
    .join(schema.messages, _m.id == _s.message_id)
    .where(
        _m.phone == bindparam("phone"),
        _s.account == bindparam("account"),
        _s.state == "ACCEPTED",
        _s.started_at >= bindparam("since"),
    )
    .limit(1)
)


def under_way(tx: Tx, account: str, provider_id: str) -> tuple[str, str] | None:
    """Our id and the phone of the message that *account*'s provider calls *provider_id*, if its end is not known."""
    row = tx.one(_UNDER_WAY, {"account": account, "provider_id": provider_id})
    return None if row is None else (row[0], row[1])


def wrote_to(tx: Tx, account: str, phone: str, since: datetime) -> bool:
    """Whether *account* took a message for *phone* since then."""
    return tx.one(_WRITTEN_TO, {"account": account, "phone": phone, "since": to_us(since)}) is not None
