"""The list of what is not built yet: the reference names it, and every entry is a key that exists."""

from __future__ import annotations

from pathlib import Path

import pytest

from bridge.config.models import Config, Rule, RuleFile
from bridge.config.models.base import aliases
from bridge.config.notyet import NOT_YET, NotYet
from bridge.config.validate import models_at

REFERENCE = (Path(__file__).parents[3] / "docs/reference/config.md").read_text(encoding="utf-8")


def values(one: NotYet) -> str:
    if one.only:
        return ", ".join(f"`{word}`" for word in one.only)
    return "all but " + ", ".join(f"`{word}`" for word in one.unless) if one.unless else "all"


def test_the_reference_names_everything_that_is_not_built() -> None:
    rows = REFERENCE.split("<!-- not yet -->")[1].strip().splitlines()[2:]
    assert rows == [f"| `{one.path}` | {values(one)} |" for one in NOT_YET]


@pytest.mark.parametrize("one", NOT_YET, ids=lambda one: one.path)
def test_every_entry_is_a_key_of_the_format(one: NotYet) -> None:
    *above, key = one.path.split(".")
    root = Rule if above[:1] == ["rule"] else RuleFile if one.path.startswith("watch.") else Config
    path = tuple(0 if part == "*" and above[0] in ("listen", "watch") else part for part in above if part != "rule")
    if above[:1] == ["sources"]:
        path = (*path, 0)  # a source is a list of ways in
    owners = models_at(root, path)
    assert any(key in aliases(owner) for owner in owners), owners
