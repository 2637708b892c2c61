"""The next way of a gateway whose ways are tried in turn, each by a message of its own (FORMAT ``channels``).

A cascade of smsgate goes on by itself. Where a gateway takes one way a request (smsc), we go on: a message that was
refused or did not arrive by its way is followed by one that takes the next. It is never sent while nobody knows what
became of the first (that is for the deadline of an unknown fate), and never after the message's validity.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from bridge.book import RuleBook
from bridge.dispatch import alone
from bridge.dispatch.draft import Draft
from bridge.memory import Needs
from bridge.model import Message

_ONE_WAY_A_REQUEST = "smsc-http"


def needs_of(book: RuleBook, now: datetime) -> Needs:
    """What :func:`go_on` will ask for, where any gateway has several ways."""
    several = any(one.type == _ONE_WAY_A_REQUEST and len(one.channels) > 1 for one in book.config.providers.values())
    return alone.needs_of(book, (), now) if several else Needs()


def go_on(draft: Draft, message: Message, providers: tuple[str, ...]) -> bool:
    """Send *message*, which did not arrive, by the next way of the first of *providers* that has one; False: none has.

    Also False where there is no money for it: then the message has failed, and whoever has to hears of it.
    """
    by = next((name for name in providers if _has_more(draft.book, name, message)), "")
    if not by or draft.now >= message.valid_until:
        return False
    others = tuple(name for name in message.providers if name != by)
    following = replace(
        message, id=0, way=message.way + 1, providers=(by, *others), state="READY", reason="", due_at=draft.now,
        created_at=draft.now,
    )  # fmt: skip
    said = alone.say(draft, following)
    if said is None:
        return False
    draft.log(
        "message.onward", incident_id=said.incident_id, message_id=said.id, of=message.id, provider=by,
        way=_ways(draft.book, by)[said.way],
    )  # fmt: skip
    return True


def _has_more(book: RuleBook, name: str, message: Message) -> bool:
    return message.channel == "sms" and message.way + 1 < len(_ways(book, name))


def _ways(book: RuleBook, name: str) -> tuple[str, ...]:
    provider = book.provider(name)
    return provider.channels if provider is not None and provider.type == _ONE_WAY_A_REQUEST else ()
