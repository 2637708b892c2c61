"""What follows from an SMS that came in: an ack, an answer, a mail in the thread of the alert, or silence.

A number only identifies; it acknowledges what it was told of, with the code that was shown (T32). Numbers we
do not know get no answer at all, and nobody gets more than ``commands.answers`` (T09).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from bridge.book import RuleBook
from bridge.dispatch import commands, letters, muting, notices, shifts, stopping
from bridge.dispatch.asking import (
    Asker,
    Open,
    answer_tallies,
    asker_of,
    is_proven,
    may,
    name,
    over_since,
    refused,
    say,
    unproven,
    wants_code,
    which,
)
from bridge.dispatch.draft import Draft
from bridge.mail.write import quoted
from bridge.memory import Memory, Needs
from bridge.model import Call, Incident, PlainWord, Plan, Reply
from bridge.words.catalogue import words

_FEW_WORDS = 2  # a code and one word that is none of ours is a slip, more is a text
_SHOWN = 30  # characters of a text that is said back

_ACTS: Mapping[str, Callable[[Draft, Asker], str]] = {
    "ok": commands.ack, "un": commands.unack, "esc": commands.pass_on, "close": commands.close,
    "status": commands.status, "list": commands.list_open, "help": commands.help_, "note": commands.note,
    "start": stopping.start, "stop": stopping.stop, "who": shifts.who, "take": shifts.take, "swap": shifts.swap,
    "mute": muting.mute, "unmute": muting.unmute,
}  # fmt: skip


def answer_needs(happening: Reply | Call) -> Needs:
    """The phone's conversations bring their incidents, and those bring the colleagues and the ladders."""
    phone = happening.phone
    answers = happening.answers if isinstance(happening, Reply) else 0
    return Needs(
        messages=frozenset({answers} if answers else ()),
        phones=frozenset({phone}), causes=frozenset({f"sms/{phone}"}), timers=frozenset({shifts.asked_timer(phone)}),
        tallies=answer_tallies(phone),
    )  # fmt: skip


def answered(reply: Reply, book: RuleBook, memory: Memory, now: datetime) -> Plan:
    """Read the words, do what they ask for, say what was done."""
    draft = Draft(book, memory, now)
    person = book.person_of(reply.phone)
    told = reply.phone in memory.plain or any(talk.free_at > now for talk in memory.codes(reply.phone).values())
    if not person and not told:
        draft.read_as = "stranger"
        draft.log("reply.ignored", phone=reply.phone, why="unknown number")
        return draft.plan()
    asker = asker_of(draft, reply, person)
    draft.read_as = _do(draft, asker)
    about = asker.open[0].incidents[0].id if len(asker.open) == 1 else 0
    draft.log("reply.read", incident_id=about, phone=reply.phone, text=reply.text, as_what=draft.read_as)
    return draft.plan()


def _do(draft: Draft, asker: Asker) -> str:
    """What was asked; returns how the text was read."""
    command = asker.command
    plain = _plain(draft, asker)
    if plain is not None and not asker.open and command.verb not in _WITHOUT_ALERT:
        return _about_plain(draft, asker, plain)
    match command.kind:
        case "words":
            return _mailed(draft, asker)
        case "unknown" if command.codes and len(asker.reply.text.split()) > _FEW_WORDS:
            return _mailed(draft, asker)  # "13 on my way": the code says whose thread the words belong to
        case "empty":
            return "empty"
        case "which":
            return which(draft, asker)
        case "unknown":
            code = asker.open[0].code if asker.open else str(draft.book.code_range[0])
            return say(draft, asker, "unknown", text=asker.reply.text[:_SHOWN], code=code)
    return _act(draft, asker)


_WITHOUT_ALERT = frozenset({"stop", "start", "help", "who", "take", "swap", "mute", "unmute"})


def _act(draft: Draft, asker: Asker) -> str:
    """Do a verb that the sender may use, with the proof that it wants."""
    command = asker.command
    if not is_proven(asker):
        return unproven(draft, asker)
    asked_to_swap = command.verb == "swap" and shifts.asked(draft, asker.reply.phone) is not None
    if not (asked_to_swap or may(draft, asker)):
        return refused(draft, asker)
    if wants_code(draft, asker) and not command.asked:
        text = asker.reply.text.removesuffix(command.one_time_code).strip()
        return say(draft, asker, "otp", text=text[:_SHOWN])
    act = _ACTS.get(command.verb or "")
    return act(draft, asker) if act is not None else refused(draft, asker)


def _mailed(draft: Draft, asker: Asker) -> str:
    """Words without a command go to the thread as a mail and get no SMS."""
    named = [one for one in asker.open if one.code in asker.command.codes]
    about = named[0] if named else _latest(draft, asker)
    if about is None:
        subject = f"SMS: {name(draft, asker)}"
        notices.tell(draft, f"sms/{asker.reply.phone}", subject, asker.reply.text, quiet_for=timedelta(0))
        return "text to the operator"
    commands.mail_words(draft, asker, about.code, about.incidents)
    return "text"


def _plain(draft: Draft, asker: Asker) -> PlainWord | None:
    """The plain message that an answer may be about, unless it names the code of an alert that is over."""
    plain, phone = draft.memory.plain.get(asker.reply.phone), asker.reply.phone
    if (
        plain is None
        or asker.answered
        or any(over_since(draft, phone, code) is not None for code in asker.command.codes)
    ):
        return None
    return plain


def _about_plain(draft: Draft, asker: Asker, plain: PlainWord) -> str:
    """An answer to a plain message goes to the thread of its mail; there is nothing to acknowledge."""
    action = draft.book.action(plain.rule)
    if action is None:
        to: tuple[str, ...] = (plain.thread.sender,)
    else:
        to = draft.book.mail_addresses(action.replies.mail, sender=plain.thread.sender)
    language = draft.book.config.language
    w, who = words(language), name(draft, asker)
    head = w.say("mails", "reply.head", who=who, at=letters.clock(draft, draft.now, language))
    sent = w.say("mails", "reply.quote", at=letters.clock(draft, plain.sent_at, language))
    why = w.say("mails", "why", rule=plain.rule)
    letters.post(
        draft, "reply", [a for a in to if a], letters.reply_subject(plain.thread.subject),
        f"{head}\n\n{asker.reply.text}\n\n{sent}\n{quoted(plain.text)}\n\n--\n{why}", sender_name=f"{who} (SMS)",
        thread=plain.thread, answers=True,
    )  # fmt: skip
    return "text"


def _latest(draft: Draft, asker: Asker) -> Open | None:
    """What this phone was told of last; of what is over only the newest, if nothing is open."""
    if asker.answered and not asker.command.codes:
        told = tuple(each for number in asker.answered if (each := draft.incident(number)) is not None)
        if told:
            return asker.open[0] if len(asker.open) == 1 else Open("", told)
    if asker.open:
        return max(asker.open, key=lambda one: max(map(_told_at, one.incidents)))
    talks = (talk for talk in draft.codes(asker.reply.phone).values() if talk.expires_at > draft.now)
    known = ((talk.code, draft.incident(number)) for talk in talks for number in talk.about)
    over = (Open(code, (incident,)) for code, incident in known if incident is not None)
    return max(over, key=lambda one: _told_at(one.incidents[0]), default=None)


def _told_at(incident: Incident) -> datetime:
    return incident.sent_at or incident.opened_at
