"""``smsbridge number``: what there is to know of one phone before it gets an SMS, or where it gets none."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn
from zoneinfo import ZoneInfo

import click

from bridge.cli.opening import answered_json, book_of, config_option, json_option, reading
from bridge.cli.who import phone_of

if TYPE_CHECKING:
    from bridge.book import RuleBook
    from bridge.model import Stop, Unsubscribed
    from bridge.providers.base import Network
    from bridge.store.engine import Tx

_KINDS = {0: "a landline", 1: "a mobile", 2: "a landline or a mobile", 3: "a toll-free number", 4: "a premium number"}


@dataclass(frozen=True, slots=True)
class _Answer:
    """What one provider says: its price of a segment, and whose number it is; *why* it says less than that."""

    provider: str
    price: Decimal | None = None
    network: Network | None = None
    why: str = ""


@dataclass(frozen=True, slots=True)
class _Known:
    """All of it."""

    book: RuleBook
    phone: str
    allowed: bool
    stop: Stop | None
    unsubscribed: tuple[Unsubscribed, ...]
    answers: tuple[_Answer, ...]

    @property
    def chain(self) -> tuple[str, ...]:
        """The providers that carry SMS there, in order."""
        return self.book.chain(None, self.phone)

    @property
    def price(self) -> tuple[Decimal | None, str]:
        """Of a segment, by the configuration, and its currency."""
        return self.book.price(self.chain, self.phone, 1)


@click.command("number")
@click.argument("who", metavar="PHONE|PERSON")
@click.option("--ask", is_flag=True, help="Ask the gateways for network and price. Sends nothing, costs nothing.")
@config_option
@json_option
def command(who: str, ask: bool, config: Path, as_json: bool) -> None:
    """Say whose number it is, how SMS go there, what they cost, and what keeps them away.

    PHONE as people write it, or a person of the configuration.

    Exit codes: 0 SMS may go there, 1 they may not (abroad, STOP), 2 no number, 75 the store is away, 78 configuration.
    """
    from bridge.observe import set_up
    from bridge.routing.numbers import Destinations
    from bridge.store import given, recall

    book = book_of(config).require()
    set_up("text", "error", book.config.keep.numbers)
    try:
        phone = phone_of(book.config, who)
    except ValueError as error:
        _stop(str(error))
    allowed = Destinations(book.config.destinations, book.config.region).allow(phone)

    def look(tx: Tx) -> tuple[Stop | None, tuple[Unsubscribed, ...]]:
        return recall.stops(tx).get(phone), tuple(one for one in given.all_unsubscribed(tx) if one.phone == phone)

    stop, unsubscribed = reading(book.config, look)
    known = _Known(book, phone, allowed, stop, unsubscribed, asyncio.run(_asked(book, phone)) if ask else ())
    if as_json:
        answered_json(_json(known))
    else:
        _print(known)
    sys.exit(0 if allowed and stop is None else 1)


async def _asked(book: RuleBook, phone: str) -> tuple[_Answer, ...]:
    """What each gateway of the chain says, asked at the same time."""
    from bridge.delivery.relays import mail_ways
    from bridge.providers.build import gateways
    from bridge.providers.http import HttpClient

    async with HttpClient() as http:
        doors = gateways(book.config.providers, http, mail_ways(book.config.outgoing_mail, book.hostname))
        chain = [doors[name] for name in book.chain(None, phone) if name in doors]
        return tuple(await asyncio.gather(*(_answer(gateway, phone) for gateway in chain)))


async def _answer(gateway: Any, phone: str) -> _Answer:
    from bridge.delivery.prices import sample
    from bridge.errors import DeliveryError
    from bridge.providers.base import KnowsNetworks, NoWayToAsk, Request

    now, name = datetime.now(UTC), gateway.name
    price, network = None, None
    try:
        price = (await gateway.price(Request(gateway.canonical(sample(phone, name, now), now), ""))).cost
        network = await gateway.operator(phone) if isinstance(gateway, KnowsNetworks) else None
    except NoWayToAsk:
        return _Answer(name, price, network, "this door answers no questions")
    except DeliveryError as error:
        return _Answer(name, price, network, error.reason)
    return _Answer(name, price, network)


def _print(known: _Known) -> None:
    from bridge.cli import tables
    from bridge.words.figures import money

    book, phone, stop = known.book, known.phone, known.stop
    times = tables.Times(ZoneInfo(book.config.timezone), datetime.now(UTC))
    person, (price, currency) = book.person_of(phone), known.price
    facts = [
        ("number", f"{phone}, {_kind(phone)}"),
        ("person", book.name(person) + (f" ({person})" if book.name(person) != person else "") if person else "nobody"),
        ("goes by", ", then ".join(known.chain)),
        ("a segment", money(price, currency) if price is not None else "not in the configuration"),
        ("allowed", "" if known.allowed else "no: SMS to this country are not (destinations, region)"),
        ("STOP", f"since {times.at(stop.since)}; smsbridge oncall start {person or phone}" if stop else ""),
    ]
    facts += [("unsubscribed", f"{one.way}, {one.account}, since {times.at(one.since)}") for one in known.unsubscribed]
    facts += [(answer.provider, _said(answer, currency)) for answer in known.answers]
    tables.facts(facts)


def _said(one: _Answer, currency: str) -> str:
    from bridge.words.figures import money

    network = one.network
    words = [", ".join(filter(None, (network.operator, network.region, network.country)))] if network else []
    words += [f"{money(one.price, currency)} a segment"] if one.price is not None else []
    return "; ".join(filter(None, (*words, one.why)))


def _json(known: _Known) -> dict[str, Any]:
    price, currency = known.price
    return {
        "phone": known.phone,
        "kind": _kind(known.phone),
        "person": known.book.person_of(known.phone) or None,
        "providers": list(known.chain),
        "price": None if price is None else str(price),
        "currency": currency,
        "allowed": known.allowed,
        "stop": known.stop.since.isoformat() if known.stop else None,
        "unsubscribed": [
            {"way": one.way, "account": one.account, "since": one.since.isoformat()} for one in known.unsubscribed
        ],
        "asked": [
            {
                "provider": one.provider,
                "price": None if one.price is None else str(one.price),
                "network": one.network.operator if one.network else None,
                "country": one.network.country if one.network else None,
                "why": one.why or None,
            }
            for one in known.answers
        ],
    }


def _kind(phone: str) -> str:
    """What the numbering plan says, without anybody being asked."""
    import phonenumbers

    number = phonenumbers.parse(phone)
    region = phonenumbers.region_code_for_number(number) or "an unknown country"
    kind = _KINDS.get(phonenumbers.number_type(number), "a number of another kind")
    return f"{kind}, {region}" if phonenumbers.is_valid_number(number) else f"not a valid number of {region}"


def _stop(sentence: str) -> NoReturn:
    click.echo(f"smsbridge number: {sentence}", err=True)
    sys.exit(2)
