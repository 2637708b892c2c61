"""A gateway that is described by YAML only: what ``type: plain-http`` has under ``plain:``.

``request``, ``success`` and ``failure`` of the provider are all that a simple gateway needs; this is the rest. A
*place* in an answer is a JSON pointer (``/data/0/id``), or an RE2 pattern whose first group is the value.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field, WithJsonSchema

from bridge.config.models.base import Model
from bridge.config.units import HeaderName, Many, SomeText, Text, Url, Word, whole_number

HttpStatus = Annotated[int, whole_number(200, 599), WithJsonSchema({"type": "integer", "description": "HTTP status"})]
AskMethod = Annotated[Literal["get", "post"], Word]
Meaning = Annotated[
    Literal["accepted", "duplicate", "temporary", "refused", "money", "password", "blocked", "unknown"], Word
]
SaidState = Annotated[Literal["accepted", "delivered", "read", "undelivered", "expired"], Word]
Charset = Annotated[Literal["utf-8", "windows-1251", "koi8-r", "iso-8859-1"], Word]


class PlainAnswer(Model):
    """What an answer to a hand-over means; everything that is written must fit."""

    means: Meaning
    status: Many[HttpStatus] = ()
    place: SomeText | None = None
    is_: Many[Text] = Field(default=(), alias="is")
    match: SomeText | None = None


class PlainStatus(Model):
    """Asking what became of a message."""

    url: Url | None = None
    method: AskMethod = "post"
    request: Mapping[SomeText, Text]
    state: SomeText
    states: Mapping[SomeText, SaidState]
    not_found: SomeText | None = None
    cost: SomeText | None = None


class PlainBalance(Model):
    """Asking what is left."""

    url: Url | None = None
    method: AskMethod = "post"
    request: Mapping[SomeText, Text] = {}
    amount: SomeText
    currency: SomeText | None = None


class PlainInbound(Model):
    """Fetching SMS that came in: a JSON list, and the places inside each of its items."""

    url: Url | None = None
    method: AskMethod = "post"
    request: Mapping[SomeText, Text] = {}
    list_: Text = Field(default="", alias="list")
    id: SomeText
    phone: SomeText
    text: SomeText
    to: SomeText | None = None


class PlainPosts(Model):
    """What the provider posts to us: names of fields of a form, or places in a JSON document."""

    proof: SomeText | None = None
    id: SomeText | None = None
    our_id: SomeText | None = None
    state: SomeText | None = None
    states: Mapping[SomeText, SaidState] = {}
    phone: SomeText | None = None
    text: SomeText | None = None
    to: SomeText | None = None


class PlainHttp(Model):
    """How requests are written and answers are read."""

    method: Annotated[Literal["get", "post", "put"], Word] = "post"
    body: Annotated[Literal["form", "json", "xml"], Word] = "form"
    charset: Charset = "utf-8"
    query: Mapping[SomeText, Text] = {}
    headers: Mapping[HeaderName, Text] = {}
    answers: Many[PlainAnswer] = ()
    code: SomeText | None = None
    cost: SomeText | None = None
    segments: SomeText | None = None
    repeats: Annotated[Literal["paid", "refused", "known"], Word] = "paid"
    status: PlainStatus | None = None
    balance: PlainBalance | None = None
    inbound: PlainInbound | None = None
    posts: PlainPosts | None = None
