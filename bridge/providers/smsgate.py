"""smsgate over JSON, XML or GET: one message that is tried by Viber, WhatsApp and SMS in turn.

Base URL and login are one account whichever way is written; a token replaces both and stands in a header. The cascade
is the provider's: it goes on to the next way when one has failed, so what we hear of is the whole. Foreign text is the
value of ``text_…`` and nothing else. ``docs/how-to/smsgate.md`` tells how an operator sets it up.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from bridge.config.models.providers import Provider
from bridge.config.secrets import SecretText
from bridge.config.units import NumberRange
from bridge.errors import AccountPaused, ConfigError, DeliveryError, NotSent, OutcomeUnknown, TemporaryFailure
from bridge.model import Message, Receipt
from bridge.providers import smsgate_answers, smsgate_cascade, smsgate_codes, smsgate_json, smsgate_xml
from bridge.providers.base import (
    LONGEST,
    Accepted,
    Balance,
    Doubt,
    Inbound,
    NoWayToAsk,
    Price,
    Question,
    Request,
    StatusAnswer,
)
from bridge.providers.http import MOST_BYTES, HttpClient, check_url
from bridge.providers.smsgate_answers import State
from bridge.providers.smsgate_get import Get
from bridge.providers.smsgate_json import Json
from bridge.providers.smsgate_wire import Ask, Dialect, Login
from bridge.providers.smsgate_xml import Xml

T = TypeVar("T")
DIALECTS: Mapping[str, Callable[[], Dialect]] = {"smsgate-json": Json, "smsgate-xml": Xml, "smsgate-get": Get}
_PARALLEL = 10  # the page names no limit
_MOST_INBOUND_BYTES = 1 << 20
_ZONES = timedelta(hours=12)  # the provider's clock may show that much less than UTC: its zone is not said
_SHORTEST_SECRET = 6  # characters; a shorter one would be "found" in every answer


class Smsgate:
    """One door ``type: smsgate-json``, ``-xml`` or ``-get`` (a ``base.Gateway``). *secret* is the password or token."""

    def __init__(
        self, name: str, settings: Provider, secret: SecretText, http: HttpClient,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:  # fmt: skip
        self.name = name
        self._settings = settings
        self._secret = secret
        self._http = http
        self._now = now
        self._unpaid = False  # a message was kept there until there is money; not known to be paid since
        self._dialect = DIALECTS[settings.type]()
        self._url = _url(name, settings)
        _check_channels(name, settings)
        self.account = f"smsgate:{settings.login or _fingerprint(secret.reveal())}"
        self.revision = _fingerprint(json.dumps([settings.type, settings.base_url, settings.login]))
        self.ids = (settings.ids.first, settings.ids.last) if isinstance(settings.ids, NumberRange) else (1, 2**31 - 1)
        self.parallel = settings.parallel or _PARALLEL
        self.doubt: Doubt = "once" if settings.type == "smsgate-get" else "repeat"

    def __repr__(self) -> str:
        return f"Smsgate({self.name!r}, {self.account!r})"

    def canonical(self, message: Message, now: datetime) -> Mapping[str, str]:
        """The cascade's parameters, without login, password and our number."""
        unsubscribed = frozenset(way for account, way in message.unsubscribed if account == self.account)
        return smsgate_cascade.canonical(message, self._settings, now, unsubscribed=unsubscribed)

    async def submit(self, request: Request) -> Accepted:
        """One paid request. See ``base.Gateway``."""
        smsgate_cascade.check({**request.canonical, "client_id_message": request.client_id})
        asked = self._dialect.send(request.canonical, request.client_id, self._login())
        within = LONGEST
        if self._unpaid and not request.repeat:
            await self._see_money()
            within = LONGEST / 2
        try:
            return smsgate_answers.taken(self._dialect.sent(await self._ask(asked, within=within)), request)
        except smsgate_codes.KeptUnpaid:
            self._unpaid = True
            raise

    async def _see_money(self) -> None:
        """Whether the account was paid: as long as it was not, each message given to it would be kept there and come
        late. Raises AccountPaused before a byte of the message has left; where nobody can say, the next answer will.
        """
        try:
            left = (await self.balance()).amount
        except TemporaryFailure:
            return
        if left <= 0 or left < min(self._settings.prices.values(), default=left):
            raise AccountPaused("the account is still empty", cause="money")
        self._unpaid = False

    async def status(self, question: Question) -> StatusAnswer:
        """By the provider's own id: our number cannot be asked for, it can only be sent again. Raises NoWayToAsk where
        no token may ask, as the questions below."""
        if not question.provider_id:
            raise TemporaryFailure("smsgate is asked by its own id, and it has given none")
        found = await self._states([question])
        if question not in found:
            raise TemporaryFailure("the answer is about another message")
        return smsgate_answers.status(found[question])

    async def statuses(self, questions: Sequence[Question]) -> Mapping[Question, StatusAnswer]:
        """As many of *questions* as one request may hold, by GET one after the other while there is time."""
        asked = [question for question in questions if question.provider_id]
        loop = asyncio.get_running_loop()
        deadline, found = loop.time() + LONGEST / 2, dict[Question, StatusAnswer]()
        most = self._dialect.most_asked
        for begin in range(0, len(asked) if most == 1 else min(len(asked), most), most):
            if begin and loop.time() > deadline:
                break
            for question, state in (await self._states(asked[begin : begin + most])).items():
                if answer := _readable(state):
                    found[question] = answer
        return found

    async def _states(self, questions: Sequence[Question]) -> dict[Question, State]:
        ids = [_whole(question) for question in questions]
        asked = self._dialect.states(ids, self._login())
        states = await self._told(asked, lambda body: self._dialect.stated(body, ids))
        return {question: states[_whole(question)] for question in questions if _whole(question) in states}

    def is_ours(self, request: Request, answer: StatusAnswer, since: datetime) -> bool:
        """An id of the provider's own is given once; nothing in a state tells more."""
        return True

    def receipt(self, message_id: int, answer: StatusAnswer) -> Receipt:
        """What a state says about a message of ours, in words."""
        meant = smsgate_codes.meaning(answer.code)
        return Receipt(
            message_id, answer.state or "ACCEPTED", self.name, answer.code, answer.error, meant.sentence, meant.status,
            answer.at, answer.read, answer.cost,
            unsubscribed=tuple((self.account, way) for way in smsgate_answers.unsubscribed(answer)),
        )  # fmt: skip

    async def balance(self) -> Balance:
        """By XML whatever the door writes: only the older API tells it."""
        return await self._told(smsgate_xml.ask_balance(self._login()), smsgate_xml.balance)

    async def price(self, request: Request) -> Price:
        """Nobody can ask for it."""
        raise TemporaryFailure("smsgate names no price before it sends")

    async def inbound(self, after: int, hours: int) -> tuple[Inbound, ...]:
        """Inbound SMS of the last *hours*, by XML whatever the door writes. Older ones come again: that their ids
        rise is not said, so *after* leaves nothing out; each is kept once by its id."""
        asked = smsgate_xml.ask_inbound(self._login(), self._now().astimezone(UTC) - timedelta(hours=hours) - _ZONES)
        return await self._told(asked, smsgate_xml.inbound, most=_MOST_INBOUND_BYTES)

    async def _told(self, asked: Ask, read: Callable[[bytes], T], *, most: int = MOST_BYTES) -> T:
        """What *read* makes of the answer to a question.

        That a token may ask is said for JSON alone. Where it is refused elsewhere, that says nothing about the account.
        """
        try:
            return read(await self._question(asked, most=most))
        except AccountPaused as error:
            if error.cause == "password" and not self._settings.login and asked.target != smsgate_json.PATH:
                raise NoWayToAsk("no token may ask this here; write login and password", code=error.code) from error
            raise

    async def _question(self, asked: Ask, *, most: int = MOST_BYTES) -> bytes:
        """A request that costs nothing: whatever goes wrong on the way, it may be asked again."""
        try:
            return await self._ask(asked, within=LONGEST / 2, most=most)  # several may follow each other
        except (NotSent, OutcomeUnknown) as error:
            raise TemporaryFailure(error.reason) from error

    async def _ask(self, asked: Ask, *, within: float, most: int = MOST_BYTES) -> bytes:
        """An API error comes with any HTTP status: only the body counts. A secret in it is masked."""
        headers = self._login().headers() | ({"Content-Type": asked.content_type} if asked.content_type else {})
        answer = await self._http.ask(
            asked.method, self._url + asked.target, asked.body, headers, within=within, most=most
        )
        secret = self._secret.reveal().encode()
        return answer.body.replace(secret, b"***") if len(secret) >= _SHORTEST_SECRET else answer.body

    def _login(self) -> Login:
        if self._settings.login:
            return Login(self._settings.login, self._secret.reveal())
        return Login(token=self._secret.reveal())


def _whole(question: Question) -> str:
    """The provider's id of the whole message; those of its ways stand behind it."""
    return question.provider_id.partition(" ")[0]


def _readable(state: State) -> StatusAnswer | None:
    """What *state* says; one that is no state must not hide those of other messages."""
    try:
        return smsgate_answers.status(state)
    except DeliveryError:
        return None


def _url(name: str, settings: Provider) -> str:
    where = f"providers.{name}.base_url"
    if settings.base_url is None:
        raise ConfigError((f"{where}: is missing; your reseller names the host",))
    return check_url(settings.base_url.rstrip("/"), where, insecure=settings.insecure)


def _check_channels(name: str, settings: Provider) -> None:
    where, channels = f"providers.{name}.channels", settings.channels
    if len(set(channels)) < len(channels):
        raise ConfigError((f"{where}: the same way twice",))
    if "call" in channels:
        raise ConfigError((f"{where}: smsgate makes no calls",))


def _fingerprint(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8")).hexdigest()[:16]
