"""Commands by SMS that are about alerts: ok, un, esc, close, status, list, note, help (wording §4, design §8).

Each does what was asked to the incidents it names, answers the sender, and gives back how the text was read.
"""

from __future__ import annotations

from bridge.dispatch import claiming, ladder, letters
from bridge.dispatch.asking import Asker, Open, chosen, host, listed, name, names, say, say_to
from bridge.dispatch.draft import Draft
from bridge.model import Incident
from bridge.words.catalogue import words


def ack(draft: Draft, asker: Asker) -> str:
    """Somebody has it."""
    if asker.command.asked:
        return status(draft, asker)
    if asker.command.everything:
        return _ack_everything(draft, asker)
    found = chosen(draft, asker)
    if isinstance(found, str):
        return found
    for one in found:
        _ack_one(draft, asker, one)
    return "ack"


def _ack_everything(draft: Draft, asker: Asker) -> str:
    free = tuple(one for one in asker.open if one.incident.state == "open")
    if not free:
        return say(draft, asker, "none")
    for one in free:
        _ack_one(draft, asker, one)
    return "ack"


def _ack_one(draft: Draft, asker: Asker, one: Open) -> None:
    incident = one.incident
    if incident.state == "acked" and incident.acked_by != asker.by:
        since, who = incident.acked_at or draft.now, draft.book.name(incident.acked_by)
        at = asker.words.clock(since, draft.book.zone(asker.person))
        say(draft, asker, "acked.second", code=one.code, who=who, at=at)
        draft.log("incident.acked.second", incident_id=incident.id, by=asker.by)
        return
    already = incident.state == "acked"
    incident = claiming.take(draft, incident, asker.by)
    draft.log("incident.acked", incident_id=incident.id, by=asker.by, text=asker.reply.text)
    colleagues = claiming.told_of(draft, incident, without=asker.reply.phone)
    frame = "acked" if colleagues else "acked.alone"
    say(draft, asker, frame, incident=incident.id, code=one.code, h=host(incident), t=incident.title)
    if already:
        return
    if claiming.mails_acks(draft, incident):
        quote, who = told_text(incident, asker), name(draft, asker)
        claiming.mail_news(draft, incident, "acked", "acked", who, quote, text=asker.reply.text)
    claiming.tell_colleagues(draft, incident, name(draft, asker), colleagues)


def unack(draft: Draft, asker: Asker) -> str:
    """Nobody has it any more: the ladder goes on."""
    found = chosen(draft, asker)
    if isinstance(found, str):
        return found
    for one in found:
        who, at = _unack_one(draft, asker, one.incident) if one.incident.state == "acked" else ("", "")
        say(draft, asker, "undone", code=one.code, h=host(one.incident), t=one.incident.title, who=who, at=at)
    return "un"


def _unack_one(draft: Draft, asker: Asker, incident: Incident) -> tuple[str, str]:
    """Who is told next, and when; "" for nobody."""
    incident, left = claiming.give_back(draft, incident)
    draft.log("incident.unacked", incident_id=incident.id, by=asker.by)
    following = ladder.following(draft, incident, left) if left is not None else ()
    who = names(draft, [(target.person, target.phone) for target in following])
    due = left.next_at if left is not None and who else None
    language = draft.book.config.language
    then = letters.clock(draft, due, language) if due else ""
    claiming.mail_news(draft, incident, "unacked", "unacked", name(draft, asker), asker.reply.text, next=who, then=then)
    return who, asker.words.clock(due, draft.book.zone(asker.person)) if due else ""


def pass_on(draft: Draft, asker: Asker) -> str:
    """I cannot: the next people are told at once."""
    found = chosen(draft, asker)
    if isinstance(found, str):
        return found
    for one in found:
        _pass_one(draft, asker, one)
    return "esc"


def _pass_one(draft: Draft, asker: Asker, one: Open) -> None:
    incident = one.incident
    if incident.state == "acked" and incident.acked_by != asker.by:
        since, who = incident.acked_at or draft.now, draft.book.name(incident.acked_by)
        at = asker.words.clock(since, draft.book.zone(asker.person))
        say(draft, asker, "acked.second", code=one.code, who=who, at=at)
        return
    following = ladder.hurry(draft, incident, without=asker.reply.phone)
    if incident.state == "acked":
        incident = _released(draft, incident, hurried=bool(following))
    who = names(draft, [(target.person, target.phone) for target in following])
    draft.log("incident.passed", incident_id=incident.id, by=asker.by, next=who)
    if who:
        say(draft, asker, "passed", code=one.code, who=who, h=host(incident), t=incident.title)
    else:
        say(draft, asker, "passed.none", code=one.code, team=", ".join(_heard_by(draft, incident)))
    claiming.mail_news(
        draft, incident, "reply", "passed", name(draft, asker), told_text(incident, asker),
        text=asker.reply.text, next=who,
    )  # fmt: skip


def _released(draft: Draft, incident: Incident, *, hurried: bool) -> Incident:
    """Given back by the one who had it; a ladder that was hurried keeps its moment."""
    if hurried:
        return draft.put(claiming.nobodys(incident))
    return claiming.give_back(draft, incident)[0]


def _heard_by(draft: Draft, incident: Incident) -> tuple[str, ...]:
    """The teams that read the thread."""
    action = draft.book.action(incident.rule)
    mail = action.replies.mail if action is not None else ()
    return tuple(target.name for target in mail if target.kind == "name" and target.name in draft.book.config.teams)


def close(draft: Draft, asker: Asker) -> str:
    """It is over: everybody who was told hears it."""
    found = chosen(draft, asker)
    if isinstance(found, str):
        return found
    for one in found:
        incident = claiming.end(draft, one.incident)
        draft.log("incident.over", incident_id=incident.id, by=asker.by)
        say(draft, asker, "closed", code=one.code, h=host(incident), t=incident.title)
        for phone, person in claiming.told_of(draft, incident, without=asker.reply.phone).items():
            said = words(draft.book.language(person))
            span = said.span(draft.now - incident.opened_at)
            code = next((c.code for c in draft.codes(phone).values() if c.incident_id == incident.id), "")
            shown = {"code": code, "over": said.over, "h": host(incident), "t": incident.title, "span": span}
            say_to(draft, phone, person, "recovery", incident, **shown)
        claiming.mail_news(
            draft, incident, "over", "closed", name(draft, asker), told_text(incident, asker), text=asker.reply.text
        )
    return "close"


def status(draft: Draft, asker: Asker) -> str:
    """How it stands."""
    found = chosen(draft, asker)
    if isinstance(found, str):
        return found
    for one in found:
        i, w, zone = one.incident, asker.words, draft.book.zone(asker.person)
        who = draft.book.name(i.acked_by) if i.acked_by else ""
        at = w.clock(i.acked_at, zone) if i.acked_at else ""
        say(
            draft, asker, "status", code=one.code, sev=w.severity(i.severity), h=host(i), t=i.title,
            span=w.span(draft.now - i.opened_at), n=i.count, who=who, at=at,
        )  # fmt: skip
    return "status"


def list_open(draft: Draft, asker: Asker) -> str:
    """What is open on this phone."""
    return say(draft, asker, "list", list=listed(asker.open)) if asker.open else say(draft, asker, "none")


def help_(draft: Draft, asker: Asker) -> str:
    """What may be typed."""
    code = asker.open[0].code if asker.open else str(draft.book.code_range[0])
    return say(draft, asker, "help", code=code)


def start(draft: Draft, asker: Asker) -> str:
    """SMS are on; what was missed is listed."""
    return say(draft, asker, "start", list=listed(asker.open))


def note(draft: Draft, asker: Asker) -> str:
    """Words for the thread and the trail."""
    found = chosen(draft, asker)
    if isinstance(found, str):
        return found
    for one in found:
        draft.log("incident.note", incident_id=one.incident.id, by=asker.by, text=asker.command.rest)
        mail_words(draft, asker, one.incident)
        say(draft, asker, "noted", code=one.code)
    return "note"


def mail_words(draft: Draft, asker: Asker, incident: Incident) -> None:
    """The text as it was written, into the thread of the incident."""
    language = draft.book.config.language
    w, who = words(language), name(draft, asker)
    at = letters.clock(draft, draft.now, language)
    news = [w.say("mails", "reply.head", who=who, at=at), "", asker.reply.text, ""]
    quote = told_text(incident, asker)
    if quote:
        sent = letters.clock(draft, incident.sent_at or incident.opened_at, language)
        news.append(w.say("mails", "reply.quote", at=sent))
    letters.in_thread(draft, incident, "reply", news, quote, f"{who} (SMS)", answers=True)


def told_text(incident: Incident, asker: Asker) -> str:
    """What the phone was told, for the quotation: said again in short when the SMS itself is not at hand."""
    code = next((one.code for one in asker.open if one.incident.id == incident.id), incident.code)
    return " ".join(part for part in (code, f"{incident.host}:", incident.title) if part)
