"""Names of time zones: which exist, and which are old names of others.

The database that Python finds knows old names (Asia/Alma-Ata) beside new ones; ``zone.tab`` holds only new ones.
"""

from __future__ import annotations

from functools import cache
from importlib import resources
from zoneinfo import ZoneInfo

from bridge.config.scalar import shown
from bridge.config.similar import nearest

_NEVER_THERE = {"Asia/Alma-Ata": "Asia/Almaty", "Asia/Alma_Ata": "Asia/Almaty", "Asia/Astana": "Asia/Almaty"}


@cache
def _current() -> frozenset[str]:
    """Zones of ``zone.tab``: those that stand for places today."""
    table = resources.files("tzdata").joinpath("zoneinfo", "zone.tab").read_text(encoding="utf-8")
    return frozenset(line.split("\t")[2] for line in table.splitlines() if line and not line.startswith("#"))


@cache
def _links() -> dict[str, str]:
    """Old name → name, out of the ``L target link`` lines."""
    rules = resources.files("tzdata").joinpath("zoneinfo", "tzdata.zi").read_text(encoding="utf-8")
    lines = (line.split() for line in rules.splitlines() if line.startswith("L "))
    return {words[2]: words[1] for words in lines}


def parse_zone(text: str) -> str:
    """*text* if it is a zone of the database; else ValueError with the nearest name."""
    try:
        ZoneInfo(text)
    except (OSError, ValueError, KeyError):
        if text in _NEVER_THERE:
            raise ValueError(f"{shown(text)} is an old name; write {_NEVER_THERE[text]}") from None
        found = nearest(text, _current(), first=True)
        hint = f"; did you mean {found[0]}?" if found else "; write one like Asia/Almaty"
        raise ValueError(f"{shown(text)} is no time zone{hint}") from None
    return text


def new_name(zone: str) -> str:
    """The name that replaced the old name *zone*, "" when it is not an old one."""
    if "/" not in zone or zone.startswith("Etc/") or zone in _current():
        return ""
    target = _links().get(zone, "")
    return target if target in _current() else ""
