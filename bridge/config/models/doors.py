"""The doors: where things come in, and who may hand them in."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import Discriminator, Field, Tag

from bridge.config.models.base import HIDDEN, Model, keyed
from bridge.config.units import (
    AddressText,
    Charset,
    Duration,
    Language,
    MailAddress,
    Many,
    Name,
    NetworkText,
    Port,
    Positive,
    Region,
    SecretRef,
    Size,
    SomeText,
    Text,
    Url,
    Word,
    Zone,
)


class Tls(Model):
    """A certificate with its key, as paths."""

    cert: SomeText
    key: SomeText


class Connections(Model):
    """How many may be open at once; *per_address* does not count inside ``trust``."""

    total: Positive = 1000
    per_address: Positive = 20


ServeWord = Annotated[Literal["api", "callbacks", "console", "webhooks", "smsc", "metrics"], Word]


class Listener(Model):
    """One door."""

    door: Annotated[Literal["smtp", "lmtp", "http", "folder"], Word]
    address: AddressText
    starttls: Tls | None = None
    tls: Tls | None = None
    client_ca: SomeText | None = None
    trust: Many[NetworkText] = ()
    auth: Annotated[Literal["off", "optional", "required"], Word] | None = None  # None: optional with TLS, else off
    max_size: Size = 10_000_000
    line_ends: Annotated[Literal["strict", "repair"], Word] | None = None  # None: repair inside trust, else strict
    connections: Connections = Connections()
    proxy_protocol: Many[NetworkText] = ()
    serve: Many[ServeWord] = ("api", "callbacks", "console", "webhooks", "metrics")

    @property
    def auth_mode(self) -> Literal["off", "optional", "required"]:
        """``auth`` with its default: optional where there is TLS."""
        if self.auth is not None:
            return self.auth
        return "optional" if self.tls or self.starttls else "off"


class SmscLogin(Model):
    """What an old program sends as its login at the provider: login and password, or an API key."""

    login: SomeText | None = None
    password: SecretRef | None = None
    apikey: SecretRef | None = None


ScopeWord = Annotated[Literal["events", "messages", "incidents", "silences", "replies"], Word]


class Source(Model):
    """One way in for a source: all kinds that are given must fit, any value of each."""

    login: Many[SomeText] = ()
    network: Many[NetworkText] = ()
    certificate: Many[SomeText] = ()
    mailbox: Many[Name] = ()
    token: SecretRef | None = None
    scopes: Many[ScopeWord] = ("events",)
    smsc: SmscLogin | None = None
    from_: Many[Text] = Field(default=(), alias="from")  # patterns; none: any sender
    default_charset: Charset | None = None
    producer: Name | None = None
    region: Region | None = None
    language: Language | None = None
    timezone: Zone | None = None


class OAuth(Model):
    """OAuth 2 for a mailbox."""

    token_url: Url
    client_id: SomeText
    client_secret: SecretRef
    refresh_token: SecretRef


class AfterRead(Model):
    """What becomes of a mail that was read: a folder to move it to, or a flag to set."""

    move: SomeText | None = None
    flag: SomeText | None = None


After = Annotated[
    Annotated[Literal["seen", "delete"], Word, Tag(HIDDEN + "text")] | Annotated[AfterRead, Tag(HIDDEN + "map")],
    Discriminator(keyed),
]


class Mailbox(Model):
    """An IMAP mailbox."""

    host: SomeText
    port: Port = 993
    tls: Annotated[Literal["implicit", "starttls", "off"], Word] = "implicit"
    user: SomeText
    password: SecretRef | None = None
    oauth: OAuth | None = None
    folder: SomeText = "INBOX"
    search: SomeText = "UNSEEN"
    recipient: MailAddress | None = None
    after: After = "seen"
    rejected: SomeText = "Rejected"
    poll: Duration = timedelta(minutes=1)
    max_age: Duration = timedelta(hours=6)
    max_size: Size = 10_000_000
    authenticated_by: SomeText | None = None
