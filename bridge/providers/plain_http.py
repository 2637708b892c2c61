"""A gateway of which the program knows nothing but what the configuration says: ``type: plain-http``.

What costs money is one request without redirects: a form, a JSON or XML document, or a URL where the gateway takes
nothing else; text of strangers is the value of one field and nothing else. Without a word about it in the
configuration every request is taken to be paid, so a lost answer is never met with a repeat. A URL may hold a secret,
so none is ever named: neither in an error nor in what is stored. ``docs/how-to/new-gateway.md`` tells how to describe
a gateway.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from urllib.parse import urlencode
from xml.etree import ElementTree

from bridge.config.models import PlainBalance, PlainInbound, PlainStatus, Provider
from bridge.config.placeholders import OF_THE_ACCOUNT, built, built_xml, filled, words_in
from bridge.config.secrets import SecretText
from bridge.config.units import NumberRange
from bridge.errors import ConfigError, NotSent, OutcomeUnknown, PermanentFailure, TemporaryFailure
from bridge.model import Message, Receipt
from bridge.providers import plain_http_answers
from bridge.providers.base import (
    LONGEST,
    Accepted,
    Balance,
    Doubt,
    Inbound,
    NoWayToAsk,
    Price,
    Question,
    Request,
    StatusAnswer,
)
from bridge.providers.http import MOST_BYTES, HttpClient, check_url
from bridge.providers.plain_http_answers import Page
from bridge.providers.smsc_fields import number, originator
from bridge.sms.danger import defuse
from bridge.sms.translit import translit

_PARALLEL = 4
_MOST_ASKED = 20  # messages in one round of status questions, one after the other
_MOST_INBOUND_BYTES = 1 << 20
_MOST_URL = 8000  # characters; servers take 8 kB of request line
_SHORTEST_SECRET = 6  # characters; a shorter one would be "found" in every answer
_LARGEST_ID = 2**31 - 1
_FORM = "application/x-www-form-urlencoded"
_JSON = "application/json"
_XML = "application/xml"
_STATUSES = {"UNDELIVERED": "5.1.2", "EXPIRED": "5.4.7"}
_Ask = PlainStatus | PlainBalance | PlainInbound


class PlainHttpGateway:
    """One door ``type: plain-http`` (a ``base.Gateway``). *secrets*: ``password``, ``token``, ``apikey``, by key."""

    def __init__(self, name: str, settings: Provider, secrets: Mapping[str, SecretText], http: HttpClient) -> None:
        self.name = name
        self._settings = settings
        self._plain = settings.plain
        self._secrets = dict(secrets)
        self._http = http
        self._url = _url(name, settings)
        self._questions = _urls_of_questions(name, settings, self._url)
        _check_secrets(name, settings, self._secrets)
        self.account = f"plain:{name}"
        self.revision = _revision(settings)
        self.ids = (
            (settings.ids.first, settings.ids.last) if isinstance(settings.ids, NumberRange) else (1, _LARGEST_ID)
        )
        self.parallel = settings.parallel or _PARALLEL

    def __repr__(self) -> str:
        return f"PlainHttpGateway({self.name!r})"

    @property
    def doubt(self) -> Doubt:
        """See ``base.Doubt``."""
        if self._plain.repeats == "known":
            return "repeat"
        if self._is_found_by_our_id():
            return "ask"
        return "once" if self._plain.repeats == "refused" else "hold"

    def _is_found_by_our_id(self) -> bool:
        status = self._plain.status
        return status is not None and any("id" in words_in(value) for value in status.request.values())

    def canonical(self, message: Message, now: datetime) -> Mapping[str, str]:
        """The values of a message's placeholders."""
        text = message.text.encode("utf-8", "replace").decode("utf-8")
        if self._plain.body == "form":
            text = _carried(text, self._plain.charset)
        minutes = int((message.valid_until - now).total_seconds() // 60)
        return {
            "phone": f"+{message.phone.removeprefix('+')}",
            "text": defuse(text),
            "sender": originator(message, self._settings),
            "parts": str(message.segments),
            "minutes": str(max(1, minutes)),
            "channel": message.channel,
        }

    async def submit(self, request: Request) -> Accepted:
        """One paid request. See ``base.Gateway``."""
        values = self._values(request)
        if request.canonical.get("channel", "sms") != "sms":
            raise PermanentFailure("this gateway sends SMS only", status="5.3.3")
        fields = [(key, filled(value, values)) for key, value in (self._settings.request or {}).items()]
        url, body, headers = self._letter(self._plain.method, self._url, fields, values)
        if len(url) > _MOST_URL:
            raise PermanentFailure("too long for a URL", status="5.3.4")
        page = await self._ask(self._plain.method.upper(), url, body, headers, MOST_BYTES)
        return plain_http_answers.taken(page, request, self._settings)

    def _letter(
        self, method: str, url: str, fields: Sequence[tuple[str, str]], values: Mapping[str, str]
    ) -> tuple[str, bytes | None, dict[str, str]]:
        """URL, body and headers of one request."""
        query = [(key, filled(value, values)) for key, value in self._plain.query.items()]
        if method == "get":
            return _asking(url, [*query, *fields], self._plain.charset), None, self._headers(values)
        body, kind = _written(fields, self._plain.body, self._plain.charset)
        return _asking(url, query, self._plain.charset), body or None, {"Content-Type": kind, **self._headers(values)}

    def _values(self, request: Request) -> dict[str, str]:
        """Raises PermanentFailure for what is no number (threats T15)."""
        digits = number(request.canonical.get("phone", "")).removeprefix("+")
        if not digits:
            raise PermanentFailure("the recipient is no international number", status="5.1.3")
        known = {key: request.canonical.get(key, "") for key in ("phone", "text", "sender", "parts", "minutes")}
        ours = (self._settings.number or "").removeprefix("+")
        return {**known, "digits": digits, "number": ours and f"+{ours}", "id": request.client_id, **self._account()}

    def _account(self) -> dict[str, str]:
        secrets = {key: secret.reveal() for key, secret in self._secrets.items()}
        return {"login": self._settings.login or "", **secrets}

    def _headers(self, values: Mapping[str, str]) -> dict[str, str]:
        """Those that are described; a token or a login that stands nowhere else goes where HTTP has its place."""
        headers = {key: filled(value, values) for key, value in self._plain.headers.items()}
        used = self._placed()
        if "token" in self._secrets and "token" not in used:
            headers["Authorization"] = f"Bearer {values['token']}"
        elif "password" in self._secrets and not used & {"password", "authorization"}:
            pair = f"{values['login']}:{values['password']}".encode()
            headers["Authorization"] = f"Basic {base64.b64encode(pair).decode('ascii')}"
        return headers

    def _placed(self) -> set[str]:
        """The account's placeholders that the description uses itself."""
        plain = self._plain
        texts = [*(self._settings.request or {}).values(), *plain.query.values(), *plain.headers.values()]
        return ({name for text in texts for name in words_in(text)} & OF_THE_ACCOUNT) | set(plain.headers)

    async def status(self, question: Question) -> StatusAnswer:
        """Raises NoWayToAsk where ``plain.status`` is not described."""
        asked = self._plain.status
        if asked is None:
            raise NoWayToAsk("this gateway says nothing about a message it took; nothing is described under status:")
        digits = number(question.phone).removeprefix("+")
        values = {
            "phone": f"+{digits}", "digits": digits, "id": question.client_id, "provider_id": question.provider_id,
        }  # fmt: skip
        if not question.provider_id and any("provider_id" in words_in(text) for text in asked.request.values()):
            raise TemporaryFailure("the gateway is asked by its own id, and it has given none")
        page = await self._question(asked, "status", values)
        return plain_http_answers.status(page, asked, proof=self._plain.repeats != "paid")

    async def statuses(self, questions: Sequence[Question]) -> Mapping[Question, StatusAnswer]:
        """The first 20 of *questions*, one after the other; one that brings nothing does not hide the others."""
        if self._plain.status is None:
            raise NoWayToAsk("nothing is described under status:")
        found: dict[Question, StatusAnswer] = {}
        failure: TemporaryFailure | None = None
        for question in questions[:_MOST_ASKED]:
            try:
                found[question] = await self.status(question)
            except TemporaryFailure as error:
                failure = error
        if failure is not None and not found:
            raise failure
        return found

    def is_ours(self, request: Request, answer: StatusAnswer, since: datetime) -> bool:
        """Nothing in a state tells more than the id it was asked by."""
        return True

    def receipt(self, message_id: int, answer: StatusAnswer) -> Receipt:
        """What a state says, in the gateway's own word."""
        state = answer.state or "ACCEPTED"
        reason = f"the gateway says: {answer.code}" if state in _STATUSES else ""
        return Receipt(
            message_id, state, self.name, answer.code, answer.error, reason, _STATUSES.get(state, "5.0.0"), answer.at,
            answer.read, answer.cost,
        )  # fmt: skip

    async def balance(self) -> Balance:
        """Raises NoWayToAsk where it is not described."""
        asked = self._plain.balance
        if asked is None:
            raise NoWayToAsk("nothing is described under balance:")
        return plain_http_answers.balance(await self._question(asked, "balance", {}), asked)

    async def price(self, request: Request) -> Price:
        """Nobody can be asked: write ``prices``."""
        raise NoWayToAsk("this gateway names no price before it sends")

    async def inbound(self, after: int, hours: int) -> tuple[Inbound, ...]:
        """What came in; *hours* is not asked for, so what is old comes again and is kept once by its id."""
        asked = self._plain.inbound
        if asked is None:
            raise NoWayToAsk("nothing is described under inbound:")
        values = {"after": str(after), "number": self._settings.number or ""}
        page = await self._question(asked, "inbound", values, most=_MOST_INBOUND_BYTES)
        return plain_http_answers.inbound(page, asked)

    async def _question(self, asked: _Ask, key: str, values: Mapping[str, str], *, most: int = MOST_BYTES) -> Page:
        """A request that costs nothing: whatever goes wrong on the way, it may be asked again."""
        whole = {"id": "", **values, **self._account()}
        fields = [(name, filled(value, whole)) for name, value in asked.request.items()]
        url, body, headers = self._letter(asked.method, self._questions[key], fields, whole)
        try:
            return await self._ask(asked.method.upper(), url, body, headers, most)
        except (NotSent, OutcomeUnknown) as error:
            raise TemporaryFailure(error.reason) from error

    async def _ask(self, method: str, url: str, body: bytes | None, headers: Mapping[str, str], most: int) -> Page:
        answer = await self._http.ask(method, url, body, headers, within=LONGEST / 2, most=most)
        return Page(type(answer)(answer.status, self._masked(answer.body)), self._plain.charset)

    def _masked(self, body: bytes) -> bytes:
        """*body* without a secret of ours: some gateways repeat the request in an error."""
        for secret in self._secrets.values():
            given = secret.reveal().encode()
            body = body.replace(given, b"***") if len(given) >= _SHORTEST_SECRET else body
        return body


def _carried(text: str, charset: str) -> str:
    """*text* in letters that *charset* has; the others are written as the nearest Latin ones."""
    try:
        text.encode(charset)
    except UnicodeEncodeError:
        return "".join(letter if _has(charset, letter) else _in_ascii(letter) for letter in text)
    return text


def _has(charset: str, letter: str) -> bool:
    try:
        return bool(letter.encode(charset))
    except UnicodeEncodeError:
        return False


def _in_ascii(letter: str) -> str:
    return translit(letter).encode("ascii", "ignore").decode("ascii")


def _asking(url: str, query: Sequence[tuple[str, str]], charset: str) -> str:
    """*url*, which may have a query of its own, with *query*."""
    if not query:
        return url
    return f"{url}{'&' if '?' in url else '?'}{urlencode(query, encoding=charset, errors='replace')}"


def _written(fields: Sequence[tuple[str, str]], kind: str, charset: str) -> tuple[bytes, str]:
    """The body, and what it is: the one encoder that text of strangers goes through."""
    if kind == "xml":
        if not fields:
            return b"", f"{_XML}; charset={charset}"
        return ElementTree.tostring(built_xml(fields), charset, xml_declaration=True), f"{_XML}; charset={charset}"
    if kind == "json":
        return json.dumps(built(fields), ensure_ascii=False).encode("utf-8", "replace"), _JSON
    form = urlencode(fields, encoding=charset, errors="replace").encode("ascii")
    return form, _FORM if charset == "utf-8" else f"{_FORM}; charset={charset}"


def _url(name: str, settings: Provider) -> str:
    where = f"providers.{name}.base_url"
    if settings.base_url is None or not settings.request or not (settings.success or settings.plain.answers):
        raise ConfigError((f"providers.{name}: base_url, request and success are needed",))
    return check_url(settings.base_url, where, insecure=settings.insecure)


def _check_secrets(name: str, settings: Provider, secrets: Mapping[str, SecretText]) -> None:
    """What goes into a header, or may, is one line of ASCII; every placeholder has a value. Raises ConfigError."""
    where = f"providers.{name}"
    wrong = [f"{where}.{key}" for key, one in secrets.items() if not _fits_a_header(one.reveal())]
    if wrong:
        raise ConfigError(tuple(f"{key}: holds a character that no header can carry" for key in wrong))
    plain = settings.plain
    asked = [one.request.values() for one in (plain.status, plain.balance, plain.inbound) if one is not None]
    described = [(settings.request or {}).values(), plain.query.values(), plain.headers.values(), *asked]
    texts = [text for some in described for text in some]
    used = {word for text in texts for word in words_in(text)} & OF_THE_ACCOUNT
    missing = sorted(used - set(secrets) - ({"login"} if settings.login else set()))
    if missing:
        raise ConfigError(tuple(f"{where}.{key}: is missing" for key in missing))


def _fits_a_header(secret: str) -> bool:
    return secret.isascii() and secret.isprintable()


def _urls_of_questions(name: str, settings: Provider, base: str) -> dict[str, str]:
    """Key of ``plain`` → where it is asked. Raises ConfigError."""
    asked = {key: getattr(settings.plain, key) for key in ("status", "balance", "inbound")}
    return {
        key: check_url(one.url or base, f"providers.{name}.plain.{key}.url", insecure=settings.insecure)
        for key, one in asked.items()
        if one is not None
    }


def _revision(settings: Provider) -> str:
    """Of what decides what a stored request means; a new password or pattern changes nothing."""
    plain = settings.plain
    over = [
        settings.base_url, settings.login, settings.number, sorted((settings.request or {}).items()), plain.method,
        plain.body, plain.charset, sorted(plain.headers.items()), plain.repeats, *sorted(plain.query.items()),
    ]  # fmt: skip
    return hashlib.sha256(json.dumps(over).encode()).hexdigest()[:16]
