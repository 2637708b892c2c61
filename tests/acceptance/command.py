"""One verb of the command line, run to its end in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def smsbridge(*words: str, within: float = 30) -> subprocess.CompletedProcess[str]:
    """``smsbridge WORDS`` as it is typed at the top of the repository; TimeoutExpired after *within* seconds."""
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "bridge.cli.main", *words]
    return subprocess.run(command, capture_output=True, text=True, env=env, cwd=ROOT, timeout=within, check=False)
