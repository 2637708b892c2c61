"""Steps of a trail about SMS: what a phone shows, how it got there, what the network said, what came back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast, get_args

from bridge.model import JournalEntry, MessageState
from bridge.store.attempts import Attempt
from bridge.store.views import KeptReply, Sent
from bridge.store.views_trail import TrailRows
from bridge.web import reasons
from bridge.web.pages.search import read_as
from bridge.web.seen import Seen
from bridge.web.trail import Chapter, Fold, Step

_LIMITS = {"GSM-7": (160, 153), "UCS-2": (70, 67)}
_ANSWER = "(answer)"  # the rule of what answers an SMS
_ATTEMPTS = {
    "INFLIGHT": ("", "clock", "attempt.inflight"),
    "ACCEPTED": ("info", "tick", "attempt.accepted"),
    "REFUSED": ("bad", "cross", "attempt.refused"),
    "NOT_SENT": ("", "dash", "attempt.notsent"),
    "UNKNOWN": ("", "info", "attempt.unknown"),
}


def message_steps(v: Seen, rows: TrailRows, sent: Sent) -> Iterator[Step]:
    """An SMS as its phone shows it; one that never left is a step against, too."""
    m = sent.message
    who = v.who(m.person, m.phone)
    chapter: Chapter = "answers" if m.rule == _ANSWER else "told"
    yield Step(
        at=m.created_at,
        id=f"message-{m.id}",
        kind="info",
        sign="sms",
        title=v.say("step.answer" if m.rule == _ANSWER else "step.sms", id=m.id, who=who),
        chapter=chapter,
        group="person",
        bubble=m.text,
        why=(*(((v.say("copy"), v.say("copy.why")),) if m.copy else ()), ("", _costs(v, sent))),
        mark=v.message(m.state, sent.provider),
        folds=(Fold(v.say("fold.message"), _facts(v, sent)),),
    )
    if never_left(rows, sent):
        reason = reasons.sentence(v, m.reason, m.rule) if m.reason else v.message(m.state, "").word
        yield Step(
            sent.ended_at or m.created_at, f"message-{m.id}-not", "", "dash", v.say("step.nottold", who=who), "",
            "against", (("", reason),), against=True,
        )  # fmt: skip


def never_left(rows: TrailRows, sent: Sent) -> bool:
    """Whether nobody tried to send it, and nobody will."""
    tried = any(attempt.message_id == sent.message.id for attempt in rows.attempts)
    return sent.message.state in ("CANCELLED", "HELD", "EXPIRED") and not tried


def _costs(v: Seen, sent: Sent) -> str:
    m = sent.message
    units = len(m.text.encode("utf-16-le")) // 2
    whole, part = _LIMITS.get(m.encoding, _LIMITS["UCS-2"])
    room = whole if m.segments <= 1 else part * m.segments
    return v.say(
        "step.costs",
        n=units,
        room=room,
        segments=v.segments(m.encoding, m.segments),
        price=v.money(sent.price, m.currency),
    )


def _facts(v: Seen, sent: Sent) -> tuple[tuple[str, str], ...]:
    m = sent.message
    return (
        (v.say("field.phone"), v.phone(m.phone)),
        (v.say("field.rule"), m.rule),
        (v.say("field.class"), v.say(f"class.{m.message_class}")),
        (v.say("field.valid"), v.full(m.valid_until)),
        (v.say("field.chain"), ", ".join(m.providers)),
    )


def attempt_step(v: Seen, attempt: Attempt) -> Step:
    """One hand-over to a gateway, and all that was asked about it."""
    kind, sign, word = _ATTEMPTS[attempt.state]
    provider, unknown = attempt.provider, attempt.state == "UNKNOWN"
    facts = [(v.say("field.id"), attempt.client_id), (v.say("field.provider_id"), attempt.provider_id)]
    facts += [(v.say("field.code"), attempt.code), (v.say("field.error"), attempt.error)]
    asked = tuple(("o", ", ".join(f"{k}: {value}" for k, value in each.items())) for each in attempt.evidence)
    why = v.say("attempt.n", sms=attempt.message_id, n=attempt.number, id=attempt.client_id)
    explained = v.say(f"{word}.why", provider=provider, error=attempt.error) if v.say.has(f"{word}.why") else ""
    return Step(
        at=attempt.finished_at or attempt.started_at,
        id=f"attempt-{attempt.message_id}-{attempt.number}",
        kind=kind,
        sign=sign,
        title=v.say(word, provider=provider, error=attempt.error or attempt.code),
        group="person",
        why=tuple(("", text) for text in (why, explained) if text),
        mark=v.message("UNKNOWN", provider) if unknown else None,
        conds=asked,
        folds=(Fold(v.say("fold.record"), tuple(pair for pair in facts if pair[1])),),
        against=unknown,
    )


def state_step(v: Seen, entry: JournalEntry) -> Step | None:
    """What was learned of a message: from the network, or from who gave it up. None for what is no such news."""
    name = entry.kind.partition(".")[2]
    state = name.upper()
    if name != "failed" and state not in get_args(MessageState):
        return None
    provider, code, error = (str(entry.data.get(key, "")) for key in ("provider", "code", "error"))
    reason = str(entry.data.get("reason", ""))
    if v.say.has(f"step.message.{name}"):
        title = v.say(f"step.message.{name}", id=entry.message_id)
    else:
        title = f"SMS {entry.message_id}: {v.message(cast(MessageState, state), provider).word}"
    why = reasons.sentence(v, reason) if reason else ""
    if provider and not why:
        why = v.say("step.receipt", provider=provider, code=code, error=error if error != "0" else "")
    kind, sign = {"DELIVERED": ("ok", "ok"), "ACCEPTED": ("info", "tick")}.get(state, ("bad", "cross"))
    return Step(
        entry.at, f"s-{entry.message_id}-{name}", kind, sign, title, group="person", why=(("", why),) if why else ()
    )


def reply_step(v: Seen, reply: KeptReply) -> Step:
    """An SMS or a call that came in, and how it was read."""
    who = v.who(v.book.person_of(reply.phone), reply.phone)
    rang = reply.kind == "call"
    how = read_as(v, reply.read_as) or v.say("read.not")
    return Step(
        at=reply.received_at,
        id=f"r-{reply.id}",
        kind="ok",
        sign="call" if rang else "reply",
        title=v.say("step.call" if rang else "step.reply", who=who),
        chapter="answers",
        group="person",
        bubble="" if rang else reply.text,
        mine=True,
        why=(("", how[:1].upper() + how[1:] + "."),),
    )
