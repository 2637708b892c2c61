"""``smsbridge silences``: what is silent, making it so for a while, ending it. Works beside a running bridge."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from bridge.cli.opening import config_option
from bridge.cli.ordering import ordered


@click.group("silences")
@config_option
@click.pass_context
def command(context: click.Context, config: Path) -> None:
    """See what is silent, silence something for a while, end a silence.

    Exit codes: 0 done, 1 it could not be done, 2 wrong call, 75 the store is away, 78 configuration.
    """
    context.obj = config


@command.command("list")
@click.pass_obj
def list_silences(config: Path) -> None:
    """Show the silences that hold now: those of the rules, and those made while running."""
    for line in ordered(config, "silences", "list").said:
        click.echo(line)


@command.command("add")
@click.argument("words", metavar="FIELD=PATTERN... SPAN [NOTE]", nargs=-1, required=True)
@click.pass_obj
def add(config: Path, words: tuple[str, ...]) -> None:
    """Silence alerts whose fields fit, for SPAN: host=sw* 2h "change 4711".

    FIELD is one of host, service, severity, title, key, source, producer, label.NAME …; in PATTERN * is any run and ?
    any one character. What is still open at the end is told then.
    """
    _give(config, "add", *words)


@command.command("end")
@click.argument("number", metavar="SILENCE")
@click.pass_obj
def end(config: Path, number: str) -> None:
    """End a silence now; what it held and is still open is told."""
    _give(config, "end", number)


def _give(config: Path, verb: str, *words: str) -> None:
    plan = ordered(config, "silences", verb, *words)
    for line in plan.said:
        click.echo(line if plan.silences else f"smsbridge silences {verb}: {line}", err=not plan.silences)
    if not plan.silences:
        sys.exit(1)
