"""What happens when a timer of a ladder falls due: its next rung speaks, or nobody was left to speak to.

A name that means nobody (a hole in a rota, somebody who is gone since a reload) falls to the team of that name, then to
the operator, loudly.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from bridge.book import RuleBook
from bridge.dispatch import absence, ladder, letters, limits, notices
from bridge.dispatch.draft import Draft
from bridge.dispatch.silenced import fits
from bridge.dispatch.steps import Ladder, Rung, from_data
from bridge.dispatch.telling import Ask, Stage, in_class, is_told, kind_of, quiet_timers, tell
from bridge.memory import Known, Needs
from bridge.model import Event, Held, Incident, Timer
from bridge.oncall.people import Target
from bridge.routing.rules import Action
from bridge.words.catalogue import Words, words

_LOOK_AGAIN = timedelta(minutes=1)


def due_needs(timer: Timer, book: RuleBook, now: datetime, known: Known) -> Needs:
    """The phones of the rung that would speak, and where they may have to wait."""
    number = timer.incident_id
    needs = Needs(
        incidents=frozenset({number}),
        timers=frozenset({ladder.step_timer(number), ladder.unanswered_timer(number)}),
        causes=frozenset({_cause(number)}),
    )
    if timer.kind != "step":
        return needs
    going = from_data(timer.data)
    action = book.action(going.rule)
    if action is None or going.over:
        return needs
    people = book.targets(
        action, (), now, going.source, overrides=known.overrides, to=(*going.rung.to, *book.config.operator.to)
    ).people
    action, phones = in_class(action, going.rung.message_class), frozenset(target.phone for target in people)
    needs |= limits.needs_of(book, action, going.rule, going.source, phones, now)
    return needs | Needs(
        talkers=phones,
        causes=frozenset({f"template/{going.rule}"}),
        timers=frozenset(quiet_timers(book, action, going.source, people, now)),
    )


def fire(draft: Draft, timer: Timer) -> None:
    """A timer ``step`` or ``unanswered`` has fallen due."""
    incident = draft.incident(timer.incident_id)
    if incident is None or incident.state != "open" or incident.episode != timer.data.get("episode"):
        return  # somebody has it (after ``ack_lasts`` no timer speaks), or it is over
    if timer.kind == "step":
        _next(draft, incident, from_data(timer.data))
    else:
        _unanswered(draft, incident)


def _next(draft: Draft, incident: Incident, going: Ladder) -> None:
    """The next rung speaks, unless the incident is silent now; then it does when that is over."""
    until = _silent_until(draft, incident)
    if until is not None:  # it may be ended sooner
        ladder.put(draft, incident, going, min(until, draft.now + _LOOK_AGAIN))
        return
    action = draft.book.action(incident.rule)
    heard = False
    if action is None:
        _nobody(draft, incident, f"the rule “{incident.rule}” is gone")
    else:
        heard = _speak(draft, incident, going, action)
    going = going.late_by(draft.now).gone_on()
    if going.next_at is not None:
        ladder.put(draft, incident, going, going.next_at if heard or action is None else draft.now)
    else:
        ladder.end(draft, incident)


def _silent_until(draft: Draft, incident: Incident) -> datetime | None:
    """When the last silence that holds for *incident* now is over; None when none holds."""
    planned = (draft.book.standing.silences.get(name) for name in incident.marks.silences)
    ends = [until for each in planned if each is not None and (until := each.until(draft.now)) is not None]
    event, marks = event_of(incident), incident.marks
    made = draft.active_silences()
    ends += [each.end for each in made if fits(each.matchers, event, marks.sender, (marks.recipient,))]
    return max(ends, default=None)


def _speak(draft: Draft, incident: Incident, going: Ladder, action: Action) -> bool:
    """Whether anybody may hear it: where all have said STOP the next rung need not wait for its time."""
    rung, step = going.rung, going.key(going.spoken)
    found = ladder.targets(draft, incident, rung)
    notices.otherwise(draft, found, incident)
    people = found.people
    if not people:
        _nobody(draft, incident, f"{', '.join(map(str, rung.to))}: {'; '.join(found.reasons) or 'nobody to tell'}")
        people = ladder.targets(draft, incident, replace(rung, to=draft.book.config.operator.to)).people
    elif found.reasons:
        _nobody(draft, incident, "; ".join(found.reasons))
    draft.log("ladder.step", incident_id=incident.id, step=step, people=[t.person or t.phone for t in people])
    silent_ones = _not_answering(draft, incident)
    for ask in _asks(draft, incident, rung, action, step):
        for target in people:
            if not is_told(draft, ask, target.phone):
                tell(draft, [ask], target, Stage.QUIET)
    if absence.all_stopped(draft, people):
        _nobody(draft, incident, "; ".join(dict.fromkeys(absence.why_not(draft, each.phone) for each in people)))
        return False
    if people and "escalation" in action.replies.news:
        _mail_escalated(draft, incident, going, silent_ones, people)
    return True


def _asks(draft: Draft, incident: Incident, rung: Rung, action: Action, step: str) -> Iterator[Ask]:
    """One for each channel of the rung: each is a telling of its own."""
    text = rung.text if rung.text in draft.book.texts else ""
    for number, channel in enumerate(rung.channels):
        held = replace(
            held_of(draft, incident, f"{step}/{channel}" if number else step), channel=channel,
            message_class=rung.message_class, text_of=text,
        )  # fmt: skip
        own = replace(in_class(action, rung.message_class), channel=(channel,))
        yield Ask(held, own, incident, kind=kind_of(step), text_of=text)


def held_of(draft: Draft, incident: Incident, step: str) -> Held:
    """What a timer has to say about an incident: its event, as it stands now."""
    thread = incident.thread
    return Held(
        "", f"i/{incident.id}", incident.id, incident.episode, incident.rule, event_of(incident), draft.now, 1, step,
        thread.mail_id, thread.subject, thread.sender, incident.detail, incident.groups, incident.recipients,
    )  # fmt: skip


def event_of(incident: Incident) -> Event:
    """The event that an incident is about, as far as it is kept."""
    return Event(
        incident.source, incident.producer, incident.host, incident.service, incident.severity, "problem",
        incident.producer_key, incident.title, incident.detail, incident.labels, incident.problem_id,
    )  # fmt: skip


def _not_answering(draft: Draft, incident: Incident) -> str:
    """The names of those who were told so far."""
    told = dict.fromkeys(note.person or note.phone for note in draft.told(incident) if note.step != "mail")
    return ", ".join(map(draft.book.name, told))


def _mail_escalated(draft: Draft, incident: Incident, going: Ladder, who: str, people: Sequence[Target]) -> None:
    w = words(draft.book.config.language)
    minutes = max(int((draft.now - going.begun) / timedelta(minutes=1)), 1)
    following = ", ".join(draft.book.name(target.person) or target.phone for target in people)
    news = [w.say("mails", "escalated", who=who, n=minutes, next=following)]
    letters.in_thread(draft, incident, "escalated", news, "", "smsbridge", answers=False)


def _unanswered(draft: Draft, incident: Incident) -> None:
    """30 minutes after the last rung nobody has it: the thread and the operator hear of it, in one mail."""
    action = draft.book.action(incident.rule)
    draft.log("incident.unanswered", incident_id=incident.id)
    if action is not None and "unanswered" not in action.replies.news:
        return
    w = words(draft.book.config.language)
    news = w.say("mails", "unanswered", list=_not_answering(draft, incident), span=_repeated(w, action))
    about = " ".join(part for part in (incident.code, f"{incident.host}:", incident.title) if part)
    to = (*letters.thread_addresses(draft, incident, action), *draft.book.config.operator.mail)
    subject = letters.reply_subject(incident.thread.subject or incident.title)
    letters.post(
        draft, "unanswered", to, subject, f"{news}\n\n{about}", thread=incident.thread, incident_id=incident.id
    )


def _repeated(w: Words, action: Action | None) -> str:
    """How often it may be told again, "" where the rule gives no span."""
    repeat = action.repeat if action else None
    return w.span(repeat) if isinstance(repeat, timedelta) else ""


def _cause(number: int) -> str:
    return f"ladder/{number}"


def _nobody(draft: Draft, incident: Incident, why: str) -> None:
    """A rung that means nobody: the operator hears of it, loudly."""
    body = f"{why}. {incident.id} {incident.host}: {incident.title}"
    notices.tell(draft, _cause(incident.id), why, body, quiet_for=timedelta(0))
    draft.log("ladder.nobody", incident_id=incident.id, why=why)
