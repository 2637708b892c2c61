"""Messages on their way out: claim, INFLIGHT before the first byte, outcome, questions, receipts.

The states are those of threats §2. A claim writes the attempt with everything a resend needs (provider,
client id, canonical request without credentials, revision of the settings) in the same commit that makes
the message INFLIGHT; only then may a byte leave. States only move forward: what a receipt said is never
undone by a late outcome.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Literal

from sqlalchemy import bindparam, func, select, update

from bridge.model import Message, MessageState, Receipt, Tally
from bridge.store import rows, schema, spends
from bridge.store.engine import Keys, Tx
from bridge.store.statements import Statement, columns_of, from_us, insert, one_of, to_us, upsert

_m, _s, _r = schema.messages.c, schema.submissions.c, schema.receipts.c
_MESSAGE = columns_of(schema.messages)
_SUBMISSION = columns_of(schema.submissions)
LEASE = timedelta(seconds=90)  # three times the longest a submit may take (F13)
_FIRST_PAGE = 8  # half of what a claim reads first: a door over HTTP has fourteen places, a link a hundred
_WATCHED = ("UNKNOWN", "ACCEPTED", "ACCEPTED_NO_ID", "HANDED_OVER")
_UNSETTLED = ("INFLIGHT", "UNKNOWN")
_UNDER_WAY = _m.state.in_(("INFLIGHT", *_WATCHED))  # letter by letter the condition of the index messages_watched

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
_TWINS_AMONG = 50
_TWINS = Statement(
    select(_s.account, func.max(_s.started_at))
    .join(schema.messages, _m.id == _s.message_id)
    .where(
        _m.id.in_(select(_m.id).where(_m.phone == bindparam("phone")).order_by(_m.id.desc()).limit(bindparam("most"))),
        _m.id != bindparam("message"),
        _m.text == bindparam("text"),
        _m.originator == bindparam("originator"),
        _m.way == bindparam("way"),
        _s.started_at > bindparam("since"),
        _s.state != "NOT_SENT",
    )
    .group_by(_s.account)
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
_INFLIGHT = Statement(
    update(schema.messages)
    .where(_m.id == bindparam("message"))
    .values(
        state="INFLIGHT",
        attempt=bindparam("new_attempt"),
        provider=bindparam("new_provider"),
        lease_owner=bindparam("owner"),
        lease_until=bindparam("until"),
        fence=_m.fence + 1,
    )
)
_ADD_SUBMISSION = insert(schema.submissions)
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
        lease_until=0,
    )
)
_ADD_TALLY = insert(schema.tallies, without=("id",))
_TALLIED = Statement(
    select(func.count()).where(schema.tallies.c.name == bindparam("name"), schema.tallies.c.at > bindparam("since"))
)
_BEGUN = Statement(
    select(func.count(), func.min(_s.started_at)).where(
        _s.account == bindparam("account"), _s.started_at > bindparam("since")
    )
)
_OPEN = Statement(
    select(_s.account, _s.provider, func.count())
    .join(schema.messages, _m.id == _s.message_id)
    .where(
        # letter by letter the condition of the index submissions_open: a handful of rows
        _s.state == "INFLIGHT",
        _s.started_at > bindparam("since"),
        _m.lease_owner != bindparam("owner"),
    )
    .group_by(_s.account, _s.provider)
)
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
_WATCH = Statement(
    update(schema.messages)
    .where(
        _m.id.in_(
            select(_m.id)
            .where(
                _UNDER_WAY,
                _m.state != "INFLIGHT",
                _m.due_at <= bindparam("now"),
                _m.lease_until <= bindparam("now"),
            )
            .order_by(_m.due_at)
            .limit(bindparam("most"))
            .with_for_update(skip_locked=True)
        )
    )
    .values(lease_owner=bindparam("owner"), lease_until=bindparam("until"), fence=_m.fence + 1)
    .returning(_m.id)
)
_BY_IDS = Statement(select(schema.messages).where(one_of(_m.id, "ids")))
_ATTEMPTS = Statement(
    select(schema.submissions).where(one_of(_s.message_id, "ids")).order_by(_s.message_id, _s.attempt)
)
_EVIDENCE = Statement(
    update(schema.submissions)
    .where(_s.message_id == bindparam("message"), _s.attempt == bindparam("number"))
    .values(evidence=bindparam("new_evidence"))
)
_RECONSIDER = Statement(
    update(schema.messages).where(_m.id == bindparam("message"), _m.state == "HANDED_OVER").values(state="UNKNOWN")
)
_NEXT_LOOK = Statement(
    update(schema.messages)
    .where(_m.id == bindparam("message"), _m.state.in_(_WATCHED))
    .values(due_at=bindparam("due"), lease_until=0)
)
_ORPHANS = Statement(
    update(schema.messages)
    .where(
        _UNDER_WAY,
        _m.state == "INFLIGHT",
        (_m.lease_until <= bindparam("now"))
        | (_m.lease_owner.like(bindparam("node")) & (_m.lease_owner != bindparam("boot"))),
    )
    .values(state="UNKNOWN", due_at=bindparam("now"), lease_until=0)
    .returning(_m.id)
)
_ORPHAN_ATTEMPTS = Statement(
    update(schema.submissions)
    .where(one_of(_s.message_id, "ids"), _s.state == "INFLIGHT")
    .values(state="UNKNOWN", error="the bridge stopped before the answer", finished_at=bindparam("now"))
)
_RELEASE_BOOTS = Statement(
    update(schema.messages)
    .where(
        _UNDER_WAY,
        _m.state != "INFLIGHT",
        _m.lease_until > 0,
        _m.lease_owner.like(bindparam("node")),
        _m.lease_owner != bindparam("boot"),
    )
    .values(lease_until=0)
)
_COUNTER = Statement(select(schema.counters.c.next).where(schema.counters.c.name == bindparam("name")))
_PUT_COUNTER = upsert(schema.counters, ("name",))
_BY_CLIENT = Statement(
    select(_s.message_id, _m.phone)
    .join(schema.messages, _m.id == _s.message_id)
    .where(_s.account == bindparam("account"), _s.client_id == bindparam("client_id"))
    .limit(1)
)
_ADD_RECEIPT = insert(schema.receipts, or_ignore=True)
_COST = Statement(update(schema.messages).where(_m.id == bindparam("message")).values(cost=bindparam("new_cost")))
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
    for condition in (_m.state == "READY", _m.state == "HELD", _UNDER_WAY)
)


@dataclass(frozen=True, slots=True)
class Prepared:
    """What a provider needs to know for one attempt, as it is written before the first byte."""

    provider: str
    account: str
    request: Mapping[str, str]  # canonical, without credentials, without the client id
    revision: str
    ids: tuple[int, int] = (1, 2**31 - 1)  # range of client ids of this account


@dataclass(frozen=True, slots=True)
class Wait:
    """No provider can take the message before *until*; a time that is not in the future: as soon as there is room."""

    until: datetime


@dataclass(frozen=True, slots=True)
class NumberFirst:
    """The message names a number to ring, which has to be asked for before it may go: it is leased *until* then."""

    until: datetime


Choose = Callable[[Message, Sequence["Attempt"]], Prepared | Wait | NumberFirst]


@dataclass(frozen=True, slots=True)
class Attempt:
    """One hand-over attempt, as it is stored."""

    message_id: int
    number: int
    provider: str
    account: str
    client_id: str
    request: Mapping[str, str]
    revision: str
    state: str
    provider_id: str
    code: str
    error: str
    evidence: tuple[Mapping[str, Any], ...]
    started_at: datetime
    finished_at: datetime | None


@dataclass(frozen=True, slots=True)
class Claimed:
    """A message that is INFLIGHT in our hands until *lease_until*."""

    message: Message
    attempt: Attempt
    lease_until: datetime
    earlier: tuple[Attempt, ...] = ()


@dataclass(frozen=True, slots=True)
class Watched:
    """A message whose fate is asked for, with its attempts, oldest first."""

    message: Message
    attempts: tuple[Attempt, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an attempt ended, and what becomes of its message."""

    message_id: int
    attempt: int
    submission: Literal["NOT_SENT", "ACCEPTED", "REFUSED", "UNKNOWN"]
    message: MessageState
    reason: str = ""
    provider_id: str = ""
    code: str = ""
    cost: str | None = None
    due_at: datetime | None = None  # next attempt, next question
    final: bool = False
    status: str = "5.0.0"  # RFC 3463, of a refusal


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
        found = _messages(tx, _READY, now=to_us(now), most=page, blocked=Keys(sorted(blocked)))
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
    attempts = _attempts(tx, [m.id for m in found]) if found else {}
    taken: list[Claimed] = []
    waits: list[rows.Values] = []
    asked: list[rows.Values] = []
    waiting: set[str] = set()
    full: set[tuple[str, ...]] = set()
    for message in found:
        before = attempts.get(message.id, [])
        if message.providers in full and not before:
            continue  # nobody of its chain had room for one like it a moment ago
        choice = choose(message, before)
        if isinstance(choice, Wait):
            waiting.add(rows.dumps(list(message.providers)))
            if choice.until <= now:
                full.add(message.providers)
            waits.append({"message": message.id, "due": to_us(choice.until)})
            continue
        if isinstance(choice, NumberFirst):
            asked.append({"message": message.id, "owner": owner, "until": to_us(choice.until)})
            continue
        attempt = _new_attempt(message.id, len(before) + 1, choice, ids.of(choice, before), now)
        taken.append(Claimed(message, attempt, now + LEASE, tuple(before)))
    tx.many(_POSTPONE, [wait for wait in waits if wait["due"] > to_us(now)])
    tx.many(_LEASE, asked)
    tx.many(_ADD_SUBMISSION, [_submission_row(claimed.attempt) for claimed in taken])
    _make_inflight(tx, taken, owner)
    return taken, waiting


def again(tx: Tx, watched: Watched, now: datetime, owner: str) -> Claimed:
    """Repeat the last attempt letter by letter (same id, same request): INFLIGHT again."""
    last = watched.attempts[-1]
    attempt = Attempt(
        last.message_id, last.number + 1, last.provider, last.account, last.client_id, last.request, last.revision,
        "INFLIGHT", "", "", "", (), now, None,
    )  # fmt: skip
    tx.many(_ADD_SUBMISSION, [_submission_row(attempt)])
    claimed = Claimed(watched.message, attempt, now + LEASE, watched.attempts)
    _make_inflight(tx, [claimed], owner)
    return claimed


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
    }
    written = tx.run(_NUMBERED, values) == 1
    if written:
        tx.many(_ADD_TALLY, [rows.tally_row(one) for one in given])
    return written


def tallied(tx: Tx, name: str, since: datetime) -> int:
    """How many were counted under *name* after *since*."""
    row = tx.one(_TALLIED, {"name": name, "since": to_us(since)})
    return int(row[0]) if row else 0


def begun(tx: Tx, account: str, since: datetime) -> tuple[int, datetime | None]:
    """How many hand-overs *account* began after *since*, over all nodes, and when the first of them."""
    row = tx.one(_BEGUN, {"account": account, "since": to_us(since)})
    return (0, None) if row is None or not row[0] else (int(row[0]), from_us(row[1]))


def open_elsewhere(tx: Tx, owner: str, now: datetime) -> dict[tuple[str, str], int]:
    """(account, provider) → hand-overs under way that are not *owner*'s: other nodes', or of a process beside it.

    One whose lease has run out is nobody's, and no request is open for it any more.
    """
    values = {"owner": owner, "since": to_us(now - LEASE)}
    return {(account, provider): int(count) for account, provider, count in tx.rows(_OPEN, values)}


def _make_inflight(tx: Tx, taken: Sequence[Claimed], owner: str) -> None:
    tx.many(
        _INFLIGHT,
        [
            {
                "message": c.message.id,
                "new_attempt": c.attempt.number,
                "new_provider": c.attempt.provider,
                "owner": owner,
                "until": to_us(c.lease_until),
            }
            for c in taken
        ],
    )


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


def _new_attempt(message: int, number: int, choice: Prepared, client_id: str, now: datetime) -> Attempt:
    return Attempt(
        message, number, choice.provider, choice.account, client_id, choice.request, choice.revision,
        "INFLIGHT", "", "", "", (), now, None,
    )  # fmt: skip


def twins(tx: Tx, message: Message, since: datetime) -> dict[str, datetime]:
    """Accounts that were given the very same text for this phone after *since*, and when last, by whichever node.

    Only the newest messages of the phone are looked at: nobody gets more within a minute.
    """
    values = {
        "message": message.id,
        "phone": message.phone,
        "text": message.text,
        "originator": message.originator,
        "way": message.way,
        "since": to_us(since),
        "most": _TWINS_AMONG,
    }
    return {account: from_us(at) for account, at in tx.rows(_TWINS, values)}


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


def watch(tx: Tx, now: datetime, owner: str, most: int) -> list[Watched]:
    """Take messages whose fate should be asked for now."""
    taken = tx.rows(_WATCH, {"now": to_us(now), "most": most, "owner": owner, "until": to_us(now + LEASE)})
    return look(tx, [row[0] for row in taken])


def look(tx: Tx, ids: Sequence[int]) -> list[Watched]:
    """Messages with their attempts."""
    if not ids:
        return []
    attempts = _attempts(tx, ids)
    found = _messages(tx, _BY_IDS, ids=Keys(ids))
    return [Watched(message, tuple(attempts.get(message.id, ()))) for message in found]


def remember(tx: Tx, attempt: Attempt, evidence: Mapping[str, Any], next_look: datetime) -> None:
    """Add what a question brought to light, and say when to ask next."""
    whole = rows.dumps([*attempt.evidence, dict(evidence)][-50:])
    tx.run(_EVIDENCE, {"message": attempt.message_id, "number": attempt.number, "new_evidence": whole})
    look_again(tx, attempt.message_id, next_look)


def reconsider(tx: Tx, message_id: int) -> None:
    """What was only handed over is in doubt: a mail relay has it, the provider may not. Others stay as they are."""
    tx.run(_RECONSIDER, {"message": message_id})


def look_again(tx: Tx, message_id: int, due: datetime) -> None:
    """Ask for this message's fate at *due*."""
    tx.run(_NEXT_LOOK, {"message": message_id, "due": to_us(due)})


def orphans(tx: Tx, node: str, boot: str, now: datetime) -> list[int]:
    """INFLIGHT of an earlier boot of this node, or with a lease that ran out, becomes UNKNOWN.

    What an earlier boot was asking after may be asked after again at once: a lost answer has a deadline.
    """
    tx.run(_RELEASE_BOOTS, {"node": f"{node}/%", "boot": boot})
    found = [row[0] for row in tx.rows(_ORPHANS, {"now": to_us(now), "node": f"{node}/%", "boot": boot})]
    if found:
        tx.run(_ORPHAN_ATTEMPTS, {"ids": Keys(found), "now": to_us(now)})
    return found


def run_out(tx: Tx, now: datetime) -> list[int]:
    """INFLIGHT whose lease ran out becomes UNKNOWN, whoever held it (F13)."""
    return orphans(tx, "", "", now)


def receive(
    tx: Tx, receipt: Receipt, event_key: str, account: str, client_id: str, phone: str, now: datetime
) -> Receipt | None:
    """Keep a receipt once. Returns it with its message, or None: seen before, or not about a message of ours.

    The pair (id, phone) must be ours (threats T24). A receipt that comes before its message is known
    cannot exist here: ids are committed before the first byte.
    """
    row = tx.one(_BY_CLIENT, {"account": account, "client_id": client_id})
    ours = row is not None and row[1].lstrip("+") == phone.lstrip("+")
    message_id = row[0] if row is not None and ours else 0
    added = tx.run(
        _ADD_RECEIPT,
        {
            "event_key": event_key,
            "message_id": message_id,
            "provider": receipt.provider,
            "account": account,
            "client_id": client_id,
            "phone": phone,
            "state": receipt.state,
            "code": receipt.code,
            "error": receipt.error,
            "at": None if receipt.at is None else to_us(receipt.at),
            "received_at": to_us(now),
        },
    )
    if added != 1 or not message_id:
        return None
    return replace(receipt, message_id=message_id)


def release(tx: Tx, ids: Sequence[int], now: datetime) -> int:
    """Let held messages go."""
    return tx.run(_RELEASE, {"ids": Keys(ids), "now": to_us(now)})


def hold(tx: Tx, ids: Sequence[int], why: str) -> int:
    """Keep waiting messages back until somebody releases them."""
    return tx.run(_HOLD, {"ids": Keys(ids), "why": why})


def set_cost(tx: Tx, message_id: int, cost: str, charge: spends.Charge | None = None) -> None:
    """The real price, as a poll with our credentials told it."""
    tx.run(_COST, {"message": message_id, "new_cost": cost})
    spends.settle(tx, [spends.Paid(message_id, Decimal(cost))], charge)


def depth(tx: Tx) -> dict[tuple[str, str], int]:
    """(state, class) → how many, for the metrics."""
    counts: dict[tuple[str, str], int] = {}
    for statement in _DEPTH:
        counts |= {(state, name): count for state, name, count in tx.rows(statement) if state in _UNSETTLED_STATES}
    return counts


def _messages(tx: Tx, statement: Statement, **values: Any) -> list[Message]:
    return [rows.message(dict(zip(_MESSAGE, row, strict=True))) for row in tx.rows(statement, values)]


def _attempts(tx: Tx, ids: Sequence[int]) -> dict[int, list[Attempt]]:
    found: dict[int, list[Attempt]] = {}
    for row in tx.rows(_ATTEMPTS, {"ids": Keys(ids)}):
        values = dict(zip(_SUBMISSION, row, strict=True))
        found.setdefault(values["message_id"], []).append(_attempt(values))
    return found


def _attempt(values: Mapping[str, Any]) -> Attempt:
    finished = values["finished_at"]
    return Attempt(
        message_id=values["message_id"],
        number=values["attempt"],
        provider=values["provider"],
        account=values["account"],
        client_id=values["client_id"],
        request=json.loads(values["request"]),
        revision=values["revision"],
        state=values["state"],
        provider_id=values["provider_id"],
        code=values["code"],
        error=values["error"],
        evidence=tuple(json.loads(values["evidence"])),
        started_at=from_us(values["started_at"]),
        finished_at=None if finished is None else from_us(finished),
    )


def _submission_row(attempt: Attempt) -> rows.Values:
    return {
        "message_id": attempt.message_id,
        "attempt": attempt.number,
        "provider": attempt.provider,
        "account": attempt.account,
        "client_id": attempt.client_id,
        "request": rows.dumps(dict(attempt.request)),
        "revision": attempt.revision,
        "state": attempt.state,
        "provider_id": attempt.provider_id,
        "code": attempt.code,
        "error": attempt.error,
        "evidence": "[]",
        "started_at": to_us(attempt.started_at),
        "finished_at": None,
    }
