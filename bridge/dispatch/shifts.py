"""Commands by SMS about who is on call: who, take, swap (wording §4). Overrides end by themselves.

A swap is a question to the other one: it waits two hours in the timer ``swap/<phone>`` for his ``swap ok``; he needs no
right of his own to answer it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

from bridge.dispatch import letters
from bridge.dispatch.asking import Asker, name, say, say_to
from bridge.dispatch.commands import help_
from bridge.dispatch.draft import Draft
from bridge.model import Override
from bridge.words.catalogue import Words, words
from bridge.words.spans import read_until

_ASKED_FOR = timedelta(hours=2)  # a question nobody answers is none any more
_A_DAY = timedelta(days=1)
_MOST_TURNS = 100  # how far ahead somebody's next turn is looked for


@dataclass(frozen=True, slots=True)
class _Shift:
    """A stretch of a rota that one person has."""

    rota: str
    begin: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Asked:
    """A question to the owner of a phone: would he take *shift* of *person*?"""

    person: str
    phone: str
    rota: str
    begin: datetime
    end: datetime


def asked_timer(phone: str) -> str:
    """The timer that keeps the question to *phone*."""
    return f"swap/{phone}"


def asked(draft: Draft, phone: str) -> Asked | None:
    """What *phone* was asked and has not answered."""
    timer = draft.timer(asked_timer(phone))
    if timer is None or timer.due_at <= draft.now:
        return None
    data = cast(Mapping[str, Any], timer.data)
    begin, end = (datetime.fromisoformat(data[key]) for key in ("begin", "end"))
    return Asked(data["person"], data["phone"], data["rota"], begin, end)


def who(draft: Draft, asker: Asker) -> str:
    """Who is on call in each rota, until when, and who follows."""
    rotas, taken = draft.book.people.rotas, draft.held_rotas()
    for rota in draft.book.config.rotas:
        person = rotas.who(rota, draft.now, taken)
        if person is None:
            say(draft, asker, "who.none", rota=rota)
            continue
        until, following = rotas.until(rota, draft.now, taken), rotas.next(rota, draft.now, taken)
        at = asker.words.day_and_time(until, draft.book.zone(asker.person)) if until else ""
        then = draft.book.name(following) if following and following != person else ""
        say(draft, asker, "who", rota=rota, who=draft.book.name(person), at=at, next=then)
    return "who" if draft.book.config.rotas else say(draft, asker, "none")


def take(draft: Draft, asker: Asker) -> str:
    """The sender has a rota for a while: as long as he says, else until the next handover."""
    zone = draft.book.zone(asker.person)
    wish = read_until(asker.command.rest, asker.command.language, now=draft.now, zone=zone)
    rota = _rota(draft, asker, wish.what)
    if rota is None:
        known = tuple(draft.book.config.rotas)
        if not known:
            return say(draft, asker, "none")
        return say(draft, asker, "take.which", list=", ".join(known), rota=known[0])
    former = draft.book.people.rotas.who(rota, draft.now, draft.held_rotas())
    end = wish.at or _handover(draft, rota)
    taken_over(draft, Override(rota, asker.person, draft.now, end), by=asker.person)
    told = "" if former in (None, asker.person) else str(former)
    if told:
        tell_change(draft, told, Override(rota, asker.person, draft.now, end))
    shown = asker.words.clock(end, zone) if end - draft.now < _A_DAY else asker.words.day_and_time(end, zone)
    say(draft, asker, "taken", rota=rota, at=shown, who=draft.book.name(told) if told else "")
    return "take"


def taken_over(draft: Draft, override: Override, *, by: str) -> None:
    """Somebody has a rota for a while, whatever the rota says."""
    draft.overrides.append(override)
    draft.log(
        "rota.taken", rota=override.rota, person=override.person, until=override.end.isoformat(),
        begin=override.begin.isoformat(), by=by,
    )  # fmt: skip


def _rota(draft: Draft, asker: Asker, what: str) -> str | None:
    """The rota that is meant: the one that is named, the only one the sender is in, the only one there is."""
    rotas = draft.book.config.rotas
    if what:
        return what.casefold() if what.casefold() in rotas else None
    mine = [rota for rota, written in rotas.items() if asker.person in written.members]
    if len(mine) == 1:
        return mine[0]
    return next(iter(rotas)) if not mine and len(rotas) == 1 else None


def _handover(draft: Draft, rota: str) -> datetime:
    """When the present turn of a rota is over; of one that never changes, in a day."""
    return draft.book.people.rotas.until(rota, draft.now, draft.held_rotas()) or draft.now + _A_DAY


def swap(draft: Draft, asker: Asker) -> str:
    """``swap ivan`` asks Ivan; ``swap ok`` and ``swap no`` are his answers."""
    wanted, *_more = [*asker.command.rest.split(), ""]
    word = draft.book.vocabulary.exact(wanted.strip(".,!?")) if wanted else None
    if word in ("ok", "esc"):
        return _swap_answered(draft, asker, agreed=word == "ok")
    other = _person(draft, wanted)
    shift = next(_shifts(draft, asker.person), None)
    if not other or other == asker.person or shift is None:
        return help_(draft, asker)
    phone = draft.book.config.people[other].phone
    data = {
        "person": asker.person, "phone": asker.reply.phone, "rota": shift.rota, "begin": shift.begin.isoformat(),
        "end": shift.end.isoformat(),
    }  # fmt: skip
    draft.put_timer(asked_timer(phone), min(draft.now + _ASKED_FOR, shift.end), "swap", data=data)
    draft.log("rota.swap.asked", rota=shift.rota, person=asker.person, other=other)
    said = words(draft.book.language(other))
    begin, end = _shown(draft, said, other, shift.begin, shift.end)
    say_to(draft, phone, other, "swap.ask", who=name(draft, asker), rota=shift.rota, begin=begin, end=end)
    begin, end = _shown(draft, asker.words, asker.person, shift.begin, shift.end)
    say(draft, asker, "swap.asked", who=draft.book.name(other), rota=shift.rota, begin=begin, end=end)
    return "swap"


def _swap_answered(draft: Draft, asker: Asker, *, agreed: bool) -> str:
    question = asked(draft, asker.reply.phone)
    if question is None:
        return say(draft, asker, "swap.none")
    draft.drop_timer(asked_timer(asker.reply.phone))
    override = Override(question.rota, asker.person, max(question.begin, draft.now), question.end)
    if not agreed:
        draft.log("rota.swap.refused", rota=question.rota, person=asker.person, other=question.person)
        tell_change(draft, question.person, override, "swap.no")
        return "swap no"
    taken_over(draft, override, by=asker.person)
    tell_change(draft, question.person, override)
    begin, end = _shown(draft, asker.words, asker.person, override.begin, override.end)
    say(draft, asker, "swap.done", who=name(draft, asker), rota=question.rota, begin=begin, end=end)
    _mail_teams(draft, asker, question.person, override)
    return "swap ok"


def tell_change(draft: Draft, person: str, override: Override, frame: str = "swap.done") -> None:
    """Tell *person* who has a rota now, or that it was refused."""
    known = draft.book.config.people.get(person)
    if known is None:
        return
    said = words(draft.book.language(person))
    begin, end = _shown(draft, said, person, override.begin, override.end)
    new = draft.book.name(override.person)
    say_to(draft, known.phone, person, frame, who=new, rota=override.rota, begin=begin, end=end)


def _mail_teams(draft: Draft, asker: Asker, person: str, override: Override) -> None:
    """The teams of the one who gave his shift away."""
    to = [team.email for team in draft.book.config.teams.values() if team.email and person in team.members]
    said = words(draft.book.config.language)
    begin, end = _shown(draft, said, "", override.begin, override.end)
    text = said.frame("swap.done", who=name(draft, asker), rota=override.rota, begin=begin, end=end)
    letters.post(draft, "reply", to, text, text)


def _shown(draft: Draft, said: Words, person: str, begin: datetime, end: datetime) -> tuple[str, str]:
    zone = draft.book.zone(person)
    return said.day_and_time(begin, zone), said.day_and_time(end, zone)


def _person(draft: Draft, word: str) -> str:
    """The person with this key or name, "" for nobody."""
    wanted, people = word.casefold(), draft.book.config.people
    if wanted in people:
        return wanted
    return next((key for key, person in people.items() if wanted and person.name.casefold() == wanted), "")


def _shifts(draft: Draft, person: str) -> Iterator[_Shift]:
    """What *person* has now in any rota, then his next turn in each."""
    rotas, taken = draft.book.people.rotas, draft.held_rotas()
    later: list[_Shift] = []
    for rota in draft.book.config.rotas:
        begin: datetime | None = draft.now
        for _ in range(_MOST_TURNS):
            if begin is None:
                break
            end = rotas.until(rota, begin, taken)
            if rotas.who(rota, begin, taken) == person:
                shift = _Shift(rota, begin, end or begin + _A_DAY)
                if begin == draft.now:
                    yield shift
                else:
                    later.append(shift)
                break
            begin = end
    yield from sorted(later, key=lambda shift: shift.begin)
