"""submit_sm as the provider reads it: who may, whose text, which parts belong together, what it costs."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import count

from bridge.simulator.air import Air
from bridge.simulator.faults import Fault
from bridge.simulator.records import Message
from bridge.simulator.settings import Account, SmppSwitches
from bridge.simulator.smsc import numbers
from bridge.simulator.smsc.callbacks import MOSCOW
from bridge.simulator.smsc.commands import obey
from bridge.simulator.smsc.limits import Guard
from bridge.simulator.smsc.replies import Refused
from bridge.smpp import pdu, texts
from bridge.smpp.bodies import Bind, Query, QueryAnswer, ShortMessage
from bridge.smpp.parts import Place, taken_apart

NAME = "smsc-smpp"
_FIRST_ID = 855469
_LATIN_1_ELSEWHERE = 3  # the standard's value, whose coding bits are those of GSM here
_MOST_NAME, _MOST_PASSWORD = 15, 8  # SMPP 3.4 §4.1, without the final zero
_FLOOD = (23, 0)
_INCOMPLETE = (23, 241)
_REFUSED_AS = {7: pdu.WRONG_DESTINATION, 8: pdu.WRONG_DESTINATION}
_STATES = {-2: 1, -1: 1, 0: 6, 1: 2, 2: 2, 3: 3, 4: 2, 20: 5, 22: 5, 23: 8, 24: 8, 25: 5}
"""Status codes of the provider as message_state."""


class No(Exception):
    """The request is refused with that command_status."""

    def __init__(self, status: int) -> None:
        super().__init__(f"{status:#x}")
        self.status = status


@dataclass(frozen=True, slots=True)
class _Part:
    """One short message; *coding* is how its octets are read, which may not be what they were called."""

    id: str
    octets: bytes
    message: ShortMessage
    coding: int


@dataclass(slots=True)
class _Gathered:
    """Parts of one text, until all are there."""

    total: int
    since: datetime
    parts: dict[int, _Part] = field(default_factory=dict)


class Door:
    """One provider's SMPP side without its connections. *guard* gives that of all its doors: floods count together."""

    def __init__(self, air: Air, guard: Callable[[], Guard]) -> None:
        self._air = air
        self._guard = guard
        self._ids = count(_FIRST_ID)
        self._gathered: dict[Hashable, _Gathered] = {}
        self._messages: dict[tuple[str, str], int] = {}

    @property
    def switches(self) -> SmppSwitches:
        return self._air.switches.smpp

    def reset(self) -> None:
        """Forget half texts, ids and who asked what."""
        self._gathered.clear()
        self._messages.clear()

    def login(self, bind: Bind, peer: str) -> Account:
        """The account behind a bind. ``No`` for a wrong name, a wrong password, an address not on its list.

        What is longer than SMPP 3.4 allows is wrong only where the switch says so.
        """
        if self.switches.strict_lengths and len(bind.system_id) > _MOST_NAME:
            raise No(pdu.WRONG_SYSTEM_ID)
        if self.switches.strict_lengths and len(bind.password) > _MOST_PASSWORD:
            raise No(pdu.WRONG_PASSWORD)
        account = self._air.accounts.get(bind.system_id)
        if account is None:
            raise No(pdu.WRONG_SYSTEM_ID)
        wanted = account.smpp_password or account.password
        if not hmac.compare_digest(bind.password.encode(), wanted.encode()):
            raise No(pdu.WRONG_PASSWORD)
        if account.allowed_addresses and peer not in account.allowed_addresses:
            raise No(pdu.BIND_FAILED)
        return account

    def submit(self, login: str, message: ShortMessage, fault: Fault, *, iso: bool = False) -> str:
        """Take one short message as far as *fault* lets it; its id. ``No`` with what it is refused with.

        *iso*: the link was bound with system_type ``ISO``.
        """
        account, now = self._air.accounts[login], self._air.now()
        refusal = fault.command_status or (_REFUSED_AS.get(fault.refuse, pdu.SUBMIT_FAILED) if fault.refuse else 0)
        if refusal and not fault.takes:
            raise No(refusal)
        phones = self._phones(account, message)
        octets, place = self._taken_apart(message)
        coding = self._coding(message, iso=iso)
        self._once(login, message, now)
        self._allowed(account, message, phones, texts.decode(octets, coding))
        part = _Part(self._new_id(), octets, message, coding)
        for phone in phones:
            self._air.charge(login, numbers.price(account, "sms", phone))
            if place is None:
                self._whole(account, phone, [part], now)
            else:
                key = (login, phone, message.source, message.destination, place.reference, place.total)
                self._gather(key, account, phone, place.number, part, now)
        if refusal:
            raise No(refusal)
        return part.id

    def query(self, login: str, question: Query) -> QueryAnswer:
        """Where a message stands. ``No`` for an id that nobody gave."""
        self._air.timers.advance(self._air.now())
        serial = self._messages.get((login, question.message_id))
        message = self._air.message(serial) if serial is not None else None
        if message is None:
            raise No(pdu.QUERY_FAILED)
        final = message.changed_at.astimezone(MOSCOW).strftime("%y%m%d%H%M%S") + "012+" if message.status > 0 else ""
        return QueryAnswer(question.message_id, final, _STATES[message.status], message.err)

    def _phones(self, account: Account, message: ShortMessage) -> list[str]:
        """Digits. What a group's name or a list means over SMPP is undocumented: no number, or its members."""
        to = message.destination.text
        entries = numbers.recipients(to, account) if self.switches.groups else (to,)
        found = [numbers.phone_number(entry, "sms", self._air.switches) for entry in entries]
        good = [phone for phone in found if phone and not phone.startswith(account.unreachable)]
        if not good:
            raise No(pdu.WRONG_DESTINATION)
        return good

    def _taken_apart(self, message: ShortMessage) -> tuple[bytes, Place | None]:
        """Octets and place. Where only headers are known, parts by TLV are texts of their own."""
        if self.switches.sar_and_payload:
            return taken_apart(message)
        return taken_apart(replace(message, tlvs=()))

    def _coding(self, message: ShortMessage, *, iso: bool) -> int:
        """How the octets are read (smsc-smpp.md §1, §2: both inferred)."""
        if iso and self.switches.iso_system_type and message.coding == texts.GSM:
            return texts.LATIN_1
        return texts.GSM if message.coding == _LATIN_1_ELSEWHERE and self.switches.coding_3 == "gsm" else message.coding

    def _once(self, login: str, message: ShortMessage, now: datetime) -> None:
        """One identical submit a minute. What makes two the same is undocumented; here it is every letter of them."""
        key = ("smpp", login, message.source, message.destination, message.coding, *taken_apart(message))
        try:
            self._guard().once(key, self._air.switches.limits.identical_seconds, now)
        except Refused as error:
            raise No(self.switches.duplicate_status) from error

    def _allowed(self, account: Account, message: ShortMessage, phones: list[str], text: str) -> None:
        sender = message.source.text
        if account.senders and sender not in ("", account.number, *account.senders):
            raise No(pdu.WRONG_SOURCE)
        if any(word.lower() in text.lower() for word in account.forbidden_words):
            raise No(pdu.SUBMIT_FAILED)
        if sum(numbers.price(account, "sms", phone) for phone in phones) > account.balance + account.credit:
            raise No(self.switches.money_status)

    def _new_id(self) -> str:
        id = next(self._ids)
        return f"{id:X}" if self.switches.hexadecimal_ids else str(id)

    def _gather(self, key: Hashable, account: Account, phone: str, number: int, part: _Part, now: datetime) -> None:
        gathered = self._gathered.get(key)
        if gathered is None:
            gathered = self._gathered[key] = _Gathered(int(_total(part)), now)
            late = now + timedelta(seconds=self.switches.part_seconds)
            self._air.timers.at(late, lambda at: self._too_late(key, account, phone, gathered, at))
        gathered.parts[number] = part
        if len(gathered.parts) == gathered.total:
            del self._gathered[key]
            self._whole(account, phone, [one for _number, one in sorted(gathered.parts.items())], now)

    def _too_late(self, key: Hashable, account: Account, phone: str, gathered: _Gathered, at: datetime) -> None:
        """The operator has waited long enough for the other parts: those that came are paid and rejected."""
        if self._gathered.get(key) is gathered:
            del self._gathered[key]
            self._whole(account, phone, list(gathered.parts.values()), at, refused=_INCOMPLETE)

    def _whole(
        self, account: Account, phone: str, parts: list[_Part], now: datetime, refused: tuple[int, int] | None = None
    ) -> None:
        first = parts[0].message
        shown = [texts.decode(part.octets, parts[0].coding) for part in parts]
        text = texts.decode(b"".join(part.octets for part in parts), parts[0].coding)
        command = obey(text, trim=self._air.switches.trim_before_commands)
        floods = self._guard().floods(phone, self._air.switches.limits, now)
        status, err = refused or (_FLOOD if floods else (-1, 0))
        price = numbers.price(account, "sms", phone)
        message = Message(
            serial=next(self._air.serials),
            gateway=NAME,
            login=account.login,
            id=parts[0].id,
            channel=command.channel or "sms",
            kind=command.kind,
            phone=phone,
            sender=first.source.text or account.number,
            text=command.text,
            hidden=command.hidden,
            parts=tuple(shown),
            cost=price * len(parts),
            status=status,
            err=err,
            received_at=now,
            send_at=now,
            changed_at=now,
            valid_until=now + _life(first.validity),
            request=_request(parts),
        )
        for part in parts:  # of several phones the last one is what query_sm finds
            self._messages[account.login, part.id] = message.serial
        self._air.take(message)


def _total(part: _Part) -> int:
    place = taken_apart(part.message)[1]
    return place.total if place else 1


def _request(parts: list[_Part]) -> dict[str, object]:
    first = parts[0].message
    return {
        "method": "SMPP",
        "path": "submit_sm",
        "ids": [part.id for part in parts],
        "registered": first.registered & 0x03,
        "data_coding": first.coding,
        "esm_class": first.esm_class,
        "validity": first.validity,
        "source": [first.source.ton, first.source.npi, first.source.text],
        "destination": [first.destination.ton, first.destination.npi, first.destination.text],
        "octets": [part.message.payload.hex() for part in parts],
    }


def _life(validity: str) -> timedelta:
    """Of a relative time (§7.1.1.2); a day for every other form."""
    if len(validity) != 16 or not validity.endswith("R") or not validity[:15].isdigit():
        return timedelta(hours=24)
    years, months, days, hours, minutes, seconds = (int(validity[at : at + 2]) for at in range(0, 12, 2))
    return timedelta(days=365 * years + 30 * months + days, hours=hours, minutes=minutes, seconds=seconds)
