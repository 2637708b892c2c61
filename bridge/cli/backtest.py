"""``smsbridge backtest``: the mails of the store, decided again by other rules. Nothing is sent, nothing is stored."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from bridge.cli import tables
from bridge.cli.opening import answered_json, config_option, json_option, store_path
from bridge.errors import ConfigError

if TYPE_CHECKING:
    from decimal import Decimal

    from bridge.book.loading import LoadedBook
    from bridge.proof.backtest import Changed, Outcome, Sums, Told

_WRONG_CALL = 2
_FEW = 500  # mails: so many are read here before another process has begun to run
_SHOWN = 100  # characters of a text


@click.command()
@click.argument("rules", metavar="RULES", type=click.Path(path_type=Path))
@config_option
@click.option("--since", metavar="SPAN", default="7d", show_default=True, help="How far back: 12h, 7d, 4w.")
@click.option("--limit", metavar="N", type=click.IntRange(min=0), default=50, show_default=True,
              help="Show at most N mails that change; all are counted.")  # fmt: skip
@json_option
def command(rules: Path, config: Path, since: str, limit: int, as_json: bool) -> None:
    """Decide the mails of the store again by the rules in RULES; say what differs.

    RULES is a folder. Today's rules and these both begin with an empty memory at the first mail; nobody answers,
    every SMS is delivered. The store is only read. Exit codes: 0 done, whatever differs, 2 wrong call, 75 the store
    is away, 78 the configuration or RULES are wrong.
    """
    span = _span(since)
    today = _book(config)
    _book(config, rules)  # before anything is begun: what is wrong in it has its place
    store = store_path(today.require().config)
    count, outcome = _decided(config, rules, store, datetime.now(UTC), span, limit)
    shown = _shown(today)
    if as_json:
        answered_json(_data(count, outcome, shown))
    else:
        _tell(count, outcome, since, shown)


def _decided(config: Path, rules: Path, store: Path, now: datetime, span: timedelta, limit: int) -> tuple[int, Outcome]:
    """How many mails there are, and what came of those whose bytes are kept."""
    from bridge.cli.proven import progress
    from bridge.proof.backtest import Task, backtest, decided, decided_beside
    from bridge.proof.remembered import count_since, instance_of

    count, own = count_since(store, now - span, now), instance_of(store, now)
    tasks = [Task(store, now - span, now, config, folder, own) for folder in (None, rules)]
    with contextlib.ExitStack() as stack, progress(count, "mails") as done:
        streams = [decided(each) if count < _FEW else stack.enter_context(decided_beside(each)) for each in tasks]
        return count, backtest(*streams, limit=limit, tick=done)


def _span(since: str) -> timedelta:
    from bridge.config.spans import parse_duration

    try:
        return parse_duration(since)
    except ValueError as error:
        _stop(f"--since: {error}.")


def _book(config: Path, rules: Path | None = None) -> LoadedBook:
    from bridge.book.loading import load_book

    if not config.is_file():
        raise ConfigError((f"no file {config} here ({Path.cwd()}); say -c FILE",))
    if rules is not None and not rules.is_dir():
        _stop(f"no folder {rules} here ({Path.cwd()}). Give a folder with rules, like the one you have.")
    loaded = load_book(config, rules=rules)
    loaded.require()
    return loaded


def _shown(loaded: LoadedBook) -> Callable[[str], str]:
    """Foreign text as it may be printed: on one line, without secrets, phones masked unless the configuration says."""
    from bridge.observe.redact import mask_numbers, redact

    masks = loaded.require().config.keep.numbers != "clear"

    def shown(text: str) -> str:
        text = redact(tables.shown_text(text))
        return mask_numbers(text) if masks else text

    return shown


# telling


def _tell(count: int, outcome: Outcome, since: str, shown: Callable[[str], str]) -> None:
    if not outcome.mails:
        click.echo(f"No mails of the last {since} are kept.")
        return
    people = list(dict.fromkeys([*outcome.before.people, *outcome.after.people]))
    if people:
        tables.show(("PERSON", "SMS", "COST", "WOULD BE", "COST"), [_person(one, outcome, shown) for one in people])
    for change in outcome.changes:
        _tell_change(change, shown)
    if outcome.changed > len(outcome.changes):
        click.echo(f"… and {_number(outcome.changed - len(outcome.changes))} more. Say --limit.")
    for line in _sentences(count, outcome, since):
        click.echo(line)


def _person(name: str, outcome: Outcome, shown: Callable[[str], str]) -> Sequence[str]:
    from bridge.proof.backtest import Sums

    before, after = (side.people.get(name, Sums()) for side in (outcome.before, outcome.after))
    return shown(name), _number(before.messages), _cost(before), _number(after.messages), _cost(after)


def _sentences(count: int, outcome: Outcome, since: str) -> Sequence[str]:
    before, after = outcome.before.everyone, outcome.after.everyone
    kinds = ", ".join(f"{kind} {_number(n)}" for kind, n in sorted(outcome.kinds.items()))
    today = f"{_number(before.messages)} SMS with today's rules ({_cost(before)})"
    lines = [
        f"{_number(outcome.mails)} mails of {since}: {today}, {_number(after.messages)} with these ({_cost(after)}).",
        f"{_number(outcome.changed)} mails would do something else: {kinds}." if kinds else "Every mail does the same.",
    ]
    if outcome.lost:
        lost = f"{_number(outcome.lost)} alert{'' if outcome.lost == 1 else 's'} would no longer reach anybody."
        lines.append(click.style(lost, fg="red", bold=True))
    if count > outcome.mails:
        lines.append(f"{_number(count - outcome.mails)} more came in, but their bytes are not kept any more.")
    return lines


def _tell_change(change: Changed, shown: Callable[[str], str]) -> None:
    colour = "red" if change.lost else "yellow"
    what = "nobody any more" if change.lost else ", ".join(change.kinds)
    head = click.style(f"M-{change.mail} {change.at:%Y-%m-%d %H:%M} UTC", bold=True)
    click.echo(f"{head} {shown(change.subject)[:_SHOWN]}  {click.style(what, fg=colour)}")
    click.echo(f"  today  {_told(change.before, shown)}")
    click.echo(f"  then   {_told(change.after, shown)}")


def _told(told: Told, shown: Callable[[str], str]) -> str:
    """Who, what it costs, the words, and why not."""
    texts = " | ".join(f"“{shown(text)[:_SHOWN]}”" for text in dict.fromkeys(told.texts))
    price = ", ".join(_money(amount, currency) for currency, amount in told.price if currency)
    parts = (", ".join(map(shown, told.people)), price, texts, "; ".join(map(shown, told.reasons)))
    return "  ".join(filter(None, parts)) or "nothing"


def _cost(sums: Sums) -> str:
    known = [_money(amount, currency) for currency, amount in sorted(sums.price.items()) if currency]
    unknown = [f"{_number(sums.price[''])} of unknown price"] if sums.price[""] else []
    return ", ".join([*known, *unknown]) or "nothing"


def _money(amount: Decimal | int, currency: str) -> str:
    from decimal import Decimal

    from bridge.words.figures import money

    return money(Decimal(amount), currency)


def _number(count: int) -> str:
    return f"{count:,}".replace(",", " ")


def _data(count: int, outcome: Outcome, shown: Callable[[str], str]) -> dict[str, object]:
    """One object for programs."""
    people = dict.fromkeys([*outcome.before.people, *outcome.after.people])
    return {
        "mails": outcome.mails,
        "not_kept": count - outcome.mails,
        "changed": outcome.changed,
        "lost": outcome.lost,
        "kinds": dict(outcome.kinds),
        "total": {"before": _sums(outcome.before.everyone), "after": _sums(outcome.after.everyone)},
        "people": {
            shown(name): {
                "before": _sums(outcome.before.people.get(name)),
                "after": _sums(outcome.after.people.get(name)),
            }
            for name in people
        },
        "changes": [_change_data(change, shown) for change in outcome.changes],
    }


def _sums(sums: Sums | None) -> dict[str, object]:
    price = {} if sums is None else {currency: str(amount) for currency, amount in sums.price.items() if currency}
    return {"messages": sums.messages if sums else 0, "segments": sums.segments if sums else 0, "price": price}


def _change_data(change: Changed, shown: Callable[[str], str]) -> dict[str, object]:
    return {
        "mail": f"M-{change.mail}",
        "at": change.at.isoformat(),
        "subject": shown(change.subject),
        "differs": list(change.kinds),
        "lost": change.lost,
        "before": _told_data(change.before, shown),
        "after": _told_data(change.after, shown),
    }


def _told_data(told: Told, shown: Callable[[str], str]) -> dict[str, object]:
    return {
        "people": list(map(shown, told.people)),
        "texts": list(map(shown, told.texts)),
        "price": {currency: str(amount) for currency, amount in told.price if currency},
        "reasons": list(map(shown, told.reasons)),
    }


def _stop(sentence: str) -> NoReturn:
    click.echo(f"smsbridge backtest: {sentence}", err=True)
    raise click.exceptions.Exit(_WRONG_CALL)
