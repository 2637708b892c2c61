"""Addresses of pages in an alert: most of their letters help nobody who reads them on a phone at night."""

from __future__ import annotations

import re
from collections.abc import Iterator

from bridge.sms.edits import Edit
from bridge.sms.tables import Table

_LONG_PATH = 30  # characters
_MOST_BEFORE = 40  # characters before an address in which the words that announce it stand
_address = re.compile(r"\b(?:https?|ftp)://[^\s<>\"«»]{1,2000}", re.IGNORECASE).finditer
_scheme = re.compile(r"[a-z]+://(?:[^/?#@\s]*@)?(?:www\.)?", re.IGNORECASE).match
_PAIRS = {"(": ")", "[": "]", "<": ">"}


def addresses(text: str, table: Table) -> Iterator[Edit]:
    """Addresses that stand beside what a text says go: ``(https://…)``, ``Details: https://…``, one on its own line.

    Those it speaks of (``https://shop.example/pay is down``) lose scheme, login, query and last slash, and a long path.
    """
    for start, end in _addresses(text):
        around = _around(text, start, end, table)
        if around and text[: around[0]].strip() + text[around[1] :].strip():
            yield Edit(*around, "")
        else:
            yield Edit(start, end, _bare(text[start:end]))


def _addresses(text: str) -> Iterator[tuple[int, int]]:
    for found in _address(text):
        start, end = found.span()
        while text[end - 1] in ".,;:!?'" or (text[end - 1] in ")]" and not _opened(text[start:end])):
            end -= 1
        yield start, end


def _opened(address: str) -> bool:
    """Whether the bracket that ends *address* belongs to it: ``/wiki/A_(b)``."""
    close = address[-1]
    return address.count("(" if close == ")" else "[") >= address.count(close)


def _bare(address: str) -> str:
    scheme = _scheme(address)
    bare = address[scheme.end() :] if scheme else address
    bare = bare.partition("?")[0].partition("#")[0].rstrip("/")
    host, _, path = bare.partition("/")
    return (host if len(path) > _LONG_PATH else bare) or address


def _around(text: str, start: int, end: int, table: Table) -> tuple[int, int] | None:
    """The stretch that goes with a needless address: its brackets, the words that announce it, its line; else None."""
    line_ends = end == len(text) or text[end] in "\n.,;)"
    announced = table.pointer.search(text, max(0, start - _MOST_BEFORE), start) if line_ends else None
    if announced:
        start = announced.start() + (announced[0][:1] == "." and text[end : end + 1] == "\n")
    elif (not start or text[start - 1] == "\n") and (end == len(text) or text[end] == "\n"):
        return max(start - 1, 0), end
    if start and _PAIRS.get(text[start - 1]) == text[end : end + 1]:
        start, end = start - 1, end + 1
        return start - text[:start].endswith(" "), end
    return (start, end) if announced else None
