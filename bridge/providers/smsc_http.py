"""smsc.kz, smsc.ru, smsc.ua over HTTP: send, status, balance, price, inbound.

POST of a form to ``<base_url>/sys/<name>.php``, ``fmt=3`` (JSON), ``charset=utf-8``; password or key in the
body, never in a URL. Foreign text is the value of ``mes`` and nothing else: it chooses no channel (``defuse``),
names no recipient (``list`` is never used) and adds no parameter (one encoder). Source: the provider's HTTP API
pages; ``docs/how-to/smsc-over-http.md`` tells how an operator sets it up.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from bridge.config.models.providers import Provider
from bridge.config.secrets import SecretText
from bridge.config.units import NumberRange
from bridge.errors import ConfigError, DeliveryError, NotSent, OutcomeUnknown, PermanentFailure, TemporaryFailure
from bridge.model import Channel, Message, Receipt
from bridge.providers import smsc_answers, smsc_codes
from bridge.providers.base import LONGEST, Accepted, Balance, Inbound, Price, Question, Request, StatusAnswer
from bridge.providers.http import HttpClient, check_url
from bridge.providers.smsc_codes import SAME_REQUEST_PAUSE
from bridge.sms.danger import defuse

_RECIPIENT = re.compile(r"[1-9][0-9]{6,14}")
_REPAIRED = re.compile(r"8[0-9]{10}")  # as the provider takes a number dialled in Russia: 8701… becomes 7701…
_BEFORE_TAKING = timedelta(minutes=5)  # how much the provider's clock may be behind ours
_MOST_PARALLEL = 14  # 15 open requests of one login are refused with error 9
_MOST_STATUS = 4  # likewise 5 status requests
_MOST_ASKED = 50  # messages in one status request: their texts must fit into 64 kB
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
        self.account = f"smsc:{settings.login or _fingerprint(secret.reveal())}"
        self.revision = _revision(settings)
        self.ids = (settings.ids.first, settings.ids.last) if isinstance(settings.ids, NumberRange) else (1, 2**31 - 1)
        self.parallel = min(settings.parallel or _MOST_PARALLEL, _MOST_PARALLEL)
        self._status_places = asyncio.Semaphore(_MOST_STATUS)
        self._next_list = 0.0  # of statuses, by the loop's clock

    def __repr__(self) -> str:
        return f"SmscHttp({self.name!r}, {self.account!r})"

    def canonical(self, message: Message, now: datetime) -> Mapping[str, str]:
        """Parameters of send.php in their final form, without login, password and id."""
        text = defuse(message.text.encode("utf-8", "replace").decode("utf-8"))
        sender = _sender(message, self._settings)
        return {
            "phones": _number(message.phone),
            "mes": text,
            "charset": "utf-8",
            "fmt": "3",
            "cost": "3",
            "translit": "0",
            "valid": _valid(message.valid_until - now),
            **({"sender": sender} if sender else {}),
            **_most_parts(message, text),
            **_FLAGS[self._channel(message)],
        }

    def _channel(self, message: Message) -> Channel | str:
        """The rule's, or for an ordinary message the first way of this door."""
        return self._settings.channels[0] if message.channel == "sms" else message.channel

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
        form = {"phone": _number(question.phone), "id": question.client_id, "all": "1"}
        async with self._status_places:
            answer = await self._question("status", form)
        return smsc_answers.parse_status(answer)

    async def statuses(self, questions: Sequence[Question]) -> Mapping[Question, StatusAnswer]:
        """The first 50 of *questions*: ask for the others next time. One is asked for alone.

        The provider takes one list a minute and blocks addresses that ask too often, so a list that comes
        too early raises TemporaryFailure without having been asked for.
        """
        asked = [question for question in questions if _number(question.phone)][:_MOST_ASKED]
        if len(asked) < 2:
            return {question: await self.status(question) for question in asked}
        self._take_turn()
        form = {
            "phone": ",".join(_number(question.phone) for question in asked),
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
        meant = smsc_codes.meaning(answer.code, answer.error)
        return Receipt(
            message_id, answer.state or "ACCEPTED", self.name, answer.code, answer.error, meant.sentence, meant.status,
            answer.at, answer.read, answer.cost,
        )  # fmt: skip

    async def balance(self) -> Balance:
        """At most ten a minute."""
        return smsc_answers.parse_balance(await self._question("balance", {"cur": "1"}))

    async def inbound(self, after: int, hours: int) -> tuple[Inbound, ...]:
        """At most three identical questions a minute."""
        since = {"after_id": str(after)} if after else {"hour": str(hours)}
        answer = await self._question("get", {"get_answers": "1", **since}, most=_MOST_INBOUND_BYTES)
        return smsc_answers.parse_answers(answer)

    def is_ours(self, request: Request, answer: StatusAnswer, since: datetime) -> bool:
        """Phone, time and text fit. smsc shows a reused id's old message; a text may come back trimmed or cut."""
        if answer.phone not in ("", request.canonical.get("phones", "").lstrip("+")):
            return False
        if answer.sent_at is not None and answer.sent_at < since - _BEFORE_TAKING:
            return False
        ours, theirs = _letters(request.canonical.get("mes", "")), _letters(answer.text)
        return not theirs or not ours or ours.startswith(theirs) or theirs.startswith(ours)

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
    if not phone or phone != _number(phone):
        raise PermanentFailure("the recipient is no international number", status="5.1.3")


def _number(phone: str) -> str:
    """``+77010000001`` → ``77010000001``; "" for what is no E.164 number.

    Eleven digits that begin with 8 (every mobile of Vietnam) keep the plus sign, or the provider would
    "repair" them into a number of Russia.
    """
    digits = phone.removeprefix("+")
    if not _RECIPIENT.fullmatch(digits):
        return ""
    return f"+{digits}" if _REPAIRED.fullmatch(digits) else digits


def _sender(message: Message, settings: Provider) -> str:
    """Our number where an answer is expected, else the rule's wish, else the longest prefix, else the door's own."""
    if message.answerable and settings.number and settings.number_as_sender:
        return settings.number.removeprefix("+")
    if message.originator:
        return message.originator.removeprefix("+")
    prefixes = [prefix for prefix in settings.senders if message.phone.startswith(prefix)]
    return settings.senders[max(prefixes, key=len)] if prefixes else settings.sender or ""


def _most_parts(message: Message, text: str) -> Mapping[str, str]:
    """No more parts than were reserved. Not for texts like ``ñ``, which the provider may count in another alphabet:
    it would cut the end off instead of charging for it."""
    countable = message.encoding == "UCS-2" or text.isascii()
    return {"maxsms": str(message.segments)} if countable and message.channel in ("sms", "flash") else {}


def _valid(left: timedelta) -> str:
    """``hh:mm``, from one minute to 24 hours."""
    minutes = min(max(int(left.total_seconds() // 60), 1), 24 * 60)
    return f"{minutes // 60:02}:{minutes % 60:02}"


def _letters(text: str) -> str:
    return "".join(letter for letter in text.casefold() if letter.isalnum())


def _urls(name: str, settings: Provider) -> tuple[str, ...]:
    where = f"providers.{name}.base_url"
    if settings.base_url is None:
        raise ConfigError((f"{where}: is missing; write https://smsc.kz",))
    urls = (settings.base_url, *settings.reserve_urls)
    return tuple(check_url(url, where, insecure=settings.insecure) for url in urls)


def _revision(settings: Provider) -> str:
    """Of what decides who gets a stored request and what it means there; a new password changes nothing."""
    over = [settings.type, settings.base_url, list(settings.reserve_urls), settings.login]
    return _fingerprint(json.dumps(over))


def _fingerprint(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8")).hexdigest()[:16]
