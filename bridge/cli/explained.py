"""An explanation as a tree for people: events, every rule that was asked, messages, or why there are none."""

from __future__ import annotations

from collections.abc import Iterator
from zoneinfo import ZoneInfo

import click

from bridge.model import Message, OutgoingMail, Plan, RoutedEvent, Visit
from bridge.proof.explain import Explanation, expenses, later, otherwise
from bridge.words.figures import money

_LOUD = {"critical": "red", "high": "red", "warning": "yellow"}


def tree(found: Explanation, zone: ZoneInfo, *, plain: bool) -> Iterator[str]:
    """The lines; *plain* keeps to ASCII."""
    yield from _head(found)
    for number, routed in enumerate(found.reading.events, 1):
        yield from _event(number, routed, plain=plain)
    if found.plan is not None:
        for message in found.plan.messages:
            yield from _message(message, zone)
        for mail in found.plan.mails:
            yield _mail(mail)
        yield from _otherwise(found.plan)
        yield from _others(found)
        yield from _memory(found.plan, found.currency)
        yield from _later(found.plan, zone)
    reason = found.nothing_sent_because
    if reason is not None:
        yield click.style(f"No SMS: {reason}", fg="yellow", bold=True)


def _head(found: Explanation) -> Iterator[str]:
    reading = found.reading
    to = ", ".join(reading.recipients) or "nobody of ours (say --recipient)"
    yield click.style(reading.subject or "(no subject)", bold=True)
    source = reading.source or "unknown (say --source, --peer or --login)"
    yield f"  from {reading.sender or '<>'} to {to}, source {source}"
    for refusal in found.knock.refusals:
        yield click.style(f"  door: {refusal.line}", fg="red")
    for problem in reading.problems:
        yield f"  note: {problem}"


def _event(number: int, routed: RoutedEvent, *, plain: bool) -> Iterator[str]:
    event = routed.event
    severity = click.style(event.severity, fg=_LOUD.get(event.severity), bold=True)
    where = " ".join(filter(None, (event.host, event.service)))
    what = f"{where}: {event.title}" if where else event.title
    key = f"  key {event.key}" if event.key else ""
    yield f"event {number}: {event.producer} {event.state} {severity}  {what}{key}"
    for visit in routed.trace:
        last = visit is routed.trace[-1] and not routed.left
        yield f"  {_branch(last=last, plain=plain)} {_visit(visit, plain=plain)}"
    if routed.left:
        left = " ".join(routed.left).strip() or "it"
        yield f"  {_branch(last=True, plain=plain)} no rule takes {left}"


def _branch(*, last: bool, plain: bool) -> str:
    if plain:
        return "`-" if last else "|-"
    return "└─" if last else "├─"


def _visit(visit: Visit, *, plain: bool) -> str:
    sign = ("ok" if plain else "✓") if visit.matched else ("--" if plain else "✗")
    colour = "green" if visit.matched else "bright_black"
    return f"{click.style(f'{sign} {visit.rule}', fg=colour)}: {visit.note if visit.matched else visit.failed}"


def _message(message: Message, zone: ZoneInfo) -> Iterator[str]:
    who = f"{message.person} {message.phone}".strip()
    price = "price unknown" if message.price is None else money(message.price, message.currency)
    size = f"{message.encoding}, {message.segments} segment{'s' if message.segments > 1 else ''}, {price}"
    wait = "" if message.due_at <= message.created_at else f", not before {message.due_at.astimezone(zone):%d %b %H:%M}"
    via = " then ".join(message.providers) or "no provider"
    kind = "SMS" if message.channel == "sms" else message.channel
    yield click.style(f"{kind} to {who}", fg="green", bold=True) + (
        f"  {size}, {message.message_class}, via {via}{wait}, rule {message.rule}"
    )
    yield from (f"    {line}" for line in message.text.splitlines() or [""])


def _mail(mail: OutgoingMail) -> str:
    return click.style(f"mail to {', '.join(mail.to)}", bold=True) + f"  {mail.subject}"


def _others(found: Explanation) -> Iterator[str]:
    """People who are not told although others are."""
    if found.plan is None or not found.plan.messages:
        return
    for fate in found.plan.fates:
        if fate.what == "nothing" and fate.reason:
            who = fate.person or f"event {fate.event + 1}"
            yield f"no SMS for {who}: {fate.reason}"


def _otherwise(plan: Plan) -> Iterator[str]:
    """Where people are meant because a rota has nobody on call now."""
    for rota, people in otherwise(plan):
        yield f"nobody is on call in {rota} now: otherwise {', '.join(people) or 'nobody'}"


def _memory(plan: Plan, currency: str) -> Iterator[str]:
    """What becomes of incidents, and what is taken from budgets."""
    for incident in plan.incidents:
        events = f", {incident.count} events" if incident.count > 1 else ""
        yield f"incident {incident.id} {incident.state}{events}  key {incident.key}"
    for name, count, price in expenses(plan, currency):
        yield f"budget {name}: {count} message{'' if count == 1 else 's'}, {price}"


def _later(plan: Plan, zone: ZoneInfo) -> Iterator[str]:
    for at, what in later(plan):
        yield f"{at.astimezone(zone):%d %b %H:%M}  {what}"
