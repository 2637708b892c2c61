"""``smsbridge unsubscribes``: who wants nothing more by Viber, and taking that back. Works beside a running bridge.

It is the person who unsubscribes, in Viber itself; the provider tells us, and from then on nothing goes there that way.
Nobody tells us when somebody subscribes again, so that is an operator's word. STOP is another thing: ``oncall start``.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn
from zoneinfo import ZoneInfo

import click

from bridge.cli.opening import answered_json, config_of, config_option, json_option, reading, user_name, writing
from bridge.cli.who import phone_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bridge.config.models import Config
    from bridge.model import Unsubscribed

_WAYS = {"viber": "Viber", "whatsapp": "WhatsApp", "vk": "VK"}


@click.group("unsubscribes")
@config_option
@click.pass_context
def command(context: click.Context, config: Path) -> None:
    """See who unsubscribed from Viber, and take it back for who asks for it.

    Exit codes: 0 done, 1 nobody like that unsubscribed, 2 wrong call, 75 the store is away, 78 configuration.
    """
    context.obj = config


@command.command("list")
@json_option
@click.pass_obj
def list_unsubscribes(config: Path, as_json: bool) -> None:
    """Show who unsubscribed, from what and since when; SMS and other ways still reach them."""
    from bridge.store import given

    settings = config_of(config)
    found = reading(settings, given.all_unsubscribed)
    if as_json:
        answered_json([_json(settings, one) for one in found])
    elif found:
        _print(settings, found)
    else:
        click.echo("Nobody unsubscribed.")


@command.command("undo")
@click.argument("who", metavar="PERSON|PHONE")
@click.option("--way", type=click.Choice(list(_WAYS)), help="This way only. [all]")
@click.option("--account", metavar="ACCOUNT", help="At this account only, as list shows it. [all]")
@click.pass_obj
def undo(config: Path, who: str, way: str | None, account: str | None) -> None:
    """Send to PERSON (or a phone) by Viber again.

    For somebody who asked for it, and has subscribed in Viber. Where he has not, the provider says so at the next
    message, which goes the next way, and you hear of it again.
    """
    from bridge.store import given

    settings, now, by = config_of(config), datetime.now(UTC), user_name()
    try:
        phone = phone_of(settings, who)
    except ValueError as error:
        _stop(str(error), 2)
    chosen = [
        one for one in reading(settings, given.all_unsubscribed)
        if one.phone == phone and way in (None, one.way) and account in (None, one.account)
    ]  # fmt: skip
    done = writing(settings, lambda tx: given.subscribe_again(tx, chosen, by, now)) if chosen else []
    if not done:
        _stop(f"{who} is unsubscribed from nothing like that. See: smsbridge unsubscribes list", 1)
    for one in done:
        click.echo(f"{_name(settings, one.phone)} is sent to by {_WAYS.get(one.way, one.way)} ({one.account}) again")


def _name(settings: Config, phone: str) -> str:
    """Who has *phone*, else the phone."""
    return next((one.name or key for key, one in settings.people.items() if one.phone == phone), phone)


def _json(settings: Config, one: Unsubscribed) -> dict[str, Any]:
    person = next((key for key, known in settings.people.items() if known.phone == one.phone), None)
    return {
        "person": person, "phone": one.phone, "way": one.way, "account": one.account, "since": one.since.isoformat(),
    }  # fmt: skip


def _print(settings: Config, found: Sequence[Unsubscribed]) -> None:
    from bridge.cli import tables

    times = tables.Times(ZoneInfo(settings.timezone), datetime.now(UTC))
    tables.show(
        ("WHO", "PHONE", "FROM", "ACCOUNT", times.named("SINCE")),
        [
            (_name(settings, one.phone), one.phone, _WAYS.get(one.way, one.way), one.account, times.at(one.since))
            for one in found
        ],
    )


def _stop(sentence: str, code: int) -> NoReturn:
    click.echo(f"smsbridge unsubscribes undo: {sentence}", err=True)
    sys.exit(code)
