"""``smsbridge check``: everything that is wrong with configuration, rules, templates and rule tests, at once.

Resolves no secret and touches neither network nor store.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bridge.cli.opening import answered_json, config_option, json_option

if TYPE_CHECKING:
    from bridge.book.loading import LoadedBook

_CONFIGURATION = 78
_PLACED = re.compile(r"(.+?):([0-9]+):([0-9]+) ")


@click.command("check")
@config_option
@click.option("--strict", is_flag=True, help="Warnings count as errors.")
@json_option
@click.option(
    "--addresses", is_flag=True, help="Print which addresses the mail doors take, and the rule that opens each."
)
@click.option("--source", metavar="NAME", help="With --addresses: as this source sees them.")
def command(config: Path, strict: bool, as_json: bool, addresses: bool, source: str | None) -> None:
    """Read configuration, rules and templates; say everything that is wrong.

    Needs no secret and changes nothing. Exit codes: 0 nothing wrong (there may be warnings), 78 errors, or with
    --strict warnings.
    """
    from bridge.book.loading import load_book

    if source and not addresses:
        raise click.UsageError("--source goes with --addresses")
    loaded = load_book(config, tests=True)
    loaded = replace(loaded, warnings=(*loaded.warnings, *loaded.ahead(datetime.now(UTC))))
    bad = bool(loaded.errors) or (strict and bool(_of(loaded, "warning")))
    if addresses and not loaded.errors:
        _print_addresses(loaded, source, as_json=as_json)
    elif as_json:
        answered_json(_as_json(loaded))
    else:
        _print_problems(loaded)
        click.echo(_summary(config, loaded), err=bad)
    sys.exit(_CONFIGURATION if bad else 0)


def _found(loaded: LoadedBook) -> list[tuple[str, str]]:
    """(sentence, level) of everything, in the order of the files and of what stands in them."""
    found = [(str(problem), str(problem.level)) for problem in loaded.loaded.problems]
    said = {sentence for sentence, _ in found}
    found += [(sentence, "error") for sentence in loaded.errors if sentence not in said]
    found += [(sentence, "warning") for sentence in loaded.warnings if sentence not in said]
    order = list(dict.fromkeys(_place(sentence)[0] for sentence, _ in found))
    return sorted(found, key=lambda one: (order.index(_place(one[0])[0]), *_place(one[0])[1:]))


def _place(sentence: str) -> tuple[str, int, int]:
    """File, line and column before a sentence; what has none is a place of its own."""
    placed = _PLACED.match(sentence)
    return (placed[1], int(placed[2]), int(placed[3])) if placed else (sentence, 0, 0)


def _of(loaded: LoadedBook, wanted: str) -> list[str]:
    return [sentence for sentence, level in _found(loaded) if level == wanted]


def _print_problems(loaded: LoadedBook) -> None:
    from bridge.config.load import MOST_SHOWN

    lines = [sentence if level == "error" else f"{sentence} ({level})" for sentence, level in _found(loaded)]
    for line in lines[:MOST_SHOWN]:
        click.echo(line, err=True)
    if len(lines) > MOST_SHOWN:
        click.echo(f"and {len(lines) - MOST_SHOWN} more", err=True)


def _summary(config: Path, loaded: LoadedBook) -> str:
    """``config.yaml and 4 rule files: 61 rules, 12 people, 3 rotas. Nothing wrong.``"""
    warnings = _counted(len(_of(loaded, "warning")), "warning")
    if loaded.book is None:
        return ", ".join(filter(None, (_counted(len(loaded.errors), "error"), warnings))) + ". Nothing was loaded."
    parts = [
        _counted(len(loaded.book.rules.by_name), "rule"),
        _counted(len(loaded.book.config.people), "person", "people"),
        _counted(len(loaded.book.config.rotas), "rota"),
    ]
    files = _counted(len(loaded.loaded.rule_files), "rule file") or "no rule file"
    what = ", ".join(filter(None, parts)) or "nothing to do"
    return f"{config} and {files}: {what}. {warnings + '.' if warnings else 'Nothing wrong.'}"


def _counted(count: int, one: str, many: str = "") -> str:
    """``3 rules``; nothing for none."""
    return f"{count} {one if count == 1 else many or one + 's'}" if count else ""


def _as_json(loaded: LoadedBook) -> dict[str, object]:
    book = loaded.book
    return {
        "errors": list(loaded.errors),
        "warnings": _of(loaded, "warning"),
        "notes": _of(loaded, "note"),
        "rule_files": [file for file, _ in loaded.loaded.rule_files],
        "rules": len(book.rules.by_name) if book else None,
        "people": len(book.config.people) if book else None,
        "rotas": len(book.config.rotas) if book else None,
        "book": book.digest if book else None,
    }


def _print_addresses(loaded: LoadedBook, source: str | None, *, as_json: bool) -> None:
    from bridge.cli import tables

    found: Sequence[tuple[str, str]] = loaded.require().addresses.listing(source)
    if as_json:
        answered_json([{"address": address, "rule": rule} for address, rule in found])
    elif found:
        tables.show(("ADDRESS", "RULE"), found)
    else:
        click.echo("The mail doors take no address but postmaster and abuse.")
