"""A world in memory with a clock of its own: what would happen, and when, if this came in.

Mails meet the door, are read and decided; timers fire in their order; a message that may go is taken by the
first gateway of its chain at once, and its receipt comes a second later. The functions are those of ``run``.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from bridge.book import RuleBook
from bridge.delivery.unknown import DEADLINES
from bridge.dispatch import ringing
from bridge.dispatch.decide import decide
from bridge.intake.passwords import stand_ins
from bridge.intake.read import read
from bridge.model import (
    Call,
    Due,
    Envelope,
    Event,
    Failed,
    Fate,
    Happening,
    Message,
    MessageState,
    Order,
    OutgoingMail,
    Override,
    Plan,
    Reading,
    Receipt,
    Reply,
    StoredMail,
    Timer,
)
from bridge.proof.door import Knock, Refusal, knock
from bridge.proof.gateways import Ended, Mood, PretendGateways
from bridge.proof.lasting import forget_counted, lasting_memory, without_the_past

RECEIPT_AFTER = timedelta(seconds=1)  # FORMAT §12: what the network says by itself
FIRST_IDS = {"incident": 1000, "message": 1, "mail": 1, "silence": 1}
_SAME_MAIL = timedelta(hours=24)  # a second copy of a mail is known so long
_FORGET_EVERY = 500  # decisions
_FOR_EVER = timedelta(days=100 * 365)


@dataclass(frozen=True, slots=True)
class Sent:
    """A message that a gateway took (``sms`` or, by voice, ``call``)."""

    at: datetime
    message: Message
    via: str  # "" where the message has no gateway at all
    sender: str  # what the phone shows, "" = the account's own
    code: str  # that the phone may answer with, "" = none

    @property
    def kind(self) -> str:
        return "call" if self.message.channel == "call" else "sms"


@dataclass(frozen=True, slots=True)
class Posted:
    """A mail of ours that left, as one of its recipients gets it."""

    at: datetime
    address: str
    mail: OutgoingMail
    rule: str  # a rule's name, or a word in brackets
    in_thread: bool

    @property
    def kind(self) -> str:
        return "mail"


Effect = Sent | Posted
_STATES: Mapping[str, MessageState] = {"accepted": "ACCEPTED", "unknown": "UNKNOWN"}
_ASKED = 4  # questions until a critical message is given up, as ``run`` asks them


@dataclass(frozen=True, slots=True)
class _Deadline:
    """When the fate of a message must be known."""

    message: Message
    via: str


@dataclass(slots=True)
class Happened:
    """Everything since the last look, in order of time."""

    effects: list[Effect] = field(default_factory=list)
    fates: list[Fate] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)  # with what ``set`` of their first rule made of them
    refusals: list[Refusal] = field(default_factory=list)
    taken_in: int = 0  # mails that passed the door


@dataclass(frozen=True, slots=True)
class Course:
    """The way of one event: the rules that were asked, those of them that fitted, and those that acted."""

    asked: frozenset[str]
    fitted: frozenset[str]
    acted: frozenset[str]


class World:
    """One empty store, one clock, gateways that take everything."""

    def __init__(
        self, book: RuleBook, at: datetime, *, receipts: bool = True, on_call: Mapping[str, str] | None = None
    ) -> None:
        """*on_call*: rota → person, as an operator's override makes it; *receipts*: ``delivered`` comes by itself."""
        self.book = book
        self.now = at
        self.memory = lasting_memory("test", dict(FIRST_IDS))
        self.memory.overrides += [
            Override(rota, person, at - _FOR_EVER, at + _FOR_EVER) for rota, person in (on_call or {}).items()
        ]
        self.courses: set[Course] = set()
        self.refused = False  # whether the door said no to anything
        self.gateways = PretendGateways()
        self._passwords = stand_ins(book.config)
        self._copies: deque[tuple[datetime, str]] = deque()
        self._decided = 0
        self._waiting: set[int] = set()  # messages that no gateway can take now
        self._receipts = receipts
        self._happened = Happened()
        self._due: list[tuple[datetime, int, int, Timer | Message | Receipt | _Deadline]] = []
        self._number = 0

    def mail(self, envelope: Envelope) -> Knock:
        """A mail comes to its door now."""
        knocked = knock(self.book, replace(envelope, received_at=self.now))
        self._happened.refusals += knocked.refusals
        self.refused = self.refused or bool(knocked.refusals)
        if knocked.envelope is not None:
            self._happened.taken_in += 1
            mail = StoredMail(self._next(), knocked.envelope)
            self.take(read(mail, self.book, own=self.memory.instance, passwords=self._passwords, trace=True))
        return knocked

    def take(self, reading: Reading) -> Plan:
        """A mail that was read is decided on now; what was decided."""
        while self._copies and self._copies[0][0] <= self.now - _SAME_MAIL:
            self.memory.digests.pop(self._copies.popleft()[1], None)
        if reading.digest and reading.digest not in self.memory.digests:
            self._copies.append((self.now, reading.digest))
        return self._decide(reading)

    def forget(self) -> None:
        """Leave out of the memory what is long over: for a world that sees very many mails."""
        self.memory = without_the_past(self.memory, self.now)

    def reply(self, phone: str, text: str, to: str = "") -> None:
        """An SMS comes back from *phone*."""
        chain = self.book.chain(None, phone)
        self._decide(Reply(self._next(), phone, to or self.book.number(chain), text, chain[0] if chain else ""))

    def call(self, phone: str) -> None:
        """*phone* rings the number that it was shown last."""
        message = self.newest_message(phone)
        chain = message.providers if message else self.book.chain(None, phone)
        shown = shown_number(self.book, message) if message else self.book.number(chain)
        self._decide(Call(self._next(), phone, shown, chain[0] if chain else "", self.now))

    def turn(self, moods: Mapping[str, Mood]) -> None:
        """From now on gateways are like this; what waited for them goes, if it can."""
        for trouble in self.gateways.turn(moods, tuple(self.book.config.providers)):
            self._decide(trouble)
        for number in sorted(self._waiting):
            self._send(self.memory.messages[number])

    def order(self, by: str, words: Sequence[str]) -> Plan:
        """An act of an operator, as typed after ``smsbridge``; what was decided."""
        return self._decide(Order(by, tuple(words)))

    def receipt(self, message: Message, state: MessageState, *, error: str = "", read: bool = False) -> None:
        """What the network says of a message now."""
        via = message.providers[0] if message.providers else ""
        self._decide(Receipt(message.id, state, via, error=error, at=self.now, read=read))

    def advance(self, to: datetime) -> None:
        """Let time pass; everything due until then (that moment included) happens at its own moment."""
        while self._due and self._due[0][0] <= to:
            at, _rank, _order, thing = heapq.heappop(self._due)
            self.now = max(self.now, at)
            match thing:
                case Timer():
                    self._fall_due(thing)
                case Receipt():
                    self._decide(thing)
                case Message():
                    self._send(thing)
                case _Deadline():
                    self._give_up(thing.message, thing.via)
        self.now = max(self.now, to)

    def happened(self) -> Happened:
        """What happened since this was asked last."""
        found, self._happened = self._happened, Happened()
        return found

    def newest_message(self, phone: str) -> Message | None:
        """The last message to *phone*, whatever became of it."""
        mine = [message for message in self.memory.messages.values() if message.phone == phone]
        return max(mine, key=lambda message: message.id, default=None)

    def _next(self) -> int:
        self._number += 1
        return self._number

    def _fall_due(self, timer: Timer) -> None:
        """A timer's moment; one that was moved or taken away meanwhile is none any more."""
        if timer.name and self.memory.timers.get(timer.name) != timer:
            return
        self._decide(Due(timer))

    def _decide(self, happening: Happening) -> Plan:
        self._decided += 1
        if self._decided % _FORGET_EVERY == 0:
            forget_counted(self.memory, self.now)
        plan = decide(happening, self.book, self.memory, self.now)
        if isinstance(happening, Reading):
            self.memory.apply(plan, happening)
            self._understood(happening)
        else:
            self.memory.apply(plan)
        self._happened.fates += plan.fates
        self._post(plan)
        for timer in plan.timers:
            self._wait_for(replace(timer, id=self._next()))
        for message in plan.messages:
            self._later(message.due_at, message)
        self.advance(self.now)
        return plan

    def _wait_for(self, timer: Timer) -> None:
        if timer.name:
            self.memory.timers[timer.name] = timer  # with its id: only the latest of a name is heard
        self._later(timer.due_at, timer)

    def _understood(self, reading: Reading) -> None:
        for routed in reading.events:
            self._happened.events.append(routed.routes[0].event if routed.routes else routed.event)
            asked = frozenset(visit.rule for visit in routed.trace)
            fitted = frozenset(visit.rule for visit in routed.trace if visit.matched)
            self.courses.add(Course(asked, fitted, frozenset(route.rule for route in routed.routes)))

    def _later(self, at: datetime, thing: Timer | Message | Receipt | _Deadline) -> None:
        rank = (Timer, Receipt, _Deadline, Message).index(type(thing))  # of one moment timers go first
        heapq.heappush(self._due, (at, rank, self._next(), thing))

    def _post(self, plan: Plan) -> None:
        mails = {mail.id: mail for mail in plan.mails}
        rule = ""
        for entry in plan.journal:
            if entry.kind == "rule.took":
                rule = str(entry.data.get("rule", ""))
            mail = mails.get(int(str(entry.data.get("mail", 0)))) if entry.kind == "mail.out" else None
            if mail is not None:
                self._posted(mail, self._rule_of(mail, rule))

    def _posted(self, mail: OutgoingMail, rule: str) -> None:
        in_thread = b"\r\nIn-Reply-To:" in mail.content.partition(b"\r\n\r\n")[0]
        self._happened.effects += [Posted(self.now, address, mail, rule, in_thread) for address in mail.to]

    def _rule_of(self, mail: OutgoingMail, took: str) -> str:
        if mail.kind == "operator":
            return "(operator)"
        if mail.kind in ("reply", "acked", "unacked"):
            return "(answer)"
        incident = self.memory.incident(mail.incident_id)
        return incident.rule if incident is not None else took

    def _send(self, message: Message) -> None:
        """The first gateway of the chain that can takes it, unless it was cancelled meanwhile."""
        known = self.memory.messages[message.id]
        if known.state != "READY":
            return
        if self.now >= known.valid_until:
            self._end(known, "EXPIRED", Failed(known.id, "too late to be sent", "5.4.7"))
            return
        ended, troubles = self.gateways.take(known, tuple(self.book.config.providers))
        if known.providers and ended.how == "waiting":
            self._stand_by(known)
        elif known.providers and ended.how == "refused":
            self._end(known, "REJECTED", Failed(known.id, "every gateway refused it"))
        else:
            self._leave(known, ended)
        for trouble in troubles:
            self._decide(trouble)

    def _stand_by(self, message: Message) -> None:
        """It waits in the queue until a gateway is well again, and at most for as long as it is valid."""
        if message.id not in self._waiting:
            self._waiting.add(message.id)
            self._later(message.valid_until, message)

    def _leave(self, message: Message, ended: Ended) -> None:
        """A gateway has it; where nobody knows that, its deadline runs (threats §2)."""
        self._waiting.discard(message.id)
        via, state = ended.via, _STATES.get(ended.how, "ACCEPTED")  # without any gateway it is only shown
        sent = replace(self._numbered(message), state=state)
        self.memory.messages[message.id] = sent
        self.memory.waiting.get(message.incident_id, set()).discard(message.id)
        shown = self._priced(sent, via)
        self._happened.effects.append(Sent(self.now, shown, via, originator(self.book, sent, via), self._code(sent)))
        if state == "UNKNOWN":
            self._later(self.now + DEADLINES[sent.message_class], _Deadline(sent, via))
        elif self._receipts:
            at = self.now + RECEIPT_AFTER
            self._later(at, Receipt(message.id, "DELIVERED", via, at=at))

    def _numbered(self, message: Message) -> Message:
        """With the number to ring: in a test it is the provider's own."""
        if message.call is None:
            return message
        number = shown_number(self.book, message)
        sent = ringing.with_number(message, number, self.now)
        for tally in ringing.given(message.phone, number, self.now) if sent.call else ():
            self.memory.tallies.setdefault(tally.name, []).append(tally)
        return sent

    def _priced(self, message: Message, via: str) -> Message:
        """At the price of the gateway that took it."""
        price, currency = self.book.price((via,), message.phone, message.segments)
        return message if price is None else replace(message, price=price, currency=currency)

    def _give_up(self, message: Message, via: str) -> None:
        """No proof in time: class critical goes another way, marked; the rest is held."""
        if self.memory.messages[message.id].state != "UNKNOWN":
            return
        critical = message.message_class == "critical"
        others = tuple(name for name in message.providers if name != via) or message.providers
        failed = Failed(message.id, "outcome unknown", "4.4.2", others if critical else (), via, _ASKED)
        self._end(message, "UNKNOWN" if critical else "HELD", failed)

    def _end(self, message: Message, state: MessageState, failed: Failed) -> None:
        """Nothing more is known, or to be hoped for, of a message."""
        self._waiting.discard(message.id)
        self.memory.messages[message.id] = replace(self.memory.messages[message.id], state=state, reason=failed.reason)
        self.memory.waiting.get(message.incident_id, set()).discard(message.id)
        self._decide(failed)

    def _code(self, message: Message) -> str:
        talks = self.memory.codes(message.phone).values()
        if message.incident_id:
            mine = sorted((len(talk.about), talk.code) for talk in talks if message.incident_id in talk.about)
            return mine[0][1] if mine else ""
        several = (talk for talk in talks if talk.together)
        return next((talk.code for talk in several if any(self._tells(message, n) for n in talk.incidents)), "")

    def _tells(self, message: Message, number: int) -> bool:
        return any(note.message_id == message.id for note in self.memory.notifications.get(number, ()))


def shown_number(book: RuleBook, message: Message) -> str:
    """The number to ring that a test shows: the provider's own; zeros where it has none."""
    return book.number(message.providers) or ringing.place_in("")


def originator(book: RuleBook, message: Message, via: str) -> str:
    """What the phone shows as sender, as the gateways choose it; "" = the account's own."""
    provider = book.provider(via)
    if provider is None:
        return message.originator.removeprefix("+")
    if message.answerable and provider.number and provider.number_as_sender:
        return provider.number.removeprefix("+")
    if message.originator:
        return message.originator.removeprefix("+")
    prefixes = [prefix for prefix in provider.senders if message.phone.startswith(prefix)]
    return provider.senders[max(prefixes, key=len)] if prefixes else provider.sender or ""
