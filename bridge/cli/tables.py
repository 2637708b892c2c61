"""Tables for a terminal: columns as wide as they need, the last one cut to what is left, colour never the only sign."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import click

_COLOURS = {
    "READY": "cyan", "HELD": "yellow", "INFLIGHT": "blue", "UNKNOWN": "magenta", "ACCEPTED": "blue",
    "ACCEPTED_NO_ID": "blue", "HANDED_OVER": "blue", "DELIVERED": "green", "UNDELIVERED": "red", "REJECTED": "red",
    "EXPIRED": "red", "CANCELLED": "bright_black", "QUARANTINED": "red", "RECEIVED": "cyan", "FAILED": "red",
    "SENT": "green", "open": "red", "acked": "yellow", "resolved": "green", "closed": "bright_black",
    "critical": "red", "high": "yellow",
}  # fmt: skip
_GAP = "  "
_NARROWEST = 20


def show(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print *rows* under *header*. Words that the bridge uses as states have their colour."""
    widths = [max(len(cell) for cell in column) for column in zip(header, *rows, strict=True)]
    widths[-1] = min(widths[-1], _left(widths[:-1]))
    click.echo(click.style(_line(header, widths), bold=True))
    for row in rows:
        click.echo(_line(row, widths, coloured=True))


def facts(pairs: Sequence[tuple[str, str]]) -> None:
    """Print names and values below each other; a pair without a value is left out."""
    width = max((len(name) for name, value in pairs if value), default=0)
    for name, value in pairs:
        if value:
            click.echo(f"{click.style(f'{name:<{width}}', bold=True)}{_GAP}{_coloured(value, value)}")


@dataclass(frozen=True, slots=True)
class Times:
    """Times as the reader of a table wants them: in one zone, with the day where it is not today."""

    zone: ZoneInfo
    now: datetime

    def at(self, moment: datetime | None) -> str:
        """``03:12``, ``20 Nov 03:12``; "" for None."""
        if moment is None:
            return ""
        local, today = moment.astimezone(self.zone), self.now.astimezone(self.zone)
        clock = local.strftime("%H:%M")
        return clock if local.date() == today.date() else f"{local.day} {local:%b} {clock}"

    def named(self, text: str) -> str:
        """*text* with the name of the zone: once in what is printed."""
        return f"{text} ({self.zone.key})"

    def age(self, moment: datetime) -> str:
        """``29 min`` since *moment*."""
        return span(self.now - moment)


def span(length: timedelta) -> str:
    """``12 s``, ``29 min``, ``5 h``, ``3 d``; rounded down, never negative."""
    from bridge.words.figures import measure

    number, unit = measure(length)
    return f"{number} {'min' if unit == 'm' else unit}"


def shown_text(text: str) -> str:
    """Foreign text on one line, without characters that could move a terminal's cursor."""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())


def marks() -> tuple[str, str, str]:
    """Good, bad and doubtful, as this terminal can show them."""
    try:
        "✓✗".encode(sys.stdout.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return "ok", "BAD", "??"
    return "✓", "✗", "!"


def _left(widths: Sequence[int]) -> int:
    """What the last column may take: all of it where nobody looks."""
    if not sys.stdout.isatty():
        return sys.maxsize
    columns = shutil.get_terminal_size().columns
    return max(_NARROWEST, columns - sum(widths) - len(_GAP) * len(widths))


def _line(cells: Sequence[str], widths: Sequence[int], *, coloured: bool = False) -> str:
    cut = [cell if len(cell) <= width else f"{cell[: width - 1]}…" for cell, width in zip(cells, widths, strict=True)]
    padded = [*(f"{cell:<{width}}" for cell, width in zip(cut[:-1], widths[:-1], strict=True)), cut[-1]]
    return _GAP.join(_coloured(cell, text) if coloured else text for cell, text in zip(cells, padded, strict=True))


def _coloured(word: str, text: str) -> str:
    return click.style(text, fg=_COLOURS[word]) if word in _COLOURS else text
