"""What ``decide`` may know: the rows that ``needs`` named, and nothing else.

Asking for something that was not loaded raises :class:`NotLoaded`: a decision made on half a memory would
page somebody twice. A memory outlives one decision only inside one transaction: :meth:`Memory.apply` makes
the plan of one happening part of what the next one sees.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from operator import attrgetter
from typing import Any, Protocol

from bridge.errors import BridgeError
from bridge.model import (
    Conversation,
    Held,
    Incident,
    Message,
    MessageState,
    Notice,
    Notification,
    Override,
    PlainWord,
    Plan,
    Reading,
    Silence,
    Spend,
    Spent,
    Stop,
    Tally,
    Timer,
)


class NotLoaded(BridgeError):
    """``decide`` asked for what ``needs`` did not name: a mistake in this room."""


@dataclass(frozen=True, slots=True)
class Needs:
    """What a happening will touch; the store locks and loads it in sorted order.

    An incident brings its notifications, its unsent messages, what is held of it, its timers, and the conversations
    of its phones. Silences made at run time, overrides of rotas and phones that said STOP are few and always there. A
    phone in *phones* brings its conversations with their incidents, the plain message it had last and what is still to
    leave for it; one in *talkers* only the conversations: to find a free code for an alert, what the others are about
    is of no interest.
    """

    keys: frozenset[tuple[str, str]] = frozenset()  # (source, incident key)
    producer_keys: frozenset[tuple[str, str]] = frozenset()  # (source, producer's key)
    incidents: frozenset[int] = frozenset()
    messages: frozenset[int] = frozenset()
    phones: frozenset[str] = frozenset()
    talkers: frozenset[str] = frozenset()
    digests: frozenset[str] = frozenset()
    causes: frozenset[str] = frozenset()
    timers: frozenset[str] = frozenset()  # names
    bundles: frozenset[str] = frozenset()  # with all that is held in them, and the incidents of that
    tallies: frozenset[str] = frozenset()
    spends: frozenset[tuple[str, datetime]] = frozenset()  # (budget, since)
    hiders: bool = False  # every live incident that hides others

    def __or__(self, other: Needs) -> Needs:
        return Needs.of((self, other))

    @classmethod
    def of(cls, all_needs: Iterable[Needs]) -> Needs:
        """What several happenings need together."""
        several = tuple(all_needs)
        if len(several) < 2:
            return several[0] if several else cls()
        columns = zip(*map(_sets_of, several), strict=True)  # this is done a few times for every mail
        sets = {name: _NONE.union(*column) for name, column in zip(_SETS, columns, strict=True)}
        return cls(**sets, hiders=any(each.hiders for each in several))


_SETS = tuple(name for name in Needs.__slots__ if name != "hiders")
_sets_of = attrgetter(*_SETS)
_NONE: frozenset[Any] = frozenset()


@dataclass(frozen=True, slots=True)
class Known:
    """What must be known before anybody can say what else is needed."""

    overrides: Sequence[Override] = ()  # who took over which rota
    held: Mapping[str, Mapping[str, Held]] = field(default_factory=dict)  # in the bundles that fall due
    stops: Mapping[str, Stop] = field(default_factory=dict)  # phones to which nobody sends


class Fetch(Protocol):
    """Reads on, in the same transaction, what nobody could name before: the counts of a phone that only the rows of
    an incident name. Incidents and what belongs to them never come this way: they are locked first."""

    def timer(self, name: str) -> Timer | None:
        """The timer of this name."""

    def tallies(self, name: str) -> Sequence[Tally]:
        """What is counted under this name."""

    def spent(self, budget: str, since: datetime) -> Spent:
        """What the budget has seen since then."""

    def notice(self, cause: str) -> Notice | None:
        """What the operator was told of this."""


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
    timers: dict[str, Timer] = field(default_factory=dict)  # by name
    held: dict[str, dict[str, Held]] = field(default_factory=dict)  # bundle -> member
    tallies: dict[str, list[Tally]] = field(default_factory=dict)
    silences: dict[int, Silence] = field(default_factory=dict)
    overrides: list[Override] = field(default_factory=list)
    stops: dict[str, Stop] = field(default_factory=dict)  # by phone
    spent_before: dict[tuple[str, datetime], Spent] = field(default_factory=dict)  # as loaded
    spends: dict[str, list[Spend]] = field(default_factory=dict)  # since then
    fetch: Fetch | None = None
    counters: dict[str, int] = field(default_factory=dict)  # name -> next id
    _by_key: dict[tuple[str, str], dict[int, None]] = field(default_factory=dict)  # of live incidents, oldest first
    _by_producer_key: dict[tuple[str, str], dict[int, None]] = field(default_factory=dict)
    _gone: set[str] = field(default_factory=set)  # timers taken away since loading
    _counted: set[str] = field(default_factory=set)  # tallies that were read on
    _hiders: dict[int, None] = field(default_factory=dict)  # live incidents that hide others
    _held_of: dict[int, set[tuple[str, str]]] = field(default_factory=dict)  # incident -> where it is held

    def remember(self, incident: Incident) -> None:
        """An incident as it stands now."""
        self.incidents[incident.id] = incident
        for index, key in ((self._by_key, incident.key), (self._by_producer_key, incident.producer_key)):
            found = index.setdefault((incident.source, key), {})
            if incident.live:
                found[incident.id] = None
            else:
                found.pop(incident.id, None)
        if incident.live and incident.marks.hides:
            self._hiders[incident.id] = None
        else:
            self._hiders.pop(incident.id, None)

    def hold(self, held: Held) -> None:
        """Something that waits, as it stands now."""
        self.held.setdefault(held.bundle, {})[held.member] = held
        if held.incident_id:
            self._held_of.setdefault(held.incident_id, set()).add((held.bundle, held.member))

    def release(self, bundle: str, member: str) -> None:
        """It waits no more."""
        held = self.held.get(bundle, {}).pop(member, None)
        if held is not None and held.incident_id:
            self._held_of[held.incident_id].discard((bundle, member))

    def open_incident(self, source: str, key: str) -> Incident | None:
        """The open or acknowledged incident with this key."""
        self._must(self.complete or (source, key) in self.loaded.keys, f"incident {source}/{key}")
        return self._first(self._by_key, source, key)

    def open_by_producer_key(self, source: str, key: str) -> list[Incident]:
        """The open or acknowledged incidents that a recovery with the producer's *key* ends, oldest first: rules with
        keys of their own make several of one trouble."""
        self._must(self.complete or (source, key) in self.loaded.producer_keys, f"producer key {source}/{key}")
        return [self.incidents[number] for number in self._by_producer_key.get((source, key), ())]

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
        if not self.complete and cause not in self.loaded.causes and cause not in self.notices:
            self._read_on(f"notice {cause}")
            found = self.fetch.notice(cause) if self.fetch else None
            if found is not None:
                self.notices[cause] = found
        return self.notices.get(cause)

    def timer(self, name: str) -> Timer | None:
        """The timer of this name."""
        if not self.complete and name not in self.loaded.timers and name not in self.timers and name not in self._gone:
            self._read_on(f"timer {name}")
            found = self.fetch.timer(name) if self.fetch else None
            if found is not None:
                self.timers[name] = found
        return self.timers.get(name)

    def bundle(self, name: str) -> dict[str, Held]:
        """All that is held in this bundle, by member."""
        self._must(self.complete or name in self.loaded.bundles, f"bundle {name}")
        return self.held.get(name, {})

    def held_of(self, incident: Incident) -> list[Held]:
        """Everything that is held of this incident."""
        return [self.held[bundle][member] for bundle, member in sorted(self._held_of.get(incident.id, ()))]

    def counted(self, name: str, since: datetime) -> list[datetime]:
        """The moments counted under *name* after *since* (that moment itself is outside), oldest first."""
        if not self.complete and name not in self.loaded.tallies and name not in self._counted:
            self._read_on(f"tally {name}")
            self._counted.add(name)
            before = self.fetch.tallies(name) if self.fetch else ()
            self.tallies[name] = [*before, *self.tallies.get(name, ())]
        return sorted(tally.at for tally in self.tallies.get(name, ()) if tally.at > since)

    def spent(self, budget: str, since: datetime) -> Spent:
        """What *budget* has seen since *since* (that moment included)."""
        known = (budget, since) in self.loaded.spends or (budget, since) in self.spent_before
        if not self.complete and not known:
            self._read_on(f"spends {budget} since {since}")
            self.spent_before[budget, since] = self.fetch.spent(budget, since) if self.fetch else Spent()
        sums = self.spent_before.get((budget, since), Spent())
        for spend in self.spends.get(budget, ()):
            if spend.at >= since:
                sums = sums.plus(spend)
        return sums

    def hiders(self) -> list[Incident]:
        """Live incidents that hide others, oldest first."""
        self._must(self.complete or self.loaded.hiders, "hiding incidents")
        return [self.incidents[number] for number in sorted(self._hiders)]

    def apply(self, plan: Plan, reading: Reading | None = None) -> None:
        """Make *plan* (that of *reading*, if it was one) part of this memory, as if it had been written and loaded."""
        for incident in plan.incidents:
            self.remember(incident)
        for note in plan.notifications:
            self.notifications.setdefault(note.incident_id, []).append(note)
        for conversation in plan.conversations:
            self.conversations.setdefault(conversation.phone, {})[conversation.code] = conversation
        self._apply_messages(plan)
        self._apply_waiting(plan)
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
            if not message.incident_id and not message.about and not message.rule.startswith("("):
                self.plain[message.phone] = PlainWord(message.rule, message.text, message.created_at, reading.thread)

    def _apply_waiting(self, plan: Plan) -> None:
        for name in plan.timers_gone:
            self.timers.pop(name, None)
            self._gone.add(name)
        for timer in plan.timers:
            if timer.name:
                self.timers[timer.name] = timer
                self._gone.discard(timer.name)
        for held in plan.held:
            self.hold(held)
        for bundle, member in plan.released:
            self.release(bundle, member)
        for tally in plan.tallies:
            self.tallies.setdefault(tally.name, []).append(tally)
        for spend in plan.spends:
            self.spends.setdefault(spend.budget, []).append(spend)
        for silence in plan.silences:
            self.silences[silence.id] = silence
        self.overrides.extend(plan.overrides)
        for stop in plan.stops:
            if stop.over:
                self.stops.pop(stop.phone, None)
            else:
                self.stops[stop.phone] = stop

    def _apply_messages(self, plan: Plan) -> None:
        for message in plan.messages:
            self.messages[message.id] = message
            self.waiting.setdefault(message.incident_id, set()).add(message.id)
        for number, reason in plan.cancel:
            self._give_back(number)
            self._move(number, "CANCELLED", reason)
            for waiting in self.waiting.values():
                waiting.discard(number)
        for number, state, reason in plan.states:
            self._move(number, state, reason)

    def _give_back(self, number: int) -> None:
        """What was reserved for a message that never left. One that may have left was paid."""
        if number not in self.messages or self.messages[number].state != "READY":
            return
        for budget, spends in list(self.spends.items()):
            if any(spend.message_id == number for spend in spends):
                del self.spends[budget]
                kept = self.spends.setdefault(budget, [])
                for spend in spends:
                    if spend.message_id != number:
                        kept.append(spend)  # one by one: a memory that keeps sums makes them again

    def _move(self, number: int, state: MessageState, reason: str) -> None:
        """Two receipts for one message in one transaction: the second must see what the first did (T24)."""
        if number in self.messages:
            self.messages[number] = replace(self.messages[number], state=state, reason=reason)

    def _first(self, index: dict[tuple[str, str], dict[int, None]], source: str, key: str) -> Incident | None:
        return next((self.incidents[number] for number in index.get((source, key), ())), None)

    def _read_on(self, what: str) -> None:
        """Only a store can; a decision that is made without one must have named *what*."""
        self._must(self.fetch is not None, what)

    @staticmethod
    def _must(loaded: bool, what: str) -> None:
        if not loaded:
            raise NotLoaded(f"{what} was not loaded")


def timer(due_at: datetime, kind: str, incident_id: int = 0, **data: object) -> Timer:
    """A new timer; the store gives it its id."""
    return Timer(0, due_at, kind, incident_id, data)
