"""Providers, money and the storm guard."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from bridge.config.models.base import Model, gathered
from bridge.config.models.plain_http import PlainHttp
from bridge.config.models.words import TlsWord
from bridge.config.units import (
    Amount,
    Charset,
    CountIn,
    CountInText,
    Currency,
    Duration,
    Flag,
    HostPortText,
    InboundSum,
    MailAddress,
    Many,
    MoneyRateText,
    MoneyText,
    Name,
    Numbers,
    OurNumber,
    Percent,
    Positive,
    Prefix,
    PrefixOrDefault,
    RateText,
    RelayOrMx,
    SecretRef,
    Sender,
    SomeText,
    StatusSum,
    Text,
    Url,
    WaitCallSum,
    Word,
)

ProviderType = Literal[
    "smsc-http", "smsc-smtp", "smsc-smpp", "smsgate-json", "smsgate-get", "smsgate-xml", "plain-http"
]


class Sums(Model):
    """What the checksum of each kind of call runs over, where it is not what the provider documents."""

    status: StatusSum | None = None
    inbound: InboundSum | None = None
    waitcall: WaitCallSum | None = None


class Callbacks(Model):
    """How a provider calls us back: the secret part of the path, and what signs the call."""

    path: SecretRef
    secret: SecretRef | None = None
    checksum: Annotated[Literal["sha1", "md5"], Word] = "sha1"
    charset: Charset = "utf-8"
    sums: Sums = Sums()


class Provider(Model):
    """One door of a gateway. Which keys a type has: ``PROVIDER_KEYS``."""

    type: Annotated[ProviderType, Word]
    base_url: Url | None = None
    reserve_urls: Many[Url] = ()
    relay: RelayOrMx | None = None
    to: MailAddress | None = None
    mail_from: MailAddress | None = None
    hosts: Many[HostPortText] = ()
    tls: TlsWord = "required"
    login: SomeText | None = None
    password: SecretRef | None = None
    apikey: SecretRef | None = None
    token: SecretRef | None = None
    sender: Sender | None = None
    senders: Mapping[Prefix, Sender] = {}
    number: OurNumber | None = None
    number_as_sender: Flag = True
    currency: Currency | None = None
    prices: Mapping[PrefixOrDefault, Amount] = {}
    rate: RateText | None = None
    parallel: Positive | None = None
    window: Positive | None = None
    connections: Positive | None = None
    status: Name | None = None
    on_unknown: Annotated[Literal["resend", "hold"], Word] = "hold"
    channels: Many[Annotated[Literal["viber", "whatsapp", "vk", "sms", "call"], Word]] = ("sms",)
    viber_validity: Duration = timedelta(minutes=3)
    viber_sender: SomeText | None = None
    whatsapp_sender: SomeText | None = None
    callbacks: Callbacks | None = None
    inbound: Annotated[Literal["callback", "poll", "off"], Word] = "poll"
    poll: Duration = timedelta(seconds=30)
    confirm_by_call: Flag = False
    warn_below: MoneyText | None = None
    ids: Numbers | None = None
    insecure: Flag = False
    request: Mapping[SomeText, Text] | None = None
    success: SomeText | None = None
    failure: SomeText | None = None
    plain: PlainHttp = PlainHttp()


class Budget(Model):
    """What may be spent; a message must fit into all budgets that apply."""

    money: Many[MoneyRateText] = ()
    messages: Many[RateText] = ()
    segments: Many[RateText] = ()
    reserve_for_critical: Percent = 0
    over: Annotated[Literal["hold", "digest", "drop"], Word] = "digest"


_GENERAL = frozenset({"total", "each_person", "each_number", "each_source", "each_rule", "each_prefix"})


class Budgets(Model):
    """The general budgets, and those of any other name, which rules take by ``budget: NAME``."""

    total: Budget | None = None
    each_person: Budget | None = None
    each_number: Budget | None = None
    each_source: Budget | None = None
    each_rule: Budget | None = None
    each_prefix: Mapping[Prefix, Budget] = {}
    own: Mapping[Name, Budget] = Field(default={}, alias="·own")

    @model_validator(mode="before")
    @classmethod
    def _gather_own(cls, value: Any) -> Any:
        return value if isinstance(value, Mapping) and "own" in value else gathered(value, "·own", _GENERAL)


class Storm(Model):
    """More messages to one person than *over* become one digest each *digest*."""

    over: CountInText = CountIn(20, timedelta(minutes=5))
    digest: Duration = timedelta(minutes=10)
    critical: Annotated[Literal["send", "digest"], Word] = "send"
