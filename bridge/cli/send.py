"""``smsbridge send``: one SMS by hand, through the running bridge, or with ``--direct`` without one."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from bridge.cli.opening import book_of, config_option, json_option, store_path, user_name
from bridge.cli.who import phone_of

if TYPE_CHECKING:
    from bridge.book import RuleBook
    from bridge.book.loading import LoadedBook
    from bridge.config.models import Config
    from bridge.model import Message, MessageClass
    from bridge.sms.fit import Alphabet

_MOST_PARTS = 10
RULE = "(send)"  # what stands where a message usually names its rule


@dataclass(frozen=True, slots=True)
class _Wish:
    """What was typed."""

    to: str
    text: str
    via: str | None
    message_class: MessageClass
    alphabet: Alphabet


@click.command("send")
@click.argument("to", metavar="PHONE|PERSON")
@click.argument("text", metavar="TEXT")
@config_option
@click.option("--via", metavar="PROVIDER", help="By this provider only. [what the configuration says]")
@click.option("--class", "message_class", type=click.Choice(["critical", "normal", "bulk"]), default="normal",
              show_default=True)  # fmt: skip
@click.option("--alphabet", type=click.Choice(["keep", "translit", "cheaper"]), default="keep", show_default=True,
              help="As in a rule.")  # fmt: skip
@click.option("--wait", is_flag=True, help="Stay until the network says what became of it.")
@click.option("--within", type=click.FloatRange(min=0, min_open=True), default=120, show_default=True,
              metavar="SECONDS", help="How long --wait stays.")  # fmt: skip
@click.option("--direct", is_flag=True, help="Send it from here, without a running bridge.")
@click.option("--yes", is_flag=True, help="Do not ask when it costs more than one segment.")
@json_option
def command(
    to: str,
    text: str,
    config: Path,
    via: str | None,
    message_class: MessageClass,
    alphabet: Alphabet,
    wait: bool,
    within: float,
    direct: bool,
    yes: bool,
    as_json: bool,
) -> None:
    """Send one SMS.

    To a number, or to a person of the configuration. TEXT is one argument; - reads it from standard input. The
    running bridge sends it, with its limits and its retries; --direct sends it from here, once.

    Exit codes: 0 taken (with --wait: delivered), 1 refused or not delivered, 2 wrong call, 75 nobody could take it or
    nobody knows, 78 configuration.
    """
    from bridge.cli import sending
    from bridge.observe import set_up

    loaded = book_of(config)
    book = loaded.require()
    set_up("text", "error", book.config.keep.numbers)
    wish = _Wish(to, sys.stdin.read().rstrip("\r\n") if text == "-" else text, via, message_class, alphabet)
    message = _message(loaded, book, wish, datetime.now(UTC))
    path = store_path(book.config)
    _agreed(message, yes=yes)
    if not direct:
        _must_run(book, config)
    way = sending.direct if direct else sending.through_the_bridge
    told = sending.Told(as_json)
    code = asyncio.run(way(book, path, message, user_name(), told, within if wait else 0.0))
    told.end()
    sys.exit(code)


def _message(loaded: LoadedBook, book: RuleBook, wish: _Wish, now: datetime) -> Message:
    """The message, priced and measured; ends the program where it may not be sent."""
    from bridge.config.models.rules import VALIDITY
    from bridge.model import Message
    from bridge.sms.fit import Piece, fit

    person, phone = _recipient(loaded, book, wish.to)
    if not wish.text.strip():
        _stop("the text is empty.", 2)
    fitted = fit([Piece(wish.text)], _MOST_PARTS, wish.alphabet, book.language(person))
    if fitted.shortened:
        _stop(f"the text is longer than {_MOST_PARTS} segments ({fitted.encoding}). Send less of it.", 2)
    chain = (_provider(book, wish.via),) if wish.via else book.chain(None, phone)
    price, currency = book.price(chain, phone, fitted.segments)
    return Message(
        id=0, phone=phone, person=person, text=fitted.text, encoding=fitted.encoding, segments=fitted.segments,
        price=price, currency=currency, rule=RULE, message_class=wish.message_class, channel="sms", providers=chain,
        originator="", answerable=book.answerable(chain), created_at=now, due_at=now,
        valid_until=now + VALIDITY[wish.message_class], language=book.language(person),
    )  # fmt: skip


def _recipient(loaded: LoadedBook, book: RuleBook, to: str) -> tuple[str, str]:
    """(person, phone) that *to* means."""
    from bridge.routing.numbers import Destinations, country_code

    try:
        phone = phone_of(book.config, to)
    except ValueError as error:
        _stop(str(error), 2)
    if to.casefold() in book.config.people:
        return to.casefold(), phone
    if not Destinations(book.config.destinations, book.config.region).allow(phone):
        _stop(_not_allowed(loaded, book.config, country_code(phone)), 1)
    return book.person_of(phone), phone


def _not_allowed(loaded: LoadedBook, config: Config, code: str) -> str:
    """Which line forbids it, and what that line would have to be."""
    from phonenumbers import country_code_for_region

    if config.destinations is not None:
        key, allowed = "destinations", config.destinations
    else:
        key, allowed = "region", (f"+{country_code_for_region(config.region or '')}",)
    file, place = loaded.loaded.place(str(loaded.loaded.places.main), (key,))
    wanted = ", ".join(f'"{prefix}"' for prefix in dict.fromkeys((*allowed, code)))
    return f"SMS to {code} is not allowed ({file}:{place.line} {key}). Write destinations: [{wanted}]."


def _provider(book: RuleBook, name: str) -> str:
    from bridge.config.similar import nearest

    if name.casefold() not in book.config.providers:
        near = nearest(name, book.config.providers, first=True)
        remedy = f"Did you mean {near[0]}?" if near else f"There are: {', '.join(book.config.providers)}"
        _stop(f"no provider is called {name!r}. {remedy}", 2)
    return name.casefold()


def _agreed(message: Message, *, yes: bool) -> None:
    """Ask before spending more than one segment; where nobody can be asked, say how to agree."""
    if yes or message.segments == 1:
        return
    from bridge.words.figures import money

    price = f", about {money(message.price, message.currency)}" if message.price is not None else ""
    sentence = f"This sends 1 SMS of {message.segments} segments ({message.encoding}){price}."
    if not sys.stdin.isatty():
        _stop(f"{sentence} Say --yes to go on.", 2)
    click.confirm(f"{sentence} Go on?", abort=True, err=True)


def _must_run(book: RuleBook, config: Path) -> None:
    """End the program where no bridge answers: what nobody sends must not wait for hours and then surprise."""
    from bridge.cli.sending import first_door, someone_listens

    door = first_door(book.config)
    if door is not None and not someone_listens(door):
        _stop(f"no bridge answers on {door[0]}:{door[1]}. Start it: smsbridge run -c {config}, or say --direct.", 75)


def _stop(sentence: str, code: int) -> NoReturn:
    click.echo(f"smsbridge send: {sentence}", err=True)
    sys.exit(code)
