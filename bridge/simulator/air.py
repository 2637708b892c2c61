"""The pretend network: what was taken, what phones hold, what they send back, and when states move.

Gateways put messages in and say how a state or an answer is posted to a handler (``Reporter``); they
know nothing of each other. One event loop, no threads, no locks, everything in memory and capped.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import Protocol

from bridge.simulator.changes import Changes
from bridge.simulator.faults import Fault, FaultBook
from bridge.simulator.records import FAILED, Answer, AnswerKind, Change, Exchange, Mail, Message, Post, Posted
from bridge.simulator.settings import Account, Handler, Switches
from bridge.simulator.timers import Timers

KEPT_MESSAGES = 50_000
KEPT_REQUESTS = 2_000
KEPT_MAILS = 2_000

_ENDS: dict[str, tuple[int, int]] = {
    "delivered": (1, 0),
    "read": (2, 0),
    "link": (4, 0),
    "stopped": (-2, 0),
    "expired": (3, 6),
    "undelivered": (20, 1),
    "wrong_number": (22, 249),
    "forbidden": (23, 252),
    "no_money": (24, 0),
    "unavailable": (25, 248),
}
"""How a fate ends: status and err (smsc-http.md §8)."""


def _belongs(handler: Handler, gateway: str) -> bool:
    """smsgate posts to its own handlers and nobody else does."""
    return (handler.gateway == "smsgate") == (gateway == "smsgate")


class Reporter(Protocol):
    """A gateway's way of posting to handlers; empty when it posts nothing for that."""

    def status_posts(self, handler: Handler, message: Message) -> tuple[Post, ...]: ...

    def answer_posts(self, handler: Handler, answer: Answer) -> tuple[Post, ...]: ...


class LinkReporter(Protocol):
    """A gateway's way of reporting over its clients' own links, handlers or not."""

    def link_status_posts(self, message: Message) -> tuple[Post, ...]: ...

    def link_answer_posts(self, answer: Answer) -> tuple[Post, ...]: ...


class Air:
    """State of the simulator behind its doors. *now* gives aware UTC; *post* hands a post to the courier."""

    def __init__(
        self, *, accounts: Iterable[Account], switches: Switches, faults: FaultBook, now: Callable[[], datetime]
    ) -> None:
        self.accounts = {account.login: account for account in accounts}
        self.switches = switches
        self.faults = faults
        self.handlers: tuple[Handler, ...] = ()
        self.reporters: dict[str, Reporter] = {}
        self.links: dict[str, LinkReporter] = {}
        self.now = now
        self.post: Callable[[Post], None] = lambda post: None
        self.timers = Timers(now)
        self.changes = Changes()
        self.answers: deque[Answer] = deque(maxlen=KEPT_MESSAGES)
        self.mails: deque[Mail] = deque(maxlen=KEPT_MAILS)
        self.exchanges: deque[Exchange] = deque(maxlen=KEPT_REQUESTS)
        self.posted: deque[Posted] = deque(maxlen=KEPT_REQUESTS)
        self.serials = count(1)
        self._answer_ids = count(1)
        self._messages: dict[int, Message] = {}
        self._newest: dict[tuple[str, str, str], int] = {}
        self._held: dict[int, list[Post]] = {}

    def messages(self, phone: str = "") -> tuple[Message, ...]:
        """In order of arrival; all phones when *phone* (digits) is empty."""
        self.timers.advance(self.now())
        return tuple(message for message in self._messages.values() if not phone or message.phone == phone)

    def find(self, login: str, id: str, phone: str) -> Message | None:
        """The newest message of that id and phone: ids are the client's and may repeat."""
        self.timers.advance(self.now())
        serial = self._newest.get((login, id, phone))
        return self._messages.get(serial) if serial is not None else None

    def forget(self, message: Message) -> None:
        self._messages.pop(message.serial, None)
        self._newest.pop((message.login, message.id, message.phone), None)

    def clear(self) -> None:
        """No messages, answers, requests or posts any more; accounts, switches and faults stay."""
        for kept in (self._messages, self._newest, self._held):
            kept.clear()
        for log in (self.answers, self.exchanges, self.posted):
            log.clear()
        self.timers.clear()
        self.changes.publish(Change("cleared"))

    def take(self, message: Message) -> None:
        """A gateway has accepted *message*: from here the network has it."""
        if len(self._messages) >= KEPT_MESSAGES:
            self.forget(next(iter(self._messages.values())))
        self._messages[message.serial] = message
        self._newest[message.login, message.id, message.phone] = message.serial
        self.changes.publish(Change("message", message.phone, message.as_json()))
        if message.status == -1:
            self._plan(message, self.faults.network(message.gateway, message.phone))
        else:
            self._report(message, self.faults.network(message.gateway, message.phone))

    def _plan(self, message: Message, fault: Fault) -> None:
        fate = fault.fate_of(message.channel)
        if fate == "waiting":
            return
        delay = self.switches.delivery_delay if fault.receipt_delay is None else fault.receipt_delay
        handed = message.send_at + timedelta(seconds=self.switches.operator_delay)
        self.timers.at(handed, lambda at: self._move(message.serial, 0, 0, at, fault))
        if fault.receipts != "none":
            status, err = _ENDS[fate]
            ended = message.valid_until if fate == "expired" else handed + timedelta(seconds=delay)
            err = err if fault.err is None else fault.err
            if self.switches.delivered_first and fate in ("read", "link"):
                self.timers.at(ended, lambda at: self._move(message.serial, 1, 0, at, fault))
                ended += timedelta(seconds=delay)
            self.timers.at(ended, lambda at: self._move(message.serial, status, err, at, fault))

    def end(self, message: Message, status: int, at: datetime) -> None:
        """The gateway itself gives up on *message*, as a cascade does at the end of a way."""
        self._move(message.serial, status, 0, at, self.faults.network(message.gateway, message.phone))

    def message(self, serial: int) -> Message | None:
        """One message as it is now."""
        self.timers.advance(self.now())
        return self._messages.get(serial)

    def peek(self, serial: int) -> Message | None:
        """One message as it was when time last passed: for those who are called while it does."""
        return self._messages.get(serial)

    def _move(self, serial: int, status: int, err: int, at: datetime, fault: Fault) -> None:
        message = self._messages.get(serial)
        if message is None:
            return
        account = self.accounts.get(message.login)
        if status == 1 and account is not None and account.test_mode:
            err = 200
        moved = replace(message, status=status, err=err, changed_at=at)
        if status in FAILED and not self.switches.charge_failures:
            self.charge(message.login, -message.cost)
            moved = replace(moved, cost=Decimal(0))
        self._messages[serial] = moved
        self.changes.publish(Change("state", moved.phone, moved.as_json()))
        self._report(moved, fault)

    def _report(self, message: Message, fault: Fault) -> None:
        if fault.receipts in ("none", "lost"):
            return
        reporter = self.reporters[message.gateway]
        posts = [
            post
            for handler in self.handlers
            if handler.statuses and _belongs(handler, message.gateway)
            for post in reporter.status_posts(handler, message)
        ]
        if message.gateway in self.links:
            posts += self.links[message.gateway].link_status_posts(message)
        if fault.receipts == "twice":
            posts = [post for post in posts for _ in range(2)]
        if fault.receipts == "reversed" and message.status <= 0:
            self._held.setdefault(message.serial, []).extend(posts)
            return
        for post in posts + self._held.pop(message.serial, []):
            self.post(post)

    def answer(self, phone: str, to: str, text: str, kind: AnswerKind) -> Answer:
        """*phone* sent *text* to (or rang) the provider's number *to*."""
        number = next(self._answer_ids)
        if self.switches.inbound_ids == "swapped":
            number += 1 if number % 2 else -1
        answer = Answer(number, phone, to, text, kind, self.now())
        self.answers.append(answer)
        self.changes.publish(Change("answer", phone, answer.as_json()))
        for handler in self.handlers:
            for gateway, reporter in self.reporters.items() if handler.inbound else ():
                if _belongs(handler, gateway) and (kind != "viber" or gateway == "smsgate"):
                    for post in reporter.answer_posts(handler, answer):
                        self.post(post)
        for link in self.links.values() if kind != "viber" else ():
            for post in link.link_answer_posts(answer):
                self.post(post)
        return answer

    def hours(self, login: str) -> float:
        """Hours from Moscow of the clock by which dates are written for that account."""
        account = self.accounts.get(login)
        return account.hours_from_moscow if account is not None and self.switches.dates == "account" else 0

    def last_originator(self, phone: str) -> str:
        """What the newest message on *phone* shows as its sender, "" when there is none."""
        return next((message.sender for message in reversed(self._messages.values()) if message.phone == phone), "")

    def charge(self, login: str, amount: Decimal) -> Decimal:
        """Take *amount* (negative gives back) from the account; the new balance."""
        account = self.accounts[login]
        self.accounts[login] = account.model_copy(update={"balance": account.balance - amount})
        return self.accounts[login].balance
