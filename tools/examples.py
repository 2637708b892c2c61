"""Running the examples of our pages: ``python -m tools.examples docs/cookbook/hours.md [HEADING]``.

Every example is loaded as ``smsbridge check`` does and its rule tests are played as ``smsbridge test`` does. Exit code
1 when one has a mistake, a warning, or a test that does not hold.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bridge.book.loading import LoadedBook, load_book
from bridge.proof.report import lines
from bridge.proof.runner import Outcome, play
from tools.pages import Section, joined, lay, sections, site

MEANT = ("not built yet", "goes without TLS")  # warnings that an example of such a key cannot be without


@dataclass(frozen=True, slots=True)
class Ran:
    """What came of one example."""

    loaded: LoadedBook
    outcomes: tuple[Outcome, ...]

    @property
    def complaints(self) -> tuple[str, ...]:
        """Mistakes, and warnings but for those that are ``MEANT``."""
        notes = {str(problem) for problem in self.loaded.loaded.problems if problem.level == "note"}
        warnings = (one for one in self.loaded.warnings if one not in notes and not any(word in one for word in MEANT))
        return (*self.loaded.errors, *warnings)

    @property
    def broken(self) -> tuple[str, ...]:
        """Tests that do not hold, with what differs; those of what is not built yet are passed over."""
        return tuple("\n".join(lines(one, 0)) for one in self.outcomes if one.failures or one.broken)

    @property
    def unbuilt(self) -> tuple[str, ...]:
        """The tests that were passed over."""
        return tuple(one.name for one in self.outcomes if one.not_built)


def examples(page: Path) -> Iterator[Section]:
    """The sections of *page* that hold files."""
    return (section for section in sections(page.read_text(encoding="utf-8")) if section.named)


def run(example: Section, folder: Path) -> Ran:
    """Lay the example, with what it does not write of the site, into *folder*; load and play it."""
    loaded = load_book(lay(joined(example.named, site()), folder), tests=True)
    if loaded.book is None:
        return Ran(loaded, ())
    book, files = loaded.book, loaded.loaded.test_files
    played = (play(book, name, file, number) for name, file in files for number in range(len(file.tests)))
    return Ran(loaded, tuple(played))


def main(words: list[str]) -> int:
    """Run the examples of the page *words*[0], or only those whose heading begins with *words*[1]."""
    page, begin = Path(words[0]), "".join(words[1:2])
    bad = 0
    for example in examples(page):
        if not example.title.startswith(begin):
            continue
        with tempfile.TemporaryDirectory() as folder:
            ran = run(example, Path(folder))
            found = "\n".join((*ran.complaints, *ran.broken)).replace(folder + "/", "")
        print(f"{page}:{example.line} {example.title}: {found or f'{len(ran.outcomes)} tests held'}")
        bad += bool(found)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
