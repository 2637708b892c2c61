"""The smsgate gateway as one object: a request in, a reply out, and posts for what the network reports."""

from __future__ import annotations

import hmac
import re
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, timezone

from bridge.simulator.air import Air
from bridge.simulator.faults import Met
from bridge.simulator.records import Answer, Message, Post
from bridge.simulator.settings import Account, Handler, SmsgateSwitches
from bridge.simulator.smsc import numbers
from bridge.simulator.smsc.replies import Reply
from bridge.simulator.smsgate import posts, texts, written
from bridge.simulator.smsgate.asked import Abonent, Asked, Order, Raw, read_get, read_json, read_xml
from bridge.simulator.smsgate.cascade import NAME, Cascade, Cascades, Way
from bridge.simulator.smsgate.taking import check_phone, check_words, ways
from bridge.simulator.smsgate.texts import Refused
from bridge.simulator.smsgate.written import GET, JSON, XML, Form, Item, Told

_MINUTE = timedelta(minutes=1)
_RETRY_UNPAID = timedelta(seconds=1)
_KEPT = 20_000


@dataclass(frozen=True, slots=True)
class Page:
    """One of the provider's scripts: how it is read and written, and the door that faults know it by."""

    read: Callable[[Raw], Asked]
    form: Form


PAGES = {
    "sendmessage": Page(read_get, GET),
    "sendmessagejson": Page(read_json, JSON),
    "message": Page(read_xml, XML),
    "state_message": Page(read_xml, XML),
    "balance": Page(read_xml, XML),
    "incoming": Page(read_xml, XML),
    "get_state": Page(read_xml, XML),
}
PATHS = {name: f"/{name}.php" if name.startswith("sendmessage") else f"/xml/{name}.php" for name in PAGES}
_DOORS = {"balance": "balance", "incoming": "get", "get_state": "info", "state_message": "status"}


class Smsgate:
    """One provider: its pages, its memory of numbers and requests, its way of reporting."""

    def __init__(self, air: Air) -> None:
        self._air = air
        self.cascades = Cascades(air)
        self._seen: dict[Hashable, datetime] = {}
        self._numbers: dict[tuple[str, str], str] = {}
        self._unpaid: list[Cascade] = []
        self._url = ""
        air.reporters[NAME] = self

    @property
    def _switches(self) -> SmsgateSwitches:
        return self._air.switches.smsgate

    def reset(self) -> None:
        """Forget messages, numbers and who asked what."""
        self.cascades.clear()
        self._seen, self._numbers, self._unpaid = {}, {}, []

    def meet(self, raw: Raw) -> Met:
        """What goes wrong with this request, counted."""
        try:
            asked = PAGES[raw.page].read(raw)
        except Refused:
            asked = Asked()
        phones = [abonent.phone for order in asked.orders for abonent in order.abonents]
        door = "status" if asked.states is not None else _DOORS.get(raw.page, "send")
        return self._air.faults.meet(NAME, door, phones)

    def answer(self, raw: Raw, met: Met | None = None) -> tuple[Reply, int]:
        """Take the request as far as *met* lets it; what the page says, and with which HTTP status."""
        page = PAGES[raw.page]
        self._air.timers.advance(self._air.now())
        try:
            text, status = self._enter(raw, page, met or Met()), 200
        except Refused as refused:
            text, status = page.form.error(refused.text, self._switches), self._switches.error_status
        return Reply(text.encode(), page.form.content_type), status

    def _enter(self, raw: Raw, page: Page, met: Met) -> str:
        asked, now = page.read(raw), self._air.now()
        account = self._account(raw, asked)
        if self._air.faults.throttled(NAME, met.door, now):
            raise Refused(texts.IDENTICAL)
        if met.door.refuse in texts.WHOLE and not met.door.takes:
            raise Refused(texts.WHOLE[met.door.refuse])
        more = raw.page in ("balance", "incoming", "get_state")
        if asked.states is None and not more:
            return self._sent(raw, asked, account, page, met, now)
        if met.door.refuse:
            raise Refused(texts.ITEM.get(met.door.refuse, texts.IDENTICAL))
        return self._told_more(raw.page, asked, account) if more else self._told(asked, account, page)

    def _account(self, raw: Raw, asked: Asked) -> Account:
        accounts = self._air.accounts.values()
        tokens = raw.page in ("sendmessagejson", "message") or self._switches.token_everywhere
        if raw.token and tokens:
            found = next((one for one in accounts if one.apikey and _same(raw.token, one.apikey)), None)
        else:
            found = self._air.accounts.get(asked.login)
            found = found if found is not None and _same(asked.password, found.password) else None
        if found is None:
            raise Refused(texts.PASSWORD)
        return found

    # sending

    def _sent(self, raw: Raw, asked: Asked, account: Account, page: Page, met: Met, now: datetime) -> str:
        if not asked.orders:
            raise Refused(texts.FORMAT.format("XML"))
        if self._switches.identical_get if page.form is GET else self._switches.identical_post:
            self._once((account.login, asked.identity), now)
        results = [self._order(raw, order, account, met) for order in asked.orders]
        if met.door.refuse in texts.WHOLE:  # the error that proves nothing: it was taken all the same
            raise Refused(texts.WHOLE[met.door.refuse])
        return page.form.sent(results, self._switches)

    def _once(self, key: Hashable, now: datetime) -> None:
        before = self._seen.get(key)
        if before is not None and now - before < _MINUTE:
            raise Refused(texts.IDENTICAL)
        self._seen[key] = now
        if len(self._seen) > _KEPT:
            self._seen = {kept: at for kept, at in self._seen.items() if now - at < _MINUTE}

    def _order(self, raw: Raw, order: Order, account: Account, met: Met) -> list[Item] | str:
        try:
            taken = ways(order, account, self._air.switches)
            if not order.abonents:
                raise Refused(texts.NO_PHONE)
        except Refused as refused:
            return refused.text
        return [self._item(raw, order, abonent, taken, account, met) for abonent in order.abonents]

    def _item(
        self, raw: Raw, order: Order, abonent: Abonent, taken: tuple[Way, ...], account: Account, met: Met
    ) -> Item:
        fault = met.of(abonent.phone)
        try:
            check_phone(abonent, account)
            check_words(taken, account)
            if fault.refuse in texts.ITEM and not fault.takes:
                raise Refused(texts.ITEM[fault.refuse])
            item = self._take(raw, order, abonent, taken, account, unpaid=fault.refuse == 3)
            if fault.refuse in texts.ITEM:
                raise Refused(texts.ITEM[fault.refuse])
        except Refused as refused:
            return Item(abonent.phone, abonent.client_id, error=refused.text)
        return item

    def _take(
        self, raw: Raw, order: Order, abonent: Abonent, taken: tuple[Way, ...], account: Account, *, unpaid: bool
    ) -> Item:
        """*unpaid*: as if the account had nothing at this moment."""
        key = (account.login, abonent.client_id)
        if abonent.client_id and (known := self._numbers.get(key)):
            return self._again(self.cascades.by_id[known])
        poor = unpaid or _is_poor(account, taken[0], abonent.phone)
        if poor and not self._switches.queue_unpaid:
            raise Refused(texts.NO_MONEY)
        request = {"method": raw.method, "path": raw.path, "params": order.fields, "peer": raw.peer}
        cascade = self.cascades.add(account.login, abonent.client_id, abonent.phone, taken, request)
        if abonent.client_id:
            self._numbers[key] = cascade.id
        if poor:
            self._wait_for_money(cascade)
            raise Refused(texts.NO_MONEY)
        self.cascades.begin(cascade, self._air.now())
        return self._accepted(cascade)

    def _accepted(self, cascade: Cascade) -> Item:
        shown = cascade.ids if self._switches.later_ids else {way: cascade.ids[way] for way in cascade.begun}
        return Item(cascade.phone, cascade.client_id, cascade.id, len(cascade.ways[0].parts), shown)

    def _again(self, cascade: Cascade) -> Item:
        """The same number once more: nothing is sent, and what is answered is not said."""
        if self._switches.repeated == "error":
            raise Refused(texts.SENT_BEFORE)
        return replace(self._accepted(cascade), nameless=self._switches.repeated == "no id")

    def _wait_for_money(self, cascade: Cascade) -> None:
        self._unpaid.append(cascade)
        self._air.timers.at(self._air.now() + _RETRY_UNPAID, self._begin_paid)

    def _begin_paid(self, at: datetime) -> None:
        """What had no money leaves as soon as there is some."""
        waiting, self._unpaid = self._unpaid, []
        for cascade in waiting:
            if _is_poor(self._air.accounts[cascade.login], cascade.ways[0], cascade.phone):
                self._unpaid.append(cascade)
            else:
                self.cascades.begin(cascade, at)
        if self._unpaid:
            self._air.timers.at(at + _RETRY_UNPAID, self._begin_paid)

    # questions

    def _told(self, asked: Asked, account: Account, page: Page) -> str:
        wanted = asked.states or ()
        if not wanted:
            raise Refused(texts.FORMAT.format("XML"))
        return page.form.told([self._state(account, id) for id in wanted], self._switches)

    def _state(self, account: Account, id: str) -> Told:
        cascade = self.cascades.by_id.get(id)
        if cascade is None or cascade.login != account.login:
            return Told(id, self._switches.unknown_id, known=False)
        used = [way for way in cascade.ways if way.channel in cascade.begun]
        return Told(
            id=id,
            word=self._switches.forced.get(cascade.phone) or self.cascades.whole(cascade),
            changed=self._written(self.cascades.changed_at(cascade)),
            words={way.channel: self.cascades.word(cascade, way.channel) for way in used},
            prices={way.channel: self.cascades.cost(cascade, way.channel) for way in used},
            parts=next((len(way.parts) for way in used if way.channel == "sms"), 0),
        )

    def _told_more(self, page: str, asked: Asked, account: Account) -> str:
        if page == "balance":
            return written.xml_balance(account.balance, account.currency)
        if page == "get_state":
            return self._pushes(asked.url)
        return written.xml_inbound(self._inbound(asked, account))

    def _pushes(self, url: str | None) -> str:
        """Where states are posted to; the page of the older API sets it this way."""
        if url is not None:
            others = tuple(handler for handler in self._air.handlers if handler.url != self._url or not self._url)
            self._url = url
            self._air.handlers = (*others, *((Handler(url=url, gateway="smsgate", inbound=False),) if url else ()))
        return written.xml_url(self._url)

    def _inbound(self, asked: Asked, account: Account) -> Sequence[tuple[dict[str, str], str]]:
        """SMS to the account's number between two times, neither of them included."""
        begin, end = self._moment(asked.begin), self._moment(asked.end)
        return [
            (
                {
                    "id_sms": str(answer.id),
                    "date_receive": self._written(answer.received_at),
                    "originator": answer.phone,
                    "prefix": "",
                    "phone": answer.to,
                },
                answer.text.replace("\n", "\\n"),
            )
            for answer in self._air.answers
            if answer.kind == "sms"
            and answer.to == account.number
            and (begin is None or answer.received_at > begin)
            and (end is None or answer.received_at < end)
        ]

    # posts

    def status_posts(self, handler: Handler, message: Message) -> tuple[Post, ...]:
        """One post when a channel has ended; whether cascades are reported at all is not said."""
        cascade = self.cascades.of_message(message)
        if cascade is None or not (self._switches.push_cascade or len(cascade.ways) == 1):
            return ()
        word = self.cascades.word(cascade, message.channel)
        if word == "send":
            return ()
        id = cascade.id if self._switches.pushed_id == "id_message" else cascade.ids[message.channel]
        return (posts.state(handler, id, word, self._written(message.changed_at), message.phone),)

    def answer_posts(self, handler: Handler, answer: Answer) -> tuple[Post, ...]:
        """Viber answers are posted; inbound SMS can only be fetched."""
        if answer.kind != "viber":
            return ()
        newest = self.last_viber(answer.phone)
        id = newest.id if newest is not None and self._switches.answered_id == "id_message" else str(answer.id)
        return (posts.viber(handler, id, answer),)

    @property
    def _zone(self) -> timezone:
        return timezone(timedelta(hours=self._switches.hours_from_utc))

    def _written(self, moment: datetime) -> str:
        """``YYYY-MM-DD hh:mm:ss``; the page does not say in which zone."""
        return moment.astimezone(self._zone).strftime("%Y-%m-%d %H:%M:%S")

    def _moment(self, text: str) -> datetime | None:
        if not re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", text):
            return None
        try:
            return datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=self._zone).astimezone(UTC)
        except ValueError:
            return None

    def last_viber(self, phone: str) -> Message | None:
        """The newest Viber message on *phone*, if it is the newest of all."""
        held = self._air.messages(phone)
        newest = held[-1] if held else None
        return newest if newest is not None and (newest.gateway, newest.channel) == (NAME, "viber") else None


def _is_poor(account: Account, first: Way, phone: str) -> bool:
    """Whether the account has too little for the channel that is tried first."""
    price = numbers.price(account, first.channel, phone) * len(first.parts)
    return price > account.balance + account.credit


def _same(given: str, kept: str) -> bool:
    return hmac.compare_digest(given.encode(), kept.encode())
