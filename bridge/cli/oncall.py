"""``smsbridge oncall``: who is on call, and who takes over for a while. Works beside a running bridge.

What is taken over ends by itself; the rota goes on as it is written.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bridge.cli.opening import answered_json, config_option, json_option, living_book, reading
from bridge.cli.ordering import ordered

if TYPE_CHECKING:
    from datetime import datetime

    from bridge.book import RuleBook
    from bridge.memory import Known


@click.group("oncall")
@config_option
@click.pass_context
def command(context: click.Context, config: Path) -> None:
    """See who is on call, or give a rota to somebody for a while.

    Exit codes: 0 done, 1 it could not be done, 2 wrong call, 75 the store is away, 78 configuration.
    """
    context.obj = config


@command.command("who")
@click.argument("rotas", metavar="[ROTA...]", nargs=-1)
@json_option
@click.pass_obj
def who(config: Path, rotas: tuple[str, ...], as_json: bool) -> None:
    """Show who is on call now, until when, and who follows."""
    from datetime import UTC, datetime

    book, now = living_book(config), datetime.now(UTC)
    unknown = [name for name in rotas if name.casefold() not in book.config.rotas]
    if unknown:
        _stop("who", f"no rota is called {unknown[0]}. There are: {', '.join(book.config.rotas) or 'none'}")
    known = _known(book, now)
    found = [_seen(book, name, now, known) for name in (map(str.casefold, rotas) if rotas else book.config.rotas)]
    if as_json:
        answered_json(found)
    elif found:
        _print(book, found)
    else:
        click.echo("The configuration has no rotas.")


@command.command("take")
@click.argument("rota")
@click.argument("person")
@click.argument("span", nargs=-1)
@click.pass_obj
def take(config: Path, rota: str, person: str, span: tuple[str, ...]) -> None:
    """Give ROTA to PERSON for SPAN (4h, until 18:00), else until the next handover."""
    _give(config, "take", rota, person, *span)


@command.command("swap")
@click.argument("rota")
@click.argument("person")
@click.pass_obj
def swap(config: Path, rota: str, person: str) -> None:
    """Give what is left of the present turn of ROTA to PERSON."""
    _give(config, "swap", rota, person)


@command.command("start")
@click.argument("person")
@click.pass_obj
def start(config: Path, person: str) -> None:
    """Turn SMS to PERSON (or a phone) on again after a STOP, as START from that phone does."""
    plan = ordered(config, "oncall", "start", person)
    if not plan.stops:
        _stop("start", *plan.said)
    for line in plan.said:
        click.echo(line)


def _give(config: Path, verb: str, *words: str) -> None:
    plan = ordered(config, "oncall", verb, *words)
    if not plan.overrides:
        _stop(verb, *plan.said)
    for line in plan.said:
        click.echo(line)


def _known(book: RuleBook, now: datetime) -> Known:
    """Who took over, and whose SMS are off; nobody while there is no store yet."""
    from bridge.errors import ConfigError
    from bridge.memory import Known
    from bridge.store import recall

    try:
        return reading(book.config, lambda tx: recall.known(tx, (), now))
    except ConfigError:  # a store that was never made knows of nobody
        return Known()


def _seen(book: RuleBook, rota: str, now: datetime, known: Known) -> dict[str, Any]:
    from bridge.config.names import Who
    from bridge.oncall.absent import stand_ins

    rotas = book.people.rotas
    off = rotas.who(rota, now, known.overrides)
    taken = (*known.overrides, *stand_ins(book.people, known.overrides, known.stops.keys(), now))
    found = book.people.resolve([Who("on-call", rota)], now, overrides=taken).targets
    until = rotas.until(rota, now, taken)
    return {
        "rota": rota,
        "on_call": [target.person or target.phone for target in found],
        "until": until.isoformat() if until else None,
        "next": rotas.next(rota, now, taken),
        "taken_over": any(each.rota == rota and each.begin <= now < each.end for each in known.overrides),
        "stopped": off if off and book.people.phone(off) in known.stops else None,
    }


def _print(book: RuleBook, found: list[dict[str, Any]]) -> None:
    from datetime import UTC, datetime

    from bridge.cli import tables

    times = tables.Times(book.zone(""), datetime.now(UTC))
    tables.show(
        ("ROTA", "ON CALL", times.named("UNTIL"), "NEXT", ""),
        [
            (
                one["rota"],
                ", ".join(map(book.name, one["on_call"])) or "nobody",
                times.at(datetime.fromisoformat(one["until"])) if one["until"] else "",
                book.name(one["next"]) if one["next"] else "",
                _note(book, one),
            )
            for one in found
        ],
    )


def _note(book: RuleBook, one: dict[str, Any]) -> str:
    if one["stopped"]:
        return f"{book.name(one['stopped'])} turned SMS off"
    return "taken over" if one["taken_over"] else ""


def _stop(verb: str, *sentences: str) -> None:
    for sentence in sentences:
        click.echo(f"smsbridge oncall {verb}: {sentence}", err=True)
    sys.exit(1)
