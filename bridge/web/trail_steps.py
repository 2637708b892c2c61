"""Steps of a trail, kind of row by kind of row."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from email import message_from_bytes, policy

from bridge.model import JournalEntry
from bridge.store.outbox import Attempt
from bridge.store.views import KeptReply, Sent
from bridge.store.views_trail import KeptEvent, KeptMail, KeptOut, TrailRows
from bridge.web import reasons
from bridge.web.pages.search import read_as
from bridge.web.seen import Seen
from bridge.web.trail import Chapter, Fold, Step, in_order

_LIMITS = {"GSM-7": (160, 153), "UCS-2": (70, 67)}
_OF_MESSAGES = ("message.", "attempt.")
_QUIET = frozenset(
    "mail.read mail.stopped mail.unrouted rule.took rule.dropped person.not_told reply.read mail.out message.created"
    " attempt.inflight attempt.accepted attempt.refused attempt.unknown attempt.not_sent".split()
)  # said better by the rows themselves


def steps_of(v: Seen, rows: TrailRows) -> list[Step]:
    """Every step of the trail, in order of time; within one moment as things follow from each other."""
    decisions = [entry for entry in rows.journal if not entry.kind.startswith(_OF_MESSAGES)]
    ends = [entry for entry in rows.journal if entry.kind.startswith(_OF_MESSAGES)]
    found: list[Step] = []
    for n, mail in enumerate(rows.mails):
        found += _mail_steps(v, rows, mail, first=n == 0)
    found += [_reply_step(v, reply) for reply in rows.replies]
    for entry in decisions:
        found += _journal_steps(v, entry)
    for sent in rows.messages:
        found += _message_steps(v, rows, sent)
    found += [_attempt_step(v, attempt) for attempt in rows.attempts]
    for entry in ends:
        found += _journal_steps(v, entry)
    found += [_out_step(v, out) for out in rows.out]
    return in_order(found)


# the mail, and what was read in it


def _mail_steps(v: Seen, rows: TrailRows, mail: KeptMail, *, first: bool) -> Iterator[Step]:
    events = [event for event in rows.events if event.mail_id == mail.id]
    over = bool(events) and all(event.event.get("state") == "recovery" for event in events)
    chapter: Chapter = "over" if over else "mail" if first else "again"
    yield Step(
        at=mail.received_at,
        id=f"mail-{mail.id}",
        kind="info",
        sign="mail",
        title=v.say("step.mail", sender=mail.mail_from or v.say("step.null"), id=f"M-{mail.id}"),
        chapter=chapter,
        quote=mail.subject,
        why=(("", _kept(v, mail)),),
        folds=(Fold(v.say("fold.envelope"), _envelope(v, mail)),),
        link=(f"/mail/M-{mail.id}", f"M-{mail.id}") if not first else None,
    )
    read_at = next((e.at for e in rows.journal if e.mail_id == mail.id and e.kind == "mail.read"), mail.received_at)
    for event in events:
        yield _event_step(v, mail, event, read_at)
        yield _rules_step(v, mail, event, read_at, decided=first or len(events) > 1)
    if mail.state == "QUARANTINED":
        yield Step(read_at, f"q-{mail.id}", "bad", "warn", v.say("step.quarantined"), group="against", against=True)
    for n, fate in enumerate(mail.fates):
        if fate.what != "nothing" or fate.reason == "resolved before it was sent":
            continue
        who = v.who(fate.person) if fate.person else ""
        title = v.say("step.nottold", who=who) if who else v.say("step.nothing")
        yield Step(
            read_at, f"f-{mail.id}-{n}", "", "dash", title, "decided", "against",
            ((v.say("because"), reasons.sentence(v, fate.reason, fate.rule)),), against=True,
        )  # fmt: skip


def _kept(v: Seen, mail: KeptMail) -> str:
    if mail.envelope is None:
        return v.say("step.gone", id=f"M-{mail.id}")
    return v.say("step.kept", peer=mail.envelope.peer or "–", door=mail.envelope.door, id=f"M-{mail.id}")


def _envelope(v: Seen, mail: KeptMail) -> tuple[tuple[str, str], ...]:
    envelope = mail.envelope
    pairs = [(v.say("field.to"), ", ".join(mail.recipients)), (v.say("field.size"), v.say("bytes", n=mail.size))]
    pairs.append((v.say("field.source"), mail.source or "–"))
    if mail.message_id:
        pairs.append(("Message-ID", mail.message_id))
    if envelope is not None:
        door = ", ".join(filter(None, (envelope.door, "TLS" if envelope.tls else "", envelope.login)))
        pairs.insert(0, (v.say("field.door"), door))
        notify = ", ".join(dict.fromkeys(r.notify for r in envelope.recipients if r.notify))
        if notify:
            pairs.append(("NOTIFY", notify))
    return tuple(pairs)


def _event_step(v: Seen, mail: KeptMail, kept: KeptEvent, read_at: datetime) -> Step:
    event = kept.event
    generic = event.get("producer") == "generic"
    state = v.say(f"state.{event.get('state', 'info')}")
    severity = v.severity(str(event.get("severity", "info"))).word
    title = v.say("step.read", producer=event.get("producer", ""), state=state, severity=severity)
    fields = [(v.say(f"field.{name}"), str(event[name])) for name in ("host", "service", "key") if event.get(name)]
    labels = [(str(name), str(value)) for name, value in (event.get("labels") or {}).items()][:30]
    folds = [Fold(v.say("fold.event"), (*fields, *labels))] if fields or labels else []
    if event.get("detail"):
        folds.append(Fold(v.say("fold.detail"), text=str(event["detail"])))
    return Step(
        at=read_at,
        id=f"e-{mail.id}-{kept.n}",
        kind="info",
        sign="eye",
        title=title,
        quote=str(event.get("title", "")),
        why=(("", v.say.reason("generic")),) if generic else (),
        folds=tuple(folds),
    )


def _rules_step(v: Seen, mail: KeptMail, kept: KeptEvent, read_at: datetime, *, decided: bool) -> Step:
    took = [visit for visit in kept.trace if visit.matched]
    said_no = [visit for visit in kept.trace if not visit.matched]
    names = ", ".join(f"“{visit.rule}”" for visit in took)
    no = tuple(("n", f"{visit.rule}: {visit.failed or visit.note}") for visit in said_no)
    folds = (Fold(v.say("fold.rules", n=len(said_no)), conds=no),) if no else ()
    return Step(
        at=read_at,
        id=f"rules-{mail.id}-{kept.n}",
        kind="info" if took else "",
        sign="rule",
        title=v.say("step.rule", rule=names) if took else v.say("step.norule"),
        chapter="decided" if decided else "",
        group="decision",
        conds=tuple(("y", f"{visit.rule}: {visit.note}" if visit.note else visit.rule) for visit in took),
        folds=folds,
    )


# what the journal alone knows


def _journal_steps(v: Seen, entry: JournalEntry) -> Iterator[Step]:
    made = _JOURNAL.get(entry.kind)
    if made is not None:
        yield made(v, entry)
    elif entry.kind in _QUIET:
        return
    elif entry.kind.startswith("message."):
        yield _receipt_step(v, entry)
    else:
        pairs = tuple((str(name), str(value)) for name, value in entry.data.items())
        yield Step(entry.at, _id(entry), "", "dot", entry.kind, folds=(Fold(v.say("fold.record"), pairs),))


def _id(entry: JournalEntry) -> str:
    return f"j-{entry.kind.replace('.', '-')}-{entry.incident_id or entry.mail_id}-{int(entry.at.timestamp() * 1e6)}"


def _incident(v: Seen, entry: JournalEntry) -> tuple[str, str]:
    return f"/incident/{entry.incident_id}", v.say("step.incident", id=entry.incident_id)


def _opened(v: Seen, e: JournalEntry) -> Step:
    why = v.say.reason("new", key=e.data.get("key", ""))
    return Step(e.at, _id(e), "bad", "crit", v.say("step.opened", id=e.incident_id), "decided", "decision",
                (("", why),), link=_incident(v, e))  # fmt: skip


def _episode(v: Seen, e: JournalEntry) -> Step:
    return Step(
        e.at, _id(e), "bad", "crit", v.say("step.episode", id=e.data.get("problem_id", "")), "again", "decision"
    )


def _again(v: Seen, e: JournalEntry) -> Step:
    count = e.data.get("count", 0)
    why = v.say.reason("repeated", id=e.incident_id, n=count if isinstance(count, int) else 0)
    return Step(e.at, _id(e), "", "twin", v.say("step.again"), "", "decision", (("", why),),
                link=_incident(v, e))  # fmt: skip


def _acked(v: Seen, e: JournalEntry) -> Step:
    return Step(e.at, _id(e), "ok", "hand", v.say("step.acked", who=_by(v, e)), "answers", "decision")


def _second(v: Seen, e: JournalEntry) -> Step:
    return Step(e.at, _id(e), "", "hand", v.say("step.acked.second", who=_by(v, e)), "answers", "decision")


def _unacked(v: Seen, e: JournalEntry) -> Step:
    return Step(e.at, _id(e), "bad", "undo", v.say("step.unacked", who=_by(v, e)), "answers", "decision")


def _over(v: Seen, e: JournalEntry) -> Step:
    return Step(e.at, _id(e), "ok", "ok", v.say("step.over"), "over", "decision")


def _resolved(v: Seen, e: JournalEntry) -> Step:
    return Step(e.at, _id(e), "ok", "ok", v.say("step.resolved", who=_by(v, e)), "over", "decision")


def _closed(v: Seen, e: JournalEntry) -> Step:
    return Step(e.at, _id(e), "", "dash", v.say("step.closed"), "over", "decision")


def _note(v: Seen, e: JournalEntry) -> Step:
    return Step(
        e.at, _id(e), "", "sms", v.say("step.note", who=_by(v, e)), "answers", quote=str(e.data.get("text", ""))
    )


def _template(v: Seen, e: JournalEntry) -> Step:
    why = str(e.data.get("why", ""))
    return Step(e.at, _id(e), "bad", "warn", v.say("step.template", rule=e.data.get("rule", "")), "", "decision",
                (("", why),))  # fmt: skip


def _found(v: Seen, e: JournalEntry) -> Step:
    why = v.say("step.found.why", code=e.data.get("code", ""))
    return Step(e.at, _id(e), "info", "find", v.say("step.found"), "", "person", (("", why),))


def _given_up(v: Seen, e: JournalEntry) -> Step:
    how = "copy" if e.data.get("how") == "copy" else "hold"
    why = str(e.data.get("why", ""))
    return Step(e.at, _id(e), "bad", "warn", v.say(f"step.givenup.{how}"), "", "decision", (("", why),), against=True)


def _onward(v: Seen, e: JournalEntry) -> Step:
    return Step(e.at, _id(e), "info", "sms", v.say("step.onward", way=_way(e)), "", "decision")


def _unsubscribed(v: Seen, e: JournalEntry) -> Step:
    who = v.who(str(e.data.get("person", "")))
    return Step(e.at, _id(e), "bad", "warn", v.say("step.unsubscribed", who=who, way=_way(e)), "", "person")


def _way(e: JournalEntry) -> str:
    way = str(e.data.get("way", ""))
    return {"viber": "Viber", "whatsapp": "WhatsApp", "vk": "VK", "sms": "SMS"}.get(way, way)


def _returned(v: Seen, e: JournalEntry) -> Step:
    failed = bool(e.data.get("failed"))
    title = v.say("step.returned.failed" if failed else "step.returned", provider=e.data.get("provider", ""))
    why = str(e.data.get("reason", ""))
    return Step(e.at, _id(e), "bad" if failed else "info", "mail", title, "", "person", (("", why),) if why else ())


def _by(v: Seen, entry: JournalEntry) -> str:
    by = str(entry.data.get("by", ""))
    return v.say("by.console") if by == "console" else v.who(by)


def _offered(v: Seen, e: JournalEntry) -> Step:
    """The number to ring that the SMS shows, or why it shows none."""
    if "number" in e.data:
        return Step(e.at, _id(e), "", "call", v.say("step.offered", number=e.data["number"]))
    return Step(e.at, _id(e), "", "dash", v.say("step.offered.none"), why=(("", str(e.data.get("why", ""))),))


_JOURNAL = {
    "incident.opened": _opened,
    "incident.episode": _episode,
    "incident.again": _again,
    "incident.acked": _acked,
    "incident.ack": _acked,
    "incident.acked.second": _second,
    "incident.unacked": _unacked,
    "incident.unack": _unacked,
    "incident.over": _over,
    "incident.resolve": _resolved,
    "incident.closed": _closed,
    "incident.note": _note,
    "call.offered": _offered,
    "call.not_offered": _offered,
    "template.failed": _template,
    "attempt.found": _found,
    "attempt.given_up": _given_up,
    "attempt.returned": _returned,
    "message.onward": _onward,
    "phone.unsubscribed": _unsubscribed,
}


def _receipt_step(v: Seen, entry: JournalEntry) -> Step:
    """What was learned of a message: from the network, or from who gave it up."""
    name = entry.kind.partition(".")[2]
    good = name == "delivered"
    known = v.say.has(f"step.message.{name}")
    provider, code, error = (str(entry.data.get(key, "")) for key in ("provider", "code", "error"))
    reason = str(entry.data.get("reason", ""))
    why = v.say("step.receipt", provider=provider, code=code, error=error if error not in ("", "0") else "")
    title = v.say(f"step.message.{name}", id=entry.message_id) if known else f"{entry.kind} {entry.message_id}"
    return Step(entry.at, f"s-{entry.message_id}-{name}", "ok" if good else "bad", "ok" if good else "cross", title, "",
                "person", (("", reasons.sentence(v, reason) if reason else why),))  # fmt: skip


# messages and their way


def _message_steps(v: Seen, rows: TrailRows, sent: Sent) -> Iterator[Step]:
    m = sent.message
    who = v.who(m.person, m.phone)
    chapter: Chapter = "answers" if m.rule == "(answer)" else "told"
    yield Step(
        at=m.created_at,
        id=f"message-{m.id}",
        kind="info",
        sign="sms",
        title=v.say("step.answer" if m.rule == "(answer)" else "step.sms", id=m.id, who=who),
        chapter=chapter,
        group="person",
        bubble=m.text,
        why=(*(((v.say("copy"), v.say("copy.why")),) if m.copy else ()), ("", _costs(v, sent))),
        mark=v.message(m.state, sent.provider),
        folds=(Fold(v.say("fold.message"), _facts(v, sent)),),
    )
    if m.state in ("CANCELLED", "HELD", "EXPIRED") and not any(a.message_id == m.id for a in rows.attempts):
        reason = reasons.sentence(v, m.reason, m.rule) if m.reason else v.message(m.state, "").word
        yield Step(
            sent.ended_at or m.created_at, f"message-{m.id}-not", "", "dash", v.say("step.nottold", who=who), "",
            "against", ((v.say("because"), reason),), against=True,
        )  # fmt: skip


def _costs(v: Seen, sent: Sent) -> str:
    m = sent.message
    units = len(m.text.encode("utf-16-le")) // 2
    whole, part = _LIMITS.get(m.encoding, _LIMITS["UCS-2"])
    room = whole if m.segments <= 1 else part * m.segments
    return v.say(
        "step.costs",
        n=units,
        room=room,
        segments=v.segments(m.encoding, m.segments),
        price=v.money(sent.price, m.currency),
    )


def _facts(v: Seen, sent: Sent) -> tuple[tuple[str, str], ...]:
    m = sent.message
    return (
        (v.say("field.phone"), v.phone(m.phone)),
        (v.say("field.rule"), m.rule),
        (v.say("field.class"), v.say(f"class.{m.message_class}")),
        (v.say("field.valid"), v.full(m.valid_until)),
        (v.say("field.chain"), ", ".join(m.providers)),
    )


_ATTEMPTS = {
    "INFLIGHT": ("", "clock", "attempt.inflight"),
    "ACCEPTED": ("info", "tick", "attempt.accepted"),
    "REFUSED": ("bad", "cross", "attempt.refused"),
    "NOT_SENT": ("", "dash", "attempt.notsent"),
    "UNKNOWN": ("", "info", "attempt.unknown"),
}


def _attempt_step(v: Seen, attempt: Attempt) -> Step:
    kind, sign, word = _ATTEMPTS[attempt.state]
    provider, unknown = attempt.provider, attempt.state == "UNKNOWN"
    facts = [(v.say("field.id"), attempt.client_id), (v.say("field.provider_id"), attempt.provider_id)]
    facts += [(v.say("field.code"), attempt.code), (v.say("field.error"), attempt.error)]
    asked = tuple(("o", ", ".join(f"{k}: {value}" for k, value in each.items())) for each in attempt.evidence)
    why = v.say("attempt.n", n=attempt.number, id=attempt.client_id)
    explained = v.say(f"{word}.why", provider=provider, error=attempt.error) if v.say.has(f"{word}.why") else ""
    return Step(
        at=attempt.finished_at or attempt.started_at,
        id=f"attempt-{attempt.message_id}-{attempt.number}",
        kind=kind,
        sign=sign,
        title=v.say(word, provider=provider, error=attempt.error or attempt.code),
        group="person",
        why=tuple(("", text) for text in (why, explained) if text),
        mark=v.message("UNKNOWN", provider) if unknown else None,
        conds=asked,
        folds=(Fold(v.say("fold.record"), tuple(pair for pair in facts if pair[1])),),
        against=unknown,
    )


def _reply_step(v: Seen, reply: KeptReply) -> Step:
    who = v.who(v.book.person_of(reply.phone), reply.phone)
    rang = reply.kind == "call"
    how = read_as(v, reply.read_as) or v.say("read.not")
    return Step(
        at=reply.received_at,
        id=f"r-{reply.id}",
        kind="ok",
        sign="call" if rang else "reply",
        title=v.say("step.call" if rang else "step.reply", who=who),
        chapter="answers",
        group="person",
        bubble="" if rang else reply.text,
        mine=True,
        why=(("", how[:1].upper() + how[1:] + "."),),
    )


def _text_of(content: bytes) -> str:
    """The text of a mail that we wrote."""
    body = message_from_bytes(content, policy=policy.default).get_body(("plain",))
    return "" if body is None else str(body.get_content())


_OUT = {"SENT": "out.sent", "READY": "out.ready", "FAILED": "out.failed"}


def _out_step(v: Seen, out: KeptOut) -> Step:
    state = v.say(_OUT.get(out.state, "out.ready"), at=v.seconds(out.due_at), reason=out.reason)
    bad = out.state == "FAILED"
    return Step(
        at=out.created_at,
        id=f"out-{out.id}",
        kind="bad" if bad else "",
        sign="mail",
        title=v.say("step.out", to=", ".join(out.to)),
        group="person",
        quote=out.subject,
        why=(("", state),),
        folds=(Fold(v.say("fold.mail"), text=_text_of(out.content)),),
    )
