"""Search: where is that mail? Without a question, and beside its answers: who unsubscribed, and what takes it back."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from bridge.model import Unsubscribed
from bridge.store import given, views_search
from bridge.store.engine import Tx
from bridge.store.views_search import Found
from bridge.web.console import Console
from bridge.web.pages.listed import listed_message
from bridge.web.seen import Mark, Seen

_NOTHING = Found((), (), (), ())
_NUMBER = re.compile(r"[+0-9 ()•-]+")
_FEWEST_DIGITS = 4  # of the end of a phone, as for messages


@dataclass(frozen=True, slots=True)
class _Hit:
    at: datetime
    clock: str
    who: str
    text: str
    href: str = ""
    why: str = ""
    mark: Mark | None = None


@dataclass(frozen=True, slots=True)
class _Group:
    name: str
    hits: tuple[_Hit, ...]


class Search:
    """One field; results by kind, each with its fate in a line."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def routes(self) -> list[BaseRoute]:
        return [self._console.route("/search", self._page)]

    async def _page(self, request: Request) -> Response:
        phrase = request.query_params.get("q", "").strip()[:200]

        def read(tx: Tx) -> tuple[Found, list[Unsubscribed]]:
            return views_search.find(tx, phrase) if phrase else _NOTHING, given.all_unsubscribed(tx)

        v, (found, everybody) = await self._console.read(request, read)
        gone = [one for one in everybody if _fits(v, one, phrase)]
        groups = [group for group in (*_groups(v, found), _unsubscribed(v, gone)) if group.hits]
        count = found.count + len(gone)
        return self._console.page(
            request,
            v,
            "search.j2",
            title=v.say("search.found", n=count) if phrase else v.say("page.search"),
            here="search",
            phrase=phrase,
            found=count,
            groups=groups,
            keep=v.book.config.keep.mail.days,
            narrow=any(len(group.hits) >= views_search.MOST for group in groups),
        )


def _groups(v: Seen, found: Found) -> list[_Group]:
    mails = tuple(
        _Hit(m.received_at, v.seconds(m.received_at), m.mail_from or "<>", m.subject, f"/mail/M-{m.id}", f"M-{m.id}")
        for m in found.mails
    )
    incidents = tuple(
        _Hit(
            i.last_at, v.seconds(i.last_at), v.severity(i.severity).word,
            ": ".join(filter(None, (i.host.partition(".")[0], i.title or v.say("untitled")))), f"/incident/{i.id}",
            mark=v.incident(i),
        )
        for i in found.incidents
    )  # fmt: skip
    messages = tuple(
        _Hit(m.at, m.clock, m.to, m.text, f"/message/{m.id}", m.why, m.state)
        for m in (listed_message(v, sent) for sent in found.messages)
    )
    replies = tuple(
        _Hit(
            r.received_at, v.seconds(r.received_at), v.who(v.book.person_of(r.phone), r.phone),
            r.text or v.say("call.rang"), f"/incident/{r.incident_id}#r-{r.id}" if r.incident_id else "",
            read_as(v, r.read_as),
        )
        for r in found.replies
    )  # fmt: skip
    return [
        _Group(v.say("kind.mails"), mails),
        _Group(v.say("kind.incidents"), incidents),
        _Group(v.say("kind.messages"), messages),
        _Group(v.say("kind.replies"), replies),
    ]


def _fits(v: Seen, one: Unsubscribed, phrase: str) -> bool:
    """Whether *phrase* is part of the name of who unsubscribed, or the end of the phone; everybody fits no phrase."""
    if _NUMBER.fullmatch(phrase):
        digits = re.sub(r"\D", "", phrase)
        return len(digits) >= _FEWEST_DIGITS and one.phone.endswith(digits)
    person = v.book.person_of(one.phone)
    return not phrase or any(phrase.casefold() in name.casefold() for name in (person, v.book.name(person)))


def _unsubscribed(v: Seen, gone: Sequence[Unsubscribed]) -> _Group:
    """Newest first. Only a person is named in the command: a phone may not be shown whole."""
    hits = []
    for one in sorted(gone, key=lambda each: each.since, reverse=True)[: views_search.MOST]:
        person = v.book.person_of(one.phone)
        text = v.say("unsubscribed", way=v.way(one.way), phone=v.phone(one.phone), account=one.account)
        why = v.say("unsubscribed.undo", command=f"smsbridge unsubscribes undo {person or 'PHONE'}")
        hits.append(_Hit(one.since, v.seconds(one.since), v.who(person, one.phone), text, why=why))
    return _Group(v.say("kind.unsubscribed"), tuple(hits))


def read_as(v: Seen, how: str) -> str:
    """``read as ack``; "" for an answer that was not read yet."""
    if not how:
        return ""
    word = v.say(f"read.{how}") if v.say.has(f"read.{how}") else how
    return v.say("read.as", what=word)
