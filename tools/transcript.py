"""Replaying the commands of a page: ``python -m tools.transcript PAGE`` pastes what they print now.

A page that has one file after the other and ``$ smsbridge …`` in ``console`` blocks is a story. It is played in a
folder of its own: a block that names a file writes it anew, a command runs there, and what it prints stands below it.
"""

from __future__ import annotations

import io
import os
import re
import shlex
import sys
import tempfile
from collections.abc import Iterator
from contextlib import chdir, redirect_stderr, redirect_stdout, suppress
from pathlib import Path
from unittest.mock import patch

from bridge.cli.main import run
from tools.pages import Block, blocks

_PROMPT = "$ "
_WIDTH = "120"  # columns; fixed, or the pages would follow the terminal of whoever writes them
_CONSOLE = re.compile(r"^```console\n(.*?)^```$", re.M | re.S)


def fresh(path: Path) -> str:
    """The text of the page at *path* with every ``console`` block as it would be now."""
    with tempfile.TemporaryDirectory() as folder:
        return replayed(path.read_text(encoding="utf-8"), Path(folder))


def replayed(page: str, folder: Path) -> str:
    """The text of *page*, played in *folder*; raises ValueError for a command that is not ours."""
    outputs = iter([*_played(blocks(page), folder)])
    return _CONSOLE.sub(lambda _: f"```console\n{next(outputs)}```", page)


def _played(found: tuple[Block, ...], folder: Path) -> Iterator[str]:
    for block in found:
        if block.file:
            path = folder / block.file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.text, encoding="utf-8")
        elif block.language == "console":
            yield "\n".join(_run(line, folder) for line in _commands(block)) + "\n"


def _commands(block: Block) -> list[str]:
    return [line.removeprefix(_PROMPT) for line in block.text.splitlines() if line.startswith(_PROMPT)]


def _run(command: str, folder: Path) -> str:
    """The command with its output; only ``smsbridge`` itself can be run."""
    called, *words = shlex.split(command)
    if called != "smsbridge":
        raise ValueError(f"{command!r}: only smsbridge can be replayed")
    said = io.StringIO()
    with (
        chdir(folder), redirect_stdout(said), redirect_stderr(said), patch.dict(os.environ, COLUMNS=_WIDTH),
        suppress(SystemExit),  # how some verbs end
    ):  # fmt: skip
        run(words)
    return "\n".join([f"{_PROMPT}{command}", *map(str.rstrip, said.getvalue().rstrip().splitlines())])


def main(words: list[str]) -> int:
    """Write the pages *words* with the outputs of now."""
    for name in words:
        Path(name).write_text(fresh(Path(name)), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
