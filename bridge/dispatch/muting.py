"""Silences made at run time, by SMS or by an operator: mute, unmute (FORMAT §11). They end by themselves.

What is still open then is told; a silence that is ended sooner wakes what it held.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from bridge.dispatch.asking import Asker, Open, chosen, host, say
from bridge.dispatch.commands import help_
from bridge.dispatch.draft import Draft
from bridge.model import Incident, Silence
from bridge.words.spans import read_until

_FIELDS = ("source", "host", "service", "title")  # that tell one incident from others


def made(draft: Draft, matchers: Mapping[str, str], by: str, end: datetime, note: str = "") -> Silence:
    """A silence from now to *end*."""
    silence = Silence(draft.take("silence"), dict(matchers), by, draft.now, end, note)
    draft.silences.append(silence)
    draft.log("silence.made", silence=silence.id, by=by, until=end.isoformat(), matchers=dict(matchers), note=note)
    return silence


def ended(draft: Draft, silence: Silence, by: str) -> Silence:
    """A silence is over now: what it held is asked again."""
    over = replace(silence, end=draft.now)
    draft.silences.append(over)
    draft.wake(f"silence/{silence.id}/{int(silence.end.timestamp())}", draft.now)
    draft.log("silence.ended", silence=silence.id, by=by)
    return over


def matchers_of(incident: Incident) -> dict[str, str]:
    """What makes a silence about this incident and no other."""
    return {field: value for field in _FIELDS if (value := str(getattr(incident, field)))}


def mute(draft: Draft, asker: Asker) -> str:
    """``mute sw3 2h``, ``mute 12 until 08:00``: quiet for a while. Without an end, or about nothing, it is not done."""
    command, zone = asker.command, draft.book.zone(asker.person)
    wish = read_until(command.rest, command.language, now=draft.now, zone=zone)
    if wish.at is None or not (command.codes or any(map(str.isalnum, wish.what))):
        return help_(draft, asker)
    found = chosen(draft, asker) if command.codes else ()
    if isinstance(found, str):
        return found
    about = {one.code: _matchers(one) for one in found} or {wish.what: [{"host": _host(asker, wish.what)}]}
    for what, all_matchers in about.items():
        for matchers in all_matchers:
            made(draft, matchers, asker.by, wish.at)
        say(draft, asker, "muted", what=what, at=asker.words.clock(wish.at, zone))
    return "mute"


def _matchers(one: Open) -> list[dict[str, str]]:
    """What makes silences about all that a code stands for."""
    found: list[dict[str, str]] = []
    for matchers in map(matchers_of, one.incidents):
        if matchers not in found:
            found.append(matchers)
    return found


def _host(asker: Asker, what: str) -> str:
    """The whole name of a host that this phone was told of by its short one."""
    known = (incident for one in asker.open for incident in one.incidents)
    return next((i.host for i in known if what.casefold() in (host(i).casefold(), i.host.casefold())), what)


def unmute(draft: Draft, asker: Asker) -> str:
    """``unmute sw3``: every silence of that host, or the one with that number; alone: the sender's only one."""
    what = " ".join((*asker.command.codes, asker.command.rest)).strip()
    active = draft.active_silences()
    mine = [silence for silence in active if silence.by == asker.by]
    found = [silence for silence in active if _is(asker, silence, what)] if what else mine
    if not found or (not what and len(found) > 1):
        shown = what or ", ".join(_named(silence) for silence in found)
        return say(draft, asker, "unmuted.none", what=shown or "-")
    for silence in found:
        ended(draft, silence, asker.by)
    say(draft, asker, "unmuted", what=what or _named(found[0]))
    return "unmute"


def _is(asker: Asker, silence: Silence, what: str) -> bool:
    """Whether a silence is the one that people call *what*: its number, its host, or the code of an alert."""
    named = silence.matchers.get("host", "").casefold()
    about = (matchers for one in asker.open if one.code == what for matchers in _matchers(one))
    return (
        what == str(silence.id)
        or what.casefold() in (named, named.partition(".")[0])
        or any(matchers == silence.matchers for matchers in about)
    )


def _named(silence: Silence) -> str:
    return silence.matchers.get("host") or str(silence.id)
