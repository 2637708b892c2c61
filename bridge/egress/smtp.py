"""One mail to the relay: SMTP with STARTTLS or TLS from the start, and what it means when it fails.

The only place that knows aiosmtplib. Until the final dot goes into the socket nothing was taken (NotSent, or
what the relay said); after it only the relay's answer proves anything (OutcomeUnknown). The data is written
here, not by the library, because the library does not tell these two apart.
"""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import Sequence
from dataclasses import dataclass

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


@dataclass(frozen=True, slots=True)
class Refused:
    """A recipient whom the relay did not take, while it took others."""

    address: str
    error: DeliveryError


class MailRelay:
    """The relay of ``outgoing_mail``; a connection a mail. *password* is needed when the settings name a user.

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
    ) -> None:
        self._settings = settings
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
        client = self._client()
        try:
            async with asyncio.timeout(self._begun_within):
                await self._greet(client)
                refused = await self._address(client, envelope_from, to, content)
                protocol = await self._open_data(client)
            await self._data(protocol, content)
            await _farewell(client)
        except TimeoutError as error:
            raise NotSent("the relay took too long") from error
        finally:
            client.close()
        return refused

    def _client(self) -> aiosmtplib.SMTP:
        relay = self._settings.relay
        return aiosmtplib.SMTP(
            hostname=relay.host,
            port=relay.port,
            use_tls=relay.scheme == "smtps",
            start_tls=False,  # done below, where a refusal has a meaning
            local_hostname=self._hostname,
            timeout=self._answer_within,
            tls_context=self._trust or ssl.create_default_context(),
        )

    async def _greet(self, client: aiosmtplib.SMTP) -> None:
        """Connect, TLS, login. Nothing of the mail leaves here."""
        try:
            await client.connect()
            await client.ehlo()
            if self._settings.relay.scheme != "smtps":
                await self._start_tls(client)
            if self._settings.user:
                await self._login(client, self._settings.user)
        except aiosmtplib.SMTPAuthenticationError as error:
            if error.code >= 500:
                raise AccountPaused("the relay refuses our login", code=str(error.code), cause="password") from error
            raise _temporary(error.code, error.message) from error
        except aiosmtplib.SMTPResponseException as error:
            raise NotSent(_said(error.code, error.message), code=str(error.code)) from error
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:
            raise NotSent(_no_connection(error, self._settings)) from error

    async def _start_tls(self, client: aiosmtplib.SMTP) -> None:
        if self._settings.tls == "off":
            return
        if client.supports_extension("starttls"):
            await client.starttls()
            await client.ehlo()
        elif self._settings.tls == "required":
            raise NotSent("the relay offers no TLS (outgoing_mail.tls is required)")

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
    """The error for a mail that nobody may have: temporary as long as one recipient may be tried again."""
    temporary = [one.error for one in refused if isinstance(one.error, TemporaryFailure)]
    return temporary[0] if temporary else refused[0].error


def _refusal(code: int, message: str) -> DeliveryError:
    """4xx may be tried again, 5xx never; anything else is no answer, and nothing was taken."""
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


def _no_connection(error: BaseException, settings: OutgoingMail) -> str:
    relay = settings.relay
    causes = [error, error.__cause__]
    if any(isinstance(cause, ssl.SSLCertVerificationError) for cause in causes):
        return f"the certificate of {relay.host} is not valid"
    if any(isinstance(cause, ssl.SSLError) for cause in causes):
        return f"no TLS with {relay.host}:{relay.port}"
    return f"no connection to {relay.host}:{relay.port}"


def _is_off(settings: OutgoingMail) -> bool:
    return settings.tls == "off"
