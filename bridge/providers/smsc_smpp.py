"""smsc over SMPP 3.4: one door ``type: smsc-smpp``, bound as transceiver over TLS.

There is no id of ours in SMPP: what became of a request without an answer can only be guessed from the one-minute rule,
from an answer that comes late, or from a receipt. ``smsc_smpp_text`` makes the PDUs, ``smsc_smpp_links`` keeps the
links up, ``smsc_smpp_arrivals`` reads what comes in. Source: the provider's SMPP pages;
``docs/how-to/smsc-over-smpp.md`` tells how an operator sets it up.
"""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from bridge.config.models.providers import Provider
from bridge.config.secrets import SecretText
from bridge.errors import (
    AccountPaused,
    DeliveryError,
    NotSent,
    OutcomeUnknown,
    PermanentFailure,
    StoreUnavailable,
    TemporaryFailure,
)
from bridge.model import Message, Receipt
from bridge.providers import smsc_fields, smsc_smpp_arrivals, smsc_smpp_codes, smsc_smpp_settings, smsc_smpp_text
from bridge.providers.base import (
    LONGEST,
    Accepted,
    Balance,
    Doubt,
    Gateway,
    Inbound,
    Keep,
    LinkState,
    NoWayToAsk,
    Price,
    Question,
    Request,
    StatusAnswer,
)
from bridge.providers.smsc_codes import SAME_REQUEST_PAUSE
from bridge.providers.smsc_http import SmscHttp
from bridge.providers.smsc_smpp_links import Links, Wanted
from bridge.smpp import bodies, parts, pdu, receipts, texts
from bridge.smpp.bodies import Address, Bind, ShortMessage
from bridge.smpp.link import Answer, Link

_PLACE_WITHIN = 6.0  # seconds for a link and a place in its window
_ANSWER_WITHIN = 12.0  # seconds for one submit_sm_resp
_BUSY_PAUSES = (0.5, 1.0, 2.0, 4.0)  # seconds before the same PDU goes again to a provider that is busy
_LATE_WITHIN = 90.0  # seconds for which an answer is waited for after we have given up on it
_MONEY_WITHIN = 5.0  # seconds to find out whether a refusal without a reason is about money
_MOST_KEPT = 1000  # late answers and broken texts that are remembered
_MOST_ASKED = 50
_MOST_BROKEN = 2
_ID = re.compile(r"[\x21-\x7e]{1,64}")


class SmscSmpp:
    """A ``base.LinkedGateway``. *tls* replaces the system's trust; *wanted* the pace that the settings give.

    Without a door to ``ask_at``, balance and prices are not known.
    """

    def __init__(
        self,
        name: str,
        settings: Provider,
        secret: SecretText,
        *,
        tls: ssl.SSLContext | None = None,
        form: parts.Form = "udh",
        wanted: Wanted | None = None,
        answer_within: float = _ANSWER_WITHIN,
    ) -> None:
        self.name = name
        self._settings = settings
        self._form: parts.Form = form
        self._answer_within = answer_within
        wanted = wanted or smsc_smpp_settings.wanted(name, settings, tls)
        login = settings.login or ""
        smsc_smpp_settings.check(name, login, secret)
        self._link = smsc_smpp_settings.fingerprint(wanted, login, secret)
        self._links = Links(name, wanted, lambda: Bind(login, secret.reveal()))
        self._asks: Gateway | None = None
        self._lists: SmscHttp | None = None
        self._late: dict[str, str] = {}  # client id → the id in an answer we had given up on, of texts of one part
        self._broken: dict[str, int] = {}
        self._waiting: set[asyncio.Task[None]] = set()
        self.account = smsc_fields.account(settings, secret)
        self.revision = smsc_smpp_settings.revision(settings)
        self.ids = smsc_fields.ids(settings)
        self.parallel = wanted.window * wanted.connections
        self.status_door = settings.status or ""

    def __repr__(self) -> str:
        return f"SmscSmpp({self.name!r}, {self.account!r})"

    def ask_at(self, gateway: Gateway | None) -> None:
        """*gateway*, of the same account, answers what this door cannot be asked."""
        self._asks = gateway
        self._lists = gateway if isinstance(gateway, SmscHttp) else None

    @property
    def doubt(self) -> Doubt:
        """There is no id of ours to ask by: a door over HTTP looks into the list of what was sent, if there is one."""
        return "history"

    @property
    def link(self) -> LinkState:
        """Whether it is up (``base.ShowsLink``)."""
        return self._links.state

    def answered_late(self, client_id: str) -> bool:
        """Whether an answer that we had given up on says yes: a repeat brings it and sends nothing."""
        return client_id in self._late

    async def open(self, keep: Keep) -> None:
        """See ``base.LinkedGateway``."""

        async def take(message: ShortMessage) -> int:
            try:
                await keep(self, smsc_smpp_arrivals.read(message))
            except StoreUnavailable:
                return pdu.APPLICATION_BUSY
            return pdu.OK

        self._links.open(take)

    async def close(self) -> None:
        """See ``base.LinkedGateway``."""
        await self._links.close()
        for task in self._waiting:
            task.cancel()

    def takes_over(self, earlier: Gateway) -> bool:
        """See ``base.LinkedGateway``; with the link comes what is remembered of requests on it."""
        if not isinstance(earlier, SmscSmpp) or earlier._link != self._link:
            return False
        if self._links.used:
            return self._links is earlier._links
        self._links, self._late, self._broken = earlier._links, earlier._late, earlier._broken
        self._waiting = earlier._waiting
        return True

    def decoded(self, octets: bytes, coding: int) -> str:
        """See ``base.LinkedGateway``."""
        return texts.decode(octets, coding)

    def canonical(self, message: Message, now: datetime) -> Mapping[str, str]:
        """See ``smsc_smpp_text``."""
        return smsc_smpp_text.canonical(message, self._settings, self._form, now)

    async def submit(self, request: Request) -> Accepted:
        """One text in as many PDUs as it has parts; the second leaves when the first was taken."""
        messages = smsc_smpp_text.messages(request)
        late = self._late.pop(request.client_id, "")
        if late and request.repeat:  # an earlier attempt was answered after all: nothing needs to be sent
            return Accepted(late, segments=1)
        deadline = asyncio.get_running_loop().time() + LONGEST - 1
        link = await self._links.taken(_PLACE_WITHIN)
        first = await self._part(link, messages[0], request, deadline)
        if len(messages) == 1:
            return Accepted(first, segments=1)
        rest = await asyncio.gather(
            *(self._later_part(link, one, request, deadline) for one in messages[1:]), return_exceptions=True
        )
        return Accepted(
            " ".join(one for one in (first, *self._all_taken(rest, request)) if one), segments=len(messages)
        )

    async def _later_part(self, link: Link, message: ShortMessage, request: Request, deadline: float) -> str:
        left = deadline - asyncio.get_running_loop().time()
        return await self._part(await self._links.taken(max(left, 0.01), link), message, request, deadline)

    async def _part(self, link: Link, message: ShortMessage, request: Request, deadline: float) -> str:
        """One PDU on a place that is taken, again while the provider is busy; the id it got. Gives the place back."""
        loop = asyncio.get_running_loop()
        body = message.encoded()
        try:
            for pause in (*_BUSY_PAUSES, None):
                answer = await self._answered(link, body, request, deadline)
                if answer.status not in smsc_smpp_codes.BUSY or pause is None or loop.time() + pause > deadline:
                    break
                await asyncio.sleep(pause)
        finally:
            self._links.free(link)
        if answer.status == pdu.WRONG_STATE:
            link.cut("the provider does not know the bind any more")
        if answer.status:
            refusal = smsc_smpp_codes.refused(answer.status, repeat=request.repeat)
            if smsc_smpp_codes.may_be_money(refusal) and await self._lacks_money(request):
                refusal = AccountPaused("the account is empty", code=refusal.code, cause="money")
            raise refusal
        return _given_id(answer)

    async def _lacks_money(self, request: Request) -> bool:
        """Whether the account has less than the message costs, as far as a door over HTTP can tell (threats F24)."""
        if self._asks is None:
            return False
        try:
            async with asyncio.timeout(_MONEY_WITHIN):
                found, price = await self._asks.balance(), await self.price(request)
        except (DeliveryError, TimeoutError):
            return False
        return found.amount + found.credit < price.cost

    async def _answered(self, link: Link, body: bytes, request: Request, deadline: float) -> Answer:
        """The answer to one PDU; one that comes after the time for it is remembered."""
        within = min(self._answer_within, deadline - asyncio.get_running_loop().time())
        under_way = link.begin(pdu.SUBMIT_SM, body)
        try:
            async with asyncio.timeout(max(within, 0.01)):
                return await asyncio.shield(under_way)
        except TimeoutError as error:
            if len(smsc_smpp_text.messages(request)) == 1:  # of a longer text, one part's answer says too little
                self._wait_on(under_way, request.client_id)
            raise OutcomeUnknown("no answer in time") from error

    def _wait_on(self, under_way: asyncio.Future[Answer], client_id: str) -> None:
        task = asyncio.get_running_loop().create_task(self._remember(under_way, client_id))
        self._waiting.add(task)
        task.add_done_callback(self._waiting.discard)

    async def _remember(self, under_way: asyncio.Future[Answer], client_id: str) -> None:
        """An answer that says yes, late."""
        try:
            async with asyncio.timeout(_LATE_WITHIN):
                answer = await under_way
            if not answer.status and (found := _given_id(answer)):
                self._late[client_id] = found
                _cap(self._late)
        except (TimeoutError, OutcomeUnknown):
            return

    def _all_taken(self, rest: Sequence[str | BaseException], request: Request) -> list[str]:
        """The ids of the other parts, or what to make of a text whose first part is taken and not all of the rest.

        A text that broke three times is given up here: each further try would pay for its first parts again.
        """
        errors = [one for one in rest if isinstance(one, BaseException)]
        for error in errors:
            if not isinstance(error, DeliveryError):
                raise error
            if isinstance(error, OutcomeUnknown):
                raise OutcomeUnknown(f"a part has no answer: {error.reason}", code=error.code) from error
            if isinstance(error, AccountPaused):
                raise error
        if not errors:
            return [one for one in rest if isinstance(one, str)]
        self._broken[request.client_id] = broken = self._broken.pop(request.client_id, 0) + 1
        _cap(self._broken)
        reason = f"only a part of the text was taken: {errors[0]}"
        if broken > _MOST_BROKEN or any(isinstance(error, PermanentFailure) for error in errors):
            raise PermanentFailure(reason, status="5.6.0") from errors[0]
        raise TemporaryFailure(reason, retry_after=SAME_REQUEST_PAUSE) from errors[0]

    async def status(self, question: Question) -> StatusAnswer:
        """By query_sm, which needs the provider's own ids. NoWayToAsk where they are not known."""
        if question.provider_id:
            return await self._queried(question)
        raise NoWayToAsk("SMPP has no id of ours to ask by")

    async def statuses(self, questions: Sequence[Question]) -> Mapping[Question, StatusAnswer]:
        """Up to 50 of *questions*, each by its own query_sm; what the provider did not answer is missing."""
        asked = [question for question in questions if question.provider_id][:_MOST_ASKED]
        found = await asyncio.gather(*(self._queried(one) for one in asked), return_exceptions=True)
        for one in found:
            if isinstance(one, BaseException) and not isinstance(one, DeliveryError):
                raise one
        answers = zip(asked, found, strict=True)
        return {question: one for question, one in answers if isinstance(one, StatusAnswer)}

    async def _queried(self, question: Question) -> StatusAnswer:
        """Of several parts the one that is worst off speaks for the whole."""
        try:
            found = [await self._query(one, question) for one in question.provider_id.split()]
        except (NotSent, OutcomeUnknown) as error:
            raise TemporaryFailure(error.reason) from error
        return min(found, key=lambda one: _ORDER.get(one.state or "", 0))

    async def _query(self, provider_id: str, question: Question) -> StatusAnswer:
        link = await self._links.taken(_PLACE_WITHIN)
        try:
            body = bodies.Query(provider_id, Address()).encoded()
            answer = await link.ask(pdu.QUERY_SM, body, self._answer_within)
        finally:
            self._links.free(link)
        if answer.status:
            raise TemporaryFailure(f"the question was refused ({answer.status:#06x})")
        try:
            read = bodies.QueryAnswer.read(answer.body)
        except pdu.Malformed as error:
            raise TemporaryFailure("the answer cannot be read") from error
        word = receipts.STATES.get(read.state, f"STATE{read.state}")
        said = receipts.Receipt(provider_id, word, str(read.error or ""), receipts.moment(read.final))
        return smsc_smpp_codes.answer(said, question.phone.removeprefix("+"))

    async def find(self, request: Request, since: datetime) -> StatusAnswer:
        """See ``base.FindsSent``. NoWayToAsk where no door of the account can be asked."""
        if self._lists is None:
            raise NoWayToAsk("this door cannot be asked; name an smsc-http door of the account under status:")
        rows = await self._lists.sent(request.canonical.get("phones", ""), since)
        return next((row for row in rows if smsc_fields.is_it(request.canonical, row, since)), _NOT_THERE)

    def is_ours(self, request: Request, answer: StatusAnswer, since: datetime) -> bool:
        """Phone, time and text fit."""
        return smsc_fields.fits(request.canonical, answer, since)

    def receipt(self, message_id: int, answer: StatusAnswer) -> Receipt:
        """As that of every door of smsc."""
        return smsc_fields.receipt(self.name, message_id, answer)

    async def balance(self) -> Balance:
        """Over HTTP. Raises NoWayToAsk where no door of the account can be asked."""
        return await self._asked().balance()

    async def price(self, request: Request) -> Price:
        """Over HTTP: what the same SMS costs there."""
        form = {name: request.canonical[name] for name in ("phones", "mes", "sender") if request.canonical.get(name)}
        return await self._asked().price(Request({**form, "charset": "utf-8", "fmt": "3"}, request.client_id))

    async def inbound(self, after: int, hours: int) -> tuple[Inbound, ...]:
        """Nothing: what comes in comes over the link."""
        return ()

    def _asked(self) -> Gateway:
        if self._asks is None:
            raise NoWayToAsk("this door cannot be asked; name an smsc-http door of the account under status:")
        return self._asks


_NOT_THERE = StatusAnswer(None, "-3")
_ORDER: Mapping[str, int] = {"UNDELIVERED": 0, "EXPIRED": 1, "ACCEPTED": 2, "DELIVERED": 3}


def _cap(kept: dict[str, Any]) -> None:
    """The oldest go."""
    while len(kept) > _MOST_KEPT:
        del kept[next(iter(kept))]


def _given_id(answer: Answer) -> str:
    """The id in an answer that says yes, "" where it has none. OutcomeUnknown for what can be no id."""
    try:
        found = bodies.message_id(answer.body)
    except pdu.Malformed as error:
        raise OutcomeUnknown("the answer cannot be read") from error
    if found and not _ID.fullmatch(found):
        raise OutcomeUnknown("the answer names no message")
    return found
