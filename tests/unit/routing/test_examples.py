"""The worked cases: their books compile, and their doors open to whom they should."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from bridge.config.load import load
from bridge.oncall.windows import Windows
from bridge.routing.addresses import Addresses
from bridge.routing.facts import Facts
from bridge.routing.rulebook import compile_rules
from bridge.routing.sources import Sources

CASES = sorted(path for path in (Path(__file__).parents[3] / "docs" / "examples").iterdir() if path.is_dir())
DoorOf = Callable[[str], Addresses]


def door_of(case: str) -> Addresses:
    """The door of the case whose number is *case*."""
    folder = next(path for path in CASES if path.name.startswith(case))
    loaded = load(folder / "config.yaml").require()
    windows = Windows(loaded.config.windows, loaded.config.calendars, loaded.config.timezone)
    rules = compile_rules(
        loaded.rule_files,
        loaded.config,
        compile_value=lambda source, _place: lambda _variables: source,
        windows=windows.test,
        places=loaded.places,
    )
    assert rules.by_name
    assert all(rule.line for rule in rules.by_name.values())
    return Addresses(rules, loaded.config, Sources(loaded.config.sources))


@pytest.mark.parametrize("case", [path.name[:2] for path in CASES])
def test_the_book_of_every_case_compiles(case: str) -> None:
    assert isinstance(door_of(case).listing(), tuple)


@pytest.mark.parametrize(
    "case, facts, address, open_",
    [
        ("01", Facts("smtp", "192.168.1.40"), "alerts@sms.office.example", True),
        ("01", Facts("smtp", "192.168.1.40"), "alerts@office.example", False),
        ("04", Facts("smtp", "10.40.0.10"), "send@send.smsc.kz", True),
        ("04", Facts("smtp", "10.40.0.10"), "other@send.smsc.kz", False),
        ("04", Facts("smtp", "10.40.0.11"), "send@send.smsc.kz", False),
        ("06", Facts("smtp", "10.60.4.4"), "9075550142@vtext.com", True),
        ("06", Facts("smtp", "10.60.4.4"), "+1-907-555-0143@txt.att.net", True),
        ("06", Facts("smtp", "10.60.4.4"), "9075550199@vtext.com", False),
        ("09", Facts("smtp", "203.0.113.1", login="alfa"), "noc@alfa.sms.msp.example", True),
        ("09", Facts("smtp", "203.0.113.1", login="alfa"), "noc@beta.sms.msp.example", False),
        ("12", Facts("smtp", "10.120.0.5"), "backup@sms.hosting.example", True),
    ],
)
def test_the_doors_of_the_cases_open_to_whom_they_should(case: str, facts: Facts, address: str, open_: bool) -> None:
    refusal = door_of(case).refusal(facts, address)
    assert refusal is None if open_ else (refusal or "").startswith("550 5.1.1 ")
