"""``smsbridge new rule``: a rule and its test, filled in, from a mail or as an example.

What is printed was tried: the rule stands in a book made in memory, and what its test expects is what happened
there. Nothing is sent, and nothing is written without ``--write``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from bridge.cli.opening import book_of, config_option

if TYPE_CHECKING:
    from bridge.book.loading import LoadedBook
    from bridge.model import Event

_FAILED = 1  # exit code
_MOST_BYTES = 10_000_000
_FILE = click.Path(path_type=Path, dir_okay=False)
_EXAMPLE = {
    "from": "zabbix@monitor.example",
    "subject": "Problem: Disk space is low on /var",
    "text": "Problem started at 08:14:02 on 2026.11.21\nProblem name: Disk space is low on /var\nHost: db01\n"
    "Severity: High\nOriginal problem ID: 1000\n",
}
_WISHES = """\
    # What else a rule may say; format.md has every key.
    #class: critical                # goes first, and ignores quiet hours
    #text: "{{ host }} {{ title | shrink(1) }} {{ code }}"
    #parts: 1                       # never more parts than this
    #repeat: 30m                    # while it goes on and nobody has it
"""


@click.group()
@config_option
@click.pass_context
def command(context: click.Context, config: Path) -> None:
    """Begin something new from what is there."""
    context.obj = config


@command.command("rule")
@click.option("-c", "--config", "other", type=_FILE, metavar="FILE", help="The configuration. [config.yaml]")
@click.option("--from", "mail", type=_FILE, metavar="MAIL.eml", help="Make it from this mail. [an example]")
@click.option("--to", "who", metavar="WHO", help="Who gets it. [the first team, else the first person]")
@click.option("--recipient", metavar="ADDRESS", help="The address it comes to. [To and Cc of our domains]")
@click.option("--source", metavar="NAME", help="Who hands it in. [whom the door lets in]")
@click.option("--write", is_flag=True, help="Write both files (and a copy of the mail) into the rules folder.")
@click.pass_obj
def rule(
    config: Path, other: Path | None, mail: Path | None, who: str | None, recipient: str | None, source: str | None,
    write: bool,
) -> None:  # fmt: skip
    """Print a filled-in rule and its test.

    Both pass check and test as they are printed. Exit codes: 0 printed, 1 the mail is not there or no door takes
    it, 2 wrong call, 78 the configuration is wrong.
    """
    loaded = book_of(other or config)
    asked = _Asked(loaded, mail, _who(loaded, who), recipient or "", source or "")
    made = asked.made()
    folder = loaded.loaded.rules_folder
    if write:
        _write(made, folder, mail)
        return
    click.echo(f"# --- {folder / made.name}\n{made.rule}")
    click.echo(f"# --- {folder / 'tests' / made.name}\n{made.test}", nl=False)
    if mail is not None:
        click.echo(f"Copy {mail} to {folder / 'tests' / mail.name}, or say --write.", err=True)


@dataclass(frozen=True, slots=True)
class _Made:
    """The two files, by the name that both have."""

    name: str
    rule: str
    test: str


@dataclass(frozen=True, slots=True)
class _Asked:
    """What the command line says."""

    loaded: LoadedBook
    mail: Path | None
    who: str
    recipient: str
    source: str

    def made(self) -> _Made:
        """The rule and the first test of it that holds."""
        from bridge.book.adding import with_rules

        event = self._event()
        title = self._title(event)
        name = self._file_name(title)
        rule = self._rule(event, title)
        book = with_rules(self.loaded.loaded, name, rule)
        book.require()
        tests = (_tried(book, self._test(title, keys), title, self.mail) for keys in self._ways())
        test = next((test for test in tests if test is not None), None)
        if test is None:
            _stop("no door takes this mail; say who hands it in: --source NAME, and where to: --recipient ADDRESS.")
        return _Made(name, rule, test)

    def _event(self) -> Event:
        """What the mail says: its first problem, else its first event."""
        from bridge.model import StoredMail
        from bridge.proof.explain import Shown, envelope_from
        from bridge.proof.mails import BadTest

        shown = Shown(recipients=self._recipients, source=self.source)
        book, now = self.loaded.require(), datetime.now(UTC)
        try:
            envelope = envelope_from(_content(self.mail), shown, book, now)
        except BadTest as error:
            _stop(f"{error}.")
        from bridge.intake.read import read

        events = [routed.event for routed in read(StoredMail(0, envelope), book).events]
        return next((event for event in events if event.state == "problem"), events[0])

    @property
    def _recipients(self) -> tuple[str, ...]:
        """The addresses it comes to: those that were said, of our domains in the mail, else one of ours."""
        if self.recipient:
            return (self.recipient,)
        from bridge.proof.mails import our_recipients

        ours = our_recipients(self.loaded.require(), _content(self.mail)) if self.mail is not None else ()
        domains = self.loaded.require().config.domains
        return tuple(ours) or tuple(f"alerts@{domain}" for domain in domains[:1])

    def _title(self, event: Event) -> str:
        """A name that no rule of the book has, without signs that would need quotes."""
        words = f"{event.producer} {event.host or event.service}" if self.mail else "disks of databases"
        plain = " ".join(re.sub(r"[^\w .-]", " ", words).split())[:50].strip(" .-") or "new rule"
        names = {name.casefold() for name in self.loaded.require().rules.by_name}
        numbered = (f"{plain} {number}" for number in range(2, 1000))
        return plain if plain.casefold() not in names else next(one for one in numbered if one.casefold() not in names)

    def _file_name(self, title: str) -> str:
        """A file that is read before the others: rules that are there already would take the mail."""
        slug = re.sub(r"[^\w-]+", "-", title.casefold()).strip("-")
        first = min((Path(file).name for file, _ in self.loaded.loaded.rule_files), default="10")
        return f"05-{slug}.yaml" if first > "05-" else f"00-{slug}.yaml"

    def _rule(self, event: Event, title: str) -> str:
        from bridge.proof.shown import scalar

        lines = [f"      {key}: {scalar(value)}{why}" for key, value, why in self._conditions(event)]
        return (
            f"rules:\n  - rule: {scalar(title)}\n"
            "    # All of these must hold. Take out what does not matter; * stands for anything.\n"
            "    when:\n" + "\n".join(lines) + "\n"
            "    # A person, a team, on-call ROTA, next ROTA or a number; several in [ ].\n"
            f"    to: {scalar(self.who)}\n{_WISHES}"
        )

    def _conditions(self, event: Event) -> Iterator[tuple[str, object, str]]:
        """Key, value and comment of each condition."""
        if self._recipients:
            yield "recipient", list(self._recipients) if len(self._recipients) > 1 else self._recipients[0], ""
        if event.producer != "generic":
            yield "producer", event.producer, ""
        if event.host:
            yield (
                "host",
                event.host if self.mail else "db*",
                "" if self.mail else "                     # db1, db-shop …",
            )
        if event.producer == "generic" and event.title:
            yield "title", " ".join(event.title.split())[:60], "  # anywhere in it"
        below = {"high": "warning", "critical": "high", "warning": "info"}.get(event.severity)
        if below and event.producer != "generic":
            yield "severity", {"above": below}, "  # info < warning < high < critical"

    def _ways(self) -> Iterator[Mapping[str, str]]:
        """Who may hand the mail in, most telling first."""
        config = self.loaded.require().config
        if self.source:
            yield {"source": self.source}
            return
        yield {}
        yield from ({"source": name} for name in config.sources)
        for listener in config.listen:
            yield from ({"peer": str(next(iter(network.hosts())))} for network in listener.trust[:1])

    def _test(self, title: str, keys: Mapping[str, str]) -> str:
        from bridge.proof.shown import scalar

        mail = {**keys, "recipient": list(self._recipients)} if self._recipients else dict(keys)
        mail = {"file": self.mail.name, **mail} if self.mail is not None else {**mail, **_EXAMPLE}
        lines = "\n".join(f"      {key}: {_block(value) or scalar(value)}" for key, value in mail.items())
        promise = scalar(f"{title} tells who should know")
        return f"tests:\n  - test: {promise}\n    mail:\n{lines}\n    expect: nothing because no\n"


def _block(value: object) -> str:
    """A text of several lines as a block; "" for anything else."""
    if not isinstance(value, str) or "\n" not in value:
        return ""
    return "|\n" + "\n".join(f"        {line}" for line in value.splitlines())


def _tried(book: LoadedBook, test: str, title: str, mail: Path | None) -> str | None:
    """*test* with what happened as its expectation; None where the rule told nobody."""
    from bridge.config.document import read
    from bridge.config.models import TestFile
    from bridge.config.validate import validate
    from bridge.proof.accept import accepted
    from bridge.proof.mails import BadTest
    from bridge.proof.runner import play

    file = str((mail.parent if mail is not None else Path()) / "new.yaml")
    tests, _mistakes, _cut = validate(TestFile, read(test.encode(), file).data, {})
    if tests is None:
        return None
    outcome = play(book.require(), file, tests, 0)
    if outcome.broken or title not in outcome.rules:
        return None
    try:
        return accepted(test, outcome)
    except BadTest:
        return None


def _who(loaded: LoadedBook, who: str | None) -> str:
    config = loaded.require().config
    found = who or next(iter((*config.teams, *config.people)), None)
    if found is None:
        _stop("nobody is in the configuration; write people:, or say --to +77010000001.")
    return found


def _content(mail: Path | None) -> bytes:
    if mail is None:
        head = f"From: {_EXAMPLE['from']}\nSubject: {_EXAMPLE['subject']}\n\n"
        return (head + _EXAMPLE["text"]).encode()
    try:
        with mail.open("rb") as file:
            return file.read(_MOST_BYTES)
    except OSError as error:
        _stop(f"{mail} cannot be read: {error.strerror}.")


def _write(made: _Made, folder: Path, mail: Path | None) -> None:
    """Both files and the copy of the mail; nothing that is there is touched."""
    files = {folder / made.name: made.rule.encode(), folder / "tests" / made.name: made.test.encode()}
    if mail is not None:
        files[folder / "tests" / mail.name] = _content(mail)
    if there := [str(path) for path in files if path.exists() and path.read_bytes() != files[path]]:
        _stop(f"{', '.join(there)} is there already; nothing was written.")
    (folder / "tests").mkdir(exist_ok=True)
    for path, content in files.items():
        path.write_bytes(content)
        click.echo(f"wrote {path}")
    click.echo("Now: smsbridge check, smsbridge test, and smsbridge reload when it is as you want it.")


def _stop(sentence: str) -> NoReturn:
    click.echo(f"smsbridge new rule: {sentence}", err=True)
    raise click.exceptions.Exit(_FAILED)
