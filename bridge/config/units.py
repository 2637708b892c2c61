"""The units of FORMAT §2 as types for the models: read by the key, checked by a grammar, shown in the JSON Schema.

Every type takes the text as written (a ``Scalar``), a plain Python value of the same text, or the finished value.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, time, timedelta
from decimal import Decimal
from ipaddress import IPv4Network, IPv6Network
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BeforeValidator, GetCoreSchemaHandler, GetJsonSchemaHandler, PlainValidator, WithJsonSchema
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema
from pydantic_core.core_schema import ValidationInfo

from bridge.config.addresses import (
    Address,
    HostPort,
    Relay,
    parse_address,
    parse_host_port,
    parse_relay,
    parse_relay_or_mx,
    parse_store_url,
    parse_sum,
    parse_url,
)
from bridge.config.amounts import (
    Money,
    MoneyRate,
    NumberRange,
    parse_amount,
    parse_currency,
    parse_money,
    parse_money_rate,
    parse_percent,
    parse_range,
    parse_size,
)
from bridge.config.names import (
    MailTarget,
    Network,
    Who,
    parse_charset,
    parse_condition_name,
    parse_domain,
    parse_field,
    parse_file_name,
    parse_language,
    parse_mail_address,
    parse_mail_target,
    parse_name,
    parse_network,
    parse_our_number,
    parse_phone,
    parse_prefix,
    parse_prefix_or_default,
    parse_region,
    parse_reply_target,
    parse_sender,
    parse_set_field,
    parse_title,
    parse_who,
)
from bridge.config.scalar import EMPTY, Scalar, core_data, is_null, shown, written
from bridge.config.secrets import Secret, SecretText, parse_secret
from bridge.config.spans import (
    CountIn,
    DateSpan,
    Handover,
    Hours,
    Moment,
    Rate,
    parse_count_in,
    parse_date,
    parse_dates,
    parse_days,
    parse_duration,
    parse_handover,
    parse_hours,
    parse_moment,
    parse_rate,
    parse_repeat,
    parse_time,
    parse_turn,
)
from bridge.config.zones import parse_zone

__all__ = [
    "Address", "CountIn", "DateSpan", "Handover", "HostPort", "Hours", "MailTarget", "Moment", "Money", "MoneyRate",
    "Network", "NumberRange", "Rate", "Relay", "Secret", "SecretText", "Who",
]  # fmt: skip

T = TypeVar("T")


def _read(kind: type | tuple[type, ...], parse: Callable[[str], T]) -> PlainValidator:
    """A validator that passes a finished *kind* on and parses everything else as text."""

    def read(value: object) -> Any:
        if isinstance(value, kind) and not isinstance(value, Scalar):
            return value
        return parse(written(value))

    return PlainValidator(read)


def _regional(kind: type, parse: Callable[[str, str | None], T]) -> PlainValidator:
    """The same for numbers, whose error proposes what ``region`` (validation context) makes of them."""

    def read(value: object, info: ValidationInfo) -> Any:
        if isinstance(value, kind) and not isinstance(value, str):
            return value
        region = (info.context or {}).get("region")
        return parse(written(value), region if isinstance(region, str) else None)

    return PlainValidator(read)


def _text_of(parse: Callable[[str], str]) -> PlainValidator:
    """A validator for text with a grammar: even plain text is parsed (so Python values are checked too)."""
    return PlainValidator(lambda value: parse(written(value)))


def _schema(description: str, *types: str, **more: object) -> WithJsonSchema:
    """What editors are told: the JSON types a plain YAML reader may make of it, and an example."""
    names = list(types or ("string",))
    return WithJsonSchema({"type": names if len(names) > 1 else names[0], "description": description, **more})


def _flag(value: object) -> bool:
    value = value.value if isinstance(value, Scalar) else value
    if not isinstance(value, bool):
        raise ValueError(f"true or false; found {shown(value)}")
    return value


def whole_number(least: int, most: int) -> PlainValidator:
    """A validator for whole numbers from *least* to *most*."""

    def read(value: object) -> int:
        number = value.value if isinstance(value, Scalar) else value
        if isinstance(number, bool) or not isinstance(number, int):
            raise ValueError(f"a whole number; found {shown(value)}")
        if not least <= number <= most:
            raise ValueError(f"a whole number from {least} to {most}; found {shown(value)}")
        return number

    return PlainValidator(read)


def _some_text(value: object) -> str:
    text = written(value)
    if not text.strip():
        raise ValueError(EMPTY)
    return text


def _days(value: object) -> frozenset[int]:
    if isinstance(value, frozenset):
        return value
    return parse_days(tuple(written(item) for item in (value if isinstance(value, list | tuple) else (value,))))


# --- plain values --------------------------------------------------------------------------------
Plain = Annotated[Any, PlainValidator(core_data)]  # JSON-like data: core values
Text = Annotated[str, PlainValidator(written), _schema("text", "string", "number")]
SomeText = Annotated[str, PlainValidator(_some_text), _schema("text", "string", "number", minLength=1)]
Flag = Annotated[bool, PlainValidator(_flag), _schema("true or false", "boolean")]
Count = Annotated[int, whole_number(0, 1_000_000_000), _schema("whole number", "integer", minimum=0)]
Positive = Annotated[int, whole_number(1, 1_000_000), _schema("whole number", "integer", minimum=1)]
Parts = Annotated[int, whole_number(1, 20), _schema("segments of an SMS", "integer", minimum=1, maximum=20)]
Port = Annotated[int, whole_number(1, 65535), _schema("port", "integer", minimum=1, maximum=65535)]

# --- time ----------------------------------------------------------------------------------------
Duration = Annotated[timedelta, _read(timedelta, parse_duration), _schema("a length of time, like 1h30m")]
TurnLength = Annotated[timedelta, _read(timedelta, parse_turn), _schema("12h, 1d or 1w")]
Repeat = Annotated[
    timedelta | Literal["never", "always"],
    PlainValidator(lambda value: value if isinstance(value, timedelta) else parse_repeat(written(value))),
    _schema("a length of time, never or always"),
]
RateText = Annotated[Rate, _read(Rate, parse_rate), _schema("a count and a span, like 10/15m")]
CountInText = Annotated[CountIn, _read(CountIn, parse_count_in), _schema("a count in a time, like 3 in 5m")]
TimeOfDay = Annotated[time, _read(time, parse_time), _schema("a time of day, like 07:30")]
HoursText = Annotated[Hours, _read(Hours, parse_hours), _schema("20:00-08:00")]
Days = Annotated[
    frozenset[int],
    PlainValidator(_days),
    WithJsonSchema({
        "anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}],
        "description": "days of the week, like Mon-Fri or [Sat, Sun]",
    }),
]  # fmt: skip
Date = Annotated[date, _read(date, parse_date), _schema("2026-03-21")]
Dates = Annotated[DateSpan, _read(DateSpan, parse_dates), _schema("2026-03-21 or 2026-03-21..2026-03-23")]
MomentText = Annotated[Moment, _read(Moment, parse_moment), _schema("2026-11-21 02:15, a zone may follow")]
HandoverText = Annotated[Handover, _read(Handover, parse_handover), _schema("Mon 09:00, or 09:00 for every day")]
Zone = Annotated[str, _text_of(parse_zone), _schema("a time zone, like Asia/Almaty")]
ZoneOrPerson = Annotated[
    str,
    _text_of(lambda text: text if text == "person" else parse_zone(text)),
    _schema("a time zone, or person: the zone of whoever would get the message"),
]

# --- money and sizes -----------------------------------------------------------------------------
Amount = Annotated[Decimal, _read(Decimal, parse_amount), _schema("an amount, like 14.00", "number", "string")]
Currency = Annotated[str, _text_of(parse_currency), _schema("ISO 4217", "string", pattern="^[A-Z]{3}$")]
MoneyText = Annotated[Money, _read(Money, parse_money), _schema("12.50 KZT")]
MoneyRateText = Annotated[MoneyRate, _read(MoneyRate, parse_money_rate), _schema("5000 KZT/day")]
Percent = Annotated[int, _read(int, parse_percent), _schema("20%")]
Size = Annotated[int, _read(int, parse_size), _schema("10MB")]
Numbers = Annotated[NumberRange, _read(NumberRange, parse_range), _schema("10-99")]

# --- names and addresses -------------------------------------------------------------------------
Name = Annotated[str, _text_of(parse_name), _schema("a name without blanks", "string", "number")]
FileName = Annotated[str, _text_of(parse_file_name), _schema("the name of a file, without its ending")]
Title = Annotated[str, _text_of(parse_title), _schema("a name, blanks allowed", "string", "number")]
ConditionName = Annotated[str, _text_of(parse_condition_name), _schema("a name, blanks allowed", "string", "number")]
Phone = Annotated[str, _regional(SecretText, parse_phone), _schema("+77010000001", "string", "number")]
OurNumber = Annotated[str, _text_of(parse_our_number), _schema("a phone or a short code", "string", "number")]
Prefix = Annotated[str, _text_of(parse_prefix), _schema("+7701", "string", "number")]
PrefixOrDefault = Annotated[str, _text_of(parse_prefix_or_default), _schema("+7701, or default")]
NetworkText = Annotated[Network, _read((IPv4Network, IPv6Network), parse_network), _schema("10.0.0.0/8")]
Sender = Annotated[str, _text_of(parse_sender), _schema("11 letters and digits, or 15 digits", "string", "number")]
Region = Annotated[str, _text_of(parse_region), _schema("a country of two letters, like KZ")]
Language = Annotated[str, _text_of(parse_language), _schema("a language, like ru")]
Charset = Annotated[str, _text_of(parse_charset), _schema("a charset, like utf-8")]
HeaderName = Annotated[str, _text_of(str.lower), _schema("the name of a header")]
Domain = Annotated[str, _text_of(parse_domain), _schema("a mail domain")]
MailAddress = Annotated[str, _text_of(parse_mail_address), _schema("a mail address")]
EventField = Annotated[str, _text_of(parse_field), _schema("a field of the event, like host or label.rack")]
SetField = Annotated[str, _text_of(parse_set_field), _schema("a field that set may change")]
WhoText = Annotated[
    Who, _regional(Who, parse_who), _schema("a person, a team, on-call ROTA, next ROTA, a phone, recipient or nobody")
]
ReplyTarget = Annotated[MailTarget, _read(MailTarget, parse_reply_target), _schema("thread, nobody, address or name")]
AlertTarget = Annotated[MailTarget, _read(MailTarget, parse_mail_target), _schema("sender, an address or a name")]
AddressText = Annotated[Address, _read(Address, parse_address), _schema("HOST:PORT, unix:PATH, socket:NAME, folder")]
HostPortText = Annotated[HostPort, _read(HostPort, parse_host_port), _schema("host:port")]
RelayText = Annotated[Relay, _read(Relay, parse_relay), _schema("smtp://mail.example.kz:25")]
RelayOrMx = Annotated[Relay, _read(Relay, parse_relay_or_mx), _schema("smtp://mail.example.kz:25, or mx")]
Url = Annotated[str, _text_of(parse_url), _schema("https://sms.example.kz")]
StatusSum = Annotated[
    str,
    _text_of(lambda text: parse_sum(text, "id", "phone", "status", "secret")),
    _schema("{id}:{phone}:{status}:{secret}"),
]
InboundSum = Annotated[
    str, _text_of(lambda text: parse_sum(text, "phone", "mes", "secret")), _schema("{phone}:{mes}:{to}:{secret}")
]
WaitCallSum = Annotated[
    str, _text_of(lambda text: parse_sum(text, "phone", "secret")), _schema("{phone}:{ts}:{secret}")
]
StoreUrl = Annotated[str, _text_of(parse_store_url), _schema("sqlite:///PATH or postgresql://USER@HOST/NAME")]
SecretRef = Annotated[
    Secret,
    PlainValidator(parse_secret),
    WithJsonSchema({
        "type": "object",
        "description": "exactly one of env, file, credential",
        "minProperties": 1,
        "maxProperties": 1,
        "additionalProperties": False,
        "properties": {kind: {"type": "string"} for kind in ("env", "file", "credential")},
    }),
]  # fmt: skip


# --- shapes --------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class OneOrMany:
    """One value may stand alone where a list is allowed; the model always holds a tuple."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_before_validator_function(_as_tuple, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        many = handler(schema)
        items = handler.resolve_ref_schema(many).get("items")
        return {"anyOf": [items, many]} if items else many


def _as_tuple(value: object) -> tuple[object, ...]:
    if is_null(value):
        raise ValueError(EMPTY)
    return tuple(value) if isinstance(value, list | tuple | set | frozenset) else (value,)


Many = Annotated[tuple[T, ...], OneOrMany()]


def _none_for_null(value: object) -> object:
    return None if is_null(value) else value


Nullable = Annotated[T | None, BeforeValidator(_none_for_null)]  # null means: none, whatever the parent said


def _word(value: object) -> object:
    return value if isinstance(value, Mapping) else written(value)


Word = BeforeValidator(_word)  # in front of a Literal: its words are compared with the text as written


@dataclass(frozen=True, slots=True)
class OrAlone:
    """One value may stand alone where a map is allowed; it then stands under the key ""."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_before_validator_function(_as_map, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        mapping = handler(schema)
        alone = handler.resolve_ref_schema(mapping).get("additionalProperties")
        return {"anyOf": [alone, mapping]} if alone else mapping


def _as_map(value: object) -> Mapping[object, object]:
    if is_null(value):
        raise ValueError(EMPTY)
    return value if isinstance(value, Mapping) else {"": value}


def _key_or(word: str, parse: Callable[[str], str]) -> PlainValidator:
    return PlainValidator(lambda value: parse(written(value)) if value else word)


Texts = Annotated[Mapping[Annotated[str, _key_or("", parse_language)], Text], OrAlone()]  # "" = for all languages
Chains = Annotated[Mapping[Annotated[str, _key_or("default", parse_prefix_or_default)], Many[Name]], OrAlone()]
