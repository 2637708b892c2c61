"""The commands stop and start (wording §4): SMS to a phone are off, or on again.

STOP of somebody on call is an outage (design §8): the next of the rota stands in and is told so, the ladders of what
is open on that phone go on at once, the team and the operator read of it. START undoes it. Both are recorded (T40).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

from bridge.dispatch import absence, ladder, letters, rungs, shifts
from bridge.dispatch.asking import Asker, listed, name, say, say_to
from bridge.dispatch.draft import Draft
from bridge.dispatch.holding import hold
from bridge.dispatch.steps import FIRST
from bridge.model import Incident, Override, Stop
from bridge.words.catalogue import MAIL_SUBJECT, words

_A_DAY = timedelta(days=1)


def stop(draft: Draft, asker: Asker) -> str:
    """Nobody sends to this phone any more; that is the last it hears. Saying so again changes nothing."""
    phone = asker.reply.phone
    if phone in draft.stops():
        return "stop"
    duties = _duties(draft, asker.person)
    say(draft, asker, "stop", team=", ".join(_teams(draft, asker.person)))
    draft.stop(Stop(phone, asker.person, draft.now))
    absence.drop_unsent(draft, phone, absence.why_not(draft, phone))
    standing_in = {rota: _on_call(draft, rota) for rota in duties}
    draft.log("phone.stopped", phone=phone, person=asker.person, rotas=list(duties), text=asker.reply.text)
    _tell_stand_ins(draft, asker, standing_in)
    _mail_stopped(draft, asker, standing_in)
    for incident in {incident.id: incident for one in asker.open for incident in one.incidents}.values():
        if incident.state == "open":
            _goes_on(draft, asker, incident)
    return "stop"


def start(draft: Draft, asker: Asker) -> str:
    """SMS are on; what is open is listed. Who stood in hears that he does not any more."""
    undo(draft, asker.reply.phone, asker.person, name(draft, asker))
    return say(draft, asker, "start", list=listed(asker.open))


def undo(draft: Draft, phone: str, person: str, by: str) -> bool:
    """*by* (a name) turned the SMS to *phone* on; False when they were."""
    stopped = draft.stops().get(phone)
    if stopped is None:
        return False
    stood_in = {rota: _on_call(draft, rota) for rota in draft.book.people.rotas}
    draft.stop(replace(stopped, over=True))
    draft.log("phone.started", phone=phone, person=person, by=by)
    for rota in _duties(draft, person):
        if stood_in[rota] not in ("", person):
            until = draft.book.people.rotas.until(rota, draft.now, draft.held_rotas()) or draft.now + _A_DAY
            shifts.tell_change(draft, stood_in[rota], Override(rota, person, draft.now, until))
    w = words(draft.book.config.operator.language or draft.book.config.language)
    who = draft.book.name(person) if person else phone
    at = w.clock(draft.now, draft.book.zone(""))
    _mail(draft, person, w.say("operator", "start.subject", who=who), w.say("operator", "start", who=by, at=at))
    return True


def _duties(draft: Draft, person: str) -> tuple[str, ...]:
    """The rotas that *person* has now."""
    return tuple(rota for rota in draft.book.people.rotas if person and _on_call(draft, rota) == person)


def _on_call(draft: Draft, rota: str) -> str:
    return draft.book.people.rotas.who(rota, draft.now, draft.held_rotas()) or ""


def _teams(draft: Draft, person: str) -> tuple[str, ...]:
    """The teams of *person* that read mail."""
    people = draft.book.people
    return tuple(
        team for team, written in draft.book.config.teams.items() if written.email and person in people.members(team)
    )


def _tell_stand_ins(draft: Draft, asker: Asker, standing_in: Mapping[str, str]) -> None:
    for rota, other in standing_in.items():
        if other not in ("", asker.person):
            phone = draft.book.people.phone(other)
            say_to(draft, phone, other, "stop.next", who=name(draft, asker), rota=rota)


def _mail_stopped(draft: Draft, asker: Asker, standing_in: Mapping[str, str]) -> None:
    """One mail to the teams and the operator: who cannot be reached, who stands in, or that nobody does."""
    w = words(draft.book.config.operator.language or draft.book.config.language)
    at, who = w.clock(draft.now, draft.book.zone("")), name(draft, asker)
    found = {rota: other for rota, other in standing_in.items() if other != asker.person}
    following = ", ".join(dict.fromkeys(map(draft.book.name, found.values())))
    body = [w.say("operator", "stop", text=asker.reply.text, at=at, next=following, rota=", ".join(found))]
    body += [w.say("operator", "stop.nobody", rota=rota) for rota in standing_in if rota not in found]
    subject = w.say("operator", "stop.subject" if standing_in else "stop.free.subject", who=who)
    _mail(draft, asker.person, subject, "\n".join(body))


def _mail(draft: Draft, person: str, subject: str, body: str) -> None:
    teams = draft.book.config.teams
    to = (*draft.book.config.operator.mail, *(teams[team].email or "" for team in _teams(draft, person)))
    letters.post(draft, "operator", to, MAIL_SUBJECT + subject, body, from_null=True)


def _goes_on(draft: Draft, asker: Asker, incident: Incident) -> None:
    """The next of the ladder are told at once, and whom the rule means now that he is gone."""
    following = ladder.hurry(draft, incident, without=asker.reply.phone)
    action = draft.book.action(incident.rule)
    if action is None:
        return
    overrides = draft.held_rotas()
    people = draft.book.targets(action, incident.recipients, draft.now, incident.source, overrides=overrides).people
    meant, told = {target.phone for target in people}, {note.phone for note in draft.told(incident)}
    if meant - told and not meant & {target.phone for target in following}:
        bundle = f"stop/{incident.id}"
        hold(draft, rungs.held_of(draft, incident, FIRST), bundle, None, "wake")
        draft.wake(bundle, draft.now)
