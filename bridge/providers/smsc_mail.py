"""smsc by mail: one colon line in a plain-text mail to ``send@send.<domain>``, through a relay.

A 250 of the relay says that somebody has the mail, no more (HANDED_OVER); what became of it is learned from the
provider's callback, or over HTTP from a door of the same account, by our own id. The line carries login and password
in clear, so the relay must speak TLS unless the configuration says otherwise. Source: the provider's SMTP page;
``docs/how-to/smsc-by-mail.md`` tells how an operator sets it up.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import Protocol

from bridge.config.models.providers import Provider
from bridge.config.secrets import SecretText
from bridge.errors import ConfigError, DeliveryError, NotSent, OutcomeUnknown, PermanentFailure, TemporaryFailure
from bridge.mail.bounce import read_bounce
from bridge.model import Channel, Message, Receipt
from bridge.providers import smsc_colon, smsc_fields
from bridge.providers.base import (
    Accepted,
    Balance,
    Doubt,
    Gateway,
    Inbound,
    NoWayToAsk,
    Price,
    Question,
    Request,
    StatusAnswer,
)
from bridge.providers.smsc_colon import Record
from bridge.sms.danger import defuse

_FORMATS: Mapping[Channel, str] = {"sms": "0", "flash": "1", "call": "9", "viber": "10"}
_NO_WAY = "this door cannot be asked; name an smsc-http door of the account under status:"
_ATTEMPT = re.compile(r"([1-9][0-9]{0,18})\.([1-9][0-9]{0,5})", re.ASCII)
_TELLING = 4  # first characters of a password that already tell something
_LOCAL, _ADDED = 64, 27  # RFC 5321 §4.5.3.1.1; ``+``, an id of 19 digits, ``.`` and a number of 6
_QUEUED = frozenset({"450", "451", "452"})  # greylisting and full disks: the relay is well and wants us later


class Relay(Protocol):
    """Who takes the mails (``delivery.relays``). Ends within ``base.LONGEST`` seconds."""

    async def send(self, envelope_from: str, to: Sequence[str], content: bytes) -> object:
        """Raises a delivery error when the one recipient was not taken, or may not have been."""


@dataclass(frozen=True, slots=True)
class MailWay:
    """How the mails of one door leave. *mail_from*: where their bounces go."""

    relay: Relay
    mail_from: str


class SmscMail:
    """One door ``type: smsc-smtp`` (a ``base.Gateway``). *secret* is the password, or without a login the key.

    Without a door to ``ask_at``, only callbacks tell what became of a message.
    """

    def __init__(self, name: str, settings: Provider, secret: SecretText, way: MailWay) -> None:
        self.name = name
        self._settings = settings
        self._secret = secret
        self._relay = way.relay
        self._to = _recipient(name, settings)
        self._from = _bounces(name, way.mail_from)
        self._asks: Gateway | None = None
        self.account = smsc_fields.account(settings, secret)
        self.revision = _revision(settings)
        self.ids = smsc_fields.ids(settings)
        self.parallel = smsc_fields.parallel(settings)
        self.status_door = settings.status or ""
        _check_login(name, settings, secret)

    def __repr__(self) -> str:
        return f"SmscMail({self.name!r}, {self.account!r})"

    def ask_at(self, gateway: Gateway | None) -> None:
        """*gateway*, of the same account, answers what this door cannot be asked."""
        self._asks = gateway

    @property
    def doubt(self) -> Doubt:
        """See ``base.Doubt``."""
        if self._asks is not None:
            return "late"
        return "once" if self._settings.on_unknown == "resend" else "hold"

    def canonical(self, message: Message, now: datetime) -> Mapping[str, str]:
        """The fields of the line, without login, password and id; ``date`` is the mail's, so that a repeat is the same.

        There is no validity and no limit of parts here: the text was cut to its parts when it was planned.
        """
        text = message.text.encode("utf-8", "replace").decode("utf-8")
        return {
            "phones": smsc_fields.number(message.phone),
            "mes": defuse(smsc_colon.readable(text)),  # last: a line that was broken may begin with a command
            "sender": smsc_fields.originator(message, self._settings),
            "time": "0",
            "translit": "0",
            "format": _FORMATS[message.channel],
            "date": format_datetime(now),
        }

    async def submit(self, request: Request) -> Accepted:
        """One mail. Until its final dot nothing was taken; after it, only the relay's answer says anything."""
        content = self._mail(request)
        refusal: DeliveryError | None = None
        try:
            await self._relay.send(self._bounces_to(request), [self._to], content)
        except DeliveryError as error:
            refusal = self._translated(error)
        if refusal is not None:  # raised out here: the relay's own words may quote the line with the password
            raise refusal
        return Accepted("", handed_over=True)

    def _translated(self, error: DeliveryError) -> DeliveryError:
        """What the relay's refusal means for the message; what a relay says may quote the mail."""
        reason = self._masked(error.reason)
        match error:
            case OutcomeUnknown():
                return OutcomeUnknown(reason, code=error.code)
            case PermanentFailure():
                return PermanentFailure(reason, code=error.code, status=error.status)
            case NotSent() | TemporaryFailure():
                code = error.code if error.code in _QUEUED else ""
                return NotSent(reason, code=code, retry_after=error.retry_after)
            case _:  # the relay refuses its own login, which is not the provider's account
                return NotSent(reason)

    def _masked(self, reason: str) -> str:
        """*reason* without the password, and without what a reason that was cut short leaves of it."""
        secret = self._secret.reveal()
        for written in (secret, " ".join(secret.split())):  # blanks may have been made one
            reason = reason.replace(written, "***")
        return re.sub(re.escape(secret[:_TELLING]) + r"[^\s:;]*", "***", reason)

    def _mail(self, request: Request) -> bytes:
        fields = dict(request.canonical)
        date = fields.pop("date", "")
        if not fields.get("phones") or fields["phones"] != smsc_fields.number(fields["phones"]):
            raise PermanentFailure("the recipient is no international number", status="5.1.3")
        if not request.client_id.strip("0"):
            raise PermanentFailure("a message by mail needs an id of ours", status="5.5.4")
        login = self._settings.login or ""
        body = smsc_colon.encode(login, self._secret.reveal(), Record(id=request.client_id, **fields))
        mail = EmailMessage(policy=SMTP)
        mail["From"] = Address(addr_spec=self._from)
        mail["To"] = Address(addr_spec=self._to)
        mail["Subject"] = ""
        mail["Date"] = date
        mail["Message-ID"] = self._message_id(request)
        mail["Auto-Submitted"] = "auto-generated"
        mail.set_content(body, charset="utf-8", cte="8bit")
        return bytes(mail)

    def _message_id(self, request: Request) -> str:
        """The same for every attempt, so that whoever drops doubles on the way may do so."""
        domain = self._from.rpartition("@")[2]
        return f"<{request.client_id}.{smsc_fields.fingerprint(self.account)}@{domain}>"

    def _bounces_to(self, request: Request) -> str:
        """An address of its own for each attempt: ``bounce+1234.1@sms.example.kz``."""
        local, _, domain = self._from.rpartition("@")
        return f"{local}+{request.client_id}.{request.attempt}@{domain}"

    def attempt_at(self, address: str) -> tuple[str, int] | None:
        """See ``base.ReturnsMail``."""
        local, _, domain = address.rpartition("@")
        ours, _, our_domain = self._from.rpartition("@")
        name, _, tail = local.rpartition("+")
        found = _ATTEMPT.fullmatch(tail)
        if found is None or (name.casefold(), domain.casefold()) != (ours.casefold(), our_domain.casefold()):
            return None
        return found[1], int(found[2])

    def returned(self, content: bytes) -> DeliveryError | None:
        """See ``base.ReturnsMail``. A 4.x.x is that of a relay that has tried for long enough."""
        bounce = read_bounce(content)
        if bounce.said != "failed":
            return None
        reason = f"the mail came back: {bounce.reason or bounce.status or 'without a reason'}"
        if bounce.status.startswith("4"):
            return self._translated(NotSent(reason))
        return self._translated(PermanentFailure(reason, status=bounce.status or "5.0.0"))

    def is_ours(self, request: Request, answer: StatusAnswer, since: datetime) -> bool:
        """Phone, time and text fit."""
        return smsc_fields.fits(request.canonical, answer, since)

    def receipt(self, message_id: int, answer: StatusAnswer) -> Receipt:
        """As that of every door of smsc."""
        return smsc_fields.receipt(self.name, message_id, answer)

    async def status(self, question: Question) -> StatusAnswer:
        """Over HTTP. Raises NoWayToAsk where no door of the account can be asked."""
        return await self._asked().status(question)

    async def statuses(self, questions: Sequence[Question]) -> Mapping[Question, StatusAnswer]:
        """Over HTTP, as ``status``."""
        return await self._asked().statuses(questions)

    async def balance(self) -> Balance:
        """Over HTTP, as ``status``."""
        return await self._asked().balance()

    async def price(self, request: Request) -> Price:
        """Over HTTP: what the same SMS costs there."""
        form = {name: request.canonical[name] for name in ("phones", "mes", "sender") if request.canonical.get(name)}
        return await self._asked().price(Request({**form, "charset": "utf-8", "fmt": "3"}, request.client_id))

    async def inbound(self, after: int, hours: int) -> tuple[Inbound, ...]:
        """Over HTTP, as ``status``."""
        return await self._asked().inbound(after, hours)

    def _asked(self) -> Gateway:
        if self._asks is None:
            raise NoWayToAsk(_NO_WAY)
        return self._asks


def _recipient(name: str, settings: Provider) -> str:
    if settings.to is None:
        raise ConfigError((f"providers.{name}.to: is missing; write send@send.smsc.kz",))
    return _plain(f"providers.{name}.to", settings.to)


def _bounces(name: str, mail_from: str) -> str:
    """*mail_from*, if what each attempt adds to it leaves an address. Raises ConfigError."""
    where = f"providers.{name}.mail_from"
    if len(mail_from.rpartition("@")[0]) > _LOCAL - _ADDED:
        sentence = f"{_LOCAL - _ADDED} characters before the @ at most: each attempt adds its own number there"
        raise ConfigError((f"{where}: {sentence}",))
    return _plain(where, mail_from)


def _plain(where: str, address: str) -> str:
    """*address*, if it can stand in a header and in an envelope as it is. Raises ConfigError."""
    try:
        Address(addr_spec=address)
        well = address.isascii()
    except (MessageError, ValueError):  # a defect of the address is a MessageError
        well = False
    if not well:
        raise ConfigError((f"{where}: is no address of plain letters and single dots, like bounce@sms.example.kz",))
    return address


def _check_login(name: str, settings: Provider, secret: SecretText) -> None:
    """A colon in it would shift the fields, and no escape is documented (threats T12). Raises ConfigError."""
    where = f"providers.{name}"
    wrong = [f"{where}.login"] if settings.login and not smsc_colon.can_carry(settings.login) else []
    if not smsc_colon.can_carry(secret.reveal()):
        wrong.append(f"{where}.{'password' if settings.login else 'apikey'}")
    if wrong:
        sentence = 'holds ":" or a character that ends a line; the mail format of smsc has no way to write it'
        raise ConfigError(tuple(f"{key}: {sentence}" for key in wrong))


def _revision(settings: Provider) -> str:
    """Of what decides who gets a stored request and what it means there; a new password changes nothing."""
    return smsc_fields.fingerprint(json.dumps([settings.type, str(settings.relay), settings.to, settings.login]))
