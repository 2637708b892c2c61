"""``type: plain-http``: placeholders that exist, patterns that RE2 can read, questions that can be asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from urllib.parse import urlsplit

from bridge.config.checks.patterns import regex_mistake
from bridge.config.checks.whole import Whole, each
from bridge.config.models import PlainHttp, Provider
from bridge.config.placeholders import (
    OF_A_FETCH,
    OF_A_MESSAGE,
    OF_A_QUESTION,
    OF_THE_ACCOUNT,
    SECRET,
    built,
    built_xml,
    is_pointer,
    names_in,
    words_in,
)
from bridge.config.problem import Path, Problem
from bridge.config.similar import did_you_mean

_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_IN_A_URL = "a secret in a URL is written into logs on the way"
_OURS = frozenset({"content-length", "content-type", "host", "connection", "transfer-encoding", "accept-encoding"})


def check_plain(whole: Whole) -> Iterator[Problem]:
    """Every gateway that is described here."""
    for name, provider in whole.config.providers.items():
        if provider.type == "plain-http":
            path: Path = ("providers", name)
            yield from _sent(whole, path, provider)
            yield from _read(whole, path, provider)
            yield from _questions(whole, path, provider)
            yield from _posts(whole, path, provider)


def _sent(whole: Whole, path: Path, provider: Provider) -> Iterator[Problem]:
    request, plain = provider.request or {}, provider.plain
    known = OF_A_MESSAGE | OF_THE_ACCOUNT
    yield from _fields(whole, (*path, "request"), request, known, plain.body)
    used = _words(request)
    for wanted, words in (({"text"}, "{text}"), ({"phone", "digits"}, "{phone} or {digits}")):
        if request and not used & wanted:
            yield whole.wrong_key((*path, "request"), f"{words} stands in no field; what is sent, and to whom?")
    yield from _headers(whole, path, plain)
    yield from _query(whole, path, plain, used)
    everywhere = used | _words(plain.headers) | _words(plain.query) | _words_of_questions(plain)
    for key in sorted(OF_THE_ACCOUNT):
        if key in everywhere and getattr(provider, key) is None and not whole.has((*path, key)):
            yield whole.wrong_key(path, f"{{{key}}} is used, but {key} is missing")
    if provider.apikey and "apikey" not in everywhere:
        yield whole.wrong_key((*path, "apikey"), "stands nowhere; write {apikey} into request or a header")
    if plain.repeats == "known" and "id" not in used:
        sentence = "known, but {id} stands in no field of request; by what would it be known?"
        yield whole.wrong((*path, "plain", "repeats"), sentence)


def _query(whole: Whole, path: Path, plain: PlainHttp, used: set[str]) -> Iterator[Problem]:
    """What stands in a URL; ``check`` says each time that a secret does, because others may read it there."""
    here = (*path, "plain", "query")
    for name, value in plain.query.items():
        yield from _placeholders(whole, (*here, name), value, OF_THE_ACCOUNT | {"id"})
    if plain.charset != "utf-8" and plain.body == "json":
        yield whole.wrong((*path, "plain", "charset"), "JSON is UTF-8 (RFC 8259 §8.1)")
    if plain.method == "get" and plain.body != "form":
        yield whole.wrong((*path, "plain", "body"), "by GET there is no body; all fields stand in the URL")
    if _words(plain.query) & SECRET:
        yield whole.wrong(here, f"{_IN_A_URL}; leave it there only if nothing else is taken", "warning")
    elif plain.method == "get" and used & SECRET:
        sentence = f"{_IN_A_URL}; leave it there only if neither a header nor method: post is taken"
        yield whole.wrong((*path, "request"), sentence, "warning")


def _headers(whole: Whole, path: Path, plain: PlainHttp) -> Iterator[Problem]:
    for name, value in plain.headers.items():
        here = (*path, "plain", "headers", name)
        yield from _placeholders(whole, here, value, OF_THE_ACCOUNT | {"id"})
        if name in _OURS:
            yield whole.wrong_key(here, "the bridge writes this header itself")
        if not (value.isascii() and value.isprintable()):
            yield whole.wrong(here, "a header holds printable ASCII only")
        if name == "authorization" and not words_in(value):
            yield whole.wrong(here, 'a secret stands in the file; write "Bearer {token}" and token: {credential: NAME}')


def _fields(
    whole: Whole, path: Path, fields: Mapping[str, str], known: frozenset[str], body: str = "form"
) -> Iterator[Problem]:
    for name, value in fields.items():
        yield from _placeholders(whole, (*path, name), value, known)
    build = {"json": built, "xml": built_xml}.get(body)
    if build is not None and fields:
        try:
            build(list(fields.items()))
        except ValueError as error:
            yield whole.wrong(path, str(error))


def _placeholders(whole: Whole, path: Path, value: str, known: frozenset[str]) -> Iterator[Problem]:
    try:
        found = names_in(value)
    except ValueError as error:
        yield whole.wrong(path, str(error))
        return
    for name in found:
        if name not in known:
            near = did_you_mean(name, known)
            yield whole.wrong(path, f"{{{name}}} is nothing here{near or '; ' + ', '.join(sorted(known))}")


def _words(fields: Mapping[str, str]) -> set[str]:
    return {word for value in fields.values() for word in words_in(value)}


def _words_of_questions(plain: PlainHttp) -> set[str]:
    asked = (plain.status, plain.balance, plain.inbound)
    return {word for one in asked if one is not None for word in _words(one.request)}


def _read(whole: Whole, path: Path, provider: Provider) -> Iterator[Problem]:
    plain = provider.plain
    for key in ("success", "failure"):
        if pattern := getattr(provider, key):
            yield from _pattern(whole, (*path, key), pattern)
    for key in ("code", "cost", "segments"):
        yield from _place(whole, (*path, "plain", key), getattr(plain, key))
    for at, answer in each((*path, "plain", "answers"), plain.answers):
        written = any(whole.has((*at, key)) for key in ("status", "place", "match"))
        if not written and not (answer.status or answer.place or answer.match):
            yield whole.wrong_key(at, "fits every answer; write status:, place: or match:")
        if answer.is_ and not answer.place:
            yield whole.wrong((*at, "is"), "of what? write place: with a JSON pointer or a pattern")
        yield from _place(whole, (*at, "place"), answer.place)
        if answer.match:
            yield from _pattern(whole, (*at, "match"), answer.match)


def _place(whole: Whole, path: Path, place: str | None) -> Iterator[Problem]:
    """A JSON pointer, or a pattern with a group."""
    if not place or is_pointer(place):
        return
    mistakes = list(_pattern(whole, path, place))
    yield from mistakes
    if not mistakes and "(" not in place.replace(r"\(", "").replace("(?:", ""):
        yield whole.wrong(path, "a JSON pointer like /data/id, or a pattern with a group: id=([0-9]+)")


def _pattern(whole: Whole, path: Path, pattern: str) -> Iterator[Problem]:
    if mistake := regex_mistake(pattern):
        yield whole.wrong(path, mistake)


def _questions(whole: Whole, path: Path, provider: Provider) -> Iterator[Problem]:
    plain = provider.plain
    asked = {"status": OF_A_QUESTION, "balance": frozenset[str](), "inbound": OF_A_FETCH}
    for key, known in asked.items():
        one, here = getattr(plain, key), (*path, "plain", key)
        if one is None:
            continue
        body = plain.body if one.method == "post" else "form"
        yield from _fields(whole, (*here, "request"), one.request, known | OF_THE_ACCOUNT, body)
        used = _words(one.request)
        if one.method == "get" and used & SECRET:
            sentence = f"{_IN_A_URL}; write method: post, or use a header"
            yield whole.wrong((*here, "request"), sentence, "warning" if plain.method == "get" else "error")
        yield from _clear(whole, (*here, "url"), one.url, provider)
        for place in ("state", "cost", "amount", "currency", "id", "phone", "text", "to"):
            yield from _place(whole, (*here, place), getattr(one, place, None))
        if key == "status":
            yield from _status(whole, here, provider, used)


def _status(whole: Whole, path: Path, provider: Provider, used: set[str]) -> Iterator[Problem]:
    status = provider.plain.status
    if status is None:
        return
    if status.not_found:
        yield from _pattern(whole, (*path, "not_found"), status.not_found)
    if not used & {"id", "provider_id"}:
        yield whole.wrong_key(
            (*path, "request"), "{id} or {provider_id} stands in no field; which message is asked for?"
        )
    if "id" in used and "id" not in _words(provider.request or {}):
        yield whole.wrong((*path, "request"), "asks by {id}, which stands in no field of the request that sends")
    if "provider_id" in used and "(?P<id>" not in (provider.success or ""):
        yield whole.wrong((*path, "request"), "asks by {provider_id}; write it as (?P<id>…) into success")


def _clear(whole: Whole, path: Path, url: str | None, provider: Provider) -> Iterator[Problem]:
    parts = urlsplit(url or "")
    if parts.scheme == "http" and (parts.hostname or "") not in _LOOPBACK and not provider.insecure:
        yield whole.wrong(path, "without TLS beyond this machine; use TLS, or say insecure: true")


def _posts(whole: Whole, path: Path, provider: Provider) -> Iterator[Problem]:
    posts, here = provider.plain.posts, (*path, "plain", "posts")
    if provider.callbacks and posts is None:
        yield whole.wrong_key((*path, "callbacks"), "write plain.posts: which fields hold what")
    if posts is None:
        return
    if provider.callbacks is None and not whole.has((*path, "callbacks")):
        yield whole.wrong_key(here, "nobody can post here; write callbacks: {path: {credential: NAME}}")
    if bool(posts.state) != bool(posts.states and (posts.id or posts.our_id)):
        yield whole.wrong_key(here, "state, states and an id (id or our_id) belong together")
    if bool(posts.phone) != bool(posts.text):
        yield whole.wrong_key(here, "phone and text belong together")
    if not posts.state and not posts.phone:
        yield whole.wrong_key(here, "says neither what became of a message nor what came in")
    if bool(posts.proof) != bool(provider.callbacks and provider.callbacks.secret):
        yield whole.wrong_key(here, "proof is the field that holds callbacks.secret; they belong together")


CHECKS: tuple[Callable[[Whole], Iterator[Problem]], ...] = (check_plain,)
