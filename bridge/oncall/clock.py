"""Wall clocks and moments: the two places where changing clocks matter (FORMAT §2)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)


def moment_of(wall: datetime, zone: ZoneInfo) -> datetime:
    """When the clock in *zone* shows the naive *wall*: in a doubled hour the first pass, in a missing hour the
    first minute after it."""
    first = wall.replace(tzinfo=zone, fold=0)
    moment = first.astimezone(UTC)
    if moment.astimezone(zone).replace(tzinfo=None) == wall:
        return moment
    return change_between(moment - DAY, moment + DAY, zone) or moment


def moments_of(wall: datetime, zone: ZoneInfo) -> Iterator[datetime]:
    """Every moment at which the clock shows *wall*, and where it never does, the first one after."""
    yield moment_of(wall, zone)
    second = wall.replace(tzinfo=zone, fold=1).astimezone(UTC)
    if second.astimezone(zone).replace(tzinfo=None) == wall:
        yield second


def change_between(begin: datetime, end: datetime, zone: ZoneInfo) -> datetime | None:
    """The moment between *begin* and *end* (at most a few days apart) at which clocks jump, to the second."""
    before = begin.astimezone(zone).utcoffset()
    if end.astimezone(zone).utcoffset() == before:
        return None
    low, high = 0, int((end - begin).total_seconds())
    while high - low > 1:
        middle = (low + high) // 2
        if (begin + timedelta(seconds=middle)).astimezone(zone).utcoffset() == before:
            low = middle
        else:
            high = middle
    return begin + timedelta(seconds=high)
