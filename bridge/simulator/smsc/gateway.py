"""The smsc gateway as one object: a request in, a reply out, and posts for what the network reports."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from datetime import datetime

from bridge.simulator.air import Air
from bridge.simulator.faults import Met
from bridge.simulator.records import Answer, Message, Post
from bridge.simulator.settings import Account, Handler
from bridge.simulator.smsc import callbacks, numbers, queries, replies
from bridge.simulator.smsc.limits import Guard
from bridge.simulator.smsc.replies import CROWDED, WITH_ID, Refused, Reply
from bridge.simulator.smsc.request import Asked, Raw
from bridge.simulator.smsc.send import send
from bridge.simulator.smsc.status import status

NAME = "smsc"
DOORS = ("send", "status", "balance", "get", "info", "wait_call")
_NOBODY = Account(login="", password="")
_Door = Callable[[Air, Guard, Account, Raw, datetime], str]


class Smsc:
    """One provider: its doors, its memory of who asked what, its way of reporting."""

    def __init__(self, air: Air) -> None:
        self._air = air
        self.guard = Guard()
        self.wait_calls = queries.WaitCalls()
        self._questions: dict[str, _Door] = {
            "status": status,
            "balance": queries.balance,
            "get": queries.get,
            "info": queries.info,
            "wait_call": self.wait_calls.ask,
        }
        air.reporters[NAME] = self

    def reset(self) -> None:
        """Forget who asked what: limits start anew."""
        self.guard = Guard()

    def meet(self, raw: Raw) -> Met:
        """What goes wrong with this request, counted."""
        asked = raw.asked
        lists = [asked.get("phones"), asked.get("phone"), *(phones for phones, _ in numbers.pairs(asked.get("list")))]
        entries = [entry for phones in lists for entry in numbers.recipients(phones, _NOBODY)]
        digits = [numbers.phone_number(entry, "sms", self._air.switches) for entry in entries]
        door = "price" if raw.door == "send" and asked.get("cost") == "1" else raw.door
        return self._air.faults.meet(NAME, door, [phone for phone in digits if phone])

    def answer(self, raw: Raw, met: Met | None = None, *, crowded: bool = False) -> Reply:
        """Take the request as far as *met* lets it, and say what the door says; never raises for what it holds.

        *crowded*: too many requests of this login are being answered already.
        """
        asked = raw.asked
        try:
            text = self._enter(raw, met or Met(), crowded, self._air.now())
        except Refused as refused:
            if refused.code in (1, 2):
                self.guard.blame(raw.peer, self._air.switches.limits, self._air.now())
            id = refused.id if refused.code in WITH_ID else ""
            text = replies.error(asked.fmt, refused.code, refused.text, id)
            return replies.reply(asked.fmt, text, asked.charset, self._air.switches.error_status)
        return replies.reply(asked.fmt, text, asked.charset)

    def _enter(self, raw: Raw, met: Met, crowded: bool, now: datetime) -> str:
        self.guard.admit(raw.peer, self._air.switches.limits, now)
        if crowded or self._air.faults.throttled(NAME, met.door, now):
            raise Refused(9, text=CROWDED)
        account = self._account(raw.asked, raw.peer)
        if raw.door in ("send", "mail"):
            return send(self._air, self.guard, account, raw, met, now)
        if met.door.refuse:
            raise Refused(met.door.refuse)
        return self._questions[raw.door](self._air, self.guard, account, raw, now)

    def _account(self, asked: Asked, peer: str) -> Account:
        """Refused 2 for a wrong login, password or key, or an address that is not on the account's list."""
        found = next((one for one in self._air.accounts.values() if self._knows(one, asked)), None)
        if found is None or (found.allowed_addresses and peer not in found.allowed_addresses):
            raise Refused(2)
        return found

    def _knows(self, account: Account, asked: Asked) -> bool:
        if not asked.get("login") and asked.get("apikey"):
            return bool(account.apikey) and _same(asked.get("apikey"), account.apikey)
        if asked.get("login") != account.login:
            return False
        md5 = hashlib.md5(account.password.encode(), usedforsecurity=False).hexdigest()
        hashed = self._air.switches.md5_passwords and _same(asked.get("psw"), md5)
        return hashed or _same(asked.get("psw"), account.password)

    def status_posts(self, handler: Handler, message: Message) -> tuple[Post, ...]:
        """One post a state, or one a part where the account's switch says so."""
        switches = self._air.switches
        made = callbacks.status_fields(message, switches, self._air.hours(message.login))
        post = callbacks.post(handler, "status", made, message.phone, switches)
        return (post,) * (len(message.parts) if switches.status_parts else 1)

    def answer_posts(self, handler: Handler, answer: Answer) -> tuple[Post, ...]:
        kind, made = callbacks.answer_fields(answer, self._air.switches)
        return (callbacks.post(handler, kind, made, answer.phone, self._air.switches),)


def _same(given: str, kept: str) -> bool:
    return hmac.compare_digest(given.encode(), kept.encode())
