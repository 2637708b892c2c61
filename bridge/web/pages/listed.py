"""An incident and a message as lists show them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bridge.model import Incident, Notification
from bridge.store.views import Sent
from bridge.web import reasons
from bridge.web.seen import Mark, Seen

_MOST_NAMES = 4
LOST = frozenset({"REJECTED", "UNDELIVERED", "EXPIRED", "CANCELLED"})  # never say of these that somebody was told
WAITS = frozenset({"READY", "INFLIGHT", "HELD"})


@dataclass(frozen=True, slots=True)
class ListedIncident:
    """What a card or a row of an incident says."""

    id: int
    host: str
    title: str
    severity: Mark
    state: Mark
    edge: str
    acked: bool
    opened_at: datetime
    last_at: datetime
    lines: tuple[str, ...]
    n: int | None = None  # its key on the page of now


def listed_incident(
    v: Seen, incident: Incident, told: Sequence[Notification], states: dict[int, Sent], n: int | None = None
) -> ListedIncident:
    """*told* are its notifications of all episodes, *states* the messages they name."""
    return ListedIncident(
        id=incident.id,
        host=incident.host.partition(".")[0],
        title=incident.title or v.say("untitled"),
        severity=v.severity(incident.severity),
        state=v.incident(incident),
        edge=v.edge(incident),
        acked=incident.state == "acked",
        opened_at=incident.opened_at,
        last_at=incident.last_at,
        lines=tuple(filter(None, (_told_line(v, incident, told, states), _count_line(v, incident), _who(v, incident)))),
        n=n,
    )


def _told_line(v: Seen, incident: Incident, told: Sequence[Notification], states: dict[int, Sent]) -> str:
    """``Aigul told at 14:03, delivered.``"""
    people = [note for note in told if note.episode == incident.episode and note.step == "0"]
    lines = []
    for note in people[:_MOST_NAMES]:
        sent = states.get(note.message_id)
        who = v.who(note.person, note.phone)
        if sent is None:
            lines.append(v.say("told", who=who))
            continue
        word = v.message(sent.message.state, sent.provider).word
        how = "told.not" if sent.message.state in LOST else "told.soon" if sent.message.state in WAITS else "told.at"
        lines.append(v.say(how, who=who, at=v.clock(sent.message.created_at), state=word))
    if len(people) > _MOST_NAMES:
        lines.append(v.say("told.more", n=len(people) - _MOST_NAMES))
    return " ".join(lines) or v.say("told.nobody")


def _count_line(v: Seen, incident: Incident) -> str:
    return v.say("seen.times", n=incident.count) if incident.count > 1 else ""


def _who(v: Seen, incident: Incident) -> str:
    if incident.state != "acked" or incident.acked_at is None:
        return ""
    return v.say("acked.at", who=v.acked_by(incident), at=v.clock(incident.acked_at))


@dataclass(frozen=True, slots=True)
class ListedMessage:
    """What a row of a message says."""

    id: int
    state: Mark
    at: datetime
    clock: str
    to: str
    text: str
    why: str


def listed_message(v: Seen, sent: Sent) -> ListedMessage:
    """One message with its fate in a line."""
    m = sent.message
    price = v.money(sent.price, m.currency)
    reason = reasons.sentence(v, m.reason, m.rule) if m.reason else ""
    by = v.say("message.to.by", who=v.who(m.person, m.phone), provider=sent.provider)
    return ListedMessage(
        id=m.id,
        state=v.message(m.state, sent.provider),
        at=m.created_at,
        clock=v.seconds(m.created_at),
        to=by if sent.provider else v.say("message.to", who=v.who(m.person, m.phone)),
        text=m.text,
        why=" ".join(filter(None, (reason, f"{v.segments(m.encoding, m.segments)}, {price}."))),
    )
