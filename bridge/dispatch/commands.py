"""Commands by SMS that are about alerts: ok, un, esc, close, status, list, note, help (wording §4, design §8).

Each does what was asked to all that the codes in it stand for, answers the sender once for each code, and gives back
how the text was read.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from bridge.dispatch import claiming, codes, ladder, letters
from bridge.dispatch.asking import Asker, Open, about, chosen, is_taken, listed, name, names, say, say_to, shown
from bridge.dispatch.draft import Draft
from bridge.model import SEVERITIES, Incident
from bridge.oncall.people import Target
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
    free = tuple(one for one in asker.open if not all(is_taken(draft, incident) for incident in one.incidents))
    if not free:
        return say(draft, asker, "none")
    for one in free:
        _ack_one(draft, asker, one)
    return "ack"


def _ack_one(draft: Draft, asker: Asker, one: Open) -> None:
    """All that nobody has yet; the others who were told, and the thread, hear of it once."""
    known = [draft.incident(incident.id) or incident for incident in one.incidents]
    free = [incident for incident in known if not is_taken(draft, incident)]
    if not free:
        _ack_again(draft, asker, one, known)
        return
    spared = _names_of(draft, _spared(draft, asker, free))
    taken = [claiming.take(draft, incident, asker.by) for incident in free]
    for incident in taken:
        draft.log("incident.acked", incident_id=incident.id, by=asker.by, text=asker.reply.text)
        if asker.command.rest:  # "ok, on my way"
            draft.log("incident.note", incident_id=incident.id, by=asker.by, text=asker.command.rest)
    _say_acked(draft, asker, one, taken)
    mailed = [incident for incident in taken if claiming.mails_acks(draft, incident)]
    if mailed:
        quote, who = told_text(one.code, mailed), name(draft, asker)
        how = "acked" if asker.reply.text else "acked.call"  # a call has no words
        claiming.mail_news(draft, mailed, "acked", how, who, quote, spared=spared, text=asker.reply.text)
    claiming.tell_colleagues(draft, taken, name(draft, asker), without=asker.reply.phone)


def _spared(draft: Draft, asker: Asker, incidents: Sequence[Incident]) -> Iterator[Target]:
    """Whom the ladders would tell next."""
    for incident in incidents:
        left = ladder.running(draft, incident)
        if left is not None and left.paused is None:
            yield from (each for each in ladder.following(draft, incident, left) if each.phone != asker.reply.phone)


def _say_acked(draft: Draft, asker: Asker, one: Open, taken: Sequence[Incident]) -> None:
    others = claiming.silent_ones(draft, taken, without=asker.reply.phone)
    frame = "acked" if others else "acked.alone"
    say(draft, asker, frame, incident=taken[0].id, code=one.code, **shown(taken))


def _answered(draft: Draft, asker: Asker, incidents: Sequence[Incident]) -> None:
    """He cannot, or another one has it: that somebody takes it is no news for him. Who took it may lose it in time."""
    for incident in incidents:
        claiming.has_answered(draft, incident, asker.reply.phone, asker.person)


def _ack_again(draft: Draft, asker: Asker, one: Open, known: Sequence[Incident]) -> None:
    """Everything has somebody: the sender, or another one."""
    others = [incident for incident in known if incident.acked_by != asker.by]
    _answered(draft, asker, others)
    for incident in others:
        draft.log("incident.acked.second", incident_id=incident.id, by=asker.by)
    if others:
        _say_whose(draft, asker, one, others[0])
    else:
        _say_acked(draft, asker, one, known)


def _say_whose(draft: Draft, asker: Asker, one: Open, incident: Incident) -> None:
    since, who = incident.acked_at or draft.now, draft.book.name(incident.acked_by)
    at = asker.words.clock(since, draft.book.zone(asker.person))
    say(draft, asker, "acked.second", code=one.code, who=who, at=at)


def unack(draft: Draft, asker: Asker) -> str:
    """Nobody has it any more: the ladder goes on."""
    found = chosen(draft, asker)
    if isinstance(found, str):
        return found
    for one in found:
        known = [draft.incident(incident.id) or incident for incident in one.incidents]
        acked = [incident for incident in known if incident.acked_by == asker.by]
        others = [incident for incident in known if is_taken(draft, incident)]
        if others and not acked:  # what another one has is not his to give back
            _say_whose(draft, asker, one, others[0])
            continue
        who, at = _unack_all(draft, asker, acked) if acked else ("", "")
        say(draft, asker, "undone", code=one.code, **shown(acked or known), who=who, at=at)
    return "un"


def _unack_all(draft: Draft, asker: Asker, acked: Sequence[Incident]) -> tuple[str, str]:
    """Who is told next, and when; "" for nobody."""
    _answered(draft, asker, acked)
    moments: dict[datetime, list[Target]] = {}
    for incident in acked:
        incident, left = claiming.give_back(draft, incident)
        draft.log("incident.unacked", incident_id=incident.id, by=asker.by)
        if left is not None and left.next_at is not None:
            moments.setdefault(left.next_at, []).extend(ladder.following(draft, incident, left))
    due = min((moment for moment, targets in moments.items() if targets), default=None)
    who = _names_of(draft, moments[due]) if due else ""
    then = letters.clock(draft, due, draft.book.config.language) if due else ""
    by = name(draft, asker)
    claiming.mail_news(draft, acked, "unacked", "unacked", by, asker.reply.text, next=who, then=then)
    return who, asker.words.clock(due, draft.book.zone(asker.person)) if due else ""


def _names_of(draft: Draft, targets: Iterable[Target]) -> str:
    return names(draft, list(dict.fromkeys((target.person, target.phone) for target in targets)))


def pass_on(draft: Draft, asker: Asker) -> str:
    """I cannot: the next people are told at once."""
    found = chosen(draft, asker)
    if isinstance(found, str):
        return found
    for one in found:
        _pass_one(draft, asker, one)
    return "esc"


def _pass_one(draft: Draft, asker: Asker, one: Open) -> None:
    known = [draft.incident(incident.id) or incident for incident in one.incidents]
    mine = [each for each in known if each.acked_by == asker.by or not is_taken(draft, each)]
    if not mine:
        _say_whose(draft, asker, one, known[0])
        return
    following: dict[Target, None] = {}
    for incident in mine:
        following.update(dict.fromkeys(_hurried(draft, asker, incident)))
    who = _names_of(draft, following)
    _answered(draft, asker, mine)
    for incident in mine:
        draft.log("incident.passed", incident_id=incident.id, by=asker.by, next=who)
    if who:
        say(draft, asker, "passed", code=one.code, who=who, **shown(mine))
    else:
        teams = dict.fromkeys(team for incident in mine for team in _heard_by(draft, incident))
        say(draft, asker, "passed.none", code=one.code, team=", ".join(teams))
    quote = told_text(one.code, mine)
    claiming.mail_news(
        draft, mine, "reply", "passed", name(draft, asker), quote, text=asker.reply.text, next=who
    )  # fmt: skip


def _hurried(draft: Draft, asker: Asker, incident: Incident) -> tuple[Target, ...]:
    """Who is told next, at once; an ack of the sender is given back."""
    following = ladder.hurry(draft, incident, without=asker.reply.phone)
    if incident.state == "acked":
        if following:  # a ladder that was hurried keeps its moment
            draft.put(claiming.nobodys(incident))
        else:
            claiming.give_back(draft, incident)
    return following


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
        over = [claiming.end(draft, draft.incident(incident.id) or incident) for incident in one.incidents]
        for incident in over:
            draft.log("incident.over", incident_id=incident.id, by=asker.by)
        say(draft, asker, "closed", code=one.code, **shown(over))
        _tell_over(draft, asker, over)
        quote = told_text(one.code, over)
        claiming.mail_news(draft, over, "over", "closed", name(draft, asker), quote, text=asker.reply.text)
    return "close"


def _tell_over(draft: Draft, asker: Asker, over: Sequence[Incident]) -> None:
    for told in claiming.each_told(draft, over, without=asker.reply.phone):
        said = words(draft.book.language(told.person))
        span = said.span(draft.now - min(incident.opened_at for incident in told.incidents))
        code = codes.code_of_ended(draft, told.phone, told.incidents)
        say_to(draft, told.phone, told.person, "recovery", told.incidents, code=code, over=said.over, span=span)


def status(draft: Draft, asker: Asker) -> str:
    """How it stands."""
    found = chosen(draft, asker)
    if isinstance(found, str):
        return found
    for one in found:
        w, zone = asker.words, draft.book.zone(asker.person)
        worst = max((i.severity for i in one.incidents), key=SEVERITIES.index)
        free = [incident for incident in one.incidents if incident.state != "acked"]
        who = "" if free else ", ".join(dict.fromkeys(draft.book.name(i.acked_by) for i in one.incidents))
        since = max((i.acked_at for i in one.incidents if i.acked_at), default=None)
        say(
            draft, asker, "status", code=one.code, sev=w.severity(worst), **shown(one.incidents),
            span=w.span(draft.now - min(i.opened_at for i in one.incidents)), n=sum(i.count for i in one.incidents),
            who=who, at=w.clock(since, zone) if since else "",
        )  # fmt: skip
    return "status"


def list_open(draft: Draft, asker: Asker) -> str:
    """What is open on this phone."""
    return say(draft, asker, "list", list=listed(asker.open)) if asker.open else say(draft, asker, "none")


def help_(draft: Draft, asker: Asker) -> str:
    """What may be typed."""
    code = asker.open[0].code if asker.open else str(draft.book.code_range[0])
    return say(draft, asker, "help", code=code)


def note(draft: Draft, asker: Asker) -> str:
    """Words for the thread and the trail."""
    found = chosen(draft, asker)
    if isinstance(found, str):
        return found
    for one in found:
        for incident in one.incidents:
            draft.log("incident.note", incident_id=incident.id, by=asker.by, text=asker.command.rest)
        mail_words(draft, asker, one.code, one.incidents)
        say(draft, asker, "noted", code=one.code)
    return "note"


def mail_words(draft: Draft, asker: Asker, code: str, incidents: Sequence[Incident]) -> None:
    """The text as it was written, into the thread of what *code* stands for."""
    language = draft.book.config.language
    w, who = words(language), name(draft, asker)
    news = [w.say("mails", "reply.head", who=who, at=letters.clock(draft, draft.now, language)), "", asker.reply.text]
    quote = told_text(code, incidents)
    if quote:
        told_at = max(incident.sent_at or incident.opened_at for incident in incidents)
        news += ["", w.say("mails", "reply.quote", at=letters.clock(draft, told_at, language))]
    claiming.mail_all(draft, incidents, "reply", news, quote, f"{who} (SMS)", answers=True)


def told_text(code: str, incidents: Sequence[Incident]) -> str:
    """What the phone was told, for the quotation: said again in short when the SMS itself is not at hand."""
    if len(incidents) > 1:
        return f"{code} {about(incidents)}".strip()
    incident = incidents[0]
    return " ".join(part for part in (code or incident.code, f"{incident.host}:", incident.title) if part)
