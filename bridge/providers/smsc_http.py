"""smsc.kz, smsc.ru, smsc.ua over HTTP: send, status, balance, price, inbound.

POST of a form to ``<base_url>/sys/<name>.php``, ``fmt=3`` (JSON), ``charset=utf-8``; password or key in the
body, never in a URL. Foreign text is the value of ``mes`` and nothing else: it chooses no channel (``defuse``),
names no recipient (``list`` is never used) and adds no parameter (one encoder). Source: the provider's HTTP API
pages; ``docs/how-to/smsc-over-http.md`` tells how an operator sets it up.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from bridge.config.models.providers import Provider
from bridge.config.secrets import SecretText
from bridge.errors import ConfigError, DeliveryError, NotSent, OutcomeUnknown, PermanentFailure, TemporaryFailure
from bridge.model import Channel, Message, Receipt, WayText
from bridge.providers import smsc_answers, smsc_fields
from bridge.providers.base import (
    LONGEST,
    Accepted,
    Balance,
    CallNumber,
    Doubt,
    Inbound,
    Network,
    Price,
    Question,
    Request,
    StatusAnswer,
)
from bridge.providers.http import HttpClient, check_url
from bridge.providers.smsc_codes import SAME_REQUEST_PAUSE
from bridge.sms.danger import defuse

_MOST_STATUS = 4  # likewise 5 status requests
_MOST_ASKED = 50  # messages in one status request: their texts must fit into 64 kB
_CRITICAL_WAY = timedelta(minutes=3)  # the next way of a critical message waits no longer for the one before
_LATE_EVERY = 600.0  # seconds between questions for what came in with a lower id than was known then
_LATE_HOURS = "1"  # how far they look back
_MOST_INBOUND_BYTES = 1 << 20  # as many inbound SMS as come in a day; a cut list could hide the older ones
_FLAGS: dict[Channel | str, Mapping[str, str]] = {
    "sms": {},
    "flash": {"flash": "1"},
    "call": {"call": "1"},
    "viber": {"viber": "1"},
    "whatsapp": {"whatsapp": "1"},
    "vk": {"soc": "1"},
}


class SmscHttp:
    """One door ``type: smsc-http`` (a ``base.Gateway``). *secret* is the password, or without a login the key."""

    def __init__(self, name: str, settings: Provider, secret: SecretText, http: HttpClient) -> None:
        self.name = name
        self._settings = settings
        self._secret = secret
        self._http = http
        self._urls = _urls(name, settings)
        self.account = smsc_fields.account(settings, secret)
        self.revision = _revision(settings)
        self.ids = smsc_fields.ids(settings)
        self.doubt: Doubt = "ask"
        self.parallel = smsc_fields.parallel(settings)
        self.confirms_by_call = settings.confirm_by_call
        self._status_places = asyncio.Semaphore(_MOST_STATUS)
        self._next_list = 0.0  # of statuses, by the loop's clock
        self._next_late: float | None = None  # question for late inbound SMS, likewise

    def __repr__(self) -> str:
        return f"SmscHttp({self.name!r}, {self.account!r})"

    def canonical(self, message: Message, now: datetime) -> Mapping[str, str]:
        """Parameters of send.php in their final form, without login, password and id."""
        channel, wish = self._channel(message), self._wish(message)
        said = wish.text if wish is not None and wish.text else message.text
        text = defuse(said.encode("utf-8", "replace").decode("utf-8"))
        sender = smsc_fields.originator(message, self._settings)
        return {
            "phones": smsc_fields.number(message.phone),
            "mes": text,
            "charset": "utf-8",
            "fmt": "3",
            "cost": "3",
            "op": "1",
            "translit": "0",
            "valid": _valid(self._time_for(message, wish, now)),
            **({"sender": sender} if sender else {}),
            **_most_parts(message, text, channel),
            **_FLAGS[channel],
        }

    def _channel(self, message: Message) -> Channel | str:
        """The rule's, or for an ordinary message the way of this door whose turn it is."""
        ways = self._settings.channels
        return ways[min(message.way, len(ways) - 1)] if message.channel == "sms" else message.channel

    def _wish(self, message: Message) -> WayText | None:
        """What the rule says for this way: its text and its time. A button or a picture cannot be sent here."""
        channel = self._channel(message)
        return next((wish for wish in message.ways if wish.way == channel), None)

    def _time_for(self, message: Message, wish: WayText | None, now: datetime) -> timedelta:
        """How long this way may take: all the time there is, unless another way comes after it."""
        left = message.valid_until - now
        if message.channel != "sms" or message.way + 1 >= len(self._settings.channels):
            return left
        if wish is not None and wish.validity is not None:
            return min(left, wish.validity)
        longest = self._settings.viber_validity
        return min(left, longest, _CRITICAL_WAY) if message.message_class == "critical" else min(left, longest)

    async def submit(self, request: Request) -> Accepted:
        """One paid request. See ``base.Gateway``."""
        _check(request)
        answer = await self._ask("send", {**request.canonical, "id": request.client_id})
        return smsc_answers.parse_send(answer, request.client_id, repeat=request.repeat)

    async def price(self, request: Request) -> Price:
        """The same request with ``cost=1``, which sends nothing. At most five identical ones a minute."""
        _check(request)
        return smsc_answers.parse_price(await self._question("send", {**request.canonical, "cost": "1"}))

    async def status(self, question: Question) -> StatusAnswer:
        """At most five a minute for one message, else error 9."""
        form = {"phone": smsc_fields.number(question.phone), "id": question.client_id, "all": "2"}
        async with self._status_places:
            answer = await self._question("status", form)
        return smsc_answers.parse_status(answer)

    async def statuses(self, questions: Sequence[Question]) -> Mapping[Question, StatusAnswer]:
        """The first 50 of *questions*: ask for the others next time. One is asked for alone.

        The provider takes one list a minute and blocks addresses that ask too often, so a list that comes
        too early raises TemporaryFailure without having been asked for.
        """
        asked = [question for question in questions if smsc_fields.number(question.phone)][:_MOST_ASKED]
        if len(asked) < 2:
            return {question: await self.status(question) for question in asked}
        self._take_turn()
        form = {
            "phone": ",".join(smsc_fields.number(question.phone) for question in asked),
            "id": ",".join(question.client_id for question in asked),
            "all": "1",
        }
        async with self._status_places:
            answer = await self._question("status", form)
        return smsc_answers.parse_statuses(answer, asked)

    def _take_turn(self) -> None:
        now = asyncio.get_running_loop().time()
        if now < self._next_list:
            raise TemporaryFailure("a list was asked for within a minute", retry_after=self._next_list - now)
        self._next_list = now + SAME_REQUEST_PAUSE

    def receipt(self, message_id: int, answer: StatusAnswer) -> Receipt:
        """What a status answer says about a message of ours, its codes put into words."""
        return smsc_fields.receipt(self.name, message_id, answer)

    async def balance(self) -> Balance:
        """At most ten a minute."""
        return smsc_answers.parse_balance(await self._question("balance", {"cur": "1"}))

    async def inbound(self, after: int, hours: int) -> tuple[Inbound, ...]:
        """At most three identical questions a minute. Nobody promises that ids grow, so now and then the last hour is
        asked for besides: who has seen an SMS knows it by its id."""
        found = await self._answers({"after_id": str(after)} if after else {"hour": str(hours)})
        now = asyncio.get_running_loop().time()
        due, self._next_late = self._next_late, self._next_late or now + _LATE_EVERY
        if not after or due is None or now < due:
            return found
        self._next_late = now + _LATE_EVERY
        known = {one.id for one in found}
        return found + tuple(one for one in await self._answers({"hour": _LATE_HOURS}) if one.id not in known)

    async def _answers(self, since: Mapping[str, str]) -> tuple[Inbound, ...]:
        answer = await self._question("get", {"get_answers": "1", **since}, most=_MOST_INBOUND_BYTES)
        return smsc_answers.parse_answers(answer)

    async def sent(self, phone: str, since: datetime) -> tuple[StatusAnswer, ...]:
        """What the account has sent to *phone* from the day of *since* on, by whichever door. Errors as ``status``.

        At most three identical questions a minute.
        """
        day = smsc_answers.day(since)
        form = {"get_messages": "1", "format": "0", "phone": smsc_fields.number(phone), "start": day, "cnt": "100"}
        answer = await self._question("get", form, most=_MOST_INBOUND_BYTES)
        return smsc_answers.parse_sent(answer)

    def is_ours(self, request: Request, answer: StatusAnswer, since: datetime) -> bool:
        """Phone, time and text fit."""
        return smsc_fields.fits(request.canonical, answer, since)

    async def ask_for_call(self, phone: str) -> CallNumber:
        """wait_call.php: a number that *phone* may ring within 15 minutes. Each request may cost."""
        number = smsc_fields.number(phone)
        if not number:
            raise PermanentFailure("the phone is no international number", status="5.1.3")
        return smsc_answers.parse_wait_call(await self._question("wait_call", {"phone": number}))

    async def operator(self, phone: str) -> Network:
        """info.php: whose number it is. Errors as ``status``."""
        form = {"get_operator": "1", "phone": smsc_fields.number(phone)}
        return smsc_answers.parse_operator(await self._question("info", form))

    async def _question(self, page: str, form: Mapping[str, str], **limits: int) -> bytes:
        """A request that costs nothing: whatever goes wrong on the way, it may be asked again."""
        try:
            return await self._ask(page, {"charset": "utf-8", "fmt": "3", **form}, **limits)
        except (NotSent, OutcomeUnknown) as error:
            raise TemporaryFailure(error.reason) from error

    async def _ask(self, page: str, form: Mapping[str, str], **limits: int) -> bytes:
        """Reserve hosts are asked only as long as nothing has left; all of them share one deadline."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + LONGEST
        whole = {**self._login(), **form}
        failure: DeliveryError = NotSent("no time was left")
        for url in self._urls:
            if (left := deadline - loop.time()) <= 0:
                break
            try:
                answer = await self._http.post(f"{url}/sys/{page}.php", whole, within=left, **limits)
            except NotSent as error:
                failure = error
            else:
                return answer.body  # an API error comes with 200 as well: only the body counts
        raise failure

    def _login(self) -> Mapping[str, str]:
        if self._settings.login:
            return {"login": self._settings.login, "psw": self._secret.reveal()}
        return {"apikey": self._secret.reveal()}


def _check(request: Request) -> None:
    """Nothing but one number may stand in ``phones`` (threats T15): no group, no list, no address."""
    phone = request.canonical.get("phones", "")
    if not phone or phone != smsc_fields.number(phone):
        raise PermanentFailure("the recipient is no international number", status="5.1.3")


def _most_parts(message: Message, text: str, channel: str) -> Mapping[str, str]:
    """No more parts than were reserved. Not for texts like ``ñ``, which the provider may count in another alphabet:
    it would cut the end off instead of charging for it."""
    countable = message.encoding == "UCS-2" or text.isascii()
    return {"maxsms": str(message.segments)} if countable and channel in ("sms", "flash") else {}


def _valid(left: timedelta) -> str:
    """``hh:mm``, from one minute to 24 hours."""
    minutes = min(max(int(left.total_seconds() // 60), 1), 24 * 60)
    return f"{minutes // 60:02}:{minutes % 60:02}"


def _urls(name: str, settings: Provider) -> tuple[str, ...]:
    where = f"providers.{name}.base_url"
    if settings.base_url is None:
        raise ConfigError((f"{where}: is missing; write https://smsc.kz",))
    urls = (settings.base_url, *settings.reserve_urls)
    return tuple(check_url(url, where, insecure=settings.insecure) for url in urls)


def _revision(settings: Provider) -> str:
    """Of what decides who gets a stored request and what it means there; a new password changes nothing."""
    over = [settings.type, settings.base_url, list(settings.reserve_urls), settings.login]
    return smsc_fields.fingerprint(json.dumps(over))
