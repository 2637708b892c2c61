"""One SMTP session: the commands that hand in a mail, in the order of RFC 5321.

A mail is taken over with one ``await keep(envelope)``; its ``250`` is said after the commit and never before.
Sources: RFC 5321, RFC 1870 (SIZE), RFC 3461 (DSN), RFC 6531 (SMTPUTF8).
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from bridge.errors import StoreError
from bridge.ingress import dsn, lines, replies
from bridge.ingress.addresses import NotAnAddress, read_path
from bridge.ingress.ports import Facts, NoRoom
from bridge.ingress.visitor import Desk, Visitor
from bridge.model import Envelope, Recipient


@dataclass(slots=True)
class _Draft:
    """A mail between MAIL and its final dot."""

    mail_from: str
    facts: Facts
    wishes: dsn.MailWishes
    recipients: dict[str, Recipient] = field(default_factory=dict)
    returned: str = ""  # the address of ours that an error mail came back to; it is the only recipient then


class Session(Visitor):
    """The server's side of one connection."""

    def __init__(self, desk: Desk, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(desk, loop)
        self._draft: _Draft | None = None
        self._held = 0  # bytes counted as in flight

    # Envelope -------------------------------------------------------------------------------------

    async def smtp_MAIL(self, argument: str) -> None:
        refusal = self._mail_refusal()
        if refusal:
            return self._refuse("mail", refusal)
        if argument[:5].upper() != "FROM:":
            return self._refuse("mail", replies.MAIL_SYNTAX)
        try:
            address, rest = read_path(argument[5:].strip(), self._getaddr)
            wishes = dsn.mail_wishes(rest)
        except NotAnAddress:
            return self._refuse("mail", replies.SENDER_SYNTAX)
        except dsn.BadParameter as error:
            return self._refuse("mail", error.reply)
        facts = self._facts(address)
        refusal = self._envelope_refusal(facts, wishes)
        if refusal:
            return self._refuse("mail", refusal)
        self._draft = _Draft(address, facts, wishes)
        return self.say(replies.SENDER_OK)

    def _mail_refusal(self) -> str | None:
        if self._helo is None:
            return replies.HELLO_FIRST
        if self._draft is not None:
            return replies.ONE_MAIL_AT_A_TIME
        return self._refusal

    def _envelope_refusal(self, facts: Facts, wishes: dsn.MailWishes) -> str | None:
        desk = self.desk
        if wishes.size > desk.listener.max_size:
            return replies.announced_too_big(desk.listener.max_size)
        if not (wishes.utf8 or facts.mail_from.isascii()):
            return replies.NEEDS_UTF8
        if not self._has_room(wishes.size):
            return replies.NO_ROOM
        return desk.policy.sender_refusal(facts)

    async def smtp_RCPT(self, argument: str) -> None:
        draft = self._draft
        if draft is None:
            return self._refuse("rcpt", replies.MAIL_FIRST)
        if argument[:3].upper() != "TO:":
            return self._refuse("rcpt", replies.RCPT_SYNTAX)
        if len(draft.recipients) >= self.caps.recipients:
            return self._refuse("rcpt", replies.recipients_taken(self.caps.recipients))
        try:
            address, rest = read_path(argument[3:].strip(), self._getaddr)
            wishes = dsn.recipient_wishes(rest)
        except NotAnAddress:
            return self._refuse("rcpt", replies.RECIPIENT_SYNTAX)
        except dsn.BadParameter as error:
            return self._refuse("rcpt", error.reply)
        refusal = await self._recipient_refusal(draft, address)
        if refusal:
            return self._refuse("rcpt", refusal)
        draft.recipients.setdefault(address, Recipient(address, wishes.notify, wishes.orcpt))
        return self.say(replies.RECIPIENT_OK)

    async def _recipient_refusal(self, draft: _Draft, address: str) -> str | None:
        if not address:
            return replies.RECIPIENT_SYNTAX
        if not (draft.wishes.utf8 or address.isascii()):
            return replies.NEEDS_UTF8
        if not draft.mail_from and self.desk.returns.has(address):
            return await self._return_refusal(draft, address)
        if draft.returned:
            return replies.RETURN_ALONE
        return self.desk.policy.recipient_refusal(draft.facts, address)

    async def _return_refusal(self, draft: _Draft, address: str) -> str | None:
        """An error mail: only about a mail of ours that may still come back. Else it reads as any unknown address."""
        if draft.recipients and draft.returned != address:
            return replies.RETURN_ALONE
        try:
            known = await self.desk.returns.known(address)
        except StoreError:
            return replies.CANNOT_KEEP
        if known == "here":
            draft.returned = address
            return None
        return replies.RETURN_TOO_SOON if known == "soon" else replies.no_rule(address)

    # Content --------------------------------------------------------------------------------------

    async def smtp_DATA(self, argument: str) -> None:
        draft = self._draft
        refusal = self._data_refusal(argument)
        if refusal or draft is None:
            return self._refuse("data", refusal)
        self.say(replies.GO_AHEAD)
        content = await self.read_content()
        self._draft = None
        if content is None:  # the session ends, and gives back what it held
            return None
        began = self.loop.time()
        self._busy = True
        try:
            await self._take_over(draft, content, began)
        finally:
            self._busy = False
            self.release()
        return None

    def _data_refusal(self, argument: str) -> str:
        if self._draft is None:
            return replies.MAIL_FIRST
        if not self._draft.recipients:
            return replies.RCPT_FIRST
        if argument:
            return replies.NO_ARGUMENT
        return "" if self._has_room(self._draft.wishes.size) else replies.NO_ROOM

    def content_grew(self, content: lines.Content) -> None:
        limit = self.desk.listener.max_size
        if content.size > 2 * limit:
            self._refuse("data", replies.grew_too_big(limit))
            self.end()
        elif content.size > limit + limit // 64 + len(b".\r\n"):  # stuffed dots do not count (RFC 1870 §5)
            self._let_go(content)
        elif not content.dropped:
            held = self.desk.limits.in_flight.grow(self._held, content.held)
            if held is None:
                self._let_go(content)
            else:
                self._held = held

    def _let_go(self, content: lines.Content) -> None:
        content.drop()
        self.release()

    async def _take_over(self, draft: _Draft, content: lines.Content, began: float) -> None:
        """Keep the mail and say so, or say why not."""
        desk = self.desk
        limit = desk.listener.max_size
        if content.dropped and content.size <= limit:
            return self._refuse("data", replies.NO_ROOM)
        octets = content.take()
        size = len(octets)
        if content.dropped or size > limit:
            return self._refuse("data", replies.grew_too_big(limit))
        if lines.longest_line_over(octets, self.caps.line_length):
            return self._refuse("data", replies.line_too_long(self.caps.line_length))
        if lines.has_bare_ends(octets):
            if not self._repairs:
                return self._refuse("data", replies.BARE_LINE_ENDS)
            octets = lines.repaired(octets)
        try:
            answer = await self._kept(draft, octets)
        except NoRoom:
            return self._refuse("data", replies.NO_ROOM)
        except StoreError:
            return self._refuse("data", replies.CANNOT_KEEP)
        self._commands = 0
        self.mail_kept()
        desk.meter.kept(size, self.loop.time() - began)
        return self.say(answer)

    async def _kept(self, draft: _Draft, content: bytes) -> str:
        """The answer after the commit. An error mail is read and not kept: it may quote a password (threats T29)."""
        if draft.returned:
            await self.desk.returns.take(draft.returned, content)
            return replies.RETURN_NOTED
        return replies.kept(await self.desk.keep(self._envelope(draft, content)))

    def _envelope(self, draft: _Draft, content: bytes) -> Envelope:
        return Envelope(
            content=content,
            received_at=self.desk.clock(),
            mail_from=draft.mail_from,
            recipients=tuple(draft.recipients.values()),
            door="smtp",
            peer=self.peer,
            login=self._login,
            certificate=self._subject,
            tls=self.tls,
            helo=self._helo or "",
            ret=draft.wishes.ret,
            envid=draft.wishes.envid,
        )

    def _has_room(self, size: int) -> bool:
        """Whether a mail of *size* may be begun: memory for all connections, and the store's own word."""
        in_flight = self.desk.limits.in_flight
        counted = max(0, size - in_flight.free)
        return in_flight.used + counted <= in_flight.limit and self.desk.room(size)

    def release(self) -> None:
        self.desk.limits.in_flight.give_back(self._held)
        self._held = 0

    # The rest -------------------------------------------------------------------------------------

    async def smtp_RSET(self, argument: str) -> None:
        self.reset()
        self.say(replies.OK)

    @property
    def in_mail(self) -> bool:
        return self._draft is not None

    def reset(self) -> None:
        self._draft = None

    async def smtp_NOOP(self, argument: str) -> None:
        self.say(replies.OK)

    async def smtp_VRFY(self, argument: str) -> None:
        self.say(replies.CANNOT_VERIFY)

    async def smtp_EXPN(self, argument: str) -> None:
        self.strange(replies.NOT_A_COMMAND)

    async def smtp_HELP(self, argument: str) -> None:
        self.say(replies.HELP)

    async def smtp_QUIT(self, argument: str) -> None:
        self.end(replies.BYE)
