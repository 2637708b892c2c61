"""What came over a link: receipts by the provider's ids, part by part, and inbound SMS in pieces.

A receipt may be here before the answer that names its message is written, so what fits no message is parked and looked
at again (``adopt``). A text of several parts has arrived when all of them have, and has not when one has not. Pieces
of an inbound SMS are parked likewise until the last one is there; that they were read is remembered for a while: a
provider that heard no answer to the last one brings it again. Everything is kept once, however often it comes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from urllib.parse import quote, unquote

from sqlalchemy import bindparam, delete, select, update

from bridge.model import Receipt
from bridge.store import inbound, schema
from bridge.store.engine import Keys, Tx
from bridge.store.statements import Statement, from_us, insert, one_of, to_us

KNOWN_FOR = timedelta(days=4)
"""How long after its hand-over a message is looked for: four days, as the provider keeps what it has sent."""

PIECES_WAIT = timedelta(minutes=10)
"""How long the pieces of an inbound SMS wait for each other; then what is there is read."""

_SAME_SMS = timedelta(minutes=1)  # the same words within it, also by callback, are one SMS that came twice
_GUESS_WITHIN = timedelta(minutes=15)  # between a hand-over without an answer and the receipt that is taken for its own
_MAY_LACK_IDS = frozenset({("UNKNOWN", "UNKNOWN"), ("ACCEPTED", "ACCEPTED"), ("ACCEPTED", "ACCEPTED_NO_ID")})
_MOST = 200
_PIECE, _READ = "piece", "read"  # how the names of pieces begin, and of those that were read
_r, _s, _m, _in = schema.receipts.c, schema.submissions.c, schema.messages.c, schema.replies.c

_ADD = insert(schema.receipts, or_ignore=True)
_BY_PHONE = Statement(
    select(_s.message_id, _s.attempt, _s.provider_id, _s.state, _s.started_at, _m.segments, _m.state)
    .join(schema.messages, _m.id == _s.message_id)
    .where(_m.phone == bindparam("phone"), _s.account == bindparam("account"), _s.started_at >= bindparam("since"))
    .order_by(_s.message_id.desc(), _s.attempt.desc())
    .limit(_MOST)
)
_OF_PARTS = Statement(
    select(_r.client_id).where(
        one_of(_r.event_key, "keys"), _r.message_id == bindparam("message"), _r.state == "DELIVERED"
    )
)
_PARKED = Statement(
    select(_r.event_key, _r.provider, _r.account, _r.client_id, _r.phone, _r.state, _r.code, _r.error, _r.at)
    .where(
        _r.message_id == 0,
        one_of(_r.account, "accounts"),
        _r.received_at >= bindparam("since"),
        _r.client_id.not_like(f"{_PIECE}/%"),
        _r.client_id.not_like(f"{_READ}/%"),
        _r.event_key.like("%/dlr:%"),
    )
    .order_by(_r.received_at.desc())
    .limit(_MOST)
)
_ADOPT = Statement(
    update(schema.receipts)
    .where(_r.event_key == bindparam("key"), _r.message_id == 0)
    .values(message_id=bindparam("message"))
)
_PIECES = Statement(
    select(_r.event_key, _r.phone, _r.code, _r.error, _r.received_at).where(
        _r.message_id == 0, _r.account == bindparam("account"), _r.client_id == bindparam("name")
    )
)
_OLD_PIECES = Statement(
    select(_r.account, _r.client_id, _r.provider)
    .where(
        _r.message_id == 0,
        one_of(_r.account, "accounts"),
        _r.client_id.like(f"{_PIECE}/%"),
        _r.received_at <= bindparam("until"),
    )
    .distinct()
    .limit(_MOST)
)
_FORGET = Statement(delete(schema.receipts).where(one_of(_r.event_key, "keys"), _r.message_id == 0))
_MARK_READ = Statement(
    update(schema.receipts)
    .where(_r.event_key == bindparam("key"), _r.message_id == 0)
    .values(client_id=bindparam("read_as"), error=bindparam("digest"))
)
_FORGET_READ = Statement(
    delete(schema.receipts).where(
        _r.message_id == 0,
        one_of(_r.account, "accounts"),
        _r.client_id.like(f"{_READ}/%"),
        _r.received_at <= bindparam("until"),
    )
)
_SAID = Statement(
    select(_in.to, _in.text, _in.event_key)
    .where(
        _in.phone == bindparam("phone"),
        _in.kind == "sms",
        _in.received_at >= bindparam("since"),
        _in.received_at <= bindparam("until"),
    )
    .order_by(_in.id.desc())
    .limit(_MOST)
)


@dataclass(frozen=True, slots=True)
class Part:
    """One piece of an inbound SMS as it is parked."""

    number: int
    coding: int
    octets: bytes


@dataclass(frozen=True, slots=True)
class Pieces:
    """All pieces there are of one inbound SMS, by their numbers."""

    name: str  # under which they are parked
    account: str
    provider: str
    phone: str
    to: str
    total: int
    parts: tuple[Part, ...]

    @property
    def whole(self) -> bool:
        """Whether none is missing."""
        return len(self.parts) == self.total


def report(tx: Tx, said: Receipt, account: str, provider_id: str, phone: str, now: datetime) -> Receipt | None:
    """Keep what was said of the part *provider_id*; the receipt of its message, once that can be told.

    None: seen before, parked, or other parts are still under way.
    """
    found = _message_of(tx, account, provider_id, phone, now)
    row = {
        "event_key": _key(account, provider_id, said.code),
        "message_id": found.message_id if found else 0,
        "provider": said.provider,
        "account": account,
        "client_id": provider_id,
        "phone": phone,
        "state": said.state,
        "code": said.code,
        "error": said.error,
        "at": None if said.at is None else to_us(said.at),
        "received_at": to_us(now),
    }
    if tx.run(_ADD, row) != 1 or found is None:
        return None
    return _of_whole(tx, said, found, account)


def adopt(tx: Tx, accounts: Sequence[str], parked_for: timedelta, now: datetime) -> list[Receipt]:
    """Receipts parked within *parked_for* whose message is known by now: what they say, its codes unexplained."""
    since = to_us(now - parked_for)
    told: list[Receipt] = []
    for key, provider, account, provider_id, phone, state, code, error, at in tx.rows(
        _PARKED, {"accounts": Keys(sorted(accounts)), "since": since}
    ):
        found = _message_of(tx, account, provider_id, phone, now)
        if found is None:
            continue
        tx.run(_ADOPT, {"key": key, "message": found.message_id})
        said = Receipt(0, state, provider, code, error, at=None if at is None else from_us(at))
        whole = _of_whole(tx, said, found, account)
        if whole is not None:
            told.append(whole)
    return told


def sms(tx: Tx, account: str, provider: str, phone: str, to: str, text: str, key: str, now: datetime) -> bool:
    """Keep an inbound SMS once; False when it, or the same words by another way, came a moment ago."""
    if _is_here(tx, phone, to, text, "", (now - _SAME_SMS, now + _SAME_SMS)):
        return False
    return inbound.keep(tx, f"{account}/{key}/{to_us(now)}", "sms", provider, phone, to, text, now)


def came_over_a_link(tx: Tx, account: str, phone: str, to: str, text: str, at: datetime) -> bool:
    """Whether the SMS that reached the provider at *at*, and now comes by a post or a poll, is here already.

    A link gives no id, so who, whom, what and when have to do (threats T25).
    """
    return _is_here(tx, phone, to, text, f"{account}/in:", (at - _SAME_SMS, at + 2 * _SAME_SMS))


def _is_here(tx: Tx, phone: str, to: str, text: str, keys: str, within: tuple[datetime, datetime]) -> bool:
    """Whether *phone* said the same to the same number *within* that time, by a way whose keys begin with *keys*.

    Doors differ in how they write a number and the ends of a text, and one may not know the number at all.
    """
    values = {"phone": phone, "since": to_us(within[0]), "until": to_us(within[1])}
    said = [row for row in tx.rows(_SAID, values) if row[2].startswith(keys) and _over_a_link(row[2], keys)]
    mine, number = _words(text), to.lstrip("+")
    return any(_words(words) == mine and _same_place(number, other.lstrip("+")) for other, words, _key in said)


def _same_place(one: str, other: str) -> bool:
    return one == other or "" in (one, other)


def _over_a_link(key: str, keys: str) -> bool:
    """Keys of what came over a link end with the time it came; those of posts and polls are the provider's."""
    return not keys or "/" in key.removeprefix(keys)


def _words(text: str) -> str:
    return " ".join(text[:2000].split())


def piece(
    tx: Tx, account: str, provider: str, phone: str, to: str, place: tuple[int, int], part: Part, now: datetime
) -> Pieces | None:
    """Park one piece; *place* is its text's reference and number of parts. All of them, once none is missing."""
    reference, total = place
    name = f"{_PIECE}/{quote(phone, safe='+')}/{quote(to, safe='+')}/{reference}/{total}"
    if _was_read(tx, account, name, part, now):
        return None
    known = _parked(tx, account, name, provider)
    stale = [key for key, received in known[1] if received < now - 2 * PIECES_WAIT]
    if stale:  # of a text long ago that had the same reference
        tx.run(_FORGET, {"keys": Keys(stale)})
    tx.run(
        _ADD,
        {
            "event_key": _piece_key(account, name, part),
            "message_id": 0,
            "provider": provider,
            "account": account,
            "client_id": name,
            "phone": phone,
            "state": "ACCEPTED",
            "code": f"{part.number}/{part.coding}",
            "error": part.octets.hex(),
            "at": None,
            "received_at": to_us(now),
        },
    )
    pieces = _parked(tx, account, name, provider)[0]
    return pieces if pieces.whole else None


def late_pieces(tx: Tx, accounts: Sequence[str], now: datetime) -> list[Pieces]:
    """Texts whose other pieces have not come for ten minutes. What was read before that is forgotten."""
    values = {"accounts": Keys(sorted(accounts)), "until": to_us(now - PIECES_WAIT)}
    tx.run(_FORGET_READ, values)
    found = tx.rows(_OLD_PIECES, values)
    return [_parked(tx, account, name, provider)[0] for account, name, provider in found]


def joined(tx: Tx, pieces: Pieces) -> None:
    """They are read: forget their words, and remember for ten minutes that they came."""
    name = _name_of_read(pieces.name)
    for part in pieces.parts:
        values = {"key": _piece_key(pieces.account, pieces.name, part), "read_as": name, "digest": _digest(part)}
        tx.run(_MARK_READ, values)


def _was_read(tx: Tx, account: str, name: str, part: Part, now: datetime) -> bool:
    """Whether that very piece is one of a text that was read a moment ago: its acknowledgement got lost.

    Other words under the same number are a new text: its sender has begun to count anew.
    """
    rows = tx.rows(_PIECES, {"account": account, "name": _name_of_read(name)})
    if not rows:
        return False
    since = now - PIECES_WAIT
    read = {code.partition("/")[0]: digest for _key, _phone, code, digest, came in rows if from_us(came) > since}
    if read.get(str(part.number)) == _digest(part):
        return True
    tx.run(_FORGET, {"keys": Keys([row[0] for row in rows])})
    return False


def _piece_key(account: str, name: str, part: Part) -> str:
    return f"{account}/{name}/{part.number}"


def _name_of_read(name: str) -> str:
    return f"{_READ}/{name.removeprefix(f'{_PIECE}/')}"


def _digest(part: Part) -> str:
    return sha256(bytes((part.coding,)) + part.octets).hexdigest()


@dataclass(frozen=True, slots=True)
class _Found:
    message_id: int
    part_ids: tuple[str, ...]  # of the provider; () where its answer never came


def _message_of(tx: Tx, account: str, provider_id: str, phone: str, now: datetime) -> _Found | None:
    """The message that has a part of that id: the very text first, then the same number in another notation.

    Failing that, the only text of one part to that phone that has no id because its answer never came or named none,
    if it went out just before.
    """
    values = {"phone": phone, "account": account, "since": to_us(now - KNOWN_FOR)}
    rows = list(tx.rows(_BY_PHONE, values))
    for same in (str.__eq__, _same_number):
        for message_id, _attempt, ids, *_rest in rows:
            if any(same(one, provider_id) for one in ids.split()):
                return _Found(message_id, tuple(ids.split()))
    since = to_us(now - _GUESS_WITHIN)
    doubtful = {
        message_id
        for message_id, _attempt, ids, state, started_at, segments, message_state in rows
        if (state, message_state) in _MAY_LACK_IDS and not ids and segments == 1 and started_at >= since
    }
    return _Found(doubtful.pop(), ()) if len(doubtful) == 1 else None


def _same_number(ours: str, theirs: str) -> bool:
    """Whether one may be the decimal and one the hexadecimal form of one number."""
    pairs = ((10, 10), (10, 16), (16, 10))
    return any(_numbers(ours, one) & _numbers(theirs, other) for one, other in pairs)


def _numbers(text: str, base: int) -> frozenset[int]:
    try:
        return frozenset({int(text, base)}) if text.isascii() and text.isalnum() else frozenset()
    except ValueError:
        return frozenset()


def _of_whole(tx: Tx, said: Receipt, found: _Found, account: str) -> Receipt | None:
    """What *said* of one part means for the message."""
    whole = Receipt(
        found.message_id, said.state, said.provider, said.code, said.error, said.reason, said.status, said.at,
        said.read, said.cost if len(found.part_ids) < 2 else None,
    )  # fmt: skip
    if len(found.part_ids) < 2 or said.state != "DELIVERED":
        return whole
    spelled = {one: _notations(one) for one in found.part_ids}
    keys = [_key(account, each, code) for ways in spelled.values() for each in sorted(ways) for code in _DELIVERED]
    arrived = {row[0] for row in tx.rows(_OF_PARTS, {"keys": Keys(keys), "message": found.message_id})}
    return whole if all(ways & arrived for ways in spelled.values()) else None


def _notations(id: str) -> frozenset[str]:
    """*id*, and how a receipt may spell it: answers and receipts of one server differ between base 10 and 16."""
    as_decimal = {form for number in _numbers(id, 10) for form in (f"{number:x}", f"{number:X}")}
    as_hexadecimal = {str(number) for number in _numbers(id, 16)}
    return frozenset({id, *as_decimal, *as_hexadecimal})


_DELIVERED = ("1", "2", "4")  # status codes of the provider that mean it


def _key(account: str, provider_id: str, code: str) -> str:
    return f"{account}/dlr:{provider_id}:{code}"


def _parked(tx: Tx, account: str, name: str, provider: str) -> tuple[Pieces, list[tuple[str, datetime]]]:
    """The pieces under *name*, and the keys of their rows with the times they came."""
    parts: dict[int, Part] = {}
    keys: list[tuple[str, datetime]] = []
    for key, _phone, code, octets, received in tx.rows(_PIECES, {"account": account, "name": name}):
        number, _, coding = code.partition("/")
        parts[int(number)] = Part(int(number), int(coding), bytes.fromhex(octets))
        keys.append((key, from_us(received)))
    _piece, phone, to, _reference, total = name.split("/")
    ordered = tuple(part for _number, part in sorted(parts.items()))
    return Pieces(name, account, provider, unquote(phone), unquote(to), int(total), ordered), keys
