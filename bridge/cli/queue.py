"""``smsbridge queue``: what waits, and what an operator may do about it. Works beside a running bridge."""

from __future__ import annotations

import re
import sys
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import click

from bridge.cli import tables
from bridge.cli.opening import answered_json, config_of, config_option, json_option, reading, user_name, writing

if TYPE_CHECKING:
    from bridge.config.models import Config
    from bridge.store.attempts import Attempt
    from bridge.store.engine import Tx
    from bridge.store.waiting import Kept, KeptReceipt, WaitingMail, WaitingOut

_MOST = 200
_DONE = {"cancel": "cancelled", "hold": "held", "release": "released", "retry": "is tried now"}


@click.group("queue")
@config_option
@click.pass_context
def command(context: click.Context, config: Path) -> None:
    """Look at what waits, and let it go, hold it or cancel it.

    Exit codes: 0 done, 1 a message could not be changed, 2 wrong call, 75 the store is away, 78 configuration.
    """
    context.obj = config


@command.command("list")
@click.option(
    "--mails", is_flag=True, help="Mails that wait to be read or were set aside, and mails of ours to be sent."
)
@click.option("--all", "everything", is_flag=True, help="Also SMS that a provider has and nobody reported yet.")
@json_option
@click.pass_obj
def list_waiting(config: Path, mails: bool, everything: bool, as_json: bool) -> None:
    """Show SMS that are not settled, most urgent first."""
    settings = config_of(config)
    if mails:
        _list_mails(settings, as_json=as_json)
    else:
        _list_messages(settings, everything=everything, as_json=as_json)


@command.command("show")
@click.argument("number", metavar="MESSAGE", type=click.IntRange(min=1))
@json_option
@click.pass_obj
def show(config: Path, number: int, as_json: bool) -> None:
    """Show one SMS: its text, its way, what the network said."""
    from bridge.store import waiting

    settings = config_of(config)
    kept, attempts, receipts = reading(
        settings, lambda tx: (waiting.message(tx, number), waiting.attempts(tx, number), waiting.receipts(tx, number))
    )
    if kept is None:
        _stop("show", [f"there is no message {number}. See: smsbridge queue list --all"])
        return
    if as_json:
        answered_json(
            {**_message_json(kept), "attempts": _attempts_json(attempts), "receipts": _receipts_json(receipts)}
        )
        return
    _print_message(settings, kept)
    times = _times(settings)
    for attempt in attempts:
        about = " ".join(
            filter(None, (attempt.state, attempt.error, attempt.provider_id and f"id {attempt.provider_id}"))
        )
        click.echo(f"attempt {attempt.number}  {times.at(attempt.started_at)}  {attempt.provider}: {about}")
    for receipt in receipts:
        about = " ".join(filter(None, (receipt.state, receipt.error.strip("0") and f"error {receipt.error}")))
        click.echo(f"receipt    {times.at(receipt.received_at)}  {about}")


@command.command("retry")
@click.argument("numbers", metavar="M-MAIL|MESSAGE...", nargs=-1, required=True)
@click.pass_obj
def retry(config: Path, numbers: tuple[str, ...]) -> None:
    """Read a mail again that was set aside (M-17), or try a waiting SMS now (51230)."""
    from bridge.store import mails

    settings, now = config_of(config), datetime.now(UTC)
    messages, refused = [], []
    for word in numbers:
        mail = re.fullmatch(r"[Mm]-([0-9]{1,18})", word)
        if mail is None:
            messages.append(_number(word))
        elif writing(settings, lambda tx, number=int(mail[1]): mails.retry(tx, number, now)):  # type: ignore[misc]
            click.echo(f"M-{mail[1]} is read again")
        else:
            refused.append(f"M-{mail[1]} does not wait and was not set aside. See: smsbridge queue list --mails")
    _act(settings, "retry", messages, refused)


@command.command("hold")
@click.argument("numbers", metavar="[MESSAGE]...", nargs=-1, type=click.IntRange(min=1))
@click.option("--all", "everything", is_flag=True, help="Everything that waits now.")
@click.pass_obj
def hold(config: Path, numbers: tuple[int, ...], everything: bool) -> None:
    """Keep waiting SMS back until they are released."""
    settings = config_of(config)
    _act(settings, "hold", _chosen(settings, numbers, ("READY",), everything=everything), [])


@command.command("release")
@click.argument("numbers", metavar="[MESSAGE]...", nargs=-1, type=click.IntRange(min=1))
@click.option("--all", "everything", is_flag=True, help="Everything that is held.")
@click.option("--gateway", metavar="PROVIDER", default="", help="End the pause of this provider's account.")
@click.pass_obj
def release(config: Path, numbers: tuple[int, ...], everything: bool, gateway: str) -> None:
    """Let held SMS go, or a paused account."""
    settings = config_of(config)
    if gateway:
        _release_account(settings, gateway)
        if not numbers and not everything:
            return
    _act(settings, "release", _chosen(settings, numbers, ("HELD",), everything=everything), [])


@command.command("cancel")
@click.argument("numbers", metavar="[MESSAGE]...", nargs=-1, type=click.IntRange(min=1))
@click.option("--all", "everything", is_flag=True, help="Everything that waits or is held.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def cancel(config: Path, numbers: tuple[int, ...], everything: bool, yes: bool) -> None:
    """Never send waiting or held SMS. What is on its way cannot be called back."""
    settings = config_of(config)
    chosen = _chosen(settings, numbers, ("READY", "HELD"), everything=everything)
    if everything and chosen and not yes:
        sentence = f"This cancels {len(chosen)} SMS."
        if not sys.stdin.isatty():
            _stop("cancel", [f"{sentence} Say --yes to go on."])
        click.confirm(f"{sentence} Go on?", abort=True, err=True)
    _act(settings, "cancel", chosen, [])


def _release_account(config: Config, provider: str) -> None:
    """The running bridge sees it within a second and tries again; a cause that lasts pauses it again."""
    from bridge.store import accounts

    if provider not in config.providers:
        known = ", ".join(config.providers)
        _stop("release", [f"no provider is called {provider}; there is {known}."])

    def well(tx: Tx) -> str:
        account = accounts.of_provider(tx, provider)
        row = accounts.get(tx, account)
        if account and row.state != "well":
            accounts.put(tx, replace(row, state="well", reason="", until=None))
        return row.state

    state = writing(config, well)
    click.echo(f"{provider} was not paused." if state == "well" else f"{provider} is tried again (was: {state}).")


def _chosen(config: Config, numbers: tuple[int, ...], states: tuple[str, ...], *, everything: bool) -> list[int]:
    from bridge.store import waiting

    if bool(numbers) == everything:
        raise click.UsageError("Name messages, or say --all.")
    return reading(config, lambda tx: waiting.ids(tx, states)) if everything else list(numbers)


def _act(config: Config, verb: str, numbers: list[int], refused: list[str]) -> None:
    """Do *verb* and say what became of each; ends the program with 1 where one could not be changed."""
    from bridge.store import direct

    before: dict[int, str] = {}
    if numbers:
        by, now = user_name(), datetime.now(UTC)
        before = writing(config, lambda tx: direct.act(tx, verb, numbers, by, now, f"by {by}"))
    _statement, fitting, _kind = direct.ACTS[verb]
    for number in numbers:
        state = before.get(number)
        if state is None:
            refused.append(f"there is no message {number}. See: smsbridge queue list --all")
        elif state in fitting:
            click.echo(f"{number} {_DONE[verb]}")
        else:
            refused.append(f"{number} is {state}; {verb} is for {' and '.join(fitting)}.")
    if not numbers and not refused and verb != "retry":
        click.echo("No messages are waiting." if verb != "release" else "No messages are held.")
    if refused:
        _stop(verb, refused)


def _list_messages(config: Config, *, everything: bool, as_json: bool) -> None:
    from bridge.store import waiting

    states = (*waiting.UNSETTLED, *waiting.UNDER_WAY) if everything else waiting.UNSETTLED
    found, total = reading(config, lambda tx: waiting.messages(tx, _MOST, states))
    if as_json:
        answered_json([_message_json(kept) for kept in found])
        return
    if not found:
        click.echo("No messages are waiting.")
        return
    times = _times(config)
    tables.show(
        ("MESSAGE", "CLASS", "STATE", "TO", "AGE", times.named("NEXT"), "INCIDENT", "WHY", "TEXT"),
        [
            (
                str(kept.message.id),
                kept.message.message_class,
                kept.message.state,
                _whom(config, kept),
                times.age(kept.message.created_at),
                times.at(kept.message.due_at),
                str(kept.message.incident_id or ""),
                tables.shown_text(kept.message.reason),
                tables.shown_text(kept.message.text),
            )
            for kept in found
        ],
    )
    if total > len(found):
        click.echo(f"and {total - len(found)} more")


def _list_mails(config: Config, *, as_json: bool) -> None:
    from bridge.store import waiting

    unread, outgoing = reading(config, lambda tx: (waiting.mails(tx, _MOST), waiting.outgoing(tx, _MOST)))
    if as_json:
        answered_json({"unread": [_plain(one) for one in unread], "outgoing": [_plain(one) for one in outgoing]})
        return
    if not unread and not outgoing:
        click.echo("No mails are waiting.")
    times = _times(config)
    if unread:
        tables.show(
            ("MAIL", "STATE", "AGE", "TRIES", "FROM", "TO"),
            [
                (f"M-{one.id}", one.state, times.age(one.received_at), str(one.attempts), one.mail_from or "<>",
                 " ".join(one.recipients))
                for one in unread
            ],
        )  # fmt: skip
    if outgoing:
        tables.show(
            ("OUT", "KIND", "AGE", times.named("NEXT"), "TRIES", "TO", "WHY", "SUBJECT"),
            [
                (str(one.id), one.kind, times.age(one.created_at), times.at(one.due_at), str(one.attempts),
                 " ".join(one.to), tables.shown_text(one.reason), tables.shown_text(one.subject))
                for one in outgoing
            ],
        )  # fmt: skip


def _print_message(config: Config, kept: Kept) -> None:
    from bridge.words.figures import money

    message, times = kept.message, _times(config)
    price = message.price if kept.cost is None else kept.cost
    tables.facts(
        [
            ("message", str(message.id)),
            ("state", message.state),
            ("why", tables.shown_text(message.reason)),
            ("to", _whom(config, kept)),
            ("text", tables.shown_text(message.text)),
            ("size", f"{message.encoding}, {message.segments} segment{'s' if message.segments > 1 else ''}"),
            ("price", money(price, message.currency) if price is not None else ""),
            ("class", message.message_class),
            ("rule", message.rule),
            ("incident", str(message.incident_id or "")),
            ("mail", f"M-{message.mail_id}" if message.mail_id else ""),
            ("by", kept.provider or " → ".join(message.providers)),
            ("created", times.named(times.at(message.created_at))),
            ("valid until", times.at(message.valid_until)),
            ("ended", times.at(kept.ended_at)),
        ]
    )


def _whom(config: Config, kept: Kept) -> str:
    """The person, else the phone, as ``keep.numbers`` lets it be shown."""
    from bridge.words.figures import masked

    person = config.people.get(kept.message.person)
    if person is not None:
        return person.name or kept.message.person
    return kept.message.phone if config.keep.numbers == "clear" else masked(kept.message.phone)


def _message_json(kept: Kept) -> dict[str, Any]:
    message = kept.message
    return {
        "id": message.id,
        "state": message.state,
        "reason": message.reason,
        "phone": message.phone,
        "person": message.person,
        "text": message.text,
        "encoding": message.encoding,
        "segments": message.segments,
        "price": None if message.price is None else str(message.price),
        "cost": None if kept.cost is None else str(kept.cost),
        "currency": message.currency,
        "class": message.message_class,
        "rule": message.rule,
        "incident": message.incident_id,
        "mail": message.mail_id,
        "providers": list(message.providers),
        "provider": kept.provider,
        "provider_id": kept.provider_id,
        "created_at": message.created_at.isoformat(),
        "due_at": message.due_at.isoformat(),
        "valid_until": message.valid_until.isoformat(),
        "ended_at": kept.ended_at.isoformat() if kept.ended_at else None,
    }


def _attempts_json(attempts: tuple[Attempt, ...]) -> list[dict[str, Any]]:
    names = ("number", "provider", "client_id", "state", "provider_id", "code", "error")
    return [
        {**{name: getattr(one, name) for name in names}, "started_at": one.started_at.isoformat()} for one in attempts
    ]


def _receipts_json(receipts: list[KeptReceipt]) -> list[dict[str, Any]]:
    return [_plain(one) for one in receipts]


def _plain(one: WaitingMail | WaitingOut | KeptReceipt) -> dict[str, Any]:
    return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in asdict(one).items()}


def _number(word: str) -> int:
    if not re.fullmatch(r"[0-9]{1,18}", word):
        raise click.UsageError(f"{word!r} is no message and no mail; write 51230, or M-17.")
    return int(word)


def _times(config: Config) -> tables.Times:
    return tables.Times(ZoneInfo(config.timezone), datetime.now(UTC))


def _stop(verb: str, sentences: list[str]) -> None:
    for sentence in sentences:
        click.echo(f"smsbridge queue {verb}: {sentence}", err=True)
    sys.exit(1)
