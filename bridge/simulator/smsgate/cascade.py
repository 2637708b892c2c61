"""One message on its way through the channels: the next one begins when the one before has failed.

Each channel that was begun is a message of its own on the air (and on the phone); what is said about the whole is
read from them (smsgate-cascade.md §2, §7).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import count

from bridge.simulator.air import Air
from bridge.simulator.records import FAILED, FINAL, Message
from bridge.simulator.smsc import numbers

NAME = "smsgate"
CHANNELS = ("viber", "whatsapp", "vk", "sms")
_WORDS = {1: "deliver", 2: "read", 3: "expired", 4: "link"}
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Way:
    """One channel of a message. *validity* is how long it may try before the next one begins."""

    channel: str
    sender: str
    text: str
    parts: tuple[str, ...]
    validity: timedelta = _DAY
    until_read: bool = False


@dataclass
class Cascade:
    """A message that was taken. *begun* are serials on the air, *ids* the provider's ids, both by channel."""

    id: str
    login: str
    client_id: str
    phone: str
    ways: tuple[Way, ...]
    ids: Mapping[str, str]
    request: Mapping[str, object]
    taken_at: datetime
    begun: dict[str, int] = field(default_factory=dict)
    ended: dict[str, str] = field(default_factory=dict)  # words that the gateway itself gave a channel
    given_back: set[str] = field(default_factory=set)  # channels that took nothing in the end


class Cascades:
    """All of them, by their ids; the only ones that put messages of this gateway on the air."""

    def __init__(self, air: Air) -> None:
        self._air = air
        self.by_id: dict[str, Cascade] = {}
        self._ids = count(1_000_123)
        self._way_ids = count(501)

    def add(
        self, login: str, client_id: str, phone: str, ways: tuple[Way, ...], request: Mapping[str, object]
    ) -> Cascade:
        """A new one that has not begun yet."""
        ids = {way.channel: str(next(self._way_ids)) for way in ways}
        made = Cascade(str(next(self._ids)), login, client_id, phone, ways, ids, request, self._air.now())
        self.by_id[made.id] = made
        return made

    def begin(self, cascade: Cascade, at: datetime, place: int = 0) -> None:
        """Put the channel at *place* on the air, and look after it when it must have ended."""
        way = cascade.ways[place]
        unwanted = way.channel == "viber" and cascade.phone in self._air.switches.smsgate.unsubscribed
        message = self._message(cascade, way, at, status=23 if unwanted else -1)
        cascade.begun[way.channel] = message.serial
        if unwanted:
            cascade.ended["viber"] = "unsubscribe"
        self._air.charge(cascade.login, message.cost)
        self._air.take(message)
        if place + 1 < len(cascade.ways):
            self._look_after(cascade, place, at)

    def _look_after(self, cascade: Cascade, place: int, at: datetime) -> None:
        switches, fault = self._air.switches, self._air.faults.network(NAME, cascade.phone)
        delay = switches.delivery_delay if fault.receipt_delay is None else fault.receipt_delay
        end = at + cascade.ways[place].validity
        for moment in (at + timedelta(seconds=switches.operator_delay + delay), end):
            self._air.timers.at(moment, lambda now: self._go_on(cascade, place, now, at_end=now >= end))

    def _go_on(self, cascade: Cascade, place: int, now: datetime, *, at_end: bool) -> None:
        """Begin the next channel where this one has failed, or (*at_end*) has not made it in time."""
        way = cascade.ways[place]
        if cascade.ways[place + 1].channel in cascade.begun or cascade.id not in self.by_id:
            return
        message = self._air.peek(cascade.begun[way.channel])
        if message is None:
            return
        failed = message.status in FAILED
        if at_end and message.status not in FINAL:
            self._air.end(message, 3, now)
            failed = True
        unread = way.until_read and message.status == 1 and at_end and self._air.switches.smsgate.finale_viber_read
        if failed:
            cascade.given_back.add(way.channel)
            self._air.charge(cascade.login, -message.cost)
        if failed or unread:
            self.begin(cascade, now, place + 1)

    def _message(self, cascade: Cascade, way: Way, at: datetime, *, status: int) -> Message:
        account = self._air.accounts[cascade.login]
        return Message(
            serial=next(self._air.serials),
            gateway=NAME,
            login=cascade.login,
            id=cascade.id,
            channel=way.channel,
            kind=0,
            phone=cascade.phone,
            sender=way.sender,
            text=way.text,
            hidden="",
            parts=way.parts,
            cost=numbers.price(account, way.channel, cascade.phone) * len(way.parts),
            status=status,
            err=0,
            received_at=at,
            send_at=at,
            changed_at=at,
            valid_until=at + way.validity,
            request=cascade.request,
        )

    def message(self, cascade: Cascade, channel: str) -> Message | None:
        """The channel's message on the air, None when it has not begun."""
        serial = cascade.begun.get(channel)
        return None if serial is None else self._air.peek(serial)

    def word(self, cascade: Cascade, channel: str) -> str:
        """The state of one channel; ``send`` is "not sent by it", and there is no other word for "under way"."""
        if channel in cascade.ended:
            return cascade.ended[channel]
        message = self.message(cascade, channel)
        if message is None or message.status not in FINAL:
            return "send"
        word = _WORDS.get(message.status, "not_deliver")
        return "deliver" if word in ("read", "link") and channel != "viber" else word

    def whole(self, cascade: Cascade) -> str:
        """The state of the whole: ``send`` while one of its channels may still make it."""
        words = [self.word(cascade, way.channel) for way in cascade.ways]
        if any(word in ("deliver", "read", "link") for word in words):
            return "deliver"
        last = words[-1]
        return "not_deliver" if last == "unsubscribe" else last

    def changed_at(self, cascade: Cascade) -> datetime:
        """When any of its channels last changed."""
        known = [self.message(cascade, way.channel) for way in cascade.ways]
        return max((message.changed_at for message in known if message is not None), default=cascade.taken_at)

    def cost(self, cascade: Cascade, channel: str) -> Decimal:
        """What the channel took."""
        message = self.message(cascade, channel)
        return Decimal(0) if message is None or channel in cascade.given_back else message.cost

    def of_message(self, message: Message) -> Cascade | None:
        """The cascade that *message* on the air belongs to."""
        return self.by_id.get(message.id)

    def clear(self) -> None:
        self.by_id.clear()
