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
    Incident,
    JournalEntry,
    MailState,
    Message,
    MessageState,
    Notice,
    Notification,
    OutgoingMail,
    Plan,
    Timer,
)


class Draft:
    """Gathers what follows from one happening; :meth:`plan` is the result."""

    def __init__(self, book: RuleBook, memory: Memory, now: datetime, *, mail_id: int = 0) -> None:
        self.book = book
        self.memory = memory
        self.now = now
        self.mail_id = mail_id
        self.mail_state: MailState = "PLANNED"
        self.read_as = ""
        self.fates: list[Fate] = []
        self.notifications: list[Notification] = []
        self.messages: list[Message] = []
        self.cancelled: dict[int, str] = {}
        self.states: list[tuple[int, MessageState, str]] = []
        self.timers: list[Timer] = []
        self.mails: list[OutgoingMail] = []
        self.journal: list[JournalEntry] = []
        self.notices: dict[str, Notice] = {}
        self._incidents: dict[int, Incident] = {}
        self._conversations: dict[tuple[str, str], Conversation] = {}
        self._taken: dict[str, int] = {}

    def take(self, counter: Literal["incident", "message", "mail"]) -> int:
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

    def open_by_producer_key(self, source: str, key: str) -> Incident | None:
        """The live incident with the producer's key, as it stands now."""
        for incident in self._incidents.values():
            if incident.source == source and incident.producer_key == key and incident.state in ("open", "acked"):
                return incident
        found = self.memory.open_by_producer_key(source, key)
        return None if found is None or found.id in self._incidents else found

    def told(self, incident: Incident) -> list[Notification]:
        """Who was told of the present episode, in order."""
        new = [n for n in self.notifications if n.incident_id == incident.id and n.episode == incident.episode]
        return [*self.memory.told(incident), *new]

    def waiting(self, incident: Incident) -> list[Message]:
        """Messages of the incident that did not begin their way."""
        numbers = self.memory.waiting.get(incident.id, set()) - self.cancelled.keys()
        old = [self.memory.messages[number] for number in sorted(numbers)]
        return [*old, *(m for m in self.messages if m.incident_id == incident.id and m.id not in self.cancelled)]

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
            timers=tuple(self.timers),
            mails=tuple(self.mails),
            journal=tuple(self.journal),
            notices=tuple(self.notices.values()),
            read_as=self.read_as,
            taken=dict(self._taken),
        )
