"""Where doors listen and relays are found. Errors are ValueErrors that say what is right."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

from bridge.config.scalar import shown

_HOST_PORT = re.compile(r"(?:\[(?P<six>[0-9A-Fa-f:.%]+)\]|(?P<host>[^\s:\[\]/]+)):(?P<port>[0-9]{1,5})")


@dataclass(frozen=True, slots=True)
class Address:
    """Where a door listens: *host* and *port* for ``tcp``; *path* for ``unix`` and ``folder``; *path* = name for
    ``systemd`` (a socket that systemd hands over)."""

    kind: Literal["tcp", "unix", "systemd", "folder"]
    host: str = ""  # without brackets
    port: int = 0
    path: str = ""

    def __str__(self) -> str:
        if self.kind == "tcp":
            return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"
        return {"unix": "unix:", "systemd": "socket:", "folder": ""}[self.kind] + self.path


@dataclass(frozen=True, slots=True)
class Relay:
    """A mail server that takes our mail; ``smtps`` is TLS from the first byte. Without *host* (``relay: mx``): the
    mail exchangers of the recipient's domain."""

    scheme: Literal["smtp", "smtps"]
    host: str
    port: int


@dataclass(frozen=True, slots=True)
class HostPort:
    """A host and a port; IPv6 without brackets."""

    host: str
    port: int


def _shown(text: str) -> str:
    """*text* as an error may show it: without a login and password before an ``@`` (T29)."""
    return shown(text.rpartition("@")[2])


def parse_host_port(text: str) -> HostPort:
    """``0.0.0.0:25``, ``"[::1]:25"``."""
    found = _HOST_PORT.fullmatch(text)
    if not found or not 0 <= int(found["port"]) <= 65535:
        raise ValueError(f"a host and a port, like 0.0.0.0:25; found {shown(text)}")
    return HostPort(found["six"] or found["host"], int(found["port"]))


def parse_address(text: str) -> Address:
    """``0.0.0.0:25``, ``unix:/run/x``, ``socket:NAME``, or ``/a/folder``."""
    if text.startswith("unix:/"):
        return Address("unix", path=text[5:])
    if text.startswith("socket:") and re.fullmatch(r"socket:[\w.@-]+", text):
        return Address("systemd", path=text[7:])
    if text.startswith("/"):
        return Address("folder", path=text)
    place = parse_host_port(text)
    return Address("tcp", place.host, place.port)


def parse_relay(text: str) -> Relay:
    """``smtp://mail.example.kz:25``; without a port 25, with ``smtps`` 465."""
    found = re.fullmatch(r"(smtps?)://([^\s/?#@]+)", text)
    if text == "mx":
        raise ValueError("a mail server, like smtp://mail.example.kz:25; mx is for type: smsc-smtp")
    if not found:
        raise ValueError(f"a mail server, like smtp://mail.example.kz:25; found {_shown(text)}")
    host = found[2] if re.search(r":[0-9]+$", found[2]) else f"{found[2]}:{465 if found[1] == 'smtps' else 25}"
    place = parse_host_port(host)
    return Relay("smtps" if found[1] == "smtps" else "smtp", place.host, place.port)


def parse_relay_or_mx(text: str) -> Relay:
    """``smtp://mail.example.kz:25``, or ``mx``."""
    if text == "mx":
        return Relay("smtp", "", 25)
    if "://" not in text:
        raise ValueError(f"a mail server, like smtp://mail.example.kz:25, or mx; found {_shown(text)}")
    return parse_relay(text)


def parse_url(text: str) -> str:
    """An http or https URL with a host and without login, password and fragment; no slash at its end."""
    try:
        parts = urlsplit(text)
        fits = parts.scheme in ("http", "https") and parts.hostname and (parts.port or 1) > 0
    except ValueError:
        fits = False
    if not fits or re.search(r"\s", text):
        raise ValueError(f"a URL, like https://sms.example.kz; found {_shown(text)}")
    if parts.username or parts.password:
        raise ValueError("a URL must not carry a login or a password")
    return text.rstrip("/")


def parse_store_url(text: str) -> str:
    """``sqlite:///var/lib/x.db`` or ``postgresql://user@host/name``; a password in it is refused."""
    found = re.fullmatch(r"(sqlite|postgresql)://(\S+)", text)
    if not found:
        raise ValueError(f"sqlite:///PATH or postgresql://USER@HOST/NAME; found {_shown(text)}")
    if found[1] == "sqlite" and not found[2].startswith("/"):
        raise ValueError(f"{shown(text)} names no absolute path; write sqlite:///var/lib/smsbridge/bridge.db")
    login, at, _ = found[2].partition("@")
    if found[1] == "postgresql" and ((at and ":" in login) or re.search(r"[?&]password=", found[2])):
        raise ValueError("a password stands in the URL; write it under password: {credential: NAME}")
    return text


def parse_sum(text: str, *needed: str) -> str:
    """``{phone}:{ts}:{secret}``: fields of a provider's call in braces, all *needed* among them, ASCII between."""
    fields = re.findall(r"\{([a-z]+)\}", text)
    if re.search(r"[{}]", re.sub(r"\{[a-z]+\}", "", text)) or not (text.isascii() and text.isprintable()):
        raise ValueError(f"fields in braces with ASCII between them, like {{phone}}:{{secret}}; found {_shown(text)}")
    missing = [name for name in needed if name not in fields]
    if missing:
        names = " and ".join(f"{{{name}}}" for name in missing)
        raise ValueError(f"{names} must be in it, or anybody could change that; found {_shown(text)}")
    return text
