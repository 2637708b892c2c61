"""Taking secrets and telephone numbers out of text that is about to be printed (threats T29).

A secret that was registered is found in every form in which programs carry it: as it is, percent-encoded,
inside base64 (``AUTH PLAIN`` wraps it together with the login, so three alignments are possible), and
escaped by JSON, HTML or Python's ``repr``. A second net catches what was never registered but stands
behind a name that says what it is (``psw=…``).
"""

from __future__ import annotations

import base64
import html
import json
import re
import threading
from collections.abc import Iterator
from urllib.parse import quote, quote_plus

MASK = "***"
_SHORT = 4  # characters: a shorter secret is replaced only where it stands alone, or every line would be stars
_TELEGRAPHED = re.compile(
    r"(?i)\b((?:psw|pwd|passwd|password|apikey|api_key|secret|token)(?:=|%3D|\\?[\"']?\s?:\s?\\?[\"'])"
    r"|authorization\\?[\"']?\s?[:=]\s?\\?[\"']?(?:basic|bearer)\s+|\bAUTH\s+(?:PLAIN|LOGIN|XOAUTH2)\s+)"
    r"[^\s&\"'\\<>;,]+"
)
_PHONE = re.compile(r"(?<![\w.:+-])(?:\+[1-9](?:[ ()-]{0,2}[0-9]){6,14}|[1-9][0-9]{10,12})(?![\w-]|[.:][0-9])")


class _Secrets:
    """The registered secrets, as one pattern."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._forms: set[str] = set()
        self._pattern: re.Pattern[str] | None = None

    def add(self, text: str) -> None:
        forms = set(_forms(text))
        with self._lock:
            if forms <= self._forms:
                return
            self._forms |= forms
            longest_first = sorted(self._forms, key=lambda form: (-len(form), form))
            self._pattern = re.compile("|".join(map(_spelled, longest_first)))

    def clear(self) -> None:
        with self._lock:
            self._forms.clear()
            self._pattern = None

    def hide(self, text: str) -> str:
        pattern = self._pattern
        return pattern.sub(MASK, text) if pattern is not None else text


_secrets = _Secrets()


def register_secret(text: str) -> None:
    """Never print *text* again, in any of its forms. Call it with every secret right after it was resolved."""
    if text.strip():
        _secrets.add(text)


def forget_secrets() -> None:
    """Begin anew (for tests, and for a reload that drops old credentials only after their last use)."""
    _secrets.clear()


def redact(text: str) -> str:
    """*text* with ``***`` in place of every registered secret, and of what a telling name announces."""
    return _TELEGRAPHED.sub(rf"\1{MASK}", _secrets.hide(text))


def mask_numbers(text: str) -> str:
    """*text* with ``+7 701 ••• 45 67`` in place of every telephone number in it.

    Bare digits count as a number when there are 11 to 13 of them, standing alone: as providers write phones.
    """
    return _PHONE.sub(lambda found: _masked(re.sub(r"\D", "", found[0])), text)


def _masked(digits: str) -> str:
    country = 1 if digits[0] in "17" else 2
    return f"+{digits[:country]} {digits[country : country + 3]} ••• {digits[-4:-2]} {digits[-2:]}"


def _spelled(form: str) -> str:
    escaped = re.escape(form)
    return rf"(?<!\w){escaped}(?!\w)" if len(form) < _SHORT else escaped


def _forms(text: str) -> Iterator[str]:
    """Every spelling of *text* that a log line may hold; of a secret of many lines each longer line too."""
    for one in {text, *(line for line in text.splitlines() if len(line) >= 2 * _SHORT)}:
        yield one
        yield from _percent(one)
        yield from _escaped(one)
        yield from _base64(one.encode())


def _percent(text: str) -> Iterator[str]:
    for encoded in (quote(text, safe=""), quote(text), quote_plus(text)):
        yield encoded
        yield re.sub(r"%[0-9A-F]{2}", lambda pair: pair[0].lower(), encoded)


def _escaped(text: str) -> Iterator[str]:
    once = (
        json.dumps(text)[1:-1],
        json.dumps(text, ensure_ascii=False)[1:-1],
        repr(text)[1:-1],
        repr(text.encode())[2:-1],
    )
    yield from once
    for form in once:  # the repr of a thing, inside JSON
        yield json.dumps(form)[1:-1]
        yield json.dumps(form, ensure_ascii=False)[1:-1]
    yield html.escape(text)
    yield html.escape(text, quote=False)


def _base64(data: bytes) -> Iterator[str]:
    """The characters that depend on *data* alone, whatever stands before and after it."""
    for before in range(3):
        encoded = base64.b64encode(b"\0" * before + data).decode()
        first = -(-before * 8 // 6)  # the first character without a bit of what stands before
        last = (before + len(data)) * 8 // 6
        middle = encoded[first:last]
        if len(middle) >= _SHORT:
            yield middle
            yield middle.translate({ord("+"): "-", ord("/"): "_"})
