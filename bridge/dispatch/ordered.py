"""What follows from an act of an operator at the console or the command line, as typed after ``smsbridge``.

``incidents ack|unack|resolve|close N…``, ``incidents note N TEXT``, ``incidents silence N SPAN [NOTE]``,
``oncall who [ROTA]``, ``oncall take ROTA PERSON [SPAN]``, ``oncall swap ROTA PERSON``, ``oncall start PERSON|PHONE``,
``silences list``, ``silences add FIELD=PATTERN… SPAN [NOTE]``, ``silences end N``.
What the operator reads is said line by line; an order that does not fit changes nothing and says why.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

from bridge.book import RuleBook
from bridge.config.names import parse_field
from bridge.dispatch import claiming, muting, stopping
from bridge.dispatch.draft import Draft
from bridge.dispatch.shifts import taken_over
from bridge.memory import Memory, Needs
from bridge.model import Incident, Order, Override, Plan, Silence
from bridge.words.catalogue import words
from bridge.words.spans import read_until

_A_DAY = timedelta(days=1)


def order_needs(order: Order) -> Needs:
    """The incidents an order names; they bring who was told of them and their ladders."""
    return Needs(incidents=frozenset(_numbers(order)) if order.words[:1] == ("incidents",) else frozenset())


def ordered(order: Order, book: RuleBook, memory: Memory, now: datetime) -> Plan:
    """Do what was ordered; ``Plan.said`` is what the operator reads."""
    draft = Draft(book, memory, now)
    act = _ACTS.get(order.words[:2])
    if act is None:
        draft.said.append(f"there is no order {' '.join(order.words[:2])}")
    else:
        act(draft, order)
    return draft.plan()


# --- incidents -----------------------------------------------------------------------------------


def _each_live(draft: Draft, order: Order) -> Sequence[Incident]:
    """The incidents of the order that go on; what is said of the others."""
    live = []
    for number in _numbers(order):
        incident = draft.incident(number)
        if incident is None:
            draft.said.append(f"there is no incident {number}")
        elif not incident.live:
            draft.said.append(f"{number} is {incident.state} already")
        else:
            live.append(incident)
    return live


def _ack(draft: Draft, order: Order) -> None:
    """The others who were told hear of it as of an ack by SMS."""
    for incident in _each_live(draft, order):
        if incident.state == "acked" and incident.acked_by == order.by:
            draft.said.append(f"{incident.id} is acked already")
            continue
        incident = claiming.take(draft, incident, order.by)
        who = draft.book.name(order.by)
        claiming.mail_ack_by(draft, incident, who)
        phone = draft.book.config.people[order.by].phone if order.by in draft.book.config.people else ""
        claiming.tell_colleagues(draft, (incident,), who, without=phone)
        _done(draft, order, incident, "acked")


def _unack(draft: Draft, order: Order) -> None:
    for incident in _each_live(draft, order):
        if incident.state != "acked":
            draft.said.append(f"{incident.id} is not acked")
            continue
        _done(draft, order, claiming.give_back(draft, incident)[0], "open again")


def _resolve(draft: Draft, order: Order) -> None:
    """Over by an operator's word: what waits is cancelled, nobody is told (he who said it knows)."""
    for incident in _each_live(draft, order):
        _done(draft, order, claiming.end(draft, incident), "resolved")


def _note(draft: Draft, order: Order) -> None:
    text = " ".join(order.words[3:])
    incident = draft.incident(next(iter(_numbers(order)), 0))
    if incident is None or not text:
        draft.said.append("say which incident, and the note")
        return
    draft.log("incident.note", incident_id=incident.id, by=order.by, text=text)
    draft.said.append(f"{incident.id} noted")


def _silence_incident(draft: Draft, order: Order) -> None:
    end, note = _until(draft, order.words[3:])
    incidents = _each_live(draft, order)
    if end is None:
        draft.said.append("say for how long: 2h, until 08:00")
        return
    for incident in incidents:
        silence = muting.made(draft, muting.matchers_of(incident), order.by, end, note)
        draft.said.append(_silence_line(draft, silence))


def _done(draft: Draft, order: Order, incident: Incident, what: str) -> None:
    draft.log(f"incident.{order.words[1]}", incident_id=incident.id, by=order.by)
    draft.said.append(f"{incident.id} {what}: {' '.join(filter(None, (incident.host, incident.title)))}")


def _numbers(order: Order) -> tuple[int, ...]:
    """The incidents an order names: one for orders with words behind it, else all."""
    given = order.words[2:3] if order.words[1:2] in (("note",), ("silence",)) else order.words[2:]
    return tuple(dict.fromkeys(int(word) for word in given if word.isascii() and word.isdigit() and len(word) < 16))


# --- who is on call ------------------------------------------------------------------------------


def _who(draft: Draft, order: Order) -> None:
    rotas = [word.casefold() for word in order.words[2:]] or [*draft.book.config.rotas]
    for rota in rotas:
        if rota not in draft.book.config.rotas:
            draft.said.append(_no_rota(draft, rota))
        else:
            draft.said.append(_on_call(draft, rota))


def _on_call(draft: Draft, rota: str) -> str:
    rotas, taken, zone = draft.book.people.rotas, draft.held_rotas(), draft.book.zone("")
    person, until = rotas.who(rota, draft.now, taken), rotas.until(rota, draft.now, taken)
    following = rotas.next(rota, draft.now, taken)
    overridden = any(each.rota == rota and each.begin <= draft.now < each.end for each in taken)
    line = f"{rota}: {person or 'nobody'}"
    line += f" until {until.astimezone(zone):%Y-%m-%d %H:%M}" if until else ""
    line += f", then {following}" if following and following != person else ""
    note = _stands_in(draft, rota) or ("taken over" if overridden else "")
    return f"{line} ({note})" if note else line


def _stands_in(draft: Draft, rota: str) -> str:
    """``aigul turned SMS off`` where somebody else has *rota* because of that, else ""."""
    taken = [*draft.memory.overrides, *draft.overrides]
    person = draft.book.people.rotas.who(rota, draft.now, taken)
    return f"{person} turned SMS off" if person and draft.book.people.phone(person) in draft.stops() else ""


def _take(draft: Draft, order: Order) -> None:
    """A person has a rota for a while, whatever it says; without a span until the next handover."""
    named = _rota_and_person(draft, order)
    if named is None:
        return
    rota, person = named
    wish = read_until(" ".join(order.words[4:]), "en", now=draft.now, zone=draft.book.zone(""))
    if wish.what or (order.words[4:] and wish.at is None):
        draft.said.append(f'"{" ".join(order.words[4:])}" is no span: 4h, until 18:00')
        return
    handover = draft.book.people.rotas.until(rota, draft.now, draft.held_rotas()) or draft.now + _A_DAY
    taken_over(draft, Override(rota, person, draft.now, wish.at or handover), by=order.by)
    draft.said.append(_on_call(draft, rota))


def _swap(draft: Draft, order: Order) -> None:
    """A person has the whole of the present turn that is left."""
    if len(order.words) > 4:
        draft.said.append("say the rota and the person; for a span: oncall take")
    else:
        _take(draft, order)


def _start(draft: Draft, order: Order) -> None:
    """SMS to a phone that said STOP are on again: whoever it is says so to an operator, or never said STOP (T40)."""
    wanted = "".join(order.words[2:]).casefold()
    phone = draft.book.people.phone(wanted) or wanted
    if not wanted:
        draft.said.append("say who: oncall start PERSON")
    elif stopping.undo(draft, phone, draft.book.person_of(phone), draft.book.name(order.by)):
        draft.said.append(f"SMS to {wanted} are on")
    else:
        draft.said.append(f"SMS to {wanted} are not off")


def _rota_and_person(draft: Draft, order: Order) -> tuple[str, str] | None:
    rota, person, *_more = [*(word.casefold() for word in order.words[2:4]), "", ""]
    if rota not in draft.book.config.rotas:
        draft.said.append(_no_rota(draft, rota))
        return None
    if person not in draft.book.config.people:
        draft.said.append(f"no person is called {person}" if person else "say who takes it")
        return None
    return rota, person


def _no_rota(draft: Draft, rota: str) -> str:
    known = ", ".join(draft.book.config.rotas) or "there are none"
    return f"no rota is called {rota} ({known})" if rota else f"say which rota ({known})"


# --- silences ------------------------------------------------------------------------------------


def _list_silences(draft: Draft, order: Order) -> None:
    """Those that hold now: of the rule book, and made at run time."""
    zone = draft.book.zone("")
    for planned in draft.book.standing.silences.values():
        until = planned.until(draft.now)
        if until is not None:
            draft.said.append(f"{planned.name} until {until.astimezone(zone):%Y-%m-%d %H:%M} by {planned.by}")
    draft.said += [_silence_line(draft, silence) for silence in draft.active_silences()]
    if not draft.said:
        draft.said.append(words("en").say("console", "silences.none"))


def _add_silence(draft: Draft, order: Order) -> None:
    matchers: dict[str, str] = {}
    given = list(order.words[2:])
    while given and "=" in given[0]:
        field, _, pattern = given.pop(0).partition("=")
        try:
            matchers[parse_field(field)] = pattern
        except ValueError as error:
            draft.said.append(str(error))
            return
    end, note = _until(draft, given)
    if not matchers or end is None:
        draft.said.append("say what and for how long: host=sw* 2h")
        return
    draft.said.append(_silence_line(draft, muting.made(draft, matchers, order.by, end, note)))


def _end_silence(draft: Draft, order: Order) -> None:
    wanted = order.words[2] if len(order.words) > 2 else ""
    found = [silence for silence in draft.active_silences() if str(silence.id) == wanted]
    if not found:
        draft.said.append(f"no silence {wanted} holds now")
        return
    muting.ended(draft, found[0], order.by)
    draft.said.append(f"silence {wanted} is over")


def _silence_line(draft: Draft, silence: Silence) -> str:
    about = " ".join(f"{field}={pattern}" for field, pattern in silence.matchers.items())
    until = silence.end.astimezone(draft.book.zone(""))
    note = f" ({silence.note})" if silence.note else ""
    return f"silence {silence.id} until {until:%Y-%m-%d %H:%M} by {silence.by}: {about}{note}"


def _until(draft: Draft, given: Sequence[str]) -> tuple[datetime | None, str]:
    """The moment that the words name, and what else they say."""
    wish = read_until(" ".join(given), "en", now=draft.now, zone=draft.book.zone(""))
    return wish.at, wish.what


_ACTS: Mapping[tuple[str, ...], Callable[[Draft, Order], None]] = {
    ("incidents", "ack"): _ack,
    ("incidents", "unack"): _unack,
    ("incidents", "resolve"): _resolve,
    ("incidents", "close"): _resolve,
    ("incidents", "note"): _note,
    ("incidents", "silence"): _silence_incident,
    ("oncall", "who"): _who,
    ("oncall", "take"): _take,
    ("oncall", "swap"): _swap,
    ("oncall", "start"): _start,
    ("silences", "list"): _list_silences,
    ("silences", "add"): _add_silence,
    ("silences", "end"): _end_silence,
}
