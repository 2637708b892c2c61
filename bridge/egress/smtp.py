"""One mail to the relay: SMTP with STARTTLS or TLS from the start, and what it means when it fails.

The only place that knows aiosmtplib. Until the final dot goes into the socket nothing was taken (NotSent, or
what the relay said), so another server may be tried; after it only the relay's answer proves anything
(OutcomeUnknown). The data is written here, not by the library, because the library does not tell these two apart.
"""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import aiosmtplib
from aiosmtplib.protocol import SMTPProtocol

from bridge.config.models.service import OutgoingMail
from bridge.config.secrets import SecretText
from bridge.errors import AccountPaused, DeliveryError, NotSent, OutcomeUnknown, PermanentFailure, TemporaryFailure

_LINE_END = re.compile(rb"\r\n|\r|\n")
_DOT = re.compile(rb"^\.", re.MULTILINE)  # lines end in CRLF here, so ``^`` is right behind each of them
_ADDRESS = re.compile(r"[^\s<>\x00-\x20\x7f]+@[^\s<>@\x00-\x20\x7f]+")
_STATUS = re.compile(r"\s*([245]\.[0-9]{1,3}\.[0-9]{1,3})\b")
_ANSWER = 20.0  # seconds for one answer
_AFTER_DOT = 120.0  # a relay may look for viruses first (RFC 5321 §4.5.3.2.6 allows ten minutes)
_BEFORE_DOT = 45.0  # seconds for all that comes before it: together shorter than the lease of an outgoing mail
_FAREWELL = 2.0
_LOGIN_WANTED = frozenset((530, 534, 535, 538))  # RFC 4954 §6, RFC 3207 §4: about us, never about this mail


@dataclass(frozen=True, slots=True)
class Refused:
    """A recipient whom the relay did not take, while it took others."""

    address: str
    error: DeliveryError


@dataclass(frozen=True, slots=True)
class Place:
    """A mail server: *host* is a name or an address to connect to, *name* whom its certificate must be for."""

    name: str
    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.name}:{self.port}"


class Places(Protocol):
    """Who takes mail for a domain (``egress.exchangers``)."""

    async def of(self, domain: str) -> Sequence[Place]:
        """At least one, best first. Raises NotSent or PermanentFailure."""


@dataclass(frozen=True, slots=True)
class _Begun:
    """A server that waits for the mail."""

    client: aiosmtplib.SMTP
    protocol: SMTPProtocol
    refused: tuple[Refused, ...]


class MailRelay:
    """The relay of ``outgoing_mail``; a connection a mail. *password* is needed when the settings name a user.

    With *places* the mail goes to the first of them that is ready for it, instead of the relay of the settings.
    *hostname* is what we say in EHLO. *trust* replaces the system's trust; there is no way to switch
    verification off: ``tls: off`` is plain text. *begun_within* seconds for all that comes before the mail itself.
    *headers_only*: a report about a mail must not bring the body back (RFC 3461 §4.3).
    """

    def __init__(
        self,
        settings: OutgoingMail,
        password: SecretText | None,
        *,
        hostname: str,
        trust: ssl.SSLContext | None = None,
        answer_within: float = _ANSWER,
        taken_within: float = _AFTER_DOT,
        begun_within: float = _BEFORE_DOT,
        headers_only: bool = False,
        places: Places | None = None,
    ) -> None:
        self._settings = settings
        self._places = places
        self._password = password
        self._hostname = hostname
        self._trust = trust
        self._answer_within = answer_within
        self._taken_within = taken_within
        self._begun_within = begun_within
        self._headers_only = headers_only

    async def send(self, envelope_from: str, to: Sequence[str], content: bytes) -> tuple[Refused, ...]:
        """Hand one mail over for all of *to*; gives those the relay refused while it took the others.

        Raises NotSent or TemporaryFailure (nobody has it: again later), PermanentFailure (never),
        AccountPaused (our login is refused), OutcomeUnknown (the relay may have it).
        """
        try:
            async with asyncio.timeout(self._begun_within) as limit:
                begun = await self._begin(envelope_from, to, content, limit.when() or 0.0)
        except TimeoutError as error:
            raise NotSent("the relay took too long") from error
        try:
            await self._data(begun.protocol, content)
            await _farewell(begun.client)
        finally:
            begun.client.close()
        return begun.refused

    async def _begin(self, envelope_from: str, to: Sequence[str], content: bytes, deadline: float) -> _Begun:
        """At the first place that is ready; each but the last may use up half of the time that is left."""
        loop = asyncio.get_running_loop()
        places = await self._places_for(to)
        failed: list[NotSent | TemporaryFailure] = []
        for left, place in zip(range(len(places) - 1, -1, -1), places, strict=True):
            share = (deadline - loop.time()) / 2 if left else None
            try:
                async with asyncio.timeout(share):
                    return await self._begin_at(place, envelope_from, to, content)
            except TimeoutError:
                failed.append(NotSent(f"{place} took too long"))
            except (NotSent, TemporaryFailure) as error:  # nobody has the mail: the next may
                failed.append(error)
        raise _most_telling(failed)

    async def _places_for(self, to: Sequence[str]) -> Sequence[Place]:
        if self._places is None:
            relay = self._settings.relay
            return (Place(relay.host, relay.host, relay.port),)
        domains = {address.rpartition("@")[2].lower() for address in to}
        if len(domains) != 1:
            raise PermanentFailure("a mail without a relay goes to one domain", status="5.1.3")
        try:
            return await self._places.of(domains.pop())
        except PermanentFailure as error:  # what DNS denies is this way out, not this mail
            raise NotSent(error.reason) from error

    async def _begin_at(self, place: Place, envelope_from: str, to: Sequence[str], content: bytes) -> _Begun:
        client = self._client(place)
        try:
            await self._greet(client, place)
            refused = await self._address(client, envelope_from, to, content)
            return _Begun(client, await self._open_data(client), refused)
        except BaseException:
            client.close()
            raise

    def _client(self, place: Place) -> aiosmtplib.SMTP:
        return aiosmtplib.SMTP(
            hostname=place.host,
            port=place.port,
            use_tls=self._settings.relay.scheme == "smtps",
            start_tls=False,  # done below, where a refusal has a meaning
            local_hostname=self._hostname,
            timeout=self._answer_within,
            tls_context=self._trust or ssl.create_default_context(),
        )

    async def _greet(self, client: aiosmtplib.SMTP, place: Place) -> None:
        """Connect, TLS, login. Nothing of the mail leaves here."""
        try:
            await client.connect()
            await client.ehlo()
            if self._settings.relay.scheme != "smtps":
                await self._start_tls(client, place)
            if self._settings.user:
                await self._login(client, self._settings.user)
        except aiosmtplib.SMTPAuthenticationError as error:
            if error.code >= 500:
                raise AccountPaused("the relay refuses our login", code=str(error.code), cause="password") from error
            raise _temporary(error.code, error.message) from error
        except aiosmtplib.SMTPResponseException as error:
            raise NotSent(_said(error.code, error.message), code=str(error.code)) from error
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:
            raise NotSent(_no_connection(error, place)) from error

    async def _start_tls(self, client: aiosmtplib.SMTP, place: Place) -> None:
        if self._settings.tls == "off":
            return
        if client.supports_extension("starttls"):
            await client.starttls(server_hostname=place.name)
            await client.ehlo()
        elif self._settings.tls == "required":
            raise NotSent(f"{place} offers no TLS, and tls is required")

    async def _login(self, client: aiosmtplib.SMTP, user: str) -> None:
        if self._password is None:
            raise AccountPaused("outgoing_mail has a user and no password", cause="password")
        if client.get_transport_info("sslcontext") is None and not _is_off(self._settings):
            raise NotSent("no password goes to a relay without TLS")
        await client.login(user, self._password.reveal())

    async def _address(
        self, client: aiosmtplib.SMTP, envelope_from: str, to: Sequence[str], content: bytes
    ) -> tuple[Refused, ...]:
        """MAIL and every RCPT; raises when nobody is left."""
        if not all(_ADDRESS.fullmatch(address) for address in (envelope_from or "null@sender", *to)):
            # The library would cut such an address short and mail to what is left of it.
            raise PermanentFailure("an address is none", status="5.1.3")
        options = ["BODY=8BITMIME"] if not content.isascii() and client.supports_extension("8bitmime") else []
        utf8 = not all(address.isascii() for address in (envelope_from, *to))
        if utf8 and not client.supports_extension("smtputf8"):
            raise PermanentFailure("the relay takes no addresses outside ASCII (SMTPUTF8)", status="5.6.7")
        encoding = "utf-8" if utf8 else "ascii"
        options += ["SMTPUTF8"] if utf8 else []
        options += ["RET=HDRS"] if self._headers_only and client.supports_extension("dsn") else []
        refused: list[Refused] = []
        try:
            await client.mail(envelope_from, options=options, encoding=encoding)
            for address in to:
                refused += await _recipient(client, address, encoding)
        except aiosmtplib.SMTPResponseException as error:
            raise _refusal(error.code, error.message) from error
        except (aiosmtplib.SMTPException, OSError) as error:
            raise NotSent("the relay hung up before it had the mail") from error
        except ValueError as error:
            raise PermanentFailure("an address is none", status="5.1.3") from error
        if len(refused) == len(to):
            raise _worst_last(refused)
        return tuple(refused)

    async def _open_data(self, client: aiosmtplib.SMTP) -> SMTPProtocol:
        """DATA, until the relay waits for the mail."""
        protocol = client.protocol
        try:
            begun = await client.execute_command(b"DATA")
        except (aiosmtplib.SMTPException, OSError) as error:
            raise NotSent("the relay hung up before it had the mail") from error
        if begun.code != 354:
            raise _refusal(begun.code, begun.message)
        if protocol is None:
            raise NotSent("the relay hung up before it had the mail")
        return protocol

    async def _data(self, protocol: SMTPProtocol, content: bytes) -> None:
        """The mail and its dot; returns when the relay has taken it."""
        try:
            protocol.write(wire_form(content))
        except (aiosmtplib.SMTPException, OSError) as error:
            raise NotSent("the relay hung up before it had the mail") from error
        try:
            ended = await protocol.read_response(timeout=self._taken_within)
        except (aiosmtplib.SMTPException, OSError) as error:
            raise OutcomeUnknown("the relay did not say whether it took the mail") from error
        if ended.code // 100 in (4, 5):
            raise _refusal(ended.code, ended.message)
        if ended.code != 250:
            raise OutcomeUnknown(f"the relay answered {ended.code}, which says nothing")


def wire_form(content: bytes) -> bytes:
    """Every line ends with CRLF and nothing else, dots are stuffed, the final dot stands alone (threats T01)."""
    lines = _LINE_END.sub(b"\r\n", content)
    if not lines.endswith(b"\r\n"):
        lines += b"\r\n"
    return _DOT.sub(b"..", lines) + b".\r\n"


async def _recipient(client: aiosmtplib.SMTP, address: str, encoding: str) -> list[Refused]:
    try:
        await client.rcpt(address, encoding=encoding)
    except aiosmtplib.SMTPRecipientRefused as error:
        return [Refused(address, _refusal(error.code, error.message))]
    return []


async def _farewell(client: aiosmtplib.SMTP) -> None:
    """QUIT, politely; whatever comes of it, the mail is taken."""
    try:
        await client.quit(timeout=_FAREWELL)
    except (aiosmtplib.SMTPException, OSError):
        return


def _worst_last(refused: Sequence[Refused]) -> DeliveryError:
    """The error for a mail that nobody may have: one that passes, as long as one recipient may be tried again."""
    passing = [one.error for one in refused if not isinstance(one.error, PermanentFailure)]
    return passing[0] if passing else refused[0].error


def _most_telling(failed: Sequence[NotSent | TemporaryFailure]) -> DeliveryError:
    """For a mail that no place took: what one of them said tells more than that others were away."""
    said = next((error for error in failed if error.code), failed[-1])
    if len(failed) == 1:
        return said
    reasons = "; ".join(dict.fromkeys(error.reason for error in failed))
    return type(said)(reasons, code=said.code, retry_after=said.retry_after)


def _refusal(code: int, message: str) -> DeliveryError:
    """4xx may be tried again, 5xx never; anything else is no answer, and nothing was taken."""
    if code in _LOGIN_WANTED:
        return AccountPaused(_said(code, message), code=str(code), cause="password")
    if 500 <= code <= 599:
        status = _STATUS.match(message)
        return PermanentFailure(_said(code, message), code=str(code), status=status[1] if status else "5.0.0")
    return _temporary(code, message)


def _temporary(code: int, message: str) -> TemporaryFailure:
    return TemporaryFailure(_said(code, message), code=str(code), retry_after=60.0)


def _said(code: int, message: str) -> str:
    """What the relay said, in one printable line."""
    line = " ".join("".join(c if c.isprintable() else " " for c in message).split())
    return f"the relay said {code} {line[:200]}".rstrip()


def _no_connection(error: BaseException, place: Place) -> str:
    causes = [error, error.__cause__]
    if any(isinstance(cause, ssl.SSLCertVerificationError) for cause in causes):
        return f"the certificate of {place.name} is not valid"
    if any(isinstance(cause, ssl.SSLError) for cause in causes):
        return f"no TLS with {place}"
    return f"no connection to {place}"


def _is_off(settings: OutgoingMail) -> bool:
    return settings.tls == "off"
