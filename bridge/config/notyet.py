"""What the format has and this version does not do yet. ``check`` says so for every such key that is written.

A pattern is a path of the configuration (``*`` = any name or number) or, beginning with ``rule``, of a rule at any
depth; with *only*, just for values that begin with one of these words.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise

from bridge.config.checks.whole import Whole
from bridge.config.document import Data, Document
from bridge.config.problem import Path, Problem
from bridge.config.scalar import core_data, is_null

IGNORED = "not built yet; this version ignores it"
REFUSED = "not built yet; this version does not start it"


@dataclass(frozen=True, slots=True)
class NotYet:
    """One key (or some values of it), and what happens with it meanwhile."""

    path: str
    only: tuple[str, ...] = ()
    unless: tuple[str, ...] = ()  # values that are built
    sentence: str = IGNORED


NOT_YET: tuple[NotYet, ...] = (
    NotYet("mailboxes"),
    NotYet("listen.*.door", only=("lmtp", "folder"), sentence=REFUSED),
    NotYet("listen.*.proxy_protocol", sentence=REFUSED),
    NotYet("listen.*.serve", only=("api", "webhooks", "smsc")),
    NotYet("sources.*.mailbox"),
    NotYet("sources.*.token"),
    NotYet("sources.*.scopes"),
    NotYet("store", only=("postgresql:",), sentence="not built yet; this version has sqlite only"),
    NotYet("store.url", only=("postgresql:",), sentence="not built yet; this version has sqlite only"),
    NotYet("store.password"),
    NotYet("spool"),
    NotYet("outgoing_mail.dkim"),
    NotYet("outgoing_mail.reply_domain"),
    NotYet("people.*.one_time_code"),
    NotYet("monitors"),
    NotYet("commands.one_time_code"),
    NotYet("commands.trust_caller_id"),
    NotYet("commands.run"),
    NotYet("http.proxies"),
    NotYet("http.sign_in", only=("header", "oidc")),
    NotYet("http.roles"),
    NotYet("http.header"),
    NotYet("http.oidc"),
    NotYet("keep.mail"),
    NotYet("keep.messages"),
    NotYet("keep.audit"),
    NotYet("keep.dropped"),
    NotYet("heartbeat"),
    NotYet("reload", only=("on change",)),
    NotYet("rule.replies.ack"),
    NotYet("rule.receipts.mail", unless=("failures", "never")),
)


def not_yet(whole: Whole) -> Iterator[Problem]:
    """A warning for each key that is written and not built."""
    for name in (whole.places.main, *whole.places.included):
        if name in whole.places.documents:
            yield from _found(whole.places.documents[name])
    for name, _ in whole.rule_files:
        yield from _found(whole.places.documents[name])


def _found(document: Document) -> Iterator[Problem]:
    for path, value in _paths(document.data, ()):
        spelled = _spelled(path)
        for one in _BY_LAST.get(spelled[-1], ()):
            if _fits(tuple(one.path.split(".")), spelled) and _meant(one, value):
                yield document.problem(path, _worded(one, value), "warning", of_key=True)


def _paths(data: Data, path: Path) -> Iterator[tuple[Path, Data]]:
    items = data.items() if isinstance(data, Mapping) else enumerate(data) if isinstance(data, list) else ()
    for part, value in items:
        here = (*path, part)
        yield here, value
        yield from _paths(value, here)


def _spelled(path: Path) -> tuple[str, ...]:
    """The path as patterns have it: ``rules.3.rules.0.quiet`` and ``defaults.quiet`` are ``rule.quiet``."""
    parts = ["rule"] if path[0] == "defaults" else [str(path[0])]
    for before, part in pairwise(path):
        if before == "rules" and isinstance(part, int):
            parts = ["rule"]
        else:
            parts.append(str(part))
    return tuple(parts)


def _fits(pattern: tuple[str, ...], path: tuple[str, ...]) -> bool:
    return len(pattern) == len(path) and all(one in ("*", part) for one, part in zip(pattern, path, strict=True))


def _meant(one: NotYet, value: Data) -> bool:
    """Whether this value is one of those that are not built; null and false values that switch off never are."""
    if is_null(value) or value in ([], {}):
        return False
    return bool(_words(one, value)) if one.only or one.unless else core_data(value) is not False


def _words(one: NotYet, value: Data) -> list[str]:
    """The words of *value* that are not built."""
    words = [str(word).lower() for word in (value if isinstance(value, list) else [value])]
    if one.only:
        return [word for word in words if word.startswith(one.only)]
    return [word for word in words if word not in one.unless]


def _worded(one: NotYet, value: Data) -> str:
    """The sentence; where only some values are not built, it names them."""
    words = _words(one, value) if one.only or (one.unless and one.unless != ("false",)) else []
    if not words or isinstance(value, Mapping) or any(":" in word for word in words):
        return one.sentence
    return f"{' and '.join(words)} {'is' if len(words) == 1 else 'are'} {one.sentence}"


_BY_LAST: dict[str, list[NotYet]] = {}
for _one in NOT_YET:
    _BY_LAST.setdefault(_one.path.rsplit(".", 1)[-1], []).append(_one)
