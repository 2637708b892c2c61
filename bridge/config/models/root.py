"""config.yaml, whole."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, model_validator

from bridge.config.models.base import Model
from bridge.config.models.doors import Listener, Mailbox, Source
from bridge.config.models.people import Person, Rota, Step, Team
from bridge.config.models.providers import Budgets, Provider, Storm
from bridge.config.models.rules import RuleKeys
from bridge.config.models.service import (
    Commands,
    Heartbeat,
    Http,
    Keep,
    Monitor,
    Operator,
    OutgoingMail,
    Spool,
    Store,
)
from bridge.config.models.windows import Calendar, Window
from bridge.config.scalar import Scalar
from bridge.config.units import (
    Chains,
    Currency,
    Domain,
    Language,
    Many,
    MoneyText,
    Name,
    Prefix,
    Region,
    SomeText,
    Word,
    Zone,
)


class Unrouted(Model):
    """What becomes of events that no rule takes: *drop* says why they end; None: the operator gets them."""

    drop: SomeText | None = None


def _unrouted(value: object) -> object:
    if isinstance(value, str) and str(value) != "operator":
        raise ValueError("operator, or {drop: WHY}")
    return {} if isinstance(value, str) else value


def _store(value: object) -> object:
    return {"url": value} if isinstance(value, str) else value


class Config(Model):
    """config.yaml and what it includes. Names (keys of maps, and where they are used) are in lower case."""

    include: Many[SomeText] = ()
    listen: tuple[Listener, ...]
    domains: Many[Domain] = ()
    sources: Mapping[Name, Many[Source]] = {}
    mailboxes: Mapping[Name, Mailbox] = {}
    store: Annotated[Store, BeforeValidator(_store)] = Store(url="sqlite:///var/lib/smsbridge/bridge.db")
    spool: Spool = Spool()
    node: Name | None = None  # None: the host name
    region: Region | None = None
    destinations: Many[Prefix] | None = None  # None: the numbers of *region*
    timezone: Zone = "UTC"
    language: Language = "en"
    currency: Currency | None = None  # None: that of the only provider
    exchange: Mapping[Currency, MoneyText] = {}
    operator: Operator
    outgoing_mail: OutgoingMail | None = None
    people: Mapping[Name, Person] = {}
    teams: Mapping[Name, Team] = {}
    rotas: Mapping[Name, Rota] = {}
    calendars: Mapping[Name, Calendar] = {}
    windows: Mapping[Name, Window] = {}
    escalations: Mapping[Name, Many[Step]] = {}
    providers: Mapping[Name, Provider]
    send_via: Chains | None = None  # None: all providers, as written
    budgets: Budgets = Budgets()
    storm: Storm = Storm()
    monitors: Mapping[Name, Monitor] = {}
    commands: Commands = Commands()
    defaults: RuleKeys = RuleKeys()
    unrouted: Annotated[Unrouted, BeforeValidator(_unrouted)] = Unrouted()
    rules: SomeText = "rules"
    http: Http | None = None
    keep: Keep = Keep()
    heartbeat: Heartbeat | None = None
    reload: Annotated[Literal["signal", "on change"], Word] = "signal"

    @model_validator(mode="before")
    @classmethod
    def _name_people(cls, value: Any) -> Any:
        """A person without ``name`` is shown as the key was written."""
        if not isinstance(value, Mapping) or not isinstance(value.get("people"), Mapping):
            return value
        people = {key: _with_name(key, person) for key, person in value["people"].items()}
        return {**value, "people": people}


def _with_name(key: object, person: object) -> object:
    if not isinstance(person, Mapping) or "name" in person:
        return person
    return {**person, "name": Scalar(str(key), quoted=True)}
