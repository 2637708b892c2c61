"""``smsbridge money``: what each budget allows, what it has seen, what is left and until when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import click

from bridge.cli import tables
from bridge.cli.opening import answered_json, config_of, config_option, json_option, reading

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bridge.config.models import Budget, Config
    from bridge.dispatch.budgets import Limit
    from bridge.model import Spent
    from bridge.store.engine import Tx

_MOST = 20  # counters of one budget that are shown: the fullest


@dataclass(frozen=True, slots=True)
class Line:
    """One limit of one counter, as it stands now."""

    name: str  # "total", "each_person aigul"
    limit: Limit
    reserve: int  # per cent
    used: Decimal
    normal: Decimal  # of it, without class critical
    until: datetime | None  # when the period ends, or the oldest expense leaves the window; None: nothing was spent

    @property
    def left(self) -> Decimal:
        """What class critical may still use."""
        return max(self.limit.most - self.used, Decimal(0))

    @property
    def left_for_others(self) -> Decimal:
        """What the other classes may still use."""
        return max(min(self.left, self.limit.most * (100 - self.reserve) / 100 - self.normal), Decimal(0))


@click.command("money")
@config_option
@click.option("--all", "everything", is_flag=True, help=f"All counters of a budget, not only the {_MOST} fullest.")
@json_option
def command(config: Path, everything: bool, as_json: bool) -> None:
    """Show what budgets allow, what was used, what is left and until when.

    A budget of each person, rule … has a line for everyone that was sent something in its window. What is reserved
    for messages under way counts as used. Exit codes: 0 done, 2 wrong call, 75 the store is away, 78 configuration.
    """
    settings, now = config_of(config), datetime.now(UTC)
    found = reading(settings, lambda tx: list(_lines(tx, settings, now, None if everything else _MOST)))
    if as_json:
        answered_json([_as_json(settings, line) for line in found])
    elif found:
        _print(settings, found, now)
    else:
        click.echo("No budget is configured: nothing limits what SMS may cost.")


def _lines(tx: Tx, config: Config, now: datetime, most: int | None) -> Iterator[Line]:
    from bridge.dispatch.budgets import limits_of
    from bridge.store import spends

    zone = ZoneInfo(config.timezone)
    for name, budget in _budgets(config):
        for limit in limits_of(config, budget):
            seen = spends.seen(tx, name, limit.since(now, zone))
            lines = [_line(counter, limit, budget, spent, now, zone) for counter, spent in seen.items()]
            if not lines and not name.startswith("each_"):
                lines = [Line(name, limit, budget.reserve_for_critical, Decimal(0), Decimal(0), limit.ends(now, zone))]
            yield from sorted(lines, key=lambda line: (-line.used, line.name))[:most]


def _budgets(config: Config) -> Iterator[tuple[str, Budget]]:
    budgets = config.budgets
    for name in ("total", "each_person", "each_number", "each_source", "each_rule"):
        if (budget := getattr(budgets, name)) is not None:
            yield name, budget
    for prefix, budget in budgets.each_prefix.items():
        yield f"each_prefix {prefix}", budget
    yield from budgets.own.items()


def _line(name: str, limit: Limit, budget: Budget, spent: Spent, now: datetime, zone: ZoneInfo) -> Line:
    used, normal = limit.used(spent)
    until = limit.ends(now, zone)
    if until is None and limit.window is not None and spent.oldest is not None:
        until = spent.oldest + limit.window
    return Line(name, limit, budget.reserve_for_critical, used, normal, until)


def _as_json(config: Config, line: Line) -> dict[str, Any]:
    from bridge.config.derived import main_currency
    from bridge.dispatch.budgets import written

    currency = main_currency(config) or ""
    return {
        "budget": line.name,
        "limit": written(line.limit, currency),
        "unit": line.limit.unit,
        "currency": currency if line.limit.unit == "money" else None,
        "most": str(line.limit.most),
        "used": str(line.used),
        "left": str(line.left),
        "left_for_others": str(line.left_for_others),
        "reserve_for_critical": f"{line.reserve}%",
        "until": None if line.until is None else line.until.isoformat(),
    }


def _print(config: Config, lines: list[Line], now: datetime) -> None:
    from bridge.config.derived import main_currency
    from bridge.dispatch.budgets import amount_of, written
    from bridge.dispatch.limits import shown_name

    currency = main_currency(config) or ""
    times = tables.Times(ZoneInfo(config.timezone), now)

    def cells(line: Line) -> tuple[str, ...]:
        unit = line.limit.unit
        left = amount_of(unit, line.left_for_others, currency)
        kept = f", {amount_of(unit, line.left, currency)} for critical" if line.reserve else ""
        used = amount_of(unit, line.used, currency)
        return (
            tables.shown_text(shown_name(line.name)), written(line.limit, currency), used, times.at(line.until),
            f"{left}{kept}",
        )  # fmt: skip

    tables.show(("BUDGET", "LIMIT", "USED", times.named("UNTIL"), "LEFT"), [cells(line) for line in lines])
