"""Messages on their way out: claim, INFLIGHT before the first byte, outcome.

The states are those of threats §2. A claim writes the attempt with everything a resend needs (provider,
client id, canonical request without credentials, revision of the settings) in the same commit that makes
the message INFLIGHT; only then may a byte leave. What becomes of it afterwards: ``fates``.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal

from sqlalchemy import bindparam, func, select, update

from bridge.model import Message, Tally
from bridge.store import pacing, rows, schema, spends
from bridge.store.attempts import (
    ADD_SUBMISSION,
    LEASE,
    UNDER_WAY,
    Attempt,
    Choose,
    Claimed,
    NumberFirst,
    Outcome,
    Prepared,
    Wait,
    attempts_of,
    make_inflight,
    messages_of,
    new_attempt,
    submission_row,
)
from bridge.store.engine import Keys, Tx
from bridge.store.statements import Statement, insert, one_of, to_us, upsert

_m = schema.messages.c
_s = schema.submissions.c
_FIRST_PAGE = 8  # half of what a claim reads first: a door over HTTP has fourteen places, a link a hundred
_UNSETTLED = ("INFLIGHT", "UNKNOWN")
_READY = Statement(
    select(schema.messages)
    .where(
        _m.state == "READY",
        _m.due_at <= bindparam("now"),
        _m.lease_until <= bindparam("now"),
        ~one_of(_m.providers, "blocked"),
    )
    .order_by(_m.urgency, _m.id.desc())
    .limit(bindparam("most"))
    .with_for_update(skip_locked=True)
)
_EXPIRE = tuple(  # one for each state: each has a partial index of its own
    Statement(
        update(schema.messages)
        .where(_m.state == state, _m.valid_until <= bindparam("now"))
        .values(state="EXPIRED", reason="too late to be sent", ended_at=bindparam("now"))
        .returning(_m.id)
    )
    for state in ("READY", "HELD")
)
_POSTPONE = Statement(
    update(schema.messages).where(_m.id == bindparam("message"), _m.state == "READY").values(due_at=bindparam("due"))
)
_LEASE = Statement(
    update(schema.messages)
    .where(_m.id == bindparam("message"), _m.state == "READY")
    .values(lease_owner=bindparam("owner"), lease_until=bindparam("until"), fence=_m.fence + 1)
)
_NUMBERED = Statement(
    update(schema.messages)
    .where(_m.id == bindparam("message"), _m.state == "READY", _m.lease_owner == bindparam("owner"))
    .values(
        text=bindparam("new_text"),
        encoding=bindparam("new_encoding"),
        segments=bindparam("new_segments"),
        price=bindparam("new_price"),
        call=bindparam("new_call"),
        text_hash=bindparam("new_text_hash"),
        lease_until=0,
    )
)
_ADD_TALLY = insert(schema.tallies, without=("id",))
_SETTLE_SUBMISSION = Statement(
    update(schema.submissions)
    .where(_s.message_id == bindparam("message"), _s.attempt == bindparam("number"))
    .values(
        state=bindparam("new_state"),
        provider_id=bindparam("new_provider_id"),
        code=bindparam("new_code"),
        error=bindparam("new_error"),
        finished_at=bindparam("now"),
    )
)
_SETTLE_MESSAGE = Statement(
    update(schema.messages)
    .where(
        _m.id == bindparam("message"),
        _m.state.in_(_UNSETTLED),
        _m.attempt == bindparam("number"),
    )
    .values(
        state=bindparam("new_state"),
        reason=bindparam("why"),
        provider_id=bindparam("new_provider_id"),
        cost=bindparam("new_cost"),
        due_at=bindparam("due"),
        ended_at=bindparam("ended"),
        lease_until=0,
    )
)
_COUNTER = Statement(select(schema.counters.c.next).where(schema.counters.c.name == bindparam("name")))
_PUT_COUNTER = upsert(schema.counters, ("name",))
_RELEASE = Statement(
    update(schema.messages)
    .where(_m.state == "HELD", one_of(_m.id, "ids"))
    .values(state="READY", due_at=bindparam("now"), reason="")
)
_HOLD = Statement(
    update(schema.messages)
    .where(_m.state == "READY", one_of(_m.id, "ids"))
    .values(state="HELD", reason=bindparam("why"))
)
_UNSETTLED_STATES = ("READY", "INFLIGHT", "UNKNOWN", "HELD")
_DEPTH = tuple(
    Statement(select(_m.state, _m["class"], func.count()).where(condition).group_by(_m.state, _m["class"]))
    for condition in (_m.state == "READY", _m.state == "HELD", UNDER_WAY)
)


def claim(tx: Tx, now: datetime, owner: str, most: int, choose: Choose) -> list[Claimed]:
    """Take up to *most* due messages, write their attempts and make them INFLIGHT.

    A chain of providers that can take nothing now is passed over as a whole, so that however much waits for a
    gateway that is down, the other gateways' messages are found behind it (threats F07).
    """
    taken: list[Claimed] = []
    blocked: set[str] = set()
    ids = _ClientIds(tx, now)
    page = _FIRST_PAGE
    while len(taken) < most:
        page = min(2 * page, most - len(taken))
        found = messages_of(tx, _READY, now=to_us(now), most=page, blocked=Keys(sorted(blocked)))
        more, waiting = _take(tx, found, owner, choose, ids, now)
        taken += more
        if not waiting and (len(found) < page or not more):
            break
        blocked |= waiting
    ids.keep()
    return taken


def _take(
    tx: Tx, found: Sequence[Message], owner: str, choose: Choose, ids: _ClientIds, now: datetime
) -> tuple[list[Claimed], set[str]]:
    """What of *found* could be taken, and the chains of the rest."""
    if not found:
        return [], set()
    attempts, twins = attempts_of(tx, [m.id for m in found]), pacing.twins(tx, found, now)
    taken: list[Claimed] = []
    waits: list[rows.Values] = []
    asked: list[rows.Values] = []
    waiting: set[str] = set()
    full: set[tuple[str, ...]] = set()
    for message, same in zip(found, twins, strict=True):
        before = attempts.get(message.id, [])
        if message.providers in full and not before:
            continue  # nobody of its chain had room for one like it a moment ago
        choice = choose(message, before, same)
        if isinstance(choice, Wait):
            waiting.add(rows.dumps(list(message.providers)))
            if choice.until <= now:
                full.add(message.providers)
            waits.append({"message": message.id, "due": to_us(choice.until)})
            continue
        if isinstance(choice, NumberFirst):
            asked.append({"message": message.id, "owner": owner, "until": to_us(choice.until)})
            continue
        attempt = new_attempt(message.id, len(before) + 1, choice, ids.of(choice, before), now)
        taken.append(Claimed(message, attempt, now + LEASE, tuple(before)))
    tx.many(_POSTPONE, [wait for wait in waits if wait["due"] > to_us(now)])
    tx.many(_LEASE, asked)
    tx.many(ADD_SUBMISSION, [submission_row(claimed.attempt) for claimed in taken])
    make_inflight(tx, taken, owner)
    return taken, waiting


def number(tx: Tx, message: Message, owner: str, given: Sequence[Tally] = ()) -> bool:
    """Write *message* with its number to ring, or without: it may go. False where it is *owner*'s no more.

    *given* is what dispatch remembers of the number.
    """
    values = {
        "message": message.id,
        "owner": owner,
        "new_text": message.text,
        "new_encoding": message.encoding,
        "new_segments": message.segments,
        "new_price": None if message.price is None else str(message.price),
        "new_call": rows.call_json(message.call),
        "new_text_hash": rows.text_hash(message.text),
    }
    written = tx.run(_NUMBERED, values) == 1
    if written:
        tx.many(_ADD_TALLY, [rows.tally_row(one) for one in given])
    return written


class _ClientIds:
    """Client ids of one claim: the counter of an account is read once and written once."""

    def __init__(self, tx: Tx, now: datetime) -> None:
        self._tx = tx
        self._now = now
        self._next: dict[str, int] = {}

    def of(self, choice: Prepared, before: Sequence[Attempt]) -> str:
        """The id under which this account knows the message: one for all attempts, never reused."""
        for attempt in before:
            if attempt.account == choice.account:
                return attempt.client_id
        name, (first, last) = f"ids/{choice.account}", choice.ids
        number = self._next[name] if name in self._next else self._stored(name, first, last)
        self._next[name] = number + 1 if number < last else first
        return str(number)

    def keep(self) -> None:
        """Write how far the counters came; without this the same ids would be given again."""
        self._tx.many(_PUT_COUNTER, [{"name": name, "next": number} for name, number in self._next.items()])

    def _stored(self, name: str, first: int, last: int) -> int:
        row = self._tx.one(_COUNTER, {"name": name})
        return int(row[0]) if row else _start(first, last, self._now)


def _start(first: int, last: int, now: datetime) -> int:
    """Start of the counter of an account: eight times the seconds since 2026, unless a range is given.

    So a reinstalled or second bridge on one login does not begin at 1 again (threats §2).
    """
    if (first, last) != (1, 2**31 - 1):
        return first
    return min(max(1, 8 * int((now - datetime(2026, 1, 1, tzinfo=UTC)).total_seconds())), last)


def expire(tx: Tx, now: datetime) -> list[int]:
    """Messages whose validity ended before they could go; what was reserved for them is given back."""
    late = [row[0] for statement in _EXPIRE for row in tx.rows(statement, {"now": to_us(now)})]
    spends.give_back(tx, late)
    return late


def settle(tx: Tx, outcomes: Sequence[Outcome], now: datetime, charge: spends.Charge | None = None) -> None:
    """Write how attempts ended, and what they took from budgets.

    A message that a receipt moved on meanwhile keeps what the receipt said. *charge* knows prices and currencies.
    """
    tx.many(
        _SETTLE_SUBMISSION,
        [
            {
                "message": o.message_id,
                "number": o.attempt,
                "new_state": o.submission,
                "new_provider_id": o.provider_id,
                "new_code": o.code,
                "new_error": o.reason,
                "now": to_us(now),
            }
            for o in outcomes
        ],
    )
    tx.many(
        _SETTLE_MESSAGE,
        [
            {
                "message": o.message_id,
                "number": o.attempt,
                "new_state": o.message,
                "why": o.reason,
                "new_provider_id": o.provider_id,
                "new_cost": o.cost,
                "due": to_us(o.due_at or now),
                "ended": to_us(now) if o.final else None,
            }
            for o in outcomes
        ],
    )
    taken = [o for o in outcomes if o.submission == "ACCEPTED"]
    spends.settle(tx, [spends.Paid(o.message_id, None if o.cost is None else Decimal(o.cost)) for o in taken], charge)
    spends.give_back(tx, [o.message_id for o in outcomes if o.final])


def release(tx: Tx, ids: Sequence[int], now: datetime) -> int:
    """Let held messages go."""
    return tx.run(_RELEASE, {"ids": Keys(ids), "now": to_us(now)})


def hold(tx: Tx, ids: Sequence[int], why: str) -> int:
    """Keep waiting messages back until somebody releases them."""
    return tx.run(_HOLD, {"ids": Keys(ids), "why": why})


def depth(tx: Tx) -> dict[tuple[str, str], int]:
    """(state, class) → how many, for the metrics."""
    counts: dict[tuple[str, str], int] = {}
    for statement in _DEPTH:
        counts |= {(state, name): count for state, name, count in tx.rows(statement) if state in _UNSETTLED_STATES}
    return counts
