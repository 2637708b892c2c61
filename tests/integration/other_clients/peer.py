"""Programs that other people wrote, as processes of their own: where they are installed, and how one is talked to.

npm's are installed once, from the lock beside their scripts, into a folder of the virtual environment; Python's live in
a virtual environment that ``tools/test-setup`` makes. Nothing is skipped where one is missing: the test fails.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
PEERS = Path(sys.prefix) / "peers"


def npm_folder(sources: Path) -> Path:
    """A folder with the scripts of *sources* and what they need; made anew when any of them changes."""
    files = sorted(path for path in sources.iterdir() if path.suffix in (".js", ".json"))
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()[:16]
    folder = Path(sys.prefix) / f"{sources.name}-{digest}"
    if not folder.exists():
        made = folder.with_suffix(".new")
        shutil.rmtree(made, ignore_errors=True)
        made.mkdir()
        for path in files:
            shutil.copy(path, made)
        command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
        subprocess.run(command, cwd=made, check=True, timeout=50, stdin=subprocess.DEVNULL)
        made.rename(folder)
    return folder


def python() -> str:
    """The Python that has other people's clients. AssertionError says how to get it."""
    installed, wanted = PEERS / "lock.txt", ROOT / "requirements" / "peers.txt"
    same = installed.exists() and installed.read_bytes() == wanted.read_bytes()
    assert same, "other people's Python clients are not installed as requirements/peers.txt says: run tools/test-setup"
    return str(PEERS / "bin" / "python")


class Peer:
    """A process that prints one JSON object a line: what it said so far, and a way to tell it something."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.said: list[dict[str, Any]] = []
        self.reading = asyncio.create_task(self._read())

    async def _read(self) -> None:
        assert self._process.stdout is not None
        while line := await self._process.stdout.readline():
            self.said.append(json.loads(line))

    def tell(self, what: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(what).encode() + b"\n")

    def all(self, what: str) -> list[dict[str, Any]]:
        return [one for one in self.said if one["what"] == what]

    async def heard(self, what: str, count: int = 1) -> list[dict[str, Any]]:
        """Waits for *count* such lines. AssertionError when the process ends without them."""
        async with asyncio.timeout(20):
            while len(self.all(what)) < count:
                assert not self.reading.done(), f"it ended without {what!r}: {self.said}"
                await asyncio.sleep(0.01)
        return self.all(what)

    async def ended(self) -> int:
        """Its exit code, once it has ended by itself and everything it said is read."""
        async with asyncio.timeout(20):
            await self.reading
            return await self._process.wait()


@asynccontextmanager
async def running(
    *command: str, cwd: Path | None = None, environment: Mapping[str, str] | None = None
) -> AsyncIterator[Peer]:
    """The process of *command* inside the block, with *environment* besides the usual."""
    pipe = asyncio.subprocess.PIPE
    whole = dict(os.environ) | dict(environment or {})
    process = await asyncio.create_subprocess_exec(*command, cwd=cwd, stdin=pipe, stdout=pipe, env=whole)
    peer = Peer(process)
    try:
        yield peer
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
        await peer.reading
