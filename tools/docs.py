"""Writing the pages, or their parts, that the product itself knows best, and checking every link.

``python -m tools.docs`` writes the pages and then looks for broken links; with ``--check`` it writes nothing and
says which page is older than the program. Exit code 1 if something was found.
"""

from __future__ import annotations

import importlib
import pkgutil
import sys
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path

import click
from click.testing import CliRunner

import bridge.cli
from tools import keys, producers_table, transcript
from tools.links import broken_links

ROOT = Path(__file__).resolve().parent.parent
_WIDTH = 100  # columns of a help text; fixed, or the pages would follow the terminal of whoever writes them


def commands_page() -> str:
    """Every verb with its help text, as ``smsbridge VERB --help`` prints it."""
    verbs = list(_verbs())
    lines = [
        "# Commands",
        "",
        "Written by `make docs` from the program itself. `smsbridge VERB --help` prints the same.",
        "",
        *(f"* [`smsbridge {name}`](#smsbridge-{name.replace(' ', '-')}): {_short(command)}" for name, command in verbs),
    ]
    for name, command in verbs:
        lines += ["", f"## smsbridge {name}", "", "```text", _help(name, command), "```"]
    return "\n".join(lines) + "\n"


def schema_page() -> str:
    """The JSON Schema of the configuration for editors, as ``smsbridge schema`` prints it."""
    command = importlib.import_module("bridge.cli.schema").command
    return CliRunner().invoke(command, catch_exceptions=False).stdout


PAGES: Mapping[str, Callable[[], str]] = {
    "docs/reference/commands.md": commands_page,
    "docs/reference/config.schema.json": schema_page,
    "docs/reference/producers.md": producers_table.page,
    "docs/tutorial/rules.md": partial(transcript.fresh, ROOT / "docs/tutorial/rules.md"),
    **{f"{keys.FOLDER}/{page.name}": partial(keys.rewritten, page) for page in keys.pages()},
}


def stale(root: Path, pages: Mapping[str, Callable[[], str]]) -> tuple[str, ...]:
    """The names of *pages* whose file under *root* is not what would be written now."""
    return tuple(name for name, write in pages.items() if _read(root / name) != write())


def write(root: Path, pages: Mapping[str, Callable[[], str]]) -> None:
    """Write all *pages* under *root*; folders are made."""
    for name, page in pages.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(page(), encoding="utf-8")


def _verbs() -> Iterator[tuple[str, click.Command]]:
    """Each verb is a file of ``bridge.cli`` with a ``command``; a group brings its own verbs along."""
    for module in sorted(pkgutil.iter_modules(bridge.cli.__path__), key=lambda module: module.name):
        found = getattr(importlib.import_module(f"bridge.cli.{module.name}"), "command", None)
        if isinstance(found, click.Command) and not found.hidden:
            yield from _with_children(module.name.strip("_").replace("_", "-"), found)


def _with_children(name: str, command: click.Command) -> Iterator[tuple[str, click.Command]]:
    yield name, command
    if isinstance(command, click.Group):
        for child in sorted(command.commands):
            yield from _with_children(f"{name} {child}", command.commands[child])


def _context(name: str, command: click.Command) -> click.Context:
    return click.Context(command, info_name=f"smsbridge {name}", terminal_width=_WIDTH, max_content_width=_WIDTH)


def _help(name: str, command: click.Command) -> str:
    return command.get_help(_context(name, command)).rstrip()


def _short(command: click.Command) -> str:
    return command.get_short_help_str(_WIDTH)


def _read(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.exists() else None


def main(arguments: list[str]) -> int:
    """0 if all is well, 1 if a page is stale or a link is broken."""
    found = []
    if "--check" in arguments:
        found += [f"{name} is not what the program says; run make docs" for name in stale(ROOT, PAGES)]
    else:
        write(ROOT, PAGES)
    found += [str(link) for link in broken_links(ROOT)]
    print("\n".join(found) or "Pages and links are well.")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
