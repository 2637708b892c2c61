"""What follows from a receipt, and from a message that ended without having reached its phone."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from bridge.book import RuleBook
from bridge.dispatch import alone, codes, letters, notices, onward, reaching
from bridge.dispatch.draft import Draft
from bridge.mail.write import quoted
from bridge.memory import Memory, Needs
from bridge.model import Failed, Message, MessageState, Plan, Receipt, Unsubscribed
from bridge.render.frames import FrameValue, frame_pieces
from bridge.render.names import host_part
from bridge.sms.fit import fit
from bridge.words.catalogue import words
from bridge.words.figures import masked

_COPY_VALID = timedelta(minutes=10)
_RANK: dict[MessageState, int] = {
    "READY": 0, "HELD": 0, "INFLIGHT": 1, "UNKNOWN": 1, "HANDED_OVER": 1, "ACCEPTED": 2, "ACCEPTED_NO_ID": 2,
    "REJECTED": 3, "CANCELLED": 3, "EXPIRED": 3, "UNDELIVERED": 3, "DELIVERED": 4,
}  # fmt: skip


def forward(now: MessageState, then: MessageState) -> bool:
    """Whether a receipt may move a message from *now* to *then*: only ever forward (T24, T25, F09)."""
    return _RANK[then] > _RANK[now]


def reported_needs(receipt: Receipt, book: RuleBook, now: datetime) -> Needs:
    causes = frozenset({notices.virtual_cause(receipt.provider)} if receipt.virtual else ())
    found = Needs(messages=frozenset({receipt.message_id}), causes=causes)
    return found if receipt.state == "DELIVERED" else found | onward.needs_of(book, now)


def reported(receipt: Receipt, book: RuleBook, memory: Memory, now: datetime) -> Plan:
    """The network said something about a message of ours."""
    draft = Draft(book, memory, now)
    message = memory.message(receipt.message_id)
    if message is None:
        return draft.plan()
    draft.mail_id = message.mail_id
    for account, way in receipt.unsubscribed:
        _unsubscribe(draft, message, account, way)
    if not forward(message.state, receipt.state):
        return draft.plan()
    reason = receipt.why
    draft.states.append((message.id, receipt.state, reason))
    draft.log(
        f"message.{receipt.state.lower()}",
        incident_id=message.incident_id,
        message_id=message.id,
        provider=receipt.provider,
        code=receipt.code,
        error=receipt.error,
        **({"reason": reason} if receipt.virtual else {}),
    )
    if receipt.virtual:
        notices.virtual(draft, receipt.provider)
    if receipt.state == "DELIVERED":
        reaching.reached(draft, message)
    elif receipt.state in ("UNDELIVERED", "EXPIRED") and onward.go_on(draft, message, (receipt.provider,)):
        return draft.plan()
    elif receipt.state in ("UNDELIVERED", "EXPIRED") and message.rule != "(answer)":
        reaching.missed(draft, message)
        error = receipt.error or receipt.code
        _report(draft, message, reason, receipt.status, receipt.provider, error)
    return draft.plan()


def _unsubscribe(draft: Draft, message: Message, account: str, way: str) -> None:
    """The person wants nothing more by *way*: nothing goes to him by it, and the operator hears of it."""
    draft.unsubscribed.append(Unsubscribed(account, way, message.phone, draft.now))
    about = {"incident_id": message.incident_id, "message_id": message.id}
    draft.log("phone.unsubscribed", **about, person=message.person or message.phone, way=way, account=account)
    notices.unsubscribed(draft, message, account, way)


def _report(draft: Draft, message: Message, reason: str, status: str, provider: str, error: str) -> None:
    """Somebody was not reached: the sender of the alert hears of it where his source names who may send for it, else
    the operator (FORMAT §4 Receipts)."""
    incident = draft.incident(message.incident_id)
    action = draft.book.action(message.rule) or (draft.book.action(incident.rule) if incident else None)
    if action is not None and action.receipts.mail == "never":
        return
    named = incident is not None and any(e.from_ for e in draft.book.config.sources.get(incident.source, ()))
    if incident is None or not named or not incident.thread.sender:
        notices.not_delivered(draft, message, reason, status, provider, error)
        return
    w = words(draft.book.config.language)
    shown = {"phone": masked(message.phone), "reason": reason, "provider": provider, "code": error, "status": status}
    missing = dict.fromkeys(("n", "at", "who", "next", "then"), "")
    body = f"{w.say('mails', 'failed', **shown, **missing)}\n\n{quoted(message.text)}"
    subject = w.say("mails", "failed.subject", subject=incident.thread.subject or incident.title)
    letters.post(
        draft, "failed", [incident.thread.sender], subject, body, thread=incident.thread, incident_id=incident.id,
        from_null=True,
    )  # fmt: skip


def ended_needs(failed: Failed, book: RuleBook, now: datetime) -> Needs:
    found = Needs(messages=frozenset({failed.message_id}))
    return found | (alone.needs_of(book, (), now) if failed.copy_via else onward.needs_of(book, now))


def ended(failed: Failed, book: RuleBook, memory: Memory, now: datetime) -> Plan:
    """A message will never be proven to have arrived: the operator hears of it, a critical one goes once more."""
    draft = Draft(book, memory, now)
    message = memory.message(failed.message_id)
    if message is None:
        return draft.plan()
    draft.mail_id = message.mail_id
    draft.log("message.failed", incident_id=message.incident_id, message_id=message.id, reason=failed.reason)
    if failed.copy_via:
        _once_more(draft, message, failed.copy_via)
        notices.unknown(draft, message, failed)  # the copy may still reach the phone
        return draft.plan()
    if message.state == "REJECTED" and onward.go_on(draft, message, message.providers):
        return draft.plan()
    if message.rule != "(answer)":
        reaching.missed(draft, message)
        _report(draft, message, failed.reason, failed.status, _provider(message), "")
    return draft.plan()


def _once_more(draft: Draft, message: Message, chain: tuple[str, ...]) -> None:
    """The second copy of a critical message whose first has no provable fate; it says so (promise 2)."""
    copy = replace(
        message, id=0, providers=chain, copy=True, state="READY", reason="", due_at=draft.now,
        created_at=draft.now, valid_until=max(message.valid_until, draft.now + _COPY_VALID),
    )  # fmt: skip
    incident = draft.incident(message.incident_id)
    own = message.rule.startswith("(") or draft.book.text(message.rule, "alert") is not None
    if incident is not None and not own:
        code = codes.code_of(draft, message.phone, (incident,))
        values: dict[str, FrameValue] = {
            "code": code,
            "sev": lambda said: said.severity(incident.severity),
            "h": host_part(incident.host),
            "t": incident.title,
        }
        fitted = fit(frame_pieces("alert.copy", message.language, values), max(message.segments, 1), "keep")
        copy = replace(copy, text=fitted.text, encoding=fitted.encoding, segments=fitted.segments, call=None, ways=())
    said = alone.say(draft, copy)
    if said is not None:
        draft.log(
            "message.copy", incident_id=said.incident_id, message_id=said.id, of=message.id, providers=list(chain)
        )


def _provider(message: Message) -> str:
    return message.providers[0] if message.providers else "-"
