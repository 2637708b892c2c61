"""Where the packs are that came with the program."""

from __future__ import annotations

from pathlib import Path

import bridge


def shipped_rules() -> Path:
    """The shipped ``rules`` folder: ``bridge/_rules`` in a wheel, ``rules`` beside ``bridge`` in a checkout."""
    room = Path(bridge.__file__).resolve().parent
    installed = room / "_rules"
    return installed if installed.is_dir() else room.parent / "rules"
