"""What a gateway that is described in YAML posts to us: a form or a JSON document. Pure.

The path of the URL is a secret; where ``callbacks.secret`` is set too, a field of every post must hold it. Without, a
post is believed little (threats T24): an arrival of a message that is under way, and words of a phone we wrote to.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

from bridge.config.models import PlainPosts, Provider
from bridge.config.placeholders import at, is_pointer
from bridge.config.secrets import SecretText
from bridge.providers.base import storable
from bridge.providers.plain_http_answers import PlainPost, PlainReply, PlainState, e164, raw, state_of, text_of
from bridge.providers.smsc_callbacks import MOST_BYTES, Forged, Malformed

_MOST_FIELDS = 100
_MOST_TEXT = 4000  # characters


class PlainReader:
    """Reads posts as the *settings* of a provider describe them. *secret* None: nothing in them is signed."""

    def __init__(self, settings: Provider, secret: SecretText | None) -> None:
        self._posts = settings.plain.posts or PlainPosts()
        self._secret = secret
        self._charset = settings.callbacks.charset if settings.callbacks else "utf-8"

    def read(self, body: bytes) -> PlainPost:
        """One post. Raises Forged, Malformed."""
        if len(body) > MOST_BYTES:
            raise Malformed("longer than 64 kB")
        fields = self._fields(body)
        signed = self._check(fields)
        posts = self._posts
        if posts.state and _value(fields, posts.state):
            return self._state(fields, signed=signed)
        if posts.phone and posts.text:
            return self._reply(fields, signed=signed)
        raise Malformed("neither a state nor a text")

    def _fields(self, body: bytes) -> Any:
        try:
            text = body.decode(self._charset)
            if text.lstrip("\ufeff \t\r\n")[:1] in ("{", "["):
                return json.loads(text.lstrip("\ufeff"), object_pairs_hook=_each_once, parse_int=str, parse_float=str)
            pairs = parse_qsl(
                text, keep_blank_values=True, encoding=self._charset, errors="strict", max_num_fields=_MOST_FIELDS
            )
            return _each_once(pairs)
        except (ValueError, RecursionError) as error:
            raise Malformed("neither a form nor JSON") from error

    def _check(self, fields: Any) -> bool:
        if self._secret is None:
            return False
        given = _value(fields, self._posts.proof or "")
        if not hmac.compare_digest(given.encode(), self._secret.reveal().encode()):
            raise Forged("not signed")
        return True

    def _state(self, fields: Any, *, signed: bool) -> PlainState:
        posts = self._posts
        word, id = raw(_value(fields, posts.state or "")), raw(_value(fields, posts.our_id or posts.id or ""))
        if not id or word not in posts.states:
            raise Malformed("a state that is not described, or no id")
        return PlainState(id, bool(posts.our_id), word, state_of(posts.states[word]), signed)

    def _reply(self, fields: Any, *, signed: bool) -> PlainReply:
        posts = self._posts
        phone, text = e164(_value(fields, posts.phone or "").strip()), _value(fields, posts.text or "")
        if not phone or len(text) > _MOST_TEXT:
            raise Malformed("no phone, or a text that is too long")
        id = raw(_value(fields, posts.id)) if posts.id else ""
        to = _value(fields, posts.to).lstrip("+") if posts.to else ""
        return PlainReply(id, phone, to, storable(text), signed)


def _value(fields: Any, place: str) -> str:
    """As it was written; "" for what is neither text nor a number."""
    named = fields.get(place) if isinstance(fields, Mapping) else None
    found = at(fields, place) if is_pointer(place) else named
    return found if isinstance(found, str) else text_of(found)


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(dict(pairs)) != len(pairs):
        raise ValueError("a name stands there twice")
    return dict(pairs)
