"""What a text may do to a value: the filters of FORMAT §10, and no others.

Each takes and gives text and looks through the marks of ``shrink``, so they stand in any order. Together they may
handle a million characters in one rendering: a rule that loops over long texts ends there (T18).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any, Final

from jinja2 import Undefined

from bridge.render.marks import bare, marked, through
from bridge.render.names import host_part
from bridge.render.variables import MOST_CHARACTERS, Moment
from bridge.sms import gsm7
from bridge.sms.cutting import cut
from bridge.sms.pieces import KEEP
from bridge.sms.translit import translit, typography

MOST_WORK: Final = 1_000_000  # characters through filters in one rendering
SHORTEST_CUT: Final = 4


class _Work(threading.local):
    """How much one rendering may still do; each thread renders one text at a time."""

    left: int = MOST_WORK


_work = _Work()


def begin() -> None:
    """A new rendering begins."""
    _work.left = MOST_WORK


def _text(value: object) -> str:
    text = str(value)
    _work.left -= len(text) + 1
    if _work.left < 0:
        raise ValueError("the text does too much work")
    return text


def _limited(text: str) -> str:
    if len(text) > MOST_CHARACTERS:
        raise ValueError(f"a value grew beyond {MOST_CHARACTERS} characters")
    return text


def _changing(change: Callable[[str], str]) -> Callable[[object], str]:
    return lambda value: _limited(through(change, _text(value)))


def _gsm(text: str) -> str:
    text = translit(typography(text))
    for letter in gsm7.lacking(text):
        text = text.replace(letter, "?")
    return text


def _shrink(value: object, level: int = 1) -> str:
    return marked(_text(value), level)


def _short(value: object, most: int) -> str:
    return through(lambda text: cut(text, most), _text(value))


def _replace(value: object, old: object, new: object) -> str:
    was, now = bare(_text(old)), bare(_text(new))
    return _limited(through(lambda text: _replaced(text, was, now), _text(value)))


def _replaced(text: str, was: str, now: str) -> str:
    """*text* with *now* for *was*; measured before it is made."""
    if not was:
        return text
    if len(text) + text.count(was) * (len(now) - len(was)) > MOST_CHARACTERS:
        raise ValueError(f"a value grew beyond {MOST_CHARACTERS} characters")
    return text.replace(was, now)


def _default(value: object, other: object = "") -> object:
    """*other* for what is empty as well as for what is not there: an absent label is empty text."""
    missing = isinstance(value, Undefined) or value is None or (isinstance(value, str) and not bare(value))
    return other if missing else value


def _ago(value: object) -> str:
    return _moment(value, "ago").ago()


def _hm(value: object) -> str:
    return str(_moment(value, "hm"))


def _moment(value: object, name: str) -> Moment:
    if not isinstance(value, Moment):
        raise TypeError(f"{name} wants a time")
    return value


FILTERS: Final[Mapping[str, Callable[..., Any]]] = {
    "shrink": _shrink,
    "keep": lambda value: marked(_text(value), KEEP),
    "translit": _changing(translit),
    "gsm": _changing(_gsm),
    "host": _changing(host_part),
    "ago": _ago,
    "hm": _hm,
    "short": _short,
    "upper": _changing(str.upper),
    "lower": _changing(str.lower),
    "replace": _replace,
    "default": _default,
}
