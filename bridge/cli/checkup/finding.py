"""What a check is given, and what it gives back."""

from __future__ import annotations

import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from bridge.book.loading import LoadedBook
    from bridge.config.models import Config

Mark = Literal["ok", "bad", "warn", "look"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One sentence about one thing. *mend* says what to do where it is not well; ``look`` asks for eyes."""

    mark: Mark
    about: str
    what: str
    mend: str = ""


Findings = tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class Patient:
    """The bridge that is looked at. *trust* replaces the system's trust in TLS (for a relay of one's own authority)."""

    path: Path  # of the configuration
    loaded: LoadedBook
    now: datetime
    within: float = 10.0  # seconds for one question to the network
    trust: ssl.SSLContext | None = None

    @property
    def config(self) -> Config:
        """The configuration; only looked at where it holds no errors."""
        return self.loaded.loaded.config

    @property
    def store_path(self) -> Path | None:
        """The store's file, None where it is no SQLite store."""
        scheme, _, path = self.config.store.url.partition("://")
        return Path(path) if scheme == "sqlite" else None


Check = Callable[[Patient], Awaitable[Findings]]
