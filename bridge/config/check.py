"""All checks over everything that was read (FORMAT §1, wording §8)."""

from __future__ import annotations

from collections.abc import Iterator

from bridge.config.checks import doors, money, patterns, people, plain, rules, ruletests, shade, unused, ways
from bridge.config.checks.whole import Whole
from bridge.config.notyet import not_yet
from bridge.config.problem import Problem

_CHECKS = (
    *people.CHECKS, *money.CHECKS, *plain.CHECKS, *doors.CHECKS, *patterns.CHECKS, *rules.CHECKS, *shade.CHECKS,
    *unused.CHECKS, *ways.CHECKS, *ruletests.CHECKS, not_yet,
)  # fmt: skip


def check(whole: Whole) -> Iterator[Problem]:
    """What is wrong between the keys, in no order. Needs no secret, no network and no store."""
    for one in _CHECKS:
        yield from one(whole)
