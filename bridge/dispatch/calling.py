"""What a missed call means: an ack like ``ok``, or nothing.

Whoever rings the number that his SMS showed, within a quarter of an hour, acknowledges all that is open on his phone.
A number shown proves little (T32), so a call counts only from a phone that was just given a number, and only where
that person and the rule let him answer so (``ack_by``). Everything else is silence.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from bridge.book import RuleBook
from bridge.dispatch import commands, ringing
from bridge.dispatch.asking import Asker, Open, is_taken, open_on
from bridge.dispatch.draft import Draft
from bridge.memory import Memory, Needs
from bridge.model import Call, Incident, Plan, Reply
from bridge.words.catalogue import words
from bridge.words.commands import Command

_CLOCKS = timedelta(minutes=2)  # how much the provider's clock may differ from ours


def called_needs(call: Call) -> Needs:
    """Which numbers were given to the phone that rang."""
    return Needs(tallies=frozenset({ringing.tally_of(call.phone, call.to)}))


def called(call: Call, book: RuleBook, memory: Memory, now: datetime) -> Plan:
    """A missed call: from a phone that was just given a number it is an ack, like ``ok``; else it is silence."""
    draft = Draft(book, memory, now)
    draft.read_as = "call"
    person = book.person_of(call.phone)
    open_, why = _meant(draft, call, person)
    if why:
        draft.log("call.received", phone=call.phone, to=call.to, why=why)  # silence: nobody is told anything
        return draft.plan()
    language = book.language(person)
    said = words(language)
    reply = Reply(call.id, call.phone, call.to, "", call.provider)  # no words: it rang
    asker = Asker(reply, person, language, said, Command("command", "ok", everything=True, language=language), open_)
    draft.read_as = commands.ack(draft, asker)
    about = open_[0].incidents[0].id if len(open_) == 1 else 0
    draft.log("reply.read", incident_id=about, phone=call.phone, as_what=draft.read_as)
    return draft.plan()


def _meant(draft: Draft, call: Call, person: str) -> tuple[tuple[Open, ...], str]:
    """What the call acknowledges; or why it is silence."""
    at = call.at or draft.now
    given = draft.memory.counted(ringing.tally_of(call.phone, call.to), draft.now - ringing.KEPT)
    if not any(moment - _CLOCKS <= at <= moment + ringing.LIVES + _CLOCKS for moment in given):
        return (), "no number was given to it"
    found = []
    for one in open_on(draft, call.phone):
        free = tuple(each for each in one.incidents if not is_taken(draft, each) and _may(draft, person, each))
        if free:
            found.append(replace(one, incidents=free))
    return tuple(found), "" if found else "nothing is open for it"


def _may(draft: Draft, person: str, incident: Incident) -> bool:
    action = draft.book.action(incident.rule)
    return "call" in draft.book.ack_ways(person, action)
