"""Who wrote an SMS, what is open on that phone, and how it is answered: what every command has in common.

Nobody gets more answers than ``commands.answers`` (T09). A command that is about alerts and names none is about the
only one there is; ambiguity is answered with a list, never guessed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from bridge.dispatch.compose import answer
from bridge.dispatch.draft import Draft
from bridge.model import Incident, Reply
from bridge.sms.fit import Piece
from bridge.words.catalogue import Words, words
from bridge.words.commands import Command, read_command

_LONGEST_TITLE = 24  # of an incident in a list of several


@dataclass(frozen=True, slots=True)
class Open:
    """A live incident as one phone knows it."""

    code: str
    incident: Incident


@dataclass(frozen=True, slots=True)
class Asker:
    """Who wrote, and what is open on that phone."""

    reply: Reply
    person: str
    language: str
    words: Words
    command: Command
    open: tuple[Open, ...]

    @property
    def by(self) -> str:
        """As the trail and an incident know him: a person's key, else a phone."""
        return self.person or self.reply.phone


def asker_of(draft: Draft, reply: Reply, person: str) -> Asker:
    """Read what *person* (key, "" = nobody we know) wrote."""
    language = draft.book.language(person)
    length = len(str(draft.book.code_range[1]))
    command = read_command(reply.text, language, draft.book.vocabulary, code_length=length)
    return Asker(reply, person, language, words(language), command, open_on(draft, reply.phone))


def open_on(draft: Draft, phone: str) -> tuple[Open, ...]:
    """The live incidents that *phone* can name, by code."""
    found = []
    for code, conversation in sorted(draft.codes(phone).items()):
        incident = draft.incident(conversation.incident_id)
        if conversation.expires_at > draft.now and incident and incident.live:
            found.append(Open(code, incident))
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


def wants_code(draft: Draft, asker: Asker) -> bool:
    """Whether this verb is done only with a one-time code (T32): a number alone proves nothing."""
    commands = draft.book.config.commands
    return asker.command.right in commands.one_time_code


def chosen(draft: Draft, asker: Asker) -> tuple[Open, ...] | str:
    """The incidents a command is about; or how the text was read when that is not clear and was asked back."""
    codes = asker.command.codes
    if codes:
        named = tuple(one for one in asker.open if one.code in codes)
        return _narrowed(draft, asker, named) if len(named) == len(codes) else _no_such_code(draft, asker, codes)
    if len(asker.open) == 1:
        return _narrowed(draft, asker, asker.open)
    unclaimed = tuple(one for one in asker.open if one.incident.state == "open")
    if len(unclaimed) == 1 and asker.command.verb == "ok":
        return _narrowed(draft, asker, unclaimed)
    return which(draft, asker) if asker.open else say(draft, asker, "none")


def _narrowed(draft: Draft, asker: Asker, named: tuple[Open, ...]) -> tuple[Open, ...] | str:
    """Without those about which their rule does not let it be typed (``replies.commands``); said so if none is left."""
    left = tuple(one for one in named if _typed_about(draft, asker, one.incident))
    return left or refused(draft, asker)


def _typed_about(draft: Draft, asker: Asker, incident: Incident) -> bool:
    action = draft.book.action(incident.rule)
    commands = action.replies.commands if action is not None else None
    return commands is None or asker.command.right in (*commands, "list")


def refused(draft: Draft, asker: Asker) -> str:
    """This phone may not use the verb; the answer says whom to ask."""
    return say(draft, asker, "norole", verb=asker.command.verb, whom=draft.book.config.operator.mail[0])


def _no_such_code(draft: Draft, asker: Asker, codes: Sequence[str]) -> str:
    """A code that is over says since when; one that never was lists what is open."""
    known = draft.codes(asker.reply.phone)
    missing = next(code for code in codes if all(one.code != code for one in asker.open))
    conversation = known.get(missing)
    incident = draft.incident(conversation.incident_id) if conversation else None
    if incident is not None and incident.resolved_at is not None:
        at = asker.words.clock(incident.resolved_at, draft.book.zone(asker.person))
        return say(draft, asker, "isover", code=missing, at=at)
    return say(draft, asker, "nocode", code=missing, list=", ".join(one.code for one in asker.open))


def which(draft: Draft, asker: Asker) -> str:
    """Ask back which of several is meant."""
    if not asker.open:
        return say(draft, asker, "none")
    say(draft, asker, "which", list=listed(asker.open), code=asker.open[0].code)
    return "which"


def listed(found: Sequence[Open]) -> str:
    """Several incidents in one SMS."""
    return ", ".join(f"{one.code} {host(one.incident)} {one.incident.title[:_LONGEST_TITLE].strip()}" for one in found)


def say(draft: Draft, asker: Asker, frame: str, *, incident: int = 0, **values: object) -> str:
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


def say_to(
    draft: Draft, phone: str, person: str, frame: str, incident: Incident | None = None, **values: object
) -> None:
    """News by SMS for somebody else than who wrote."""
    said = words(draft.book.language(person))
    text = said.frame(frame, **values)
    answer(draft, phone, person, _pieces(text, incident), said.language, incident.id if incident else 0)


def _pieces(text: str, incident: Incident | None) -> tuple[Piece, ...]:
    """The title gives way before the rest."""
    before, found, after = text.partition(incident.title) if incident and incident.title else (text, "", "")
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
