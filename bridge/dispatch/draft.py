"""A plan while it is being made: what was decided so far, over what memory holds.

Later events of one mail must see what earlier ones did, so every question goes through the draft first.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Literal

from bridge.book import RuleBook
from bridge.memory import Memory
from bridge.model import (
    Conversation,
    Fate,
    Held,
    Incident,
    JournalEntry,
    MailState,
    Message,
    MessageState,
    Notice,
    Notification,
    OutgoingMail,
    Override,
    Plan,
    Silence,
    Spend,
    Spent,
    Stop,
    Tally,
    Timer,
    Unsubscribed,
)
from bridge.oncall.absent import stand_ins


class Draft:
    """Gathers what follows from one happening; :meth:`plan` is the result."""

    def __init__(self, book: RuleBook, memory: Memory, now: datetime, *, mail_id: int = 0) -> None:
        self.book = book
        self.memory = memory
        self.now = now
        self.mail_id = mail_id
        self.mail_state: MailState = "PLANNED"
        self.read_as = ""
        self.said: list[str] = []
        self.fates: list[Fate] = []
        self.notifications: list[Notification] = []
        self.messages: list[Message] = []
        self.cancelled: dict[int, str] = {}
        self.states: list[tuple[int, MessageState, str]] = []
        self.timers: list[Timer] = []
        self.mails: list[OutgoingMail] = []
        self.journal: list[JournalEntry] = []
        self.notices: dict[str, Notice] = {}
        self.tallies: list[Tally] = []
        self.spends: list[Spend] = []
        self.silences: list[Silence] = []
        self.overrides: list[Override] = []
        self.unsubscribed: list[Unsubscribed] = []
        self._stops: dict[str, Stop] = {}
        self._named: dict[str, Timer | None] = {}  # None: taken away
        self._held: dict[tuple[str, str], Held | None] = {}  # None: said, or given up
        self._incidents: dict[int, Incident] = {}
        self._conversations: dict[tuple[str, str], Conversation] = {}
        self._taken: dict[str, int] = {}

    def take(self, counter: Literal["incident", "message", "mail", "silence"]) -> int:
        """The next id of *counter*."""
        used = self._taken.get(counter, 0)
        self._taken[counter] = used + 1
        return self.memory.counters[counter] + used

    def put(self, incident: Incident) -> Incident:
        """A new or changed incident."""
        self._incidents[incident.id] = incident
        return incident

    def incident(self, number: int) -> Incident | None:
        """An incident as it stands now."""
        return self._incidents.get(number) or self.memory.incident(number)

    def open_incident(self, source: str, key: str) -> Incident | None:
        """The live incident with this key, as it stands now."""
        for incident in self._incidents.values():
            if incident.source == source and incident.key == key and incident.state in ("open", "acked"):
                return incident
        found = self.memory.open_incident(source, key)
        return None if found is None or found.id in self._incidents else found

    def open_by_producer_key(self, source: str, key: str) -> list[Incident]:
        """The live incidents with the producer's key, as they stand now, oldest first."""
        new = (i for i in self._incidents.values() if (i.source, i.producer_key) == (source, key) and i.live)
        old = (i for i in self.memory.open_by_producer_key(source, key) if i.id not in self._incidents)
        return sorted((*old, *new), key=lambda incident: incident.id)

    def told(self, incident: Incident) -> list[Notification]:
        """Who was told of the present episode: first those who got it as mail, then in the order of the messages."""
        new = (n for n in self.notifications if n.incident_id == incident.id and n.episode == incident.episode)
        return sorted((*self.memory.told(incident), *new), key=lambda note: (note.message_id, note.phone))

    def waiting(self, incident: Incident) -> list[Message]:
        """Messages of the incident that did not begin their way."""
        numbers = self.memory.waiting.get(incident.id, set()) - self.cancelled.keys()
        old = [self.memory.messages[number] for number in sorted(numbers)]
        return [*old, *(m for m in self.messages if m.incident_id == incident.id and m.id not in self.cancelled)]

    def unsent_to(self, phone: str) -> list[Message]:
        """Messages of earlier decisions to *phone* that did not begin their way."""
        known = self.memory.messages.values()
        waiting = (each for each in known if each.phone == phone and each.state in ("READY", "HELD"))
        return [message for message in waiting if message.id not in self.cancelled]

    def codes(self, phone: str) -> dict[str, Conversation]:
        """Code → conversation of this phone, as it stands now."""
        new = {c.code: c for (owner, _), c in self._conversations.items() if owner == phone}
        return {**self.memory.codes(phone), **new}

    def converse(self, conversation: Conversation) -> None:
        """Open or change a conversation."""
        self._conversations[conversation.phone, conversation.code] = conversation

    def fate(
        self,
        event: int,
        what: Literal["sms", "mail", "nothing"],
        *,
        rule: str = "",
        person: str = "",
        reason: str = "",
        message_id: int = 0,
    ) -> None:
        """Say what became of an event."""
        self.fates.append(Fate(event, what, rule, person, reason, message_id))

    def log(self, kind: str, *, incident_id: int = 0, message_id: int = 0, **data: object) -> None:
        """A step of the trail, now."""
        self.journal.append(JournalEntry(self.now, kind, self.mail_id, incident_id, message_id, data))

    def due(self, after: timedelta, kind: str, incident_id: int = 0, data: Mapping[str, object] | None = None) -> None:
        """Something to decide later."""
        self.timers.append(Timer(0, self.now + after, kind, incident_id, data or {}))

    def put_timer(
        self, name: str, due_at: datetime, kind: str, incident_id: int = 0, data: Mapping[str, object] | None = None
    ) -> None:
        """The one timer of this name: made, or moved."""
        self._named[name] = Timer(0, max(due_at, self.now), kind, incident_id, data or {}, name)

    def wake(self, bundle: str, due_at: datetime) -> None:
        """Ask again at *due_at* what is held in *bundle*: the name says when, so putting it twice is the same."""
        self.put_timer(bundle, due_at, "wake")

    def drop_timer(self, name: str) -> None:
        """There is nothing to decide under this name any more."""
        self._named[name] = None

    def timer(self, name: str) -> Timer | None:
        """The timer of this name, as it stands now."""
        return self._named[name] if name in self._named else self.memory.timer(name)

    def hold(self, held: Held) -> None:
        """Keep something until its bundle is said; what is held already is replaced."""
        self._held[held.bundle, held.member] = held

    def release(self, held: Held) -> None:
        """It waits no more."""
        self._held[held.bundle, held.member] = None

    def bundle(self, name: str) -> dict[str, Held]:
        """All that is held in this bundle, as it stands now."""
        found = dict(self.memory.bundle(name))
        self._lay_over(found, name)
        return found

    def held_in(self, bundle: str, member: str) -> Held | None:
        """One thing that may be held in *bundle*, which need not be loaded whole: its incident is."""
        if (bundle, member) in self._held:
            return self._held[bundle, member]
        return self.memory.held.get(bundle, {}).get(member)

    def held_of(self, incident: Incident) -> list[Held]:
        """Everything that is held of this incident, as it stands now."""
        old = (held for held in self.memory.held_of(incident) if (held.bundle, held.member) not in self._held)
        new = (held for held in self._held.values() if held is not None and held.incident_id == incident.id)
        return [*old, *new]

    def _lay_over(self, found: dict[str, Held], name: str) -> None:
        for (bundle, member), held in self._held.items():
            if bundle != name:
                continue
            if held is None:
                found.pop(member, None)
            else:
                found[member] = held

    def count(self, name: str, span: timedelta) -> None:
        """Count one under *name*, for those who look back as far as *span*."""
        self.tallies.append(Tally(name, self.now, self.now + span))

    def counted(self, name: str, span: timedelta) -> int:
        """How many were counted under *name* within *span* before now."""
        since = self.now - span
        new = sum(1 for tally in self.tallies if tally.name == name)
        return len(self.memory.counted(name, since)) + new

    def first_counted(self, name: str, span: timedelta) -> datetime:
        """The first of those, now if there is none."""
        return min((*self.memory.counted(name, self.now - span), self.now))

    def spent(self, budget: str, since: datetime) -> Spent:
        """What *budget* has seen since *since*, as it stands now."""
        sums = self.memory.spent(budget, since)
        for spend in self.spends:
            if spend.budget == budget and spend.at >= since:
                sums = sums.plus(spend)
        return sums

    def hiders(self) -> list[Incident]:
        """Live incidents that hide others, as they stand now."""
        old = [i for i in self.memory.hiders() if i.id not in self._incidents]
        return [*old, *(i for i in self._incidents.values() if i.live and i.marks.hides)]

    def active_silences(self) -> list[Silence]:
        """Silences made while running that hold now."""
        known = {**self.memory.silences, **{silence.id: silence for silence in self.silences}}
        return [silence for silence in known.values() if silence.begin <= self.now < silence.end]

    def held_rotas(self) -> list[Override]:
        """Who took over which rota, as it stands now; and who stands in for those whose phone is off."""
        taken = [*self.memory.overrides, *self.overrides]
        return [*taken, *stand_ins(self.book.people, taken, self.stops().keys(), self.now)]

    def stop(self, stop: Stop) -> None:
        """A phone said STOP, or START again."""
        self._stops[stop.phone] = stop

    def stops(self) -> dict[str, Stop]:
        """The phones to which nobody sends, as it stands now."""
        if not self._stops:
            return self.memory.stops
        return {phone: stop for phone, stop in {**self.memory.stops, **self._stops}.items() if not stop.over}

    def plan(self) -> Plan:
        """What was decided, as rows to be written."""
        gone = self.cancelled.keys()
        return Plan(
            fates=tuple(self.fates),
            mail_state=self.mail_state,
            incidents=tuple(self._incidents.values()),
            notifications=tuple(self.notifications),
            messages=tuple(m for m in self.messages if m.id not in gone),
            cancel=tuple((n, why) for n, why in self.cancelled.items() if n in self.memory.messages),
            states=tuple(self.states),
            conversations=tuple(self._conversations.values()),
            timers=(*self.timers, *(timer for timer in self._named.values() if timer is not None)),
            timers_gone=tuple(name for name, timer in self._named.items() if timer is None),
            held=tuple(held for held in self._held.values() if held is not None),
            released=tuple(key for key, held in self._held.items() if held is None),
            tallies=tuple(self.tallies),
            spends=tuple(spend for spend in self.spends if spend.message_id not in gone),
            silences=tuple(self.silences),
            overrides=tuple(self.overrides),
            stops=tuple(self._stops.values()),
            unsubscribed=tuple(self.unsubscribed),
            mails=tuple(self.mails),
            journal=tuple(self.journal),
            notices=tuple(self.notices.values()),
            read_as=self.read_as,
            said=tuple(self.said),
            taken=dict(self._taken),
        )
