"""Finding links between our own pages that lead nowhere.

Knows Markdown as far as links and headings go. Links to other hosts are not followed: a build needs no network.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

_FENCE = re.compile(r"^(```|~~~).*?^\1[ \t]*$", re.M | re.S)
_CODE = re.compile(r"(`+)(?!`).*?(?<!`)\1(?!`)", re.S)
_COMMENT = re.compile(r"<!--.*?-->", re.S)
_LINKS = (
    re.compile(r"\]\(\s*<?([^)\s>]+)>?(?:\s+[\"'][^)]*)?\)"),
    re.compile(r"^\[[^\]]+\]:\s+<?(\S+?)>?(?:\s|$)", re.M),
    re.compile(r"<(?:a|img|source)\b[^>]*?\b(?:href|src|srcset)=\"([^\"]+)\""),
)
_HEADING = re.compile(r"^#{1,6}\s+(.+?)\s*#*$", re.M)
_ANCHOR = re.compile(r"<a\s+(?:id|name)=\"([^\"]+)\"")
_ELSEWHERE = re.compile(r"^[a-z][a-z0-9+.-]*:|^//", re.I)


@dataclass(frozen=True, slots=True)
class BrokenLink:
    """A link that leads nowhere: *page* and *line* (from 1) are where it stands."""

    page: Path
    line: int
    target: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}: {self.target} leads nowhere"


def pages(root: Path) -> tuple[Path, ...]:
    """The Markdown pages people read: those at the top of *root* and all under ``docs`` and ``rules``."""
    below = (path for folder in ("docs", "rules") for path in (root / folder).rglob("*.md"))
    return tuple(sorted([*root.glob("*.md"), *below]))


def broken_links(root: Path) -> tuple[BrokenLink, ...]:
    """Every relative link of *pages* whose file or heading does not exist, in order of pages and lines."""
    return tuple(
        BrokenLink(page.relative_to(root), line, target)
        for page in pages(root)
        for line, target in _links(page)
        if not _resolves(target, page, root)
    )


def anchors(text: str) -> frozenset[str]:
    """The names a link may end in: headings as forges write them, and ``<a id="…">``."""
    body = _blank(_FENCE, text)
    found: dict[str, int] = {}
    names: set[str] = set(_ANCHOR.findall(body))
    for heading in _HEADING.findall(body):
        slug = _slug(heading)
        seen = found.get(slug, 0)
        found[slug] = seen + 1
        names.add(f"{slug}-{seen}" if seen else slug)
    return frozenset(names)


def _slug(heading: str) -> str:
    shown = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", heading)
    kept = re.sub(r"[^\w\- ]", "", shown.lower())
    return kept.replace(" ", "-")


def _links(page: Path) -> Iterator[tuple[int, str]]:
    text = page.read_text(encoding="utf-8")
    for part in (_FENCE, _COMMENT, _CODE):
        text = _blank(part, text)
    found = [(match.start(1), match[1]) for pattern in _LINKS for match in pattern.finditer(text)]
    for position, target in sorted(found):
        yield text.count("\n", 0, position) + 1, target


def _blank(part: re.Pattern[str], text: str) -> str:
    """*text* without what *part* finds, with its lines still where they were."""
    return part.sub(lambda match: "\n" * match[0].count("\n"), text)


def _resolves(target: str, page: Path, root: Path) -> bool:
    if _ELSEWHERE.match(target):
        return True
    name, _, anchor = target.partition("#")
    file = (page.parent / unquote(name)).resolve() if name else page
    if not file.exists() or not file.is_relative_to(root.resolve()):
        return False
    if not anchor or file.suffix != ".md":
        return True
    return unquote(anchor) in anchors(file.read_text(encoding="utf-8"))
