"""``smsbridge incidents``: what people talk about, and an operator's acts on it. Works beside a running bridge.

An act is an Order: it is decided by the same function as everything else, in one transaction of the store.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn
from zoneinfo import ZoneInfo

import click

from bridge.cli import tables
from bridge.cli.opening import (
    answered_json,
    config_of,
    config_option,
    json_option,
    living_book,
    reading,
    user_name,
    writing,
)
from bridge.cli.ordering import give, ordered

if TYPE_CHECKING:
    from bridge.config.models import Config
    from bridge.model import Incident, Notification, Plan
    from bridge.store.engine import Tx

_MOST = 200
_DONE = {"ack": "acked", "unack": "open again", "resolve": "resolved"}
_FITTING = {"ack": ("open",), "unack": ("acked",), "resolve": ("open", "acked")}


@click.group("incidents")
@config_option
@click.pass_context
def command(context: click.Context, config: Path) -> None:
    """Look at incidents, acknowledge, resolve or silence them.

    Exit codes: 0 done, 1 an incident could not be changed, 2 wrong call, 75 the store is away, 78 configuration.
    """
    context.obj = config


@command.command("list")
@click.option("--all", "everything", is_flag=True, help="Also those that are over, latest first.")
@json_option
@click.pass_obj
def list_incidents(config: Path, everything: bool, as_json: bool) -> None:
    """Show incidents that are not over, the worst first."""
    from bridge.store import views

    settings = config_of(config)
    found = reading(
        settings, lambda tx: views.latest_incidents(tx, _MOST) if everything else views.open_incidents(tx, _MOST)
    )
    if as_json:
        answered_json([_as_json(incident) for incident in found])
    elif found:
        _print_list(settings, found)
    else:
        click.echo("No incidents are there." if everything else "No incidents are open.")


@command.command("show")
@click.argument("number", metavar="INCIDENT", type=click.IntRange(min=1))
@json_option
@click.pass_obj
def show(config: Path, number: int, as_json: bool) -> None:
    """Show one incident, and who was told of it."""
    from bridge.store import views

    settings = config_of(config)
    found, told = reading(settings, lambda tx: (views.incident(tx, number), views.told(tx, [number]).get(number, [])))
    if found is None:
        _stop("show", _unknown(number))
    if as_json:
        answered_json({**_as_json(found), "told": [_told_json(one) for one in told]})
        return
    _print_incident(settings, found)
    for note in told:
        click.echo(f"told {_name(settings, note)}, message {note.message_id}")


@command.command("ack")
@click.argument("numbers", metavar="INCIDENT...", nargs=-1, required=True, type=click.IntRange(min=1))
@click.pass_obj
def ack(config: Path, numbers: tuple[int, ...]) -> None:
    """Say that somebody has it: nobody else is told of it."""
    _order(config, "ack", numbers)


@command.command("unack")
@click.argument("numbers", metavar="INCIDENT...", nargs=-1, required=True, type=click.IntRange(min=1))
@click.pass_obj
def unack(config: Path, numbers: tuple[int, ...]) -> None:
    """Take an acknowledgement back."""
    _order(config, "unack", numbers)


@command.command("resolve")
@click.argument("numbers", metavar="INCIDENT...", nargs=-1, required=True, type=click.IntRange(min=1))
@click.pass_obj
def resolve(config: Path, numbers: tuple[int, ...]) -> None:
    """Say that it is over: what still waits to be sent about it is cancelled."""
    _order(config, "resolve", numbers)


@command.command("note")
@click.argument("number", metavar="INCIDENT", type=click.IntRange(min=1))
@click.argument("text", nargs=-1, required=True)
@click.pass_obj
def note(config: Path, number: int, text: tuple[str, ...]) -> None:
    """Keep a note in the trail of the incident."""
    _said("note", ordered(config, "incidents", "note", str(number), *text))


@command.command("silence")
@click.argument("number", metavar="INCIDENT", type=click.IntRange(min=1))
@click.argument("span", metavar="SPAN [NOTE]", nargs=-1, required=True)
@click.pass_obj
def silence(config: Path, number: int, span: tuple[str, ...]) -> None:
    """Silence alerts like this incident for SPAN (2h, until 08:00); what is still open then is told."""
    _said("silence", ordered(config, "incidents", "silence", str(number), *span))


def _said(verb: str, plan: Plan) -> None:
    """Print what became of an order; ends the program with 1 where nothing did."""
    if not plan.journal:
        _stop(verb, *plan.said)
    for line in plan.said:
        click.echo(line)


def _order(config: Path, verb: str, numbers: tuple[int, ...]) -> None:
    """Give the order for each incident and say what became of it; ends the program with 1 where one did not fit."""
    from bridge.store import views

    book, now, by = living_book(config), datetime.now(UTC), user_name()
    refused: list[str] = []

    def one(tx: Tx, number: int) -> tuple[Incident | None, Incident | None]:
        before = views.incident(tx, number)
        if before is None or before.state not in _FITTING[verb]:
            return before, None
        give(tx, book, ("incidents", verb, str(number)), by, now)
        return before, views.incident(tx, number)

    for number in numbers:
        before, after = writing(book.config, lambda tx, number=number: one(tx, number))  # type: ignore[misc]
        if after is not None:
            click.echo(f"{number} {_DONE[verb]}: {_about(after)}")
        else:
            refused.append(_unknown(number) if before is None else f"{number} is {before.state} already.")
    if refused:
        _stop(verb, *refused)


def _print_list(config: Config, found: list[Incident]) -> None:
    times = tables.Times(ZoneInfo(config.timezone), datetime.now(UTC))
    tables.show(
        ("INCIDENT", "STATE", "SEVERITY", times.named("SINCE"), "LAST", "COUNT", "BY", "WHAT"),
        [
            (
                str(one.id),
                one.state,
                one.severity,
                times.at(one.opened_at),
                times.at(one.last_at),
                f"x{one.count}" if one.count > 1 else "",
                one.acked_by,
                _about(one),
            )
            for one in found
        ],
    )


def _print_incident(config: Config, one: Incident) -> None:
    times = tables.Times(ZoneInfo(config.timezone), datetime.now(UTC))
    tables.facts(
        [
            ("incident", str(one.id)),
            ("state", one.state),
            ("severity", one.severity),
            ("what", _about(one)),
            ("detail", tables.shown_text(one.detail)[:500]),
            ("source", one.source),
            ("producer", one.producer),
            ("key", tables.shown_text(one.key)),
            ("rule", one.rule),
            ("opened", times.named(times.at(one.opened_at))),
            ("last", f"{times.at(one.last_at)}, {one.count} times" if one.count > 1 else ""),
            ("acked", f"{times.at(one.acked_at)} by {one.acked_by}" if one.acked_at else ""),
            ("resolved", times.at(one.resolved_at)),
        ]
    )


def _as_json(one: Incident) -> dict[str, Any]:
    names = (
        "id", "source", "key", "state", "episode", "producer", "host", "service", "severity", "title", "detail",
        "count", "rule", "acked_by",
    )  # fmt: skip
    moments = ("opened_at", "last_at", "acked_at", "resolved_at")
    return {
        **{name: getattr(one, name) for name in names},
        "labels": dict(one.labels),
        **{name: moment.isoformat() if (moment := getattr(one, name)) else None for name in moments},
    }


def _told_json(note: Notification) -> dict[str, Any]:
    return {"episode": note.episode, "step": note.step, "person": note.person, "phone": note.phone,
            "message": note.message_id}  # fmt: skip


def _name(config: Config, note: Notification) -> str:
    from bridge.words.figures import masked

    person = config.people.get(note.person)
    phone = note.phone if config.keep.numbers == "clear" else masked(note.phone)
    return (person.name or note.person) if person else phone


def _about(one: Incident) -> str:
    return tables.shown_text(" ".join(filter(None, (one.host, one.title))))


def _unknown(number: int) -> str:
    return f"there is no incident {number}. See: smsbridge incidents list --all"


def _stop(verb: str, *sentences: str) -> NoReturn:
    for sentence in sentences:
        click.echo(f"smsbridge incidents {verb}: {sentence}", err=True)
    sys.exit(1)
