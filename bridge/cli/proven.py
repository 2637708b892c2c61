"""What ``smsbridge test`` tells of coverage and of mutants, and how far long work has come."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import click

from bridge.cli import tables

if TYPE_CHECKING:
    from bridge.proof.coverage import Coverage
    from bridge.proof.mutate import Verdict


@contextlib.contextmanager
def progress(count: int, label: str) -> Iterator[Callable[[int], None]]:
    """A bar on a terminal; elsewhere nothing. Gives what is called with the number of things that were done."""
    if not sys.stderr.isatty():
        yield lambda _done: None
        return
    with click.progressbar(length=count, label=label, file=sys.stderr) as bar:
        yield bar.update


def show_coverage(found: Coverage) -> None:
    """A line for each rule, each branch that no test has seen, and the sum."""
    rows = [
        (rule.name, f"{rule.file}:{rule.line}", "yes" if rule.fitted else "NO", _of(rule.branches, rule.missing))
        for rule in found.rules
    ]
    if rows:
        tables.show(("RULE", "PLACE", "FITTED", "BRANCHES"), rows)
    missing = [(rule, line, branch.what) for rule in found.rules for line, branch in rule.missing]
    for rule, line, what in missing:
        click.echo(click.style(f"{rule.file}:{line} {rule.name}: {what}", fg="yellow"))
    click.echo(coverage_line(found))


def _of(branches: tuple[object, ...], missing: tuple[object, ...]) -> str:
    return f"{len(branches) - len(missing)} of {len(branches)}" if branches else ""


def coverage_line(found: Coverage) -> str:
    """``12 of 12 rules, 35 of 42 branches: 87 %.``"""
    fitted, rules, seen, branches = found.counts
    return f"{fitted} of {rules} rules, {seen} of {branches} branches: {int(found.percent)} %."


def coverage_data(found: Coverage) -> dict[str, object]:
    """For ``--json``."""
    fitted, rules, seen, branches = found.counts
    return {
        "percent": round(found.percent, 2),
        "rules": {"fitted": fitted, "all": rules},
        "branches": {"seen": seen, "all": branches},
        "missing": [
            {"file": rule.file, "line": line, "rule": rule.name, "what": branch.what}
            for rule in found.rules
            for line, branch in rule.missing
        ],
    }


def show_verdict(verdict: Verdict, blind: int) -> None:
    """Each survivor, and the sum. *blind* tests did not hold, so they could notice nothing."""
    for one in verdict.survivors:
        click.echo(click.style(str(one), fg="red"))
    if blind:
        click.echo(f"{blind} test{'' if blind == 1 else 's'} did not hold and noticed nothing.")
    click.echo(verdict_line(verdict))


def verdict_line(verdict: Verdict) -> str:
    """``88 mutants, 0 survivors: every condition is needed by some test.``"""
    count, left = verdict.tried, len(verdict.survivors)
    tried = f"{count} mutant{'' if count == 1 else 's'}"
    if not left:
        return f"{tried}, 0 survivors: every condition is needed by some test."
    return f"{tried}, {left} survivor{'' if left == 1 else 's'}: no test would notice."


def verdict_data(verdict: Verdict) -> dict[str, object]:
    """For ``--json``."""
    survivors = [{"file": o.file, "line": o.line, "rule": o.rule, "what": o.what} for o in verdict.survivors]
    return {"mutants": verdict.tried, "survivors": survivors}
