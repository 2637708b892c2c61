"""Who wrote an SMS, what is open on that phone, and how it is answered: what every command has in common.

Nobody gets more answers than ``commands.answers`` (T09). A command that is about alerts and names none is about the
only one there is; ambiguity is answered with a list, never guessed.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TypedDict

from bridge.dispatch.alone import answer
from bridge.dispatch.budgets import Limit
from bridge.dispatch.draft import Draft
from bridge.model import Incident, Reply
from bridge.sms.fit import Piece
from bridge.words.catalogue import Words, words
from bridge.words.commands import Command, read_command

_LONGEST_TITLE = 24  # of an incident in a list of several
_NAMED = 3  # of the incidents of one code
_INSTANT = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Open:
    """What one code of a phone stands for and that goes on: an incident, or those of an SMS about several."""

    code: str
    incidents: tuple[Incident, ...]  # at least one, in the order they were told
    together: bool = False  # an SMS showed the code for all of them

    @property
    def needs_its_code(self) -> bool:
        """Whether nobody can mean it without having read its code: it only gathers what the list names."""
        return len(self.incidents) > 1 and not self.together


@dataclass(frozen=True, slots=True)
class Asker:
    """Who wrote, and what is open on that phone."""

    reply: Reply
    person: str
    language: str
    words: Words
    command: Command
    open: tuple[Open, ...]
    answered: tuple[int, ...] = ()  # incidents of the message it answers, where the provider said which

    @property
    def by(self) -> str:
        """As the trail and an incident know him: a person's key, else a phone."""
        return self.person or self.reply.phone


def asker_of(draft: Draft, reply: Reply, person: str) -> Asker:
    """Read what *person* (key, "" = nobody we know) wrote."""
    language = draft.book.language(person)
    length = len(str(draft.book.code_range[1]))
    command = read_command(reply.text, language, draft.book.vocabulary, code_length=length)
    answered, found = answered_by(draft, reply), open_on(draft, reply.phone)
    if answered and not command.codes:  # what is written below an alert is about that one
        found = tuple(one for one in found if any(incident.id in answered for incident in one.incidents))
    return Asker(reply, person, language, words(language), command, found, answered)


def answered_by(draft: Draft, reply: Reply) -> tuple[int, ...]:
    """The incidents that the message which *reply* answers told of; none where that is not known."""
    message = draft.memory.message(reply.answers) if reply.answers else None
    if message is None or message.phone != reply.phone:
        return ()
    return (message.incident_id,) if message.incident_id else message.about


def open_on(draft: Draft, phone: str) -> tuple[Open, ...]:
    """What *phone* can name, by code."""
    found = []
    for code, talk in sorted(draft.codes(phone).items()):
        known = (draft.incident(number) for number in talk.incidents)
        live = tuple(incident for incident in known if incident is not None and incident.live)
        if live and talk.expires_at > draft.now:
            found.append(Open(code, live, bool(talk.together)))
    return tuple(found)


def may(draft: Draft, asker: Asker) -> bool:
    """Whether the sender may type this verb at all."""
    right = asker.command.right
    person = draft.book.config.people.get(asker.person)
    if right in ("help", "start", "stop"):
        return True
    if person is None:
        return right in ("ack", "status", "note", "list")
    return right in person.commands


_BY_ANYBODY = ("ack", "esc")  # with the code that was shown, or below the alert itself (T32)


def is_proven(asker: Asker) -> bool:
    """Whether it may be done by what was written in a way that proves nothing (T24): nobody signed it, so it does no
    more than somebody who read the alert could."""
    command = asker.command
    if asker.reply.proven or command.right == "help":
        return True
    return command.right in _BY_ANYBODY and bool(command.codes or asker.answered)


def wants_code(draft: Draft, asker: Asker) -> bool:
    """Whether this verb is done only with a one-time code (T32): a number alone proves nothing."""
    commands = draft.book.config.commands
    return asker.command.right in commands.one_time_code


def chosen(draft: Draft, asker: Asker) -> tuple[Open, ...] | str:
    """What a command is about; or how the text was read when that is not clear and was asked back."""
    codes = asker.command.codes
    if codes:
        named = tuple(one for one in asker.open if one.code in codes)
        return _narrowed(draft, asker, named) if len(named) == len(codes) else _no_such_code(draft, asker, codes)
    meant = _only(asker.open)
    if meant is None and asker.command.verb == "ok":
        meant = _only([one for one in asker.open if not all(is_taken(draft, incident) for incident in one.incidents)])
    if meant is not None:
        return _narrowed(draft, asker, (meant,))
    return which(draft, asker) if asker.open else say(draft, asker, "none")


def _only(found: Sequence[Open]) -> Open | None:
    """The one that is meant without its code; None when there are others, or none was shown as the code for it."""
    return found[0] if len(found) == 1 and not found[0].needs_its_code else None


def is_taken(draft: Draft, incident: Incident) -> bool:
    """Whether somebody has it: an ack holds no longer than ``ack_lasts``."""
    if incident.state != "acked":
        return False
    action = draft.book.action(incident.rule)
    return action is None or incident.acked_at is None or draft.now - incident.acked_at < action.ack_lasts


def _narrowed(draft: Draft, asker: Asker, named: tuple[Open, ...]) -> tuple[Open, ...] | str:
    """Without those about which their rule does not let it be typed (``replies.commands``); said so if none is left."""
    left = []
    for one in named:
        incidents = tuple(incident for incident in one.incidents if _typed_about(draft, asker, incident))
        if incidents:
            left.append(replace(one, incidents=incidents))
    return tuple(left) or refused(draft, asker)


def _typed_about(draft: Draft, asker: Asker, incident: Incident) -> bool:
    action = draft.book.action(incident.rule)
    if asker.command.verb == "ok" and asker.reply.text and "sms" not in draft.book.ack_ways(asker.person, action):
        return False
    commands = action.replies.commands if action is not None else None
    return commands is None or asker.command.right in (*commands, "list")


def unproven(draft: Draft, asker: Asker) -> str:
    """What came in a way that proves nothing does not do this; the answer, by SMS, says how it can be done."""
    return say(draft, asker, "unproven", verb=asker.command.verb, whom=draft.book.config.operator.mail[0])


def refused(draft: Draft, asker: Asker) -> str:
    """This phone may not use the verb; the answer says whom to ask."""
    return say(draft, asker, "norole", verb=asker.command.verb, whom=draft.book.config.operator.mail[0])


def _no_such_code(draft: Draft, asker: Asker, codes: Sequence[str]) -> str:
    """A code that is over says since when; one that never was lists what is open."""
    missing = next(code for code in codes if all(one.code != code for one in asker.open))
    over_at = over_since(draft, asker.reply.phone, missing)
    if over_at is not None:
        at = asker.words.clock(over_at, draft.book.zone(asker.person))
        return say(draft, asker, "isover", code=missing, at=at)
    return say(draft, asker, "nocode", code=missing, list=", ".join(one.code for one in asker.open))


def over_since(draft: Draft, phone: str, code: str) -> datetime | None:
    """Since when all that *code* stood for is over; None when it goes on, or the code stands for nothing any more."""
    talk = draft.codes(phone).get(code)
    if talk is None or talk.incidents or talk.free_at <= draft.now:
        return None
    known = (draft.incident(number) for number in talk.over)
    return max((one.resolved_at for one in known if one is not None and one.resolved_at), default=None)


def which(draft: Draft, asker: Asker) -> str:
    """Ask back which of several is meant."""
    if not asker.open:
        return say(draft, asker, "none")
    say(draft, asker, "which", list=listed(asker.open), code=asker.open[0].code)
    return "which"


def listed(found: Sequence[Open]) -> str:
    """What is open, in one SMS."""
    return ", ".join(f"{one.code} {about(one.incidents, _LONGEST_TITLE)}" for one in found)


def about(incidents: Sequence[Incident], most: int | None = None) -> str:
    """``db01 disk full``; of several ``19x NodeDown (w2, w3, w4, +16)``. Titles have *most* characters."""
    hosts, titles = dict.fromkeys(map(host, incidents)), dict.fromkeys(_title(each, most) for each in incidents)
    if len(incidents) == 1:
        return " ".join(filter(None, (*hosts, *titles)))
    if len(titles) == 1:
        return f"{len(incidents)}x {next(iter(titles))} ({_some(hosts)})"
    if len(hosts) == 1:
        return " ".join(filter(None, (f"{len(incidents)}x", *hosts, f"({_some(titles)})")))
    names = (" ".join(filter(None, (host(each), _title(each, most)))) for each in incidents)
    return f"{len(incidents)}x ({_some(dict.fromkeys(names))})"


def _title(incident: Incident, most: int | None) -> str:
    return incident.title[:most].strip()


def _some(names: Collection[str]) -> str:
    """The first of them, and how many more."""
    more = len(names) - _NAMED
    return ", ".join([*list(names)[:_NAMED], *([f"+{more}"] if more > 0 else [])])


class Shown(TypedDict):
    """Host and title, as the frames want them."""

    h: str
    t: str


def shown(incidents: Sequence[Incident]) -> Shown:
    """How a frame names them; of several both are in the title."""
    if len(incidents) == 1:
        return Shown(h=host(incidents[0]), t=incidents[0].title)
    return Shown(h="", t=about(incidents, _LONGEST_TITLE))


def say(draft: Draft, asker: Asker, frame: str, *, incident: int = 0, **values: object) -> str:
    """Answer by SMS, unless this phone has had its answers; returns *frame* as the way the text was read."""
    phone, limit = asker.reply.phone, draft.book.config.commands.answers
    lately = Limit("messages", Decimal(limit.count), limit.window, limit.period)
    zone = draft.book.zone("")
    span, ends = draft.now - lately.since(draft.now, zone) + _INSTANT, lately.ends(draft.now, zone)
    given, lasts = draft.counted(answers_tally(phone), span), ends - draft.now if ends else span
    if given >= limit.count:
        draft.log("reply.unanswered", phone=phone, why="many answers", frame=frame)
        return frame
    text = asker.words.frame(frame, **values)
    if 0 < given == limit.count - 1 and not draft.counted(_many_tally(phone), span):
        text = _too_many(draft, asker, ends or draft.first_counted(answers_tally(phone), span) + span)
        draft.count(_many_tally(phone), lasts)
    if answer(draft, phone, asker.person, (Piece(text, 1),), asker.language, incident) is not None:
        draft.count(answers_tally(phone), lasts)
    return frame


def _too_many(draft: Draft, asker: Asker, until: datetime) -> str:
    """The last answer for a while says that it is: what is typed is still done."""
    code = asker.open[0].code if asker.open else str(draft.book.code_range[0])
    return asker.words.frame("tooMany", at=asker.words.clock(until, draft.book.zone(asker.person)), code=code)


def answer_tallies(phone: str) -> frozenset[str]:
    """What is counted before *phone* is answered."""
    return frozenset({answers_tally(phone), _many_tally(phone)})


def _many_tally(phone: str) -> str:
    return f"{answers_tally(phone)}/many"


def answers_tally(phone: str) -> str:
    """Under which name the answers to *phone* are counted."""
    return f"answers/{phone}"


def say_to(
    draft: Draft, phone: str, person: str, frame: str, incidents: Sequence[Incident] = (), **values: object
) -> None:
    """News by SMS for somebody else than who wrote; the title of *incidents* gives way before the rest."""
    said = words(draft.book.language(person))
    named = shown(incidents) if incidents else Shown(h="", t="")
    pieces = _pieces(said.frame(frame, **{**named, **values}), named["t"])
    answer(draft, phone, person, pieces, said.language, incidents[0].id if len(incidents) == 1 else 0)


def _pieces(text: str, title: str) -> tuple[Piece, ...]:
    before, found, after = text.partition(title) if title else (text, "", "")
    return (Piece(before), Piece(found, 1), Piece(after)) if found else (Piece(text, 1),)


def host(incident: Incident) -> str:
    """A host as an SMS shows it."""
    return incident.host.partition(".")[0]


def name(draft: Draft, asker: Asker) -> str:
    """How others read of who wrote."""
    return draft.book.name(asker.person) if asker.person else asker.reply.phone


def names(draft: Draft, found: Sequence[tuple[str, str]]) -> str:
    """People and phones, joined: *found* is (person, phone)."""
    return ", ".join(draft.book.name(person) if person else phone for person, phone in found)
