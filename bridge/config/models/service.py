"""The service itself: store, operator, outgoing mail, monitors, commands, HTTP, retention, heartbeat."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Literal

from pydantic import Field

from bridge.config.models.base import Model
from bridge.config.models.words import TlsWord, Verb
from bridge.config.units import (
    Domain,
    Duration,
    Flag,
    Language,
    MailAddress,
    Many,
    Name,
    NetworkText,
    NumberRange,
    Numbers,
    Positive,
    Rate,
    RateText,
    RelayText,
    SecretRef,
    Size,
    SomeText,
    StoreUrl,
    Url,
    WhoText,
    Word,
)


class Store(Model):
    """Where everything is kept."""

    url: StoreUrl
    password: SecretRef | None = None


class Spool(Model):
    """Where mail waits while the store is away. *path* None: beside the store."""

    path: SomeText = "/var/lib/smsbridge/spool"
    size: Size = 1_000_000_000


class Operator(Model):
    """Who hears of trouble and of mail that no rule takes."""

    mail: Many[MailAddress]
    to: Many[WhoText] = ()
    language: Language | None = None


class Dkim(Model):
    """Signs the mails we send."""

    domain: Domain
    selector: SomeText
    key: SecretRef


class OutgoingMail(Model):
    """How mails leave."""

    relay: RelayText
    from_: MailAddress = Field(alias="from")
    reply_domain: Domain | None = None
    tls: TlsWord = "required"
    user: SomeText | None = None
    password: SecretRef | None = None
    dkim: Dkim | None = None


class Monitor(Model):
    """A system that can be told of an acknowledgement."""

    type: Annotated[Literal["alertmanager", "zabbix", "icinga2", "nagios", "grafana", "goalert", "webhook"], Word]
    url: SomeText | None = None
    token: SecretRef | None = None
    user: SomeText | None = None
    password: SecretRef | None = None
    silence_for: Duration = timedelta(hours=4)
    insecure: Flag = False
    close_on_resolve: Flag = False


class Program(Model):
    """A program that an SMS may start."""

    argv: Many[SomeText]
    args: Many[SomeText] = ()
    who: Many[WhoText]
    timeout: Duration = timedelta(seconds=10)
    parts: Positive = 1


class Commands(Model):
    """Commands by SMS."""

    codes: Numbers = NumberRange(10, 99)
    expire: Duration = timedelta(hours=48)
    quarantine: Duration = timedelta(hours=24)
    one_time_code: Many[Verb] = ("mute", "unmute", "take", "swap", "close", "run", "ack all")
    trust_caller_id: Flag = False
    answers: RateText = Rate(5, timedelta(minutes=10))
    words: Mapping[Verb, Many[SomeText]] = {}
    run: Mapping[Name, Program] = {}


class Oidc(Model):
    """Sign-in by OpenID Connect."""

    issuer: Url
    client_id: SomeText
    client_secret: SecretRef


class Http(Model):
    """What the HTTP doors share."""

    public_url: Url | None = None
    proxies: Many[NetworkText] = ()
    sign_in: Annotated[Literal["local", "header", "oidc"], Word] = "local"
    roles: Mapping[Annotated[Literal["viewer", "operator", "admin"], Word], Many[SomeText]] = {}
    header: SomeText | None = None
    oidc: Oidc | None = None


class Keep(Model):
    """How long things are kept."""

    mail: Duration = timedelta(days=90)
    messages: Duration = timedelta(days=400)
    audit: Duration = timedelta(days=5 * 365)
    dropped: Duration = timedelta(days=7)
    numbers: Annotated[Literal["clear", "masked"], Word] = "masked"


class Heartbeat(Model):
    """A sign of life by another path; one of *url* and *mail*."""

    url: Url | None = None
    mail: MailAddress | None = None
    every: Duration = timedelta(minutes=1)
