"""What ``decide`` may know: the rows that ``needs`` named, and nothing else.

Asking for something that was not loaded raises :class:`NotLoaded`: a decision made on half a memory would
page somebody twice. A memory outlives one decision only inside one transaction: :meth:`Memory.apply` makes
the plan of one happening part of what the next one sees.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from operator import attrgetter

from bridge.errors import BridgeError
from bridge.model import (
    Conversation,
    Incident,
    Message,
    MessageState,
    Notice,
    Notification,
    PlainWord,
    Plan,
    Reading,
    Timer,
)


class NotLoaded(BridgeError):
    """``decide`` asked for what ``needs`` did not name: a mistake in this room."""


@dataclass(frozen=True, slots=True)
class Needs:
    """What a happening will touch; the store locks and loads it in sorted order.

    An incident brings its notifications, its unsent messages and the conversations of its phones. A phone in
    *phones* brings its conversations with their incidents and what we answered it; one in *talkers* only the
    conversations: to find a free code for an alert, what the others are about is of no interest.
    """

    keys: frozenset[tuple[str, str]] = frozenset()  # (source, incident key)
    producer_keys: frozenset[tuple[str, str]] = frozenset()  # (source, producer's key)
    incidents: frozenset[int] = frozenset()
    messages: frozenset[int] = frozenset()
    phones: frozenset[str] = frozenset()
    talkers: frozenset[str] = frozenset()
    digests: frozenset[str] = frozenset()
    causes: frozenset[str] = frozenset()

    def __or__(self, other: Needs) -> Needs:
        return Needs.of((self, other))

    @classmethod
    def of(cls, all_needs: Iterable[Needs]) -> Needs:
        """What several happenings need together."""
        columns = zip(*map(attrgetter(*cls.__slots__), all_needs), strict=True)
        return cls(*(frozenset().union(*column) for column in columns))


@dataclass(slots=True)
class Memory:
    """The loaded rows, indexed as decisions ask for them."""

    loaded: Needs = field(default_factory=Needs)
    complete: bool = False  # everything there is is loaded (explain, test): nothing can be missing
    instance: str = "demo"  # random name of this store: makes ids of our mails unique in the world
    incidents: dict[int, Incident] = field(default_factory=dict)
    notifications: dict[int, list[Notification]] = field(default_factory=dict)
    conversations: dict[str, dict[str, Conversation]] = field(default_factory=dict)
    messages: dict[int, Message] = field(default_factory=dict)
    waiting: dict[int, set[int]] = field(default_factory=dict)  # incident -> messages not yet begun
    digests: dict[str, int] = field(default_factory=dict)  # digest -> first mail with it in 24 h
    notices: dict[str, Notice] = field(default_factory=dict)
    plain: dict[str, PlainWord] = field(default_factory=dict)  # phone -> the last plain message of the last days
    answers: dict[str, list[datetime]] = field(default_factory=dict)  # phone -> when we answered it
    counters: dict[str, int] = field(default_factory=dict)  # name -> next id
    _by_key: dict[tuple[str, str], dict[int, None]] = field(default_factory=dict)  # of live incidents, oldest first
    _by_producer_key: dict[tuple[str, str], dict[int, None]] = field(default_factory=dict)

    def remember(self, incident: Incident) -> None:
        """An incident as it stands now."""
        self.incidents[incident.id] = incident
        for index, key in ((self._by_key, incident.key), (self._by_producer_key, incident.producer_key)):
            found = index.setdefault((incident.source, key), {})
            if incident.state in ("open", "acked"):
                found[incident.id] = None
            else:
                found.pop(incident.id, None)

    def open_incident(self, source: str, key: str) -> Incident | None:
        """The open or acknowledged incident with this key."""
        self._must(self.complete or (source, key) in self.loaded.keys, f"incident {source}/{key}")
        return self._first(self._by_key, source, key)

    def open_by_producer_key(self, source: str, key: str) -> Incident | None:
        """The open or acknowledged incident that a recovery with the producer's *key* ends."""
        self._must(self.complete or (source, key) in self.loaded.producer_keys, f"producer key {source}/{key}")
        return self._first(self._by_producer_key, source, key)

    def incident(self, number: int) -> Incident | None:
        """An incident by its number, whatever its state."""
        return self.incidents.get(number)

    def message(self, number: int) -> Message | None:
        """A message by its number."""
        self._must(self.complete or number in self.loaded.messages or number in self.messages, f"message {number}")
        return self.messages.get(number)

    def told(self, incident: Incident) -> list[Notification]:
        """Who was told of the present episode."""
        return [n for n in self.notifications.get(incident.id, ()) if n.episode == incident.episode]

    def codes(self, phone: str) -> dict[str, Conversation]:
        """Code → conversation of this phone, expired and resting ones included."""
        return self.conversations.get(phone, {})

    def first_with(self, digest: str) -> int | None:
        """The mail that had this digest first, within 24 hours."""
        self._must(self.complete or not digest or digest in self.loaded.digests, f"digest {digest}")
        return self.digests.get(digest) if digest else None

    def notice(self, cause: str) -> Notice | None:
        """What the operator was told of *cause*."""
        self._must(self.complete or cause in self.loaded.causes, f"notice {cause}")
        return self.notices.get(cause)

    def apply(self, plan: Plan, reading: Reading | None = None) -> None:
        """Make *plan* (that of *reading*, if it was one) part of this memory, as if it had been written and loaded."""
        for incident in plan.incidents:
            self.remember(incident)
        for note in plan.notifications:
            self.notifications.setdefault(note.incident_id, []).append(note)
        for conversation in plan.conversations:
            self.conversations.setdefault(conversation.phone, {})[conversation.code] = conversation
        self._apply_messages(plan)
        for notice in plan.notices:
            self.notices[notice.cause] = notice
        for name, count in plan.taken.items():
            self.counters[name] = self.counters.get(name, 1) + count
        if reading is not None:
            self._apply_reading(plan, reading)

    def _apply_reading(self, plan: Plan, reading: Reading) -> None:
        if reading.digest and plan.mail_state == "PLANNED":
            self.digests.setdefault(reading.digest, reading.mail_id)
        for message in plan.messages:
            if not message.incident_id:
                self.plain[message.phone] = PlainWord(message.rule, message.text, message.created_at, reading.thread)

    def _apply_messages(self, plan: Plan) -> None:
        for message in plan.messages:
            self.messages[message.id] = message
            self.waiting.setdefault(message.incident_id, set()).add(message.id)
            if message.rule == "(answer)":
                self.answers.setdefault(message.phone, []).append(message.created_at)
        for number, reason in plan.cancel:
            self._move(number, "CANCELLED", reason)
            for waiting in self.waiting.values():
                waiting.discard(number)
        for number, state, reason in plan.states:
            self._move(number, state, reason)

    def _move(self, number: int, state: MessageState, reason: str) -> None:
        """Two receipts for one message in one transaction: the second must see what the first did (T24)."""
        if number in self.messages:
            self.messages[number] = replace(self.messages[number], state=state, reason=reason)

    def _first(self, index: dict[tuple[str, str], dict[int, None]], source: str, key: str) -> Incident | None:
        return next((self.incidents[number] for number in index.get((source, key), ())), None)

    @staticmethod
    def _must(loaded: bool, what: str) -> None:
        if not loaded:
            raise NotLoaded(f"{what} was not loaded")


def timer(due_at: datetime, kind: str, incident_id: int = 0, **data: object) -> Timer:
    """A new timer; the store gives it its id."""
    return Timer(0, due_at, kind, incident_id, data)
