"""``smsbridge explain``: what a mail would do, and why. Never touches the network, never writes."""

from __future__ import annotations

import json
import re
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn
from zoneinfo import ZoneInfo

import click

if TYPE_CHECKING:
    from bridge.book import RuleBook
    from bridge.memory import Memory
    from bridge.model import Reading, StoredMail
    from bridge.proof.explain import Explanation, Shown

_FAILED, _WRONG_CALL, _CONFIGURATION = 1, 2, 78  # exit codes
_MOST_BYTES = 100_000_000


@dataclass(frozen=True, slots=True)
class _Asked:
    """What the command line says."""

    mail: str
    shown: Shown
    at: str | None
    store: bool

    @property
    def number(self) -> int | None:
        """Of ``M-123``; None for a file."""
        found = re.fullmatch(r"[Mm]-([0-9]{1,15})", self.mail)
        return int(found[1]) if found and not Path(self.mail).exists() else None


@click.command()
@click.argument("mail")
@click.option("-c", "--config", type=click.Path(path_type=Path), default=Path("config.yaml"), show_default=True)
@click.option("--at", metavar="TIME", help='As if it were then: "2026-11-21 02:15", with a zone or without.')
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@click.option(
    "--store",
    is_flag=True,
    help="With the memory of the running bridge as it is now: repeats, silences, what is held and spent.",
)
@click.option("--recipient", "recipients", multiple=True, metavar="ADDRESS", help="RCPT TO. [To and Cc of our domains]")
@click.option("--from", "mail_from", metavar="ADDRESS", help="MAIL FROM. [Return-Path, else From]")
@click.option("--peer", default="", metavar="IP", help="Who hands it in.")
@click.option("--login", default="", metavar="NAME", help="As whom he logged in.")
@click.option("--source", default="", metavar="NAME", help="As the source of this name would.")
@click.pass_context
def command(
    context: click.Context, mail: str, config: Path, at: str | None, as_json: bool, store: bool,
    recipients: tuple[str, ...], mail_from: str | None, peer: str, login: str, source: str,
) -> None:  # fmt: skip
    """Say what MAIL (a file, - for standard input, or M-123 of the store) would do, rule by rule.

    Without --peer, --login and --source the door does not ask who hands the mail in. Exit codes: 0 explained,
    1 the mail is not there, 2 wrong call, 75 the store is away, 78 the configuration is wrong.
    """
    from bridge.proof.explain import Shown, as_data
    from bridge.proof.mails import BadTest

    book = _book(config)
    asked = _Asked(mail, Shown(mail_from, recipients, peer, login, source.casefold()), at, store)
    try:
        found = _explained(asked, book, config)
    except BadTest as error:
        _stop(f"{error}.", _WRONG_CALL)
    if as_json:
        click.echo(json.dumps(as_data(found), ensure_ascii=False, indent=2))
    else:
        from bridge.cli.explained import tree

        click.echo("\n".join(tree(found, ZoneInfo(book.config.timezone), plain=_is_plain())), color=context.color)


def _explained(asked: _Asked, book: RuleBook, config: Path) -> Explanation:
    from bridge.dispatch.decide import needs
    from bridge.proof.explain import explain

    stored = _stored(asked, book)
    now = _moment(asked.at, book) or datetime.now(UTC)
    mail = stored or _from_file(asked, book, now)
    if stored is not None and not asked.store and asked.at is None:
        now = stored.envelope.received_at  # what it did, not what it would do now
    admission = stored is not None or asked.shown.says_who
    if stored is None and not asked.store:
        return explain(mail, book, now, admission=admission)
    from bridge.proof.remembered import instance_of, memory_for

    path = _store_path(book)
    own = instance_of(path, now)
    if not asked.store:
        return explain(mail, book, now, own=own, admission=admission)

    def remembered(reading: Reading) -> Memory:
        return memory_for(path, lambda known: needs(reading, book, now, known), now)

    return explain(mail, book, now, remembered, own=own, admission=admission)


def _stored(asked: _Asked, book: RuleBook) -> StoredMail | None:
    """The mail of ``M-123``, as it was kept."""
    if asked.number is None:
        return None
    from bridge.proof.remembered import mail_with

    mail = mail_with(_store_path(book), asked.number)
    if mail is None:
        _stop(f"no mail M-{asked.number} is kept in the store.", _FAILED)
    return mail


def _from_file(asked: _Asked, book: RuleBook, now: datetime) -> StoredMail:
    from bridge.model import StoredMail
    from bridge.proof.explain import envelope_from

    if asked.shown.source and asked.shown.source not in book.config.sources:
        known = ", ".join(book.config.sources) or "none"
        _stop(f"no source is called {asked.shown.source}. There are: {known}.", _WRONG_CALL)
    return StoredMail(0, envelope_from(_content(asked.mail), asked.shown, book, now))


def _content(mail: str) -> bytes:
    if mail == "-":
        return sys.stdin.buffer.read(_MOST_BYTES)
    try:
        with Path(mail).open("rb") as file:
            return file.read(_MOST_BYTES)
    except FileNotFoundError:
        _stop(f"no file {mail} here ({Path.cwd()}). Standard input is '-'.", _FAILED)
    except OSError as error:
        _stop(f"{mail} cannot be read: {error.strerror}.", _FAILED)


def _moment(text: str | None, book: RuleBook) -> datetime | None:
    from bridge.config.spans import parse_moment
    from bridge.oncall.clock import moment_of

    if text is None:
        return None
    try:
        written = datetime.fromisoformat(text)
        if written.tzinfo is not None:
            return written.astimezone(UTC)
    except ValueError:
        pass  # a name of a zone, which only our own grammar knows
    try:
        moment = parse_moment(text)
    except ValueError as error:
        _stop(f"--at: {error}.", _WRONG_CALL)
    return moment_of(moment.local, ZoneInfo(moment.zone or book.config.timezone)).astimezone(UTC)


def _book(config: Path) -> RuleBook:
    from bridge.book.loading import load_book

    if not config.is_file():
        _stop(f"no file {config} here ({Path.cwd()}). Say -c CONFIG.", _CONFIGURATION)
    loaded = load_book(config)
    if loaded.book is None:
        for line in loaded.errors:
            click.echo(line, err=True)
        _stop(f"{config} is not usable. See: smsbridge check -c {config}", _CONFIGURATION)
    return loaded.book


def _store_path(book: RuleBook) -> Path:
    scheme, _, path = book.config.store.url.partition("://")
    if scheme != "sqlite":
        _stop(f"a store on {scheme} is not built yet. Use sqlite:///PATH.", _CONFIGURATION)
    return Path(path)


def _is_plain() -> bool:
    """Whether the terminal cannot show more than ASCII."""
    try:
        "✓✗└".encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        return True
    return False


def _stop(sentence: str, code: int) -> NoReturn:
    click.echo(f"smsbridge explain: {sentence}", err=True)
    raise click.exceptions.Exit(code)
