"""What one mail would do, and why: the door, the reading with its trace, and the plan, over a memory that is given.

The functions are those of ``run``; nothing is written and nothing is sent.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import cast

from bridge.book import RuleBook
from bridge.config.derived import main_currency
from bridge.dispatch import ringing
from bridge.dispatch.decide import decide
from bridge.intake.passwords import at_hand
from bridge.intake.read import read
from bridge.memory import Memory
from bridge.model import Envelope, Fate, Message, Plan, Reading, Recipient, StoredMail
from bridge.proof.compare import reasons_of
from bridge.proof.door import Knock, as_source, bare, knock, listener_for
from bridge.proof.mails import BadTest, header_sender, our_recipients, with_crlf
from bridge.proof.world import FIRST_IDS, shown_number
from bridge.routing.facts import Facts
from bridge.words.figures import money


@dataclass(frozen=True, slots=True)
class Shown:
    """How a mail is said to have come in; "" and () leave it to its header."""

    mail_from: str | None = None
    recipients: tuple[str, ...] = ()
    peer: str = ""
    login: str = ""
    source: str = ""

    @property
    def says_who(self) -> bool:
        """Whether it is known who hands the mail in: only then the door can judge that."""
        return bool(self.peer or self.login or self.source)


@dataclass(frozen=True, slots=True)
class Explanation:
    """A mail's way through the bridge. *plan* is None where the door took nothing."""

    reading: Reading
    knock: Knock
    plan: Plan | None
    currency: str  # of budgets, "" = unknown

    @property
    def nothing_sent_because(self) -> str | None:
        """Why no SMS leaves, in the words of FORMAT §13; None where one does."""
        if self.plan is None:
            return f"refused ({self.knock.refusals[0].line})"
        if self.plan.messages:
            return None
        return "; ".join(reasons_of(self.plan.fates)) or "nothing happened in it"


def envelope_from(content: bytes, shown: Shown, book: RuleBook, at: datetime) -> Envelope:
    """The envelope of a mail in a file: what *shown* says, else what its header tells. Raises BadTest."""
    content = with_crlf(content)
    sender = bare(shown.mail_from) if shown.mail_from is not None else header_sender(content)
    facts = as_source(book, shown.source, sender) if shown.source else Facts("smtp")
    if facts is None:
        raise BadTest(f"no way of source {shown.source} hands in mail")
    listener = listener_for(book, shown.peer or facts.peer)
    return Envelope(
        content=content,
        received_at=at,
        mail_from=sender,
        recipients=tuple(Recipient(bare(a) or a) for a in shown.recipients or our_recipients(book, content)),
        door="lmtp" if listener and listener.door == "lmtp" and facts.door == "smtp" else facts.door,
        peer=shown.peer or facts.peer,
        login=shown.login or facts.login,
        certificate=facts.certificate,
        mailbox=facts.mailbox,
        tls=True,
    )


def empty_memory(_reading: Reading) -> Memory:
    """The memory of a bridge that has seen nothing yet, whatever is asked of it."""
    return Memory(complete=True, counters=dict(FIRST_IDS))


def explain(
    mail: StoredMail,
    book: RuleBook,
    now: datetime,
    memory_for: Callable[[Reading], Memory] = empty_memory,
    *,
    own: str = "",
    admission: bool = True,
) -> Explanation:
    """What *mail* does at *now*; without *admission* the door does not ask who hands it in.

    *memory_for* gives what is remembered of all that a reading needs. *own* is the loop mark of the installation;
    without one any such mark counts as ours.
    """
    currency, passwords = main_currency(book.config) or "", at_hand(book.config)
    knocked = knock(book, mail.envelope, admission=admission)
    if knocked.envelope is None:
        return Explanation(read(mail, book, own=own, passwords=passwords, trace=True), knocked, None, currency)
    reading = read(replace(mail, envelope=knocked.envelope), book, own=own, passwords=passwords, trace=True)
    plan = decide(reading, book, memory_for(reading), now)
    shown = tuple(ringing.with_number(one, shown_number(book, one), now) for one in plan.messages)
    return Explanation(reading, knocked, replace(plan, messages=shown), currency)


def as_data(found: Explanation) -> dict[str, object]:
    """The shape that other programs build on (``docs/reference/commands.md``)."""
    events, plan = found.reading.events, found.plan or Plan()
    return {
        "events": [_event(routed.event) for routed in events],
        "routes": [
            {"event": n, "rule": visit.rule, "matched": visit.matched, "trace": visit.note or visit.failed}
            for n, routed in enumerate(events)
            for visit in routed.trace
        ],
        "fates": [_fate(fate) for fate in plan.fates],
        "messages": [_message(message) for message in plan.messages],
        "mails": [{"to": list(mail.to), "subject": mail.subject} for mail in plan.mails],
        "otherwise": [{"rota": rota, "people": list(people)} for rota, people in otherwise(plan)],
        "incidents": [
            {"number": one.id, "key": one.key, "state": one.state, "count": one.count, "episode": one.episode}
            for one in plan.incidents
        ],
        "later": [{"at": _utc(at), "what": what} for at, what in later(plan)],
        "budgets": [
            {"budget": name, "messages": count, "price": price} for name, count, price in expenses(plan, found.currency)
        ],
        "nothing_sent_because": found.nothing_sent_because,
    }


def otherwise(plan: Plan) -> list[tuple[str, tuple[str, ...]]]:
    """Rotas that have nobody on call, and who is meant instead: ids of people, or phones; () for nobody."""
    found = (entry.data for entry in plan.journal if entry.kind == "rota.otherwise")
    return [(str(data["rota"]), tuple(map(str, cast("list[str]", data["people"])))) for data in found]


def later(plan: Plan) -> list[tuple[datetime, str]]:
    """What is to be decided later, in order of time: what is held until then, steps of ladders, the end of silence."""
    held = Counter(each.bundle for each in plan.held)
    found = []
    for timer in plan.timers:
        what = _TIMERS.get(timer.kind, timer.kind)
        waiting = held.get(timer.name, 0)
        found.append((timer.due_at, f"{what}, with {waiting} that wait" if waiting > 1 else what))
    return sorted(found)


def expenses(plan: Plan, currency: str) -> list[tuple[str, int, str]]:
    """For each budget, how many messages take from it, and what they cost in *currency*, that of budgets."""
    names = dict.fromkeys(spend.budget for spend in plan.spends)
    taken = {name: [spend for spend in plan.spends if spend.budget == name] for name in names}
    costs = {name: sum((spend.money for spend in each), Decimal(0)) for name, each in taken.items()}
    return [(name, len(each), money(costs[name], currency).strip()) for name, each in taken.items()]


_TIMERS = {
    "close": "closed without a word if nothing more comes",
    "unrouted": "the list of the day to the operator",
    "digest": "the digest",
    "group": "the end of collecting",
    "quiet": "the end of the quiet hours, and another look",
    "storm": "the digest of the storm",
    "step": "the next step of the ladder",
    "flap": "another look whether it is calm",
    "wake": "another look at what waits",
    "unanswered": "a mail if nobody has it by then",
}


def _fate(fate: Fate) -> Mapping[str, object]:
    return {
        "event": fate.event,
        "what": fate.what,
        "rule": fate.rule or None,
        "person": fate.person or None,
        "because": fate.reason or None,
    }


def _utc(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat()


def _event(event: object) -> Mapping[str, object]:
    names = ("producer", "host", "service", "severity", "state", "key", "title", "detail")
    labels: Mapping[str, str] = getattr(event, "labels", {})
    return {**{name: getattr(event, name) for name in names}, "labels": dict(labels)}


def _message(message: Message) -> Mapping[str, object]:
    return {
        "person": message.person or None,
        "phone": message.phone,
        "text": message.text,
        "encoding": message.encoding,
        "segments": message.segments,
        "price": None if message.price is None else money(message.price, message.currency),
        "via": message.providers[0] if message.providers else None,
        "class": message.message_class,
        "not_before": _utc(message.due_at),
    }
