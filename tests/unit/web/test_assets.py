"""Static files: what is vendored is what it says, and all of it is small (console.md §12)."""

from __future__ import annotations

import gzip
import hashlib
import json
import re
from pathlib import Path

import pytest

import bridge.web
from bridge.web.assets import Assets

STATIC = Path(bridge.web.__file__).parent / "static"
VENDORED = json.loads((STATIC / "vendor.json").read_text())


@pytest.mark.parametrize("name", sorted(VENDORED))
def test_a_vendored_file_is_the_one_of_its_manifest(name: str) -> None:
    entry = VENDORED[name]
    assert set(entry) == {"package", "version", "file", "licence", "source", "sha256"}
    assert hashlib.sha256((STATIC / name).read_bytes()).hexdigest() == entry["sha256"]
    assert (STATIC / f"{Path(name).stem}.LICENSE").read_text()


def test_every_script_is_ours_or_in_the_manifest() -> None:
    assert {path.name for path in STATIC.glob("*.js")} == {"console.js", *VENDORED}


@pytest.mark.parametrize(
    "name, most, packed",
    [("console.css", 32_000, 8_000), ("console.js", 12_000, 5_000), ("idiomorph.js", 15_000, 4_500)],
)
def test_files_stay_within_their_budget(name: str, most: int, packed: int) -> None:
    body = (STATIC / name).read_bytes()
    assert len(body) <= most
    assert len(gzip.compress(body, 9)) <= packed


def test_T28_no_script_evaluates_text() -> None:
    for path in STATIC.glob("*.js"):
        assert not re.search(
            r"\beval\(|new Function|\.innerHTML\s*=|document\.write|insertAdjacentHTML", path.read_text()
        )


def test_the_style_sheet_loads_nothing_from_elsewhere() -> None:
    assert not re.search(r"url\(|@import|https?:", (STATIC / "console.css").read_text())


def test_names_change_with_what_is_in_them() -> None:
    assets = Assets()
    digest = hashlib.sha256((STATIC / "console.css").read_bytes()).hexdigest()[:12]
    assert assets.url("console.css") == f"/static/console.{digest}.css"
    with pytest.raises(KeyError):
        assets.url("vendor.json")
