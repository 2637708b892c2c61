"""What follows from an SMS that came in: an ack, an answer, a mail in the thread of the alert, or silence.

A number only identifies; it acknowledges what it was told of, with the code that was shown (T32). Numbers we
do not know get no answer at all, and nobody gets more than ``commands.answers`` (T09).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bridge.book import RuleBook
from bridge.dispatch import letters, notices
from bridge.dispatch.compose import answer
from bridge.dispatch.draft import Draft
from bridge.mail.write import quoted
from bridge.memory import Memory, Needs
from bridge.model import Call, Incident, PlainWord, Plan, Reply
from bridge.sms.fit import Piece
from bridge.words.catalogue import Words, words
from bridge.words.commands import Command, read_command

_LONGEST_TITLE = 24  # of an incident in a list of several
_FEW_WORDS = 2  # a code and one word that is none of ours is a slip, more is a text


@dataclass(frozen=True, slots=True)
class _Open:
    """A live incident as one phone knows it."""

    code: str
    incident: Incident


@dataclass(frozen=True, slots=True)
class _Asker:
    """Who wrote, and what is open on that phone."""

    reply: Reply
    person: str
    language: str
    words: Words
    command: Command
    open: tuple[_Open, ...]


def answer_needs(happening: Reply | Call) -> Needs:
    """The phone's conversations bring their incidents, and those bring the colleagues."""
    return Needs(phones=frozenset({happening.phone}), causes=frozenset({f"sms/{happening.phone}"}))


def called(call: Call, book: RuleBook, memory: Memory, now: datetime) -> Plan:
    """A missed call: kept in the journal. Confirming by a call needs a number asked from the provider."""
    draft = Draft(book, memory, now)
    draft.read_as = "call"
    draft.log("call.received", phone=call.phone, to=call.to)
    return draft.plan()


def answered(reply: Reply, book: RuleBook, memory: Memory, now: datetime) -> Plan:
    """Read the words, do what they ask for, say what was done."""
    draft = Draft(book, memory, now)
    person = book.person_of(reply.phone)
    if not person and not memory.codes(reply.phone) and reply.phone not in memory.plain:
        draft.read_as = "stranger"
        draft.log("reply.ignored", phone=reply.phone, why="unknown number")
        return draft.plan()
    asker = _asker(draft, reply, person)
    draft.read_as = _do(draft, asker)
    about = asker.open[0].incident.id if len(asker.open) == 1 else 0
    draft.log("reply.read", incident_id=about, phone=reply.phone, text=reply.text, as_what=draft.read_as)
    return draft.plan()


def _asker(draft: Draft, reply: Reply, person: str) -> _Asker:
    language = draft.book.language(person)
    length = len(str(draft.book.code_range[1]))
    command = read_command(reply.text, language, draft.book.vocabulary, code_length=length)
    return _Asker(reply, person, language, words(language), command, _open_on(draft, reply.phone))


def _open_on(draft: Draft, phone: str) -> tuple[_Open, ...]:
    found = []
    for code, conversation in sorted(draft.codes(phone).items()):
        incident = draft.incident(conversation.incident_id)
        if conversation.expires_at > draft.now and incident and incident.state in ("open", "acked"):
            found.append(_Open(code, incident))
    return tuple(found)


def _do(draft: Draft, asker: _Asker) -> str:
    """What was asked; returns how the text was read."""
    command = asker.command
    plain = draft.memory.plain.get(asker.reply.phone)
    if plain is not None and not asker.open and command.verb not in ("stop", "start", "help"):
        return _about_plain(draft, asker, plain)
    match command.kind:
        case "words":
            return _mailed(draft, asker)
        case "unknown" if command.codes and len(asker.reply.text.split()) > _FEW_WORDS:
            return _mailed(draft, asker)  # "13 on my way": the code says whose thread the words belong to
        case "empty":
            return "empty"
        case "which":
            return _which(draft, asker)
        case "unknown":
            code = asker.open[0].code if asker.open else str(draft.book.code_range[0])
            return _say(draft, asker, "unknown", text=asker.reply.text[:30], code=code)
    if command.verb == "stop":
        return _stopped(draft, asker)
    if command.verb not in _ACTS or not _may(draft, asker):
        whom = draft.book.config.operator.mail[0]
        return _say(draft, asker, "norole", verb=command.verb, whom=whom)
    return _ACTS[command.verb](draft, asker)


def _may(draft: Draft, asker: _Asker) -> bool:
    right = asker.command.right
    person = draft.book.config.people.get(asker.person)
    if right == "ack all":
        return False  # changes more than one's own incident: wants a one-time code (T32)
    if person is None:
        return right in ("ack", "status", "note", "help", "list")
    return right in ("help", "start", "stop") or right in person.commands or "all" in person.commands


def _ack(draft: Draft, asker: _Asker) -> str:
    if asker.command.asked:
        return _status(draft, asker)
    chosen = _chosen(draft, asker)
    if isinstance(chosen, str):
        return chosen
    for one in chosen:
        _ack_one(draft, asker, one)
    return "ack"


def _ack_one(draft: Draft, asker: _Asker, one: _Open) -> None:
    incident, by = one.incident, asker.person or asker.reply.phone
    zone = draft.book.zone(asker.person)
    if incident.state == "acked" and incident.acked_by != by:
        since = incident.acked_at or draft.now
        who = draft.book.name(incident.acked_by)
        _say(draft, asker, "acked.second", code=one.code, who=who, at=asker.words.clock(since, zone))
        draft.log("incident.acked.second", incident_id=incident.id, by=by)
        return
    already = incident.state == "acked"
    draft.put(replace(incident, state="acked", acked_by=by, acked_at=incident.acked_at or draft.now))
    draft.log("incident.acked", incident_id=incident.id, by=by, text=asker.reply.text)
    frame = "acked" if _colleagues(draft, asker, incident) else "acked.alone"
    _say(draft, asker, frame, incident=incident.id, code=one.code, h=_host(incident), t=incident.title)
    if not already:
        _mail_ack(draft, asker, incident)
        _tell_colleagues(draft, asker, incident)


def _mail_ack(draft: Draft, asker: _Asker, incident: Incident) -> None:
    action = draft.book.action(incident.rule)
    if action is not None and "ack" not in action.replies.news:
        return
    language = draft.book.config.language
    w, who = words(language), _name(draft, asker)
    at = letters.clock(draft, draft.now, language)
    news = [w.say("mails", "acked", who=who, at=at, text=asker.reply.text)]
    letters.in_thread(draft, incident, "acked", news, _told_text(draft, incident, asker), f"{who} (SMS)", answers=True)


def _tell_colleagues(draft: Draft, asker: _Asker, incident: Incident) -> None:
    """The others who were told get one line (FORMAT §14), except in class bulk."""
    for phone, person in _colleagues(draft, asker, incident).items():
        w = words(draft.book.language(person))
        at = w.clock(draft.now, draft.book.zone(person))
        code = next((o.code for o in _open_on(draft, phone) if o.incident.id == incident.id), "")
        text = w.frame("acked.other", code=code, h=_host(incident), t=incident.title, who=_name(draft, asker), at=at)
        answer(draft, phone, person, _pieces(text, incident), w.language, incident.id)


def _colleagues(draft: Draft, asker: _Asker, incident: Incident) -> dict[str, str]:
    """Phone → person of those who were told besides the one who answers; nobody in class bulk."""
    action = draft.book.action(incident.rule)
    if action is not None and action.message_class == "bulk":
        return {}
    return {n.phone: n.person for n in draft.told(incident) if n.step != "mail" and n.phone != asker.reply.phone}


def _unack(draft: Draft, asker: _Asker) -> str:
    chosen = _chosen(draft, asker)
    if isinstance(chosen, str):
        return chosen
    for one in chosen:
        incident = one.incident
        if incident.state == "acked":
            draft.put(replace(incident, state="open", acked_by="", acked_at=None))
            draft.log("incident.unacked", incident_id=incident.id, by=asker.person or asker.reply.phone)
            _mail_unack(draft, asker, incident)
        _say(draft, asker, "undone", code=one.code, h=_host(incident), t=incident.title, who="", at="")
    return "un"


def _mail_unack(draft: Draft, asker: _Asker, incident: Incident) -> None:
    language = draft.book.config.language
    who, at = _name(draft, asker), letters.clock(draft, draft.now, language)
    news = [words(language).say("mails", "unacked", who=who, at=at, next="", then="")]
    letters.in_thread(draft, incident, "unacked", news, asker.reply.text, f"{who} (SMS)", answers=True)


def _status(draft: Draft, asker: _Asker) -> str:
    chosen = _chosen(draft, asker)
    if isinstance(chosen, str):
        return chosen
    for one in chosen:
        i, w, zone = one.incident, asker.words, draft.book.zone(asker.person)
        who = draft.book.name(i.acked_by) if i.acked_by else ""
        at = w.clock(i.acked_at, zone) if i.acked_at else ""
        _say(
            draft, asker, "status", code=one.code, sev=w.severity(i.severity), h=_host(i), t=i.title,
            span=w.span(draft.now - i.opened_at), n=i.count, who=who, at=at,
        )  # fmt: skip
    return "status"


def _list(draft: Draft, asker: _Asker) -> str:
    if not asker.open:
        return _say(draft, asker, "none")
    return _say(draft, asker, "list", list=_listed(asker.open))


def _help(draft: Draft, asker: _Asker) -> str:
    code = asker.open[0].code if asker.open else str(draft.book.code_range[0])
    return _say(draft, asker, "help", code=code)


def _who(draft: Draft, asker: _Asker) -> str:
    rotas = draft.book.people.rotas
    for name in draft.book.config.rotas:
        person = rotas.who(name, draft.now)
        if person is None:
            return _say(draft, asker, "who.none", rota=name)
        until, following = rotas.until(name, draft.now), rotas.next(name, draft.now)
        at = asker.words.day_and_time(until, draft.book.zone(asker.person)) if until else ""
        then = draft.book.name(following) if following else ""
        _say(draft, asker, "who", rota=name, who=draft.book.name(person), at=at, next=then)
    return "who" if draft.book.config.rotas else _say(draft, asker, "none")


def _note(draft: Draft, asker: _Asker) -> str:
    chosen = _chosen(draft, asker)
    if isinstance(chosen, str):
        return chosen
    for one in chosen:
        by = asker.person or asker.reply.phone
        draft.log("incident.note", incident_id=one.incident.id, by=by, text=asker.command.rest)
        _mail_words(draft, asker, one.incident)
        _say(draft, asker, "noted", code=one.code)
    return "note"


_ACTS = {"ok": _ack, "un": _unack, "status": _status, "list": _list, "help": _help, "who": _who, "note": _note}


def _chosen(draft: Draft, asker: _Asker) -> tuple[_Open, ...] | str:
    """The incidents a command is about; or how the text was read when that is not clear and was asked back."""
    codes = asker.command.codes
    if codes:
        named = tuple(one for one in asker.open if one.code in codes)
        return named if len(named) == len(codes) else _no_such_code(draft, asker, codes)
    if len(asker.open) == 1:
        return asker.open
    unclaimed = tuple(one for one in asker.open if one.incident.state == "open")
    if len(unclaimed) == 1 and asker.command.verb == "ok":
        return unclaimed
    return _which(draft, asker) if asker.open else _say(draft, asker, "none")


def _no_such_code(draft: Draft, asker: _Asker, codes: Sequence[str]) -> str:
    """A code that is over says since when; one that never was lists what is open."""
    known = draft.codes(asker.reply.phone)
    missing = next(code for code in codes if all(one.code != code for one in asker.open))
    conversation = known.get(missing)
    incident = draft.incident(conversation.incident_id) if conversation else None
    if incident is not None and incident.resolved_at is not None:
        at = asker.words.clock(incident.resolved_at, draft.book.zone(asker.person))
        return _say(draft, asker, "isover", code=missing, at=at)
    return _say(draft, asker, "nocode", code=missing, list=", ".join(one.code for one in asker.open))


def _which(draft: Draft, asker: _Asker) -> str:
    if not asker.open:
        return _say(draft, asker, "none")
    _say(draft, asker, "which", list=_listed(asker.open), code=asker.open[0].code)
    return "which"


def _listed(found: Sequence[_Open]) -> str:
    return ", ".join(f"{one.code} {_host(one.incident)} {one.incident.title[:_LONGEST_TITLE].strip()}" for one in found)


def _mailed(draft: Draft, asker: _Asker) -> str:
    """Words without a command go to the thread as a mail and get no SMS."""
    named = [one.incident for one in asker.open if one.code in asker.command.codes]
    about = named[0] if named else _latest(draft, asker)
    if about is None:
        who = _name(draft, asker)
        notices.tell(draft, f"sms/{asker.reply.phone}", f"SMS: {who}", asker.reply.text, quiet_for=timedelta(0))
        return "text to the operator"
    _mail_words(draft, asker, about)
    return "text"


def _about_plain(draft: Draft, asker: _Asker, plain: PlainWord) -> str:
    """An answer to a plain message goes to the thread of its mail; there is nothing to acknowledge."""
    action = draft.book.action(plain.rule)
    if action is None:
        to: tuple[str, ...] = (plain.thread.sender,)
    else:
        to = draft.book.mail_addresses(action.replies.mail, sender=plain.thread.sender)
    language = draft.book.config.language
    w, who = words(language), _name(draft, asker)
    head = w.say("mails", "reply.head", who=who, at=letters.clock(draft, draft.now, language))
    sent = w.say("mails", "reply.quote", at=letters.clock(draft, plain.sent_at, language))
    body = (
        f"{head}\n\n{asker.reply.text}\n\n{sent}\n{quoted(plain.text)}\n\n--\n{w.say('mails', 'why', rule=plain.rule)}"
    )
    subject = letters.reply_subject(plain.thread.subject)
    letters.post(
        draft,
        "reply",
        [a for a in to if a],
        subject,
        body,
        sender_name=f"{who} (SMS)",
        thread=plain.thread,
        answers=True,
    )
    return "text"


def _latest(draft: Draft, asker: _Asker) -> Incident | None:
    """The incident that this phone was told of last, open ones first."""
    if asker.open:
        return max((one.incident for one in asker.open), key=lambda i: i.sent_at or i.opened_at)
    known = (draft.incident(c.incident_id) for c in draft.codes(asker.reply.phone).values() if c.expires_at > draft.now)
    return max((i for i in known if i), key=lambda i: i.sent_at or i.opened_at, default=None)


def _mail_words(draft: Draft, asker: _Asker, incident: Incident) -> None:
    language = draft.book.config.language
    w, who = words(language), _name(draft, asker)
    at = letters.clock(draft, draft.now, language)
    news = [w.say("mails", "reply.head", who=who, at=at), "", asker.reply.text, ""]
    quote = _told_text(draft, incident, asker)
    if quote:
        sent = letters.clock(draft, incident.sent_at or incident.opened_at, language)
        news.append(w.say("mails", "reply.quote", at=sent))
    letters.in_thread(draft, incident, "reply", news, quote, f"{who} (SMS)", answers=True)


def _told_text(draft: Draft, incident: Incident, asker: _Asker) -> str:
    """What the phone was told, for the quotation: said again in short when the SMS itself is not at hand."""
    code = next((one.code for one in asker.open if one.incident.id == incident.id), incident.code)
    return " ".join(part for part in (code, f"{incident.host}:", incident.title) if part)


def _stopped(draft: Draft, asker: _Asker) -> str:
    """STOP of somebody who may be on call is an outage: the operator must know at once."""
    w = words(draft.book.config.operator.language or draft.book.config.language)
    who, at = _name(draft, asker), w.clock(draft.now, draft.book.zone(""))
    body = w.say("operator", "stop", text=asker.reply.text, at=at, next="", rota="")
    notices.tell(draft, f"sms/{asker.reply.phone}", w.say("operator", "stop.subject", who=who), body)
    return "stop"


def _say(draft: Draft, asker: _Asker, frame: str, *, incident: int = 0, **values: object) -> str:
    """Answer by SMS, unless this phone has had its answers; returns *frame* as the way the text was read."""
    limit = draft.book.config.commands.answers
    window = limit.window or timedelta(days=1)
    recent = [at for at in draft.memory.answers.get(asker.reply.phone, ()) if draft.now - at < window]
    mine = sum(1 for message in draft.messages if message.phone == asker.reply.phone)
    if len(recent) + mine >= limit.count:
        draft.log("reply.unanswered", phone=asker.reply.phone, why="many answers", frame=frame)
        return frame
    text = asker.words.frame(frame, **values)
    answer(draft, asker.reply.phone, asker.person, (Piece(text, 1),), asker.language, incident)
    return frame


def _pieces(text: str, incident: Incident) -> tuple[Piece, ...]:
    before, found, after = text.partition(incident.title) if incident.title else (text, "", "")
    return (Piece(before), Piece(found, 1), Piece(after)) if found else (Piece(text, 1),)


def _host(incident: Incident) -> str:
    return incident.host.partition(".")[0]


def _name(draft: Draft, asker: _Asker) -> str:
    return draft.book.name(asker.person) if asker.person else asker.reply.phone
