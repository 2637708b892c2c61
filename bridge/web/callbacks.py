"""What providers post to us: believed when signed, kept once, answered 200 only after the commit.

Statuses become receipts and are decided in the same transaction that keeps them; inbound SMS and calls are kept
and decided by whoever waits for them. What is not signed leaves nothing but a count (threats T24, T25, F10).
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Literal

import structlog
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from bridge.book import RuleBook
from bridge.config.models.providers import Callbacks as Settings
from bridge.config.models.root import Config
from bridge.config.secrets import SecretText
from bridge.dispatch.decide import bound
from bridge.errors import ConfigError, StoreUnavailable
from bridge.model import Receipt
from bridge.providers import smsc_codes
from bridge.providers.plain_http_answers import PlainPost, PlainReply, PlainState
from bridge.providers.plain_http_posts import PlainReader
from bridge.providers.smsc_callbacks import (
    TEMPLATES,
    Forged,
    InboundSms,
    Malformed,
    Post,
    Reader,
    Status,
    WaitCall,
)
from bridge.providers.smsgate_callbacks import SmsgatePost, SmsgateReader, States, ViberReply, WayState
from bridge.store import fates, given, inbound, linked, plans
from bridge.store.engine import Store, Tx
from bridge.web.ports import Callback, CallbackAnswer

Outcome = Literal["receipt", "known", "inbound", "asked", "forged", "malformed", "nowhere", "away"]
OK = CallbackAnswer(200, "OK")
_FORGED = CallbackAnswer(403, "not signed")
_MALFORMED = CallbackAnswer(400, "cannot be read")
_NOWHERE = CallbackAnswer(404, "nothing here")
_AWAY = CallbackAnswer(503, "try again")
_PATH = re.compile(r"[A-Za-z0-9._~-]+")  # what arrives in an address as it was written
log = structlog.get_logger("callbacks")

_SHORTEST_PATH = 22  # letters: 128 bits in base64; `openssl rand -hex 16` makes 32
_SAID_EVERY = timedelta(minutes=1)
_ANSWERED_WITHIN = timedelta(days=1)  # a Viber answer counts from a phone that was written to so recently


_NO_LISTS: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Handler:
    """One provider's way in: the secret part of its path, and who signs what comes.

    *list* is the provider of the same account whose list of inbound SMS is fetched: then a post only says that it is
    time to, because a signature that somebody has seen can be posted again (threats T25). *deaf*: nobody answers here.
    """

    provider: str
    account: str
    path: SecretText
    reader: Reader | SmsgateReader | PlainReader
    list: str = ""
    deaf: bool = False


def handlers(config: Config, accounts: Mapping[str, str], lists: Mapping[str, str] = _NO_LISTS) -> tuple[Handler, ...]:
    """The handlers of all providers with ``callbacks``; *accounts* maps a provider to its account, *lists* an account
    to the provider by which its inbound SMS are fetched.

    Reads secrets: ConfigError where one is missing, or where the path is none (T24: it may be all that is secret).
    """
    found: list[Handler] = []
    for name, provider in config.providers.items():
        if provider.callbacks is None or name not in accounts:
            continue
        settings, where = provider.callbacks, f"providers.{name}.callbacks"
        reader: Reader | SmsgateReader | PlainReader = SmsgateReader()  # signs nothing
        if not provider.type.startswith("smsgate"):
            secret = settings.secret.resolve(f"{where}.secret") if settings.secret else None
            plain = provider.type == "plain-http"
            if secret is None and not plain:
                raise ConfigError((f"{where}.secret: is missing; what smsc posts is believed when it is signed",))
            reader = PlainReader(provider, secret) if plain else _smsc_reader(settings, secret)
        fetched = lists.get(accounts[name], "") if provider.inbound == "poll" else ""
        path = _path(settings, f"{where}.path")
        found.append(Handler(name, accounts[name], path, reader, fetched, provider.inbound == "off"))
    return tuple(found)


def _path(settings: Settings, where: str) -> SecretText:
    path = settings.path.resolve(where)
    if len(path.reveal()) < _SHORTEST_PATH:
        raise ConfigError((f"{where}: is easily guessed; write 32 letters, as openssl rand -hex 16 makes them",))
    if not _PATH.fullmatch(path.reveal()):
        raise ConfigError((f"{where}: may hold Latin letters, digits, - . _ and ~ only",))
    return path


def _smsc_reader(settings: Settings, secret: SecretText | None) -> Reader:
    named = settings.sums.model_dump(exclude_none=True)
    return Reader(secret, settings.checksum, settings.charset, {**TEMPLATES, **named})


class Callbacks:
    """Takes what comes to ``/callbacks/smsc/<path>``, ``/callbacks/smsgate/<path>`` and ``/callbacks/plain/<path>``.

    *wake* says that something waits to be decided or told, *fetch* that a provider's inbound SMS are to be fetched.
    """

    def __init__(
        self,
        store: Store,
        book: Callable[[], RuleBook],
        handlers: Iterable[Handler],
        now: Callable[[], datetime],
        wake: Callable[[], None],
        count: Callable[[str, Outcome], None] = lambda provider, outcome: None,
        fetch: Callable[[str], None] = lambda provider: None,
    ) -> None:
        self._store = store
        self._book = book
        self._handlers = tuple(handlers)
        self._now = now
        self._wake = wake
        self._fetch = fetch
        self._count = count
        self._said: dict[tuple[str, str], datetime] = {}  # when which reason was logged; reasons are few and our own

    async def __call__(self, path: str, body: bytes, content_type: str, query: Mapping[str, str]) -> CallbackAnswer:
        """The answer for one post; *path* is compared in constant time with every handler's."""
        handler = self._at(path)
        if handler is None:
            self._count("", "nowhere")
            return _NOWHERE
        post: Post | SmsgatePost | PlainPost | None = None
        try:
            post = handler.reader.read(body)
            outcome = await take_callback(self._store, self._book(), handler, post, self._now())
        except Forged as error:
            outcome = "forged"
            self._say(handler.provider, error.reason)
        except Malformed as error:
            outcome = "malformed"
            self._say(handler.provider, error.reason)
        except StoreUnavailable:
            outcome = "away"
        self._count(handler.provider, outcome)
        if outcome in ("receipt", "inbound"):
            self._wake()
        if outcome == "asked":
            self._fetch(handler.list)
        if isinstance(post, States) and outcome in ("receipt", "known"):
            return CallbackAnswer(200, post.answer())
        return _ANSWERS[outcome]

    def _say(self, provider: str, why: str) -> None:
        """Once a minute for each: a wrong word, or another sum than ours, is to be found; a flood fills no log."""
        now, said = self._now(), self._said.get((provider, why))
        if said is None or now - said >= _SAID_EVERY:
            self._said[provider, why] = now
            log.warning("callback refused", gateway=provider, why=why)

    def _at(self, path: str) -> Handler | None:
        given = path.partition("/")[0].encode("utf-8", "replace")  # smsc writes what stands behind "!" after it
        found = None
        for handler in self._handlers:  # all of them, so that time tells nothing
            if hmac.compare_digest(handler.path.reveal().encode(), given):
                found = handler
        return found


_ANSWERS: Mapping[Outcome, CallbackAnswer] = {
    "receipt": OK,
    "known": OK,
    "inbound": OK,
    "asked": OK,
    "forged": _FORGED,
    "malformed": _MALFORMED,
    "nowhere": _NOWHERE,
    "away": _AWAY,
}


async def take_callback(
    store: Store, book: RuleBook, handler: Handler, post: Post | SmsgatePost | PlainPost, now: datetime
) -> Outcome:
    """Keep what a believed *post* says, and decide what follows of a status. Raises StoreUnavailable."""
    if isinstance(post, InboundSms | WaitCall | PlainReply | ViberReply) and handler.deaf:
        return "known"
    if isinstance(post, InboundSms | WaitCall) and handler.list:
        return "asked"

    def keep(tx: Tx) -> Outcome:
        match post:
            case Status():
                return _keep_status(tx, book, handler, post, now)
            case States():
                came = [_keep_arrival(tx, book, handler, one, now) for one in post.states]
                return "receipt" if "receipt" in came else "known"
            case PlainState():
                return _keep_described(tx, book, handler, post, now)
            case ViberReply() | PlainReply(signed=False) if _is_strange(tx, handler, post.phone, now):
                return "known"
            case ViberReply() | PlainReply() | InboundSms(call=False):
                return _keep_text(tx, handler, post, now)
            case _:
                return _keep_call(tx, handler, post, now)

    return await store.write(keep)


def _keep_text(tx: Tx, handler: Handler, post: ViberReply | PlainReply | InboundSms, now: datetime) -> Outcome:
    """An answer in Viber says which message it answers, and nobody signs it: it proves nothing."""
    answers, proven = 0, True
    if isinstance(post, ViberReply):
        since = now - _ANSWERED_WITHIN
        answers, proven = given.answered(tx, handler.account, post.provider_id, post.phone, since), False
    elif isinstance(post, PlainReply):
        proven = post.signed
    elif linked.came_over_a_link(tx, handler.account, post.phone, post.to, post.text, post.at or now):
        return "known"
    kept = inbound.keep(
        tx, f"{handler.account}/{post.event_key}", "sms", handler.provider, post.phone, post.to, post.text, now,
        answers=answers, proven=proven,
    )  # fmt: skip
    return "inbound" if kept else "known"


def _keep_call(tx: Tx, handler: Handler, post: InboundSms | WaitCall, now: datetime) -> Outcome:
    """A call counts from when it rang, as the provider says; nobody rings in the future."""
    rang_at = min(post.at or now, now)
    kept = inbound.ring(tx, f"{handler.account}/{post.event_key}", handler.provider, post.phone, post.to, rang_at)
    return "inbound" if kept else "known"


def _is_strange(tx: Tx, handler: Handler, phone: str, now: datetime) -> bool:
    """Whether nothing was sent to *phone* of late: what nobody signed then counts for nothing."""
    return not given.wrote_to(tx, handler.account, phone, now - _ANSWERED_WITHIN)


def _keep_status(tx: Tx, book: RuleBook, handler: Handler, post: Status, now: datetime) -> Outcome:
    if post.state is None:  # "never had it" is for the status question to say
        return "known"
    meant = smsc_codes.meaning(post.code, post.error)
    said = Receipt(
        0, post.state, handler.provider, post.code, post.error, meant.sentence, meant.status, post.at, post.read,
        virtual=smsc_codes.is_virtual(post.error),
    )  # fmt: skip
    return _receive(tx, book, handler, said, post.event_key, (post.client_id, post.phone), now)


def _keep_arrival(tx: Tx, book: RuleBook, handler: Handler, post: WayState, now: datetime) -> Outcome:
    """A state that nobody signed: believed only of a message under way, and only when it says that it arrived."""
    ours = given.under_way(tx, handler.account, post.id) if post.state == "DELIVERED" else None
    if ours is None:
        return "known"
    said = Receipt(0, "DELIVERED", handler.provider, post.word)
    return _receive(tx, book, handler, said, post.event_key, ours, now)


def _keep_described(tx: Tx, book: RuleBook, handler: Handler, post: PlainState, now: datetime) -> Outcome:
    """A state of a gateway described in YAML. Without the secret word in it only an arrival is believed."""
    if post.state == "ACCEPTED" or not (post.signed or post.state == "DELIVERED"):
        return "known"
    find = given.under_way_by_ours if post.by_ours else given.under_way
    ours = find(tx, handler.account, post.id)
    if ours is None:
        return "known"
    reason = "" if post.state == "DELIVERED" else f"the gateway says: {post.word}"
    said = Receipt(0, post.state, handler.provider, post.word, reason=reason)
    return _receive(tx, book, handler, said, post.event_key, ours, now)


def _receive(
    tx: Tx, book: RuleBook, handler: Handler, said: Receipt, event_key: str, ours: tuple[str, str], now: datetime
) -> Outcome:
    """Keep *said* once, about the message of this client id and phone, and decide what follows."""
    receipt = fates.receive(tx, said, f"{handler.account}/{event_key}", handler.account, *ours, now)
    if receipt is None:
        return "known"
    decided = plans.plan(tx, [receipt], *bound(book, now), now)
    for one in decided:
        if one.error is not None:
            raise one.error  # the receipt is not kept either: the provider posts it again
    return "receipt"


class CallbackDoor:
    """The HTTP side: POST only, answers of one line, nothing about what was believed."""

    def __init__(self, take: Callback) -> None:
        self._take = take

    async def __call__(self, request: Request) -> Response:
        if request.method != "POST":
            return PlainTextResponse("only POST", 405, {"Allow": "POST"})
        body = await request.body()
        query = dict(request.query_params)
        answer = await self._take(request.path_params["path"], body, request.headers.get("content-type", ""), query)
        return PlainTextResponse(answer.body, answer.status)
