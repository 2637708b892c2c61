"""When a mail that is waited for must have come (FORMAT §11 Watch). Pure: the clock is an argument.

``every`` is elapsed time, ``cron`` the wall clock of the watch's zone: a time in the hour that clocks skip is the
first minute after it, one in the doubled hour is its first pass (so does cronsim, as Debian's cron does).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from bridge.book.standing import Watched

PAUSES = 13
"""Between the 14 arrivals that teach a cadence (FORMAT §11 ``learn``)."""


def learned(pauses: Sequence[float]) -> timedelta | None:
    """The cadence that *pauses* teach, seconds between arrivals, latest last; None until there are enough.

    The longest but one: weekends without a mail are part of the cadence, because two of them are among fourteen
    arrivals, and one night that was missed is not.
    """
    latest = pauses[-PAUSES:]
    return timedelta(seconds=sorted(latest)[-2]) if len(latest) == PAUSES else None


def must_come(watch: Watched, last: datetime, pauses: Sequence[float] = ()) -> datetime | None:
    """The moment by which the mail after the one that came at *last* must be there, without ``grace``.

    None where *pauses* have to teach it and cannot yet (``learn``). A mail belongs to the first moment of the cron
    entry whose grace is not over when it comes: one that is early or a little late is that day's, and the next is
    waited for.
    """
    if watch.written.every is not None:
        return last + watch.written.every
    if watch.written.cron is None:
        cadence = learned(pauses)
        return None if cadence is None else last + cadence
    its_own = _first(watch.written.cron, watch.zone, last - watch.written.grace, inclusive=True)
    return _first(watch.written.cron, watch.zone, its_own)


def must_come_first(watch: Watched, begin: datetime) -> datetime | None:
    """The same for a watch that has seen no mail yet and waits since *begin*."""
    if watch.written.cron is not None:
        return _first(watch.written.cron, watch.zone, begin, inclusive=True)
    return must_come(watch, begin)


def _first(cron: str, zone: ZoneInfo, after: datetime, *, inclusive: bool = False) -> datetime:
    """The first moment of *cron* after *after*, in UTC; *inclusive*: or that moment itself."""
    from cronsim import CronSim

    start = after - timedelta(seconds=1) if inclusive else after
    return next(CronSim(cron, start.astimezone(zone))).astimezone(UTC)
