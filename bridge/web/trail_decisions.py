"""Steps of a trail that only the journal knows: what was decided, by whom, until when, and why.

One table says how each kind of entry is told; the data of an entry are put into words by their names, whatever
kind they belong to. A kind that stands neither here nor among the quiet ones is shown as it stands.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from bridge.model import JournalEntry
from bridge.web import reasons
from bridge.web.seen import Seen
from bridge.web.trail import Chapter, Fold, Group, Step

QUIET = frozenset(
    "mail.read mail.unrouted mail.out rule.took rule.dropped reply.read message.created"
    " attempt.accepted attempt.refused attempt.unknown attempt.not_sent".split()
)
"""Kinds that rows say better: mails, their fates and traces, replies, messages, attempts."""


@dataclass(frozen=True, slots=True)
class _Line:
    """How a kind is told: colour, sign, headline; *why* are sentences (``reasons.`` those of the words room), *because*
    is the datum that is a reason."""

    kind: str
    sign: str
    title: str
    chapter: Chapter = ""
    group: Group = "decision"
    why: tuple[str, ...] = ()
    because: str = ""
    quote: str = ""  # the datum that quotes somebody
    against: bool = False
    link: bool = False  # to its incident


_LINES: Mapping[str, _Line] = {
    # the incident
    "incident.opened": _Line("bad", "crit", "step.opened", "decided", why=("reasons.new",), link=True),
    "incident.episode": _Line("bad", "crit", "step.episode", "again"),
    "incident.again": _Line("", "twin", "step.again", why=("reasons.repeated",), link=True),
    "incident.again twin": _Line("", "twin", "step.again.twin", link=True),
    "incident.acked": _Line("ok", "hand", "step.acked", "answers"),
    "incident.ack": _Line("ok", "hand", "step.acked", "answers"),
    "incident.acked.second": _Line("", "hand", "step.acked.second", "answers"),
    "incident.unacked": _Line("bad", "undo", "step.unacked", "answers"),
    "incident.unack": _Line("bad", "undo", "step.unacked", "answers"),
    "incident.passed": _Line("bad", "go", "step.passed", "answers", why=("step.passed.none",)),
    "incident.passed next": _Line("info", "go", "step.passed", "answers", why=("step.passed.next",)),
    "incident.unanswered": _Line("bad", "warn", "step.unanswered", "decided"),
    "incident.over": _Line("ok", "ok", "step.over", "over"),
    "incident.over by": _Line("ok", "ok", "step.resolved", "over"),
    "incident.resolve": _Line("ok", "ok", "step.resolved", "over"),
    "incident.closed": _Line("", "dash", "step.closed", "over"),
    "incident.note": _Line("", "sms", "step.note", "answers", "", quote="text"),
    # who is told, and who is not
    "mail.stopped": _Line("", "dash", "step.halted", "decided", "against", because="reason", against=True),
    "person.not_told": _Line("", "dash", "step.nottold", "", "against", because="reason", against=True),
    "person.not_told anybody": _Line("", "dash", "step.nothing", "", "against", because="reason", against=True),
    "person.not_reached": _Line("bad", "cross", "step.notreached", "", "person"),
    "colleagues.not_told": _Line("", "dash", "step.nonews", "", "against", because="why", against=True),
    "operator.not_told": _Line("", "dash", "step.nomail", "", "against", because="why", against=True),
    "ladder.begun": _Line("", "clock", "step.ladder"),
    "ladder.step": _Line("info", "go", "step.rung", "told"),
    "ladder.nobody": _Line("bad", "warn", "step.rung.nobody", because="why"),
    "storm.began": _Line("bad", "warn", "step.storm", "decided", why=("step.storm.why",)),
    "storm.over": _Line("ok", "ok", "step.storm.over", "decided"),
    "template.failed": _Line("bad", "warn", "step.template", because="why"),
    "watch.arrived": _Line("ok", "tick", "step.watch", "decided"),
    "watch.missing": _Line("bad", "clock", "step.watch.missing", "decided", why=("step.watch.why",)),
    "gateway.trouble": _Line("bad", "warn", "step.trouble", because="why"),
    # who is on call, what is silent, whose phone is off
    "rota.otherwise": _Line("bad", "warn", "step.otherwise"),
    "rota.taken": _Line("info", "hand", "step.rota", why=("step.by",)),
    "rota.swap.asked": _Line("", "reply", "step.swap", "answers"),
    "rota.swap.refused": _Line("", "cross", "step.swap.no", "answers"),
    "silence.made": _Line("", "dash", "step.silence", "answers", why=("step.silence.why",)),
    "silence.ended": _Line("", "undo", "step.silence.over", "answers"),
    "phone.stopped": _Line("bad", "dash", "step.stop", "answers", why=("step.stop.why",)),
    "phone.started": _Line("ok", "phone", "step.start", "answers", why=("step.by",)),
    "phone.subscribed": _Line("ok", "phone", "step.subscribed", "", "person", why=("step.by",)),
    "phone.unsubscribed": _Line("bad", "warn", "step.unsubscribed", "", "person"),
    # what came in and led to nothing
    "reply.ignored": _Line("", "dash", "step.ignored", "answers", "against", because="why", against=True),
    "reply.unanswered": _Line("", "dash", "step.noanswer", "", "against", because="why", against=True),
    "call.received": _Line("", "call", "step.norings", "answers", "against", because="why", against=True),
    "call.offered": _Line("", "call", "step.offered", group=""),
    "call.not_offered": _Line("", "dash", "step.offered.none", group="", because="why"),
    # messages and their way
    "attempt.found": _Line("info", "find", "step.found", "", "person", why=("step.found.why",)),
    "attempt.given_up hold": _Line("bad", "warn", "step.givenup.hold", because="why", against=True),
    "attempt.given_up copy": _Line("bad", "warn", "step.givenup.copy", because="why", against=True),
    "attempt.repeated": _Line("info", "undo", "step.repeated", "", "person", because="why"),
    "attempt.repeated double": _Line("info", "undo", "step.repeated", "", "person", ("step.double",), because="why"),
    "attempt.returned": _Line("info", "mail", "step.returned", "", "person", because="reason"),
    "attempt.returned failed": _Line("bad", "mail", "step.returned.failed", "", "person", because="reason"),
    "message.onward": _Line("info", "sms", "step.onward"),
    "message.copy": _Line("info", "twin", "step.copied"),
    "message.dropped": _Line("", "dash", "step.nottold", "", "against", because="reason", against=True),
    "message.cancelled": _Line("", "dash", "step.cancelled", "", "person", because="why"),
    "message.held": _Line("", "dash", "step.held", "", "person", because="why"),
    "message.released": _Line("info", "go", "step.released", "", "person", because="why"),
    "message.hurried": _Line("info", "go", "step.hurried", "", "person", because="why"),
}


def decision_step(v: Seen, entry: JournalEntry) -> Step | None:
    """The entry as a step; None for a kind that has no line here."""
    line = _LINES.get(_variant(entry))
    if line is None:
        return None
    facts = _facts(v, entry)
    title = v.say(line.title, **facts)
    why = [_sentence(v, id, facts) for id in line.why]
    if line.because:
        why.append(str(facts.get(line.because, "")))
    return Step(
        at=entry.at,
        id=_id(entry),
        kind=line.kind,
        sign=line.sign,
        title=title[:1].upper() + title[1:] if title.startswith(v.say("by.console")) else title,
        chapter=line.chapter,
        group=line.group,
        why=tuple(("", text) for text in why if text),
        quote=str(entry.data.get(line.quote, "")) if line.quote else "",
        against=line.against,
        link=(f"/incident/{entry.incident_id}", v.say("step.incident", id=entry.incident_id)) if line.link else None,
    )


def _sentence(v: Seen, id: str, facts: Mapping[str, object]) -> str:
    room, _, reason = id.partition(".")
    return v.say.reason(reason, **facts) if room == "reasons" else v.say(id, **facts)


def unknown_step(v: Seen, entry: JournalEntry) -> Step:
    """An entry that another version wrote: its kind and its record."""
    pairs = tuple((str(name), str(value)) for name, value in entry.data.items())
    return Step(entry.at, _id(entry), "", "dot", entry.kind, folds=(Fold(v.say("fold.record"), pairs),))


def _id(entry: JournalEntry) -> str:
    return f"j-{entry.kind.replace('.', '-')}-{entry.incident_id or entry.mail_id}-{int(entry.at.timestamp() * 1e6)}"


def _variant(entry: JournalEntry) -> str:
    """The line of an entry: that of its kind, or the one of those among which its data decide."""
    data = entry.data
    match entry.kind:
        case "incident.again" if data.get("twin"):
            return "incident.again twin"
        case "incident.passed" if data.get("next"):
            return "incident.passed next"
        case "incident.over" if data.get("by"):
            return "incident.over by"
        case "person.not_told" if not data.get("person"):
            return "person.not_told anybody"
        case "attempt.given_up":
            return f"{entry.kind} {'copy' if data.get('how') == 'copy' else 'hold'}"
        case "attempt.repeated" if data.get("perhaps_double"):
            return "attempt.repeated double"
        case "attempt.returned" if data.get("failed"):
            return "attempt.returned failed"
    return entry.kind


# the data of an entry, in words


def _facts(v: Seen, entry: JournalEntry) -> dict[str, object]:
    """Every datum in words; ``who`` is whom it is about, ``id`` the number of what it is about.

    Whoever did something for himself is not named a second time.
    """
    data = entry.data
    found: dict[str, object] = {
        name: _WORDS[name](v, value) if name in _WORDS else value for name, value in data.items()
    }
    phone = str(data.get("phone", ""))
    about = str(data.get("person", "")) or v.book.person_of(phone)
    found["id"] = entry.message_id or entry.incident_id
    found["n"] = data.get("count", 0)
    found["who"] = v.who(about, phone) if about or phone else found.get("by", "")
    if about and found.get("by") == found["who"]:
        found["by"] = ""
    if entry.kind == "incident.episode":
        found["id"] = data.get("problem_id", "")
    elif entry.kind == "ladder.step":
        found |= _rung(str(data.get("step", "")))
    elif entry.kind == "ladder.begun" and data.get("rounds") == 1:
        found["rounds"] = ""
    return found


def _rung(step: str) -> dict[str, object]:
    """``step:2`` and, of a later round, ``step:3.2``."""
    turn, _, place = step.rpartition(":")[2].rpartition(".")
    return {"round": turn, "n": place}


def _by(v: Seen, value: object) -> str:
    return v.say("by.console") if value == "console" else v.who(str(value))


def _who(v: Seen, value: object) -> str:
    return v.who(str(value))


def _people(v: Seen, value: object) -> str:
    return ", ".join(v.who(str(each)) for each in cast(Iterable[object], value))


def _list(_v: Seen, value: object) -> str:
    return ", ".join(map(str, cast(Iterable[object], value)))


def _moment(v: Seen, value: object) -> str:
    """``14:07``, with the day when it is not today's."""
    at = datetime.fromisoformat(str(value))
    return v.clock(at) if v.is_today(at) else f"{v.day(at)} {v.clock(at)}"


def _reason(v: Seen, value: object) -> str:
    return reasons.sentence(v, str(value))


def _reasons(v: Seen, value: object) -> str:
    return reasons.sentences(v, str(value))


def _matchers(v: Seen, value: object) -> str:
    """``Node db0*, Title Disk``."""
    pairs = cast(Mapping[str, object], value).items()
    names = {name: v.say(f"field.{name}") if v.say.has(f"field.{name}") else name for name, _ in pairs}
    return ", ".join(f"{names[name]} {each}" for name, each in pairs)


def _way(v: Seen, value: object) -> str:
    return v.way(str(value))


_WORDS: Mapping[str, Callable[[Seen, object], str]] = {
    "by": _by, "other": _who, "people": _people, "rotas": _list, "values": _list, "providers": _list,
    "until": _moment, "due": _moment, "begin": _moment, "since": _moment, "reason": _reason, "why": _reasons,
    "matchers": _matchers, "way": _way,
}  # fmt: skip
