"""Search: where is that mail?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from bridge.store import views_search
from bridge.store.engine import Tx
from bridge.store.views_search import Found
from bridge.web.console import Console
from bridge.web.pages.listed import listed_message
from bridge.web.seen import Mark, Seen

_NOTHING = Found((), (), (), ())


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

        def read(tx: Tx) -> Found:
            return views_search.find(tx, phrase) if phrase else _NOTHING

        v, found = await self._console.read(request, read)
        groups = [group for group in _groups(v, found) if group.hits]
        return self._console.page(
            request,
            v,
            "search.j2",
            title=v.say("search.found", n=found.count) if phrase else v.say("page.search"),
            here="search",
            phrase=phrase,
            found=found.count,
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


def read_as(v: Seen, how: str) -> str:
    """``read as ack``; "" for an answer that was not read yet."""
    if not how:
        return ""
    word = v.say(f"read.{how}") if v.say.has(f"read.{how}") else how
    return v.say("read.as", what=word)
