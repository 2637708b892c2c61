"""A YAML scalar before anybody knows what it is meant to be.

The key that a scalar belongs to decides how it is read (FORMAT §1): ``phone: +77010000001`` is text as written,
``parts: 2`` is a number. So a scalar keeps both: itself is the text as written, ``value`` what YAML 1.2 calls it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

Core = str | int | float | bool | None

_INTEGER = re.compile(r"[-+]?[0-9]+")
_OCTAL = re.compile(r"0o[0-7]+")
_HEX = re.compile(r"0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_WORDS: dict[str, Core] = {"true": True, "false": False, "null": None, "~": None, "": None, "Null": None, "NULL": None}
_LONGEST_NUMBER = 40  # digits; longer ones stay text, so that nobody pays for a number of a million digits

EMPTY = "nothing stands here; write a value or take the key away"


class Scalar(str):
    """Text as written, with its YAML 1.2 core value in ``value`` (None for null)."""

    __slots__ = ("value",)
    value: Core

    def __new__(cls, raw: str, *, quoted: bool = False) -> Scalar:
        scalar = super().__new__(cls, raw)
        scalar.value = raw if quoted else core(raw)
        return scalar


def core(raw: str) -> Core:
    """The YAML 1.2 core value of a plain scalar: ``yes`` is text, ``0123`` is 123, ``22:00`` is text."""
    if raw in _WORDS:
        return _WORDS[raw]
    if len(raw) > _LONGEST_NUMBER or raw[0] not in "+-.0123456789":
        return raw
    if _INTEGER.fullmatch(raw):
        return int(raw)
    if _OCTAL.fullmatch(raw):
        return int(raw[2:], 8)
    if _HEX.fullmatch(raw):
        return int(raw[2:], 16)
    return float(raw) if _FLOAT.fullmatch(raw) else raw


def is_null(value: object) -> bool:
    """Whether *value* is the null of a document (Python's None is never in one)."""
    return isinstance(value, Scalar) and value.value is None


def core_data(value: object) -> object:
    """A tree of scalars as plain data with core values: what JSON would hold."""
    if isinstance(value, Scalar):
        return value.value
    if isinstance(value, Mapping):
        return {str(key): core_data(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [core_data(item) for item in value]
    return value


def written(value: object) -> str:
    """The text of a scalar as it was written. Raises ValueError for null, maps and lists."""
    if is_null(value):
        raise ValueError(EMPTY)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | float):
        return str.__str__(value) if isinstance(value, str) else str(value)
    raise ValueError(f"one value; found {shown(value)}")


def shown(value: object) -> str:
    """*value* as an error shows it: quoted and cut at 40 characters; maps and lists only by their kind."""
    if is_null(value) or value is None:
        return "nothing"
    if isinstance(value, Mapping):
        return "a map"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "a list"
    text = str(value).replace("\n", " ")
    return f'"{text if len(text) <= 40 else text[:39] + "…"}"'
