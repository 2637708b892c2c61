"""Secrets are named in the configuration, never written there; only ``resolve`` reads one (T30).

``SecretText`` keeps what was read out of every print, log and traceback (T29): its text is had by ``reveal()`` alone.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from bridge.errors import ConfigError

SecretKind = Literal["env", "file", "credential"]
IN_THE_FILE = "a secret stands in the file; write {credential: NAME}, {env: NAME} or {file: PATH}"
_MOST_BYTES = 64 * 1024


class SecretText:
    """A secret that never prints itself."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The text itself, for the one call that sends or compares it."""
        return self._text

    def __repr__(self) -> str:
        return "***"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return "***"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SecretText) and other._text == self._text

    def __hash__(self) -> int:
        return hash((SecretText, self._text))

    def __reduce__(self) -> str:
        raise TypeError("a secret is not to be pickled")


@dataclass(frozen=True, slots=True)
class Secret:
    """Where a secret is found: a variable, a file, or a systemd credential."""

    kind: SecretKind
    name: str

    def resolve(self, where: str = "") -> SecretText:
        """The secret itself, without the line end behind it. *where* (``config.yaml:33:15 PATH``) leads the error.

        From now on no log shows it (T29). Raises ConfigError when it is not there, may not be read, is empty, or its
        file is open to others.
        """
        try:
            text = self._read()
        except _NotThere as problem:
            raise ConfigError((f"{where}: {problem}" if where else str(problem),)) from None
        from bridge.observe.redact import register_secret  # a checking program needs no log

        register_secret(text)
        return SecretText(text)

    def _read(self) -> str:
        if self.kind == "env":
            text = os.environ.get(self.name, "")
            if not text:
                raise _NotThere(f"the environment variable {self.name} is not set")
            return text
        if self.kind == "file":
            return _file_text(Path(self.name), f"{self.name} is not there")
        folder = os.environ.get("CREDENTIALS_DIRECTORY", "")
        missing = (
            f"credential {self.name} is not given; with systemd: LoadCredential={self.name}:/etc/smsbridge/{self.name}"
        )
        if not folder:
            raise _NotThere(missing)
        return _file_text(Path(folder) / self.name, missing)


class _NotThere(Exception):
    """A secret could not be had; the sentence never holds the secret."""


def _file_text(path: Path, missing: str) -> str:
    """The text of a secret file that only its owner (and group) may read."""
    try:
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode):
            raise _NotThere(f"{path} is no file")
        if mode & (stat.S_IROTH | stat.S_IWOTH):
            word = "read" if mode & stat.S_IROTH else "change"
            raise _NotThere(f"{path}: a secret that everybody may {word} (mode {stat.S_IMODE(mode):04o}); chmod 600")
        with path.open("rb") as file:
            content = file.read(_MOST_BYTES)
    except FileNotFoundError:
        raise _NotThere(missing) from None
    except OSError as error:
        raise _NotThere(f"{path} cannot be read: {error.strerror}") from None
    try:
        text = content.decode("utf-8").removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError:
        raise _NotThere(f"{path} is not UTF-8 text") from None
    if not text:
        raise _NotThere(f"{path} is empty")
    return text


_NAMES = {"env": r"[A-Za-z_][A-Za-z0-9_]{0,254}", "credential": r"(?!\.{1,2}$)[A-Za-z0-9._-]{1,255}", "file": r".+"}
_WHAT = {
    "env": "a name of letters, digits and _",
    "credential": "a name of letters, digits, dot, - and _",
    "file": "a path",
}


def parse_secret(value: object) -> Secret:
    """``{credential: smsc}`` → Secret. Raises ValueError, which never quotes what stands there."""
    if isinstance(value, Secret):
        return value
    if not isinstance(value, Mapping):
        raise ValueError(IN_THE_FILE)
    if len(value) != 1 or (kind := str(next(iter(value)))) not in _NAMES:
        raise ValueError("exactly one of {credential: NAME}, {env: NAME} or {file: PATH}")
    name = next(iter(value.values()))
    if not isinstance(name, str) or not re.fullmatch(_NAMES[kind], name):
        raise ValueError(f"{kind}: {_WHAT[kind]} belongs here")
    return Secret(kind, str(name))  # type: ignore[arg-type]  # kind is one of the keys of _NAMES
