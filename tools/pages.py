"""Reading our own Markdown pages: what stands in their fenced blocks is a site that can be loaded and played.

A block names its file in its first line (``# rules/10-db.yaml``, ``{# rules/templates/night.j2 #}``) or behind its
language (```` ```text alert.eml ````). All named blocks under one heading are one example. What an example does not
write of ``config.yaml`` and the rules is taken from ``docs/reference/site.md``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SITE = ROOT / "docs/reference/site.md"
CONFIG = "config.yaml"
_FENCE = re.compile(r"^```(\w*)[ \t]*(\S*)[ \t]*\n(.*?)^```[ \t]*$", re.M | re.S)
_HEADING = re.compile(r"^#{1,6} +(.+?) *$", re.M)
_NAMED = re.compile(r"(?:#|\{#) ([\w./-]+\.\w+)(?: #\})?\n")
_TOP_KEY = re.compile(r"^([a-z_]+):", re.M)


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block. *file* is "" when it names none; *line* (from 1) is that of its fence."""

    language: str
    file: str
    text: str
    line: int


@dataclass(frozen=True, slots=True)
class Section:
    """What stands under one heading, up to the next of any level."""

    title: str
    line: int
    blocks: tuple[Block, ...]

    @property
    def named(self) -> tuple[Block, ...]:
        """The blocks that are files."""
        return tuple(block for block in self.blocks if block.file)


def blocks(page: str) -> tuple[Block, ...]:
    """All fenced blocks of *page*, as written."""
    return tuple(_block(found, page) for found in _FENCE.finditer(page))


def sections(page: str) -> tuple[Section, ...]:
    """The headings of *page* with their blocks; what looks like a heading inside a block is none."""
    found = blocks(page)
    bare = _FENCE.sub(lambda match: "\n" * match[0].count("\n"), page)
    starts = [(bare.count("\n", 0, match.start()) + 1, match[1]) for match in _HEADING.finditer(bare)]
    ends = [line for line, _ in starts[1:]] + [page.count("\n") + 2]
    return tuple(
        Section(title, line, tuple(block for block in found if line < block.line < end))
        for (line, title), end in zip(starts, ends, strict=True)
    )


def site() -> tuple[Block, ...]:
    """The named blocks of the site that all examples belong to."""
    return tuple(block for block in blocks(SITE.read_text(encoding="utf-8")) if block.file)


def joined(own: Sequence[Block], base: Sequence[Block] = ()) -> Mapping[str, str]:
    """File → text of an example. Of *base* stands what the example does not write: top keys, rules, tests."""
    files = _texts(own)
    for name, text in _texts(base).items():
        if name == CONFIG:
            files[name] = _with_missing_keys(files.get(name, ""), text)
        elif not any(file.startswith("rules/") and "/tests/" not in file for file in files):
            files[name] = text
    return files


def lay(files: Mapping[str, str], folder: Path) -> Path:
    """Write *files* into *folder*; the path of the configuration."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    (folder / "rules").mkdir(exist_ok=True)
    return folder / CONFIG


def _block(found: re.Match[str], page: str) -> Block:
    named = _NAMED.match(found[3])
    line = page.count("\n", 0, found.start()) + 1
    return Block(found[1], found[2] or (named[1] if named else ""), found[3], line)


def _texts(found: Sequence[Block]) -> dict[str, str]:
    files: dict[str, str] = {}
    for block in found:
        files[block.file] = files.get(block.file, "") + block.text
    return files


def _with_missing_keys(own: str, base: str) -> str:
    """*own* and behind it the top keys of *base* that it does not write."""
    written = set(_TOP_KEY.findall(own))
    starts = [*_TOP_KEY.finditer(base)]
    ends = [match.start() for match in starts[1:]] + [len(base)]
    missing = [base[m.start() : end] for m, end in zip(starts, ends, strict=True) if m[1] not in written]
    return own + "".join(missing)
