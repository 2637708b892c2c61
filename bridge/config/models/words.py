"""The closed lists of words that several models share."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, WithJsonSchema

from bridge.config.scalar import Scalar
from bridge.config.units import Many, Word

ClassWord = Annotated[Literal["critical", "normal", "bulk"], Word]
ChannelWord = Annotated[Literal["sms", "call", "flash", "viber"], Word]
AlphabetWord = Annotated[Literal["keep", "translit", "cheaper"], Word]
SeverityWord = Annotated[Literal["info", "warning", "high", "critical"], Word]
StateWord = Annotated[Literal["problem", "recovery", "update", "info"], Word]
TlsWord = Annotated[Literal["required", "opportunistic", "off"], Word]
AckWay = Annotated[Literal["sms", "call", "mail", "link"], Word]
Verb = Annotated[
    Literal["ack", "ack all", "esc", "mute", "unmute", "status", "who", "take", "swap", "note", "close", "run"], Word
]
ALL_VERBS: tuple[str, ...] = (
    "ack", "ack all", "esc", "mute", "unmute", "status", "who", "take", "swap", "note", "close", "run",
)  # fmt: skip


def _all(value: object) -> object:
    return ALL_VERBS if value in ("all", Scalar("all")) else value


_ONE_VERB = {"type": "string", "enum": [*ALL_VERBS, "all"]}
_VERBS_SCHEMA = WithJsonSchema({"anyOf": [_ONE_VERB, {"type": "array", "items": _ONE_VERB}]})
Verbs = Annotated[Many[Verb], BeforeValidator(_all), _VERBS_SCHEMA]  # ``all`` stands for every verb
