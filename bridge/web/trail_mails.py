"""Steps of a trail about mail: how one came, what was read in it, which rules took it, what was mailed back."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from email import message_from_bytes, policy

from bridge.store.views_trail import KeptEvent, KeptMail, KeptOut, TrailRows
from bridge.web import reasons
from bridge.web.seen import Seen
from bridge.web.trail import Chapter, Fold, Step

_UNSENT = "resolved before it was sent"  # the SMS that did not leave says it, at its own step
_OUT = {"SENT": "out.sent", "READY": "out.ready", "FAILED": "out.failed"}


def mail_steps(v: Seen, rows: TrailRows, mail: KeptMail, *, first: bool) -> Iterator[Step]:
    """A mail, its events, and the rules that took them."""
    read_at, events = _read_at(rows, mail), _events(rows, mail)
    yield _came(v, mail, events, first=first)
    for event in events:
        yield _event_step(v, mail, event, read_at)
        yield _rules_step(v, mail, event, read_at, decided=first or len(events) > 1)
    if mail.state == "QUARANTINED":
        yield Step(read_at, f"q-{mail.id}", "bad", "warn", v.say("step.quarantined"), group="against", against=True)


def fate_steps(v: Seen, rows: TrailRows, mail: KeptMail) -> Iterator[Step]:
    """Why somebody was told nothing of it; what was decided of the incident stands before."""
    at = _read_at(rows, mail)
    chapter: Chapter = "" if _events(rows, mail) else "decided"
    for n, fate in enumerate(mail.fates):
        if fate.what == "nothing" and fate.reason != _UNSENT:
            title = v.say("step.nottold", who=v.who(fate.person)) if fate.person else v.say("step.nothing")
            why = (("", reasons.sentence(v, fate.reason, fate.rule)),)
            yield Step(at, f"f-{mail.id}-{n}", "", "dash", title, chapter, "against", why, against=True)


def _read_at(rows: TrailRows, mail: KeptMail) -> datetime:
    read = next((entry for entry in rows.journal if entry.mail_id == mail.id and entry.kind == "mail.read"), None)
    return read.at if read is not None else mail.received_at


def _events(rows: TrailRows, mail: KeptMail) -> list[KeptEvent]:
    return [event for event in rows.events if event.mail_id == mail.id]


def _came(v: Seen, mail: KeptMail, events: list[KeptEvent], *, first: bool) -> Step:
    over = bool(events) and all(event.event.get("state") == "recovery" for event in events)
    chapter: Chapter = "over" if over else "mail" if first else "again"
    return Step(
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
    names = ", ".join(v.say("step.quoted", text=visit.rule) for visit in took)
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


def out_step(v: Seen, out: KeptOut) -> Step:
    """A mail that the bridge wrote, and whether it left."""
    state = v.say(_OUT.get(out.state, "out.ready"), at=v.seconds(out.due_at), reason=out.reason)
    return Step(
        at=out.created_at,
        id=f"out-{out.id}",
        kind="bad" if out.state == "FAILED" else "",
        sign="mail",
        title=v.say("step.out", to=", ".join(out.to)),
        group="person",
        quote=out.subject,
        why=(("", state),),
        folds=(Fold(v.say("fold.mail"), text=_text_of(out.content)),),
    )


def _text_of(content: bytes) -> str:
    """The text of a mail that we wrote."""
    body = message_from_bytes(content, policy=policy.default).get_body(("plain",))
    return "" if body is None else str(body.get_content())
