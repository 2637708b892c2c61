"""Phones: what does it feel like? Exists only where the application runs a pretend provider in its own process."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

import phonenumbers
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from bridge.sms.segment import segment
from bridge.store import views
from bridge.store.engine import Tx
from bridge.store.views import KeptReply, OpenCode
from bridge.web import faults
from bridge.web.console import Console, done, text_of
from bridge.web.pages.now import command
from bridge.web.pages.search import read_as
from bridge.web.ports import DemoMail, PretendAnswer, PretendMail, PretendMessage, PretendWorld
from bridge.web.say import say_in
from bridge.web.seen import Mark, Seen

_MOST_PHONES = 6
_MOST_BUBBLES = 40
_MOST_MAILS = 20
_MOST_SUGGESTIONS = 4
_LONGEST_ANSWER = 700  # characters: ten parts in Cyrillic
_STATES: Mapping[int, tuple[str, str, str]] = {
    -1: ("hold", "clock", "phone.taken"),
    0: ("hold", "clock", "phone.operator"),
    1: ("ok", "tick", "message.delivered"),
    2: ("ok", "tick", "phone.read"),
}
_LOST = ("bad", "cross", "message.undelivered")
_MAILS: tuple[DemoMail, ...] = ("problem", "recovery", "storm")


@dataclass(frozen=True, slots=True)
class _Bubble:
    """One message on a phone; *day* stands above the first of a day."""

    id: str
    at: datetime
    text: str
    meta: str
    mine: bool = False
    mark: Mark | None = None
    day: str = ""


@dataclass(slots=True)
class _Handset:
    name: str
    phone: str
    number: str
    about: str
    bubbles: list[_Bubble] = field(default_factory=list)
    suggestions: list[str] = field(default_factory=list)

    @property
    def digits(self) -> str:
        return self.phone.lstrip("+")


@dataclass(frozen=True, slots=True)
class _CameBack:
    """A mail in the pretend inbox."""

    id: int
    head: str
    subject: str
    first: str
    text: str


class Phones:
    """The page, and what is done on it."""

    def __init__(self, console: Console, world: PretendWorld) -> None:
        self._console = console
        self._world = world

    def routes(self) -> list[BaseRoute]:
        route = self._console.route
        return [
            route("/phones", self._page),
            route("/phones/answer", self._answer, method="POST"),
            route("/phones/call", self._call, method="POST"),
            route("/phones/mail", self._mail, method="POST"),
            route("/phones/faults", self._faults, method="POST"),
        ]

    # acts

    async def _answer(self, request: Request) -> Response:
        form = await request.form()
        text = (text_of(form, "said") or text_of(form, "text")).strip()[:_LONGEST_ANSWER]
        phone = text_of(form, "phone")
        if not text:
            return await self._refused(request, "phones.empty")
        try:
            self._world.reply(phone, text, self._number())
        except ValueError:
            return await self._refused(request, "phones.nobody")
        return self._back(request, phone)

    async def _call(self, request: Request) -> Response:
        phone = text_of(await request.form(), "phone")
        try:
            self._world.call(phone, self._number())
        except ValueError:
            return await self._refused(request, "phones.nobody")
        return self._back(request, phone)

    async def _mail(self, request: Request) -> Response:
        demo = self._console.ports.demo
        wanted = text_of(await request.form(), "kind")
        kind = next((each for each in _MAILS if each == wanted), None)
        if demo is not None and kind is not None:
            await demo.send(kind)
        return self._back(request)

    async def _faults(self, request: Request) -> Response:
        faults.toggle(self._world, text_of(await request.form(), "toggle"))
        self._console.ports.changes.publish("phones")
        return done(request, "/phones#faults")

    def _number(self) -> str:
        """Where answers arrive; "" = whoever wrote last."""
        providers = self._console.ports.book().config.providers.values()
        return next((provider.number for provider in providers if provider.number), "")

    def _back(self, request: Request, phone: str = "") -> Response:
        digits = "".join(filter(str.isdigit, phone))
        return done(request, f"/phones#phone-{digits}" if digits else "/phones")

    async def _refused(self, request: Request, problem: str) -> Response:
        return await self._show(request, problem=problem, status=409)

    # the page

    async def _page(self, request: Request) -> Response:
        return await self._show(request)

    async def _show(self, request: Request, *, problem: str = "", status: int = 200) -> Response:
        handsets = self._handsets()
        phones = [handset.phone for handset in handsets]
        now = self._console.ports.now()

        def read(tx: Tx) -> tuple[list[KeptReply], list[OpenCode]]:
            return views.replies_of(tx, phones, 200), views.open_codes(tx, phones, now)

        v, (replies, codes) = await self._console.read(request, read)
        answers = list(self._world.air.answers)
        for handset in handsets:
            kept = [reply for reply in reversed(replies) if reply.phone == handset.phone]
            self._fill(v, handset, answers, kept)
            handset.about = _about(v, handset.phone)
            handset.suggestions = _suggestions(v, handset.phone, codes)
        return self._console.page(
            request,
            v,
            "phones.j2",
            title=v.say("page.phones"),
            here="phones",
            scope="phones,now",
            status=status,
            problem=v.say(problem) if problem else "",
            command=command(self._console.ports),
            demo=self._console.ports.demo is not None,
            phones=handsets,
            faults=faults.switches(self._world, v.say),
            gateway=faults.GATEWAY,
            mails=[_came_back(v, mail) for mail in list(self._world.mails())[:_MOST_MAILS]],
        )

    def _handsets(self) -> list[_Handset]:
        """One for each person, at most six."""
        people = self._console.ports.book().config.people
        shown = list(people.items())[:_MOST_PHONES]
        return [_Handset(person.name or key, person.phone, _spaced(person.phone), "") for key, person in shown]

    def _fill(self, v: Seen, handset: _Handset, answers: Sequence[PretendAnswer], kept: Sequence[KeptReply]) -> None:
        texts = [_text_bubble(v, message) for message in self._world.messages(handset.digits)]
        mine = [answer for answer in answers if answer.phone == handset.digits]
        bubbles = sorted([*texts, *_answer_bubbles(v, mine, kept)], key=lambda bubble: bubble.at)[-_MOST_BUBBLES:]
        handset.bubbles = _with_days(v, bubbles)


def _spaced(phone: str) -> str:
    """``+7 701 000 0001``: pretend phones may be shown whole."""
    known = phonenumbers.parse(phone)
    return phonenumbers.format_number(known, phonenumbers.PhoneNumberFormat.INTERNATIONAL).replace("-", " ")


def _about(v: Seen, phone: str) -> str:
    """``on call, writes Russian``."""
    book = v.book
    person = book.person_of(phone)
    rotas = book.people.rotas
    duty = any(rotas.who(name, v.now) == person for name in book.config.rotas) if person else False
    following = any(rotas.next(name, v.now) == person for name in book.config.rotas) if person else False
    roles = [v.say("phones.oncall")] if duty else [v.say("phones.next")] if following else []
    return ", ".join([*roles, v.say(f"phones.writes.{say_in(book.language(person)).language}")])


def _text_bubble(v: Seen, message: PretendMessage) -> _Bubble:
    kind, sign, word = _STATES.get(message.status, _LOST)
    currency = v.book.config.currency or ""
    cut = segment(message.text)
    parts = (
        v.seconds(message.received_at),
        v.segments(cut.encoding, len(message.parts)),
        v.money(message.cost, currency),
        v.say(word),
    )
    mark = Mark(kind, sign, v.say(word))
    return _Bubble(f"sms-{message.id}-{message.phone}", message.received_at, message.text, " · ".join(parts), mark=mark)


def _answer_bubbles(v: Seen, answers: Sequence[PretendAnswer], kept: Sequence[KeptReply]) -> list[_Bubble]:
    """Answers in the order they were typed, each with how the bridge read it: the first kept one of that text."""
    left = list(kept)
    bubbles = []
    for n, answer in enumerate(answers):
        rang = answer.kind != "sms"
        reply = next((r for r in left if (r.kind == "call") == rang and (rang or r.text == answer.text)), None)
        if reply is not None:
            left.remove(reply)
        how = read_as(v, reply.read_as) if reply else v.say("read.not")
        text = v.say("call.rang") if rang else answer.text
        meta = " · ".join(filter(None, (v.seconds(answer.received_at), how)))
        bubbles.append(_Bubble(f"answer-{answer.phone}-{n}", answer.received_at, text, meta, mine=True))
    return bubbles


def _with_days(v: Seen, bubbles: Sequence[_Bubble]) -> list[_Bubble]:
    before = ""
    shown = []
    for bubble in bubbles:
        day = v.day(bubble.at)
        shown.append(replace(bubble, day=day if day != before else ""))
        before = day
    return shown


def _suggestions(v: Seen, phone: str, codes: Sequence[OpenCode]) -> list[str]:
    """What may be typed now, in the words of the phone's owner."""
    say = say_in(v.book.language(v.book.person_of(phone)))
    mine = sorted((code for code in codes if code.phone == phone), key=lambda code: -max(code.incidents))
    fresh = [say("word.ok", code=code.code) for code in mine if not code.acked][:2]
    taken = [say("word.un", code=code.code) for code in mine if code.acked][:1]
    return [*fresh, *taken, say("word.list"), say("word.who"), say("word.help")][:_MOST_SUGGESTIONS]


def _came_back(v: Seen, mail: PretendMail) -> _CameBack:
    lines = [line for line in mail.text.splitlines() if line.strip()]
    head = v.say("inbox.head", at=v.seconds(mail.received_at), to=", ".join(mail.recipients))
    return _CameBack(mail.id, head, mail.subject or v.say("untitled"), (lines or [""])[0][:120], mail.text)
