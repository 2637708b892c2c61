"""How one reader sees things: his language, his zone, his theme; and the marks of states.

One word, one sign and one colour for each state, the same on every page (console.md §8).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from bridge.book import RuleBook
from bridge.model import Incident, MessageState
from bridge.web.say import Say
from bridge.words import figures

_WAYS = {"viber": "Viber", "whatsapp": "WhatsApp", "vk": "VK", "sms": "SMS"}


@dataclass(frozen=True, slots=True)
class Mark:
    """A state as people see it: *kind* gives the colour (``bad warn ok info hold unknown solid``)."""

    kind: str
    sign: str
    word: str


_SEVERITIES: Mapping[str, tuple[str, str]] = {
    "critical": ("solid", "crit"),
    "high": ("warn", "warn"),
    "warning": ("warn", "warn"),
    "info": ("info", "info"),
}
_EDGES: Mapping[str, str] = {"critical": "bad", "high": "warn", "warning": "warn", "info": ""}
_INCIDENTS: Mapping[str, tuple[str, str]] = {
    "open": ("bad", "clock"),
    "acked": ("info", "hand"),
    "resolved": ("ok", "ok"),
    "closed": ("hold", "dash"),
}
_MESSAGES: Mapping[MessageState, tuple[str, str, str]] = {
    "READY": ("hold", "clock", "waiting"),
    "INFLIGHT": ("hold", "clock", "going"),
    "ACCEPTED": ("info", "tick", "taken"),
    "ACCEPTED_NO_ID": ("info", "tick", "taken"),
    "HANDED_OVER": ("info", "tick", "handed"),
    "UNKNOWN": ("unknown", "info", "unknown"),
    "REJECTED": ("bad", "cross", "notsent"),
    "DELIVERED": ("ok", "ok", "delivered"),
    "UNDELIVERED": ("bad", "cross", "undelivered"),
    "EXPIRED": ("bad", "cross", "late"),
    "HELD": ("hold", "dash", "held"),
    "CANCELLED": ("hold", "dash", "notsent"),
}


@dataclass(frozen=True, slots=True)
class Seen:
    """One request's reader, with the frame of his page."""

    say: Say
    book: RuleBook
    now: datetime
    zone: ZoneInfo
    theme: str  # "" follows the system
    here: str  # path and query of this page
    query: Mapping[str, str] = field(default_factory=dict)
    token: str = ""
    seq: int = 0
    open: int = 0
    phones: bool = False
    faults: str = ""

    @property
    def language(self) -> str:
        return self.say.language

    @property
    def zone_name(self) -> str:
        return self.zone.key

    @property
    def units(self) -> str:
        """Units of spans for the script: ``s min h d``."""
        units = self.say.words.units
        return " ".join(units[unit] for unit in "smhd")

    @property
    def today(self) -> str:
        """``Sat 21 Nov, 14:07 Almaty``."""
        w = self.say.words
        city = self.zone.key.rpartition("/")[2].replace("_", " ")
        day = w.days[self.now.astimezone(self.zone).weekday()]
        return f"{day} {w.date(self.now, self.zone)}, {self.clock(self.now)} {city}"

    def with_query(self, **changes: str) -> str:
        """The query of this page with something changed."""
        return urlencode({**{k: v for k, v in self.query.items() if k not in ("done", "part")}, **changes})

    # times

    def clock(self, at: datetime) -> str:
        """``14:07``."""
        return figures.clock(at, self.zone)

    def seconds(self, at: datetime) -> str:
        """``14:07:12``, with the day when it is not today's."""
        local = at.astimezone(self.zone)
        time = f"{local:%H:%M:%S}"
        return time if self.is_today(at) else f"{self.say.words.date(at, self.zone)} {time}"

    def full(self, at: datetime) -> str:
        """Date, time and zone, for hovering."""
        return f"{at.astimezone(self.zone):%Y-%m-%d %H:%M:%S} {self.zone.key}"

    def day(self, at: datetime) -> str:
        """``today``, ``21 Nov``."""
        return self.say("day.today") if self.is_today(at) else self.say.words.date(at, self.zone)

    def is_today(self, at: datetime) -> bool:
        return at.astimezone(self.zone).date() == self.now.astimezone(self.zone).date()

    def ago(self, at: datetime) -> str:
        """``4 min``."""
        return self.span(self.now - at)

    def span(self, span: timedelta) -> str:
        return self.say.words.span(span)

    # people, phones, money

    def who(self, person: str, phone: str = "") -> str:
        """A person's name, else the phone as far as it may be shown."""
        if person and person in self.book.config.people:
            return self.book.name(person)
        return self.phone(phone or person) if (phone or person).startswith("+") else person or self.say("nobody")

    def phone(self, phone: str) -> str:
        """``+7 701 ••• 45 67``, or all of it where the configuration says so."""
        return phone if self.book.config.keep.numbers == "clear" else figures.masked(phone)

    def way(self, way: str) -> str:
        """``Viber``."""
        return _WAYS.get(way, way)

    def money(self, amount: Decimal | None, currency: str) -> str:
        return self.say("price.unknown") if amount is None else figures.money(amount, currency).strip()

    def segments(self, encoding: str, count: int) -> str:
        """``GSM-7, 1 segment``."""
        return self.say("segments", encoding=encoding, n=count)

    # marks

    def severity(self, severity: str) -> Mark:
        kind, sign = _SEVERITIES.get(severity, ("info", "info"))
        return Mark(kind, sign, self.say(f"severity.{severity}" if severity in _SEVERITIES else "severity.info"))

    def incident(self, incident: Incident) -> Mark:
        kind, sign = _INCIDENTS[incident.state]
        return Mark(kind, sign, self.say(f"incident.{incident.state}", who=self.acked_by(incident)))

    def acked_by(self, incident: Incident) -> str:
        """Who has it: a person, a phone, or a name that no configuration knows (the console)."""
        by = incident.acked_by
        return self.say("by.console") if by == "console" else self.who(by)

    def edge(self, incident: Incident) -> str:
        if incident.state in ("resolved", "closed"):
            return "ok"
        return _EDGES.get(incident.severity, "")

    def message(self, state: MessageState, provider: str) -> Mark:
        kind, sign, word = _MESSAGES[state]
        name = provider or self.say("gateway")
        return Mark(kind, sign, self.say(f"message.{word}", provider=name))
