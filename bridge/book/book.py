"""One compiled rule book and the questions that decisions ask it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Literal
from zoneinfo import ZoneInfo

from bridge.book.standing import Standing
from bridge.config.models.providers import Provider
from bridge.config.models.root import Config
from bridge.config.models.words import AckWay
from bridge.config.names import MailTarget, Who
from bridge.model import Channel, Event, Override, Reading
from bridge.oncall.people import People, Target
from bridge.oncall.windows import Windows
from bridge.producers.loading import Packs
from bridge.render.texts import RenderFailed, Text
from bridge.render.variables import carrier_text
from bridge.routing.addresses import Addresses
from bridge.routing.numbers import Destinations, forbidden, read_number
from bridge.routing.rulebook import Rules
from bridge.routing.rules import Action, Value
from bridge.routing.sources import Sources
from bridge.sms.fit import Alphabet
from bridge.words.vocabulary import Vocabulary

_CHANNELS: Mapping[str, tuple[Channel, ...]] = {
    "smsc": ("sms", "call", "flash", "viber"),
    "smsgate": ("sms", "viber"),
    "plain": ("sms",),
}  # what the families of gateways can carry
_NOBODYS_WAYS: tuple[AckWay, ...] = ("sms", "mail")  # of a phone that is no person's, as the default of a person
_LONGEST_KEY = 500  # characters: longer ones do not fit into an index
_ANSWER_VALIDITY = timedelta(minutes=30)  # an answer to a command that comes later than this only confuses


@dataclass(frozen=True, slots=True)
class Targets:
    """Whom a rule means now. *reasons* are those of FORMAT §13; *nobody*: the rule says ``to: nobody``; *otherwise*:
    rotas with nobody on call, and the people whom they name then; *refused*: numbers of the sender's that may not be
    used, each with why."""

    people: tuple[Target, ...]
    reasons: tuple[str, ...] = ()
    nobody: bool = False
    otherwise: tuple[tuple[str, tuple[str, ...]], ...] = ()
    refused: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class RuleTexts:
    """The texts a rule writes itself; None: the frame of the words room."""

    alert: Text | None = None
    recovery: Text | None = None
    group: Text | None = None
    ways: Mapping[str, Text] = field(default_factory=dict)  # viber, whatsapp, vk.NAME: what they show in an alert


@dataclass(frozen=True, slots=True)
class RuleBook:
    """What the operator wants, ready to be asked. Immutable; *digest* names exactly this book in the trail."""

    config: Config
    rules: Rules
    sources: Sources
    addresses: Addresses
    people: People
    packs: Packs
    texts: Mapping[str, RuleTexts]  # rule -> its own texts
    keys: Mapping[str, Value]  # rule -> its ``key`` template
    digest: str
    vocabulary: Vocabulary  # what people may type
    hostname: str
    windows: Windows
    standing: Standing = field(default_factory=Standing)
    watch_actions: Mapping[str, Action] = field(default_factory=dict)  # of a watch, by its name
    answer_validity: timedelta = _ANSWER_VALIDITY
    _zones: dict[str, ZoneInfo] = field(default_factory=dict)
    _asked: dict[str, bool] = field(default_factory=dict)

    # rules

    def action(self, rule: str) -> Action | None:
        """What a rule does; None for a rule that this book does not have."""
        compiled = self.rules.by_name.get(rule)
        return self.watch_actions.get(rule) if compiled is None else compiled.action

    def text(self, rule: str, which: Literal["alert", "recovery", "group"]) -> Text | None:
        """The rule's own text for an occasion; None: the frame of the words room."""
        texts = self.texts.get(rule)
        if texts is None:
            return None
        return {"alert": texts.alert, "recovery": texts.recovery, "group": texts.group}[which]

    def way_texts(self, rule: str) -> Mapping[str, Text]:
        """What the rule writes for ways besides SMS: ``viber``, ``whatsapp``, ``vk.<variable>``."""
        texts = self.texts.get(rule)
        return {} if texts is None else texts.ways

    def key(self, rule: str, event: Event, groups: Mapping[str, str], reading: Reading) -> str:
        """The rule's ``key`` for this event of *reading*; "" when it has none, or none can be made of this mail: then
        the producer's key holds, as if the rule had none. A long one (of a whole text) is cut and made unique."""
        value = self.keys.get(rule)
        if value is None:
            return ""
        subject, text = reading.subject, reading.text
        mail = {"subject": subject, "from": reading.sender, "text": text, "carrier_text": carrier_text(subject, text)}
        fields = {name: getattr(event, name) for name in _EVENT_FIELDS}
        try:
            key = value({**fields, **mail, "fqdn": event.host, "labels": event.labels, "m": groups}).strip()
        except RenderFailed:
            return ""
        digest = hashlib.sha256(key.encode("utf-8", "replace")).hexdigest()[:12]
        return key if len(key) <= _LONGEST_KEY else f"{key[:_LONGEST_KEY]} #{digest}"

    @property
    def flapping(self) -> bool:
        """Whether any rule looks at what comes and goes."""
        if "flapping" not in self._asked:
            self._asked["flapping"] = any(rule.action.flap is not None for rule in self.rules.by_name.values())
        return self._asked["flapping"]

    @property
    def unrouted_drop(self) -> str | None:
        """Why events that no rule takes are dropped; None: the operator gets them."""
        return self.config.unrouted.drop

    # people

    def targets(
        self,
        action: Action,
        recipients: Sequence[str],
        now: datetime,
        source: str = "",
        *,
        overrides: Sequence[Override] = (),
        to: Sequence[Who] | None = None,
    ) -> Targets:
        """The phones that ``to`` means at *now*; *recipients* are the mail's addresses that the rule took.

        *to* stands in place of the rule's own (a step of a ladder).
        """
        given, refused = self._given(action, recipients, source)
        found = self.people.resolve(action.to if to is None else to, now, given=given, overrides=overrides)
        nobody = any(phrase.kind == "nobody" for phrase in action.to)
        whys = dict.fromkeys(why for _number, why in refused)
        reasons = (*found.reasons, *(f"number not allowed ({why})" for why in whys))
        if found.operator and not reasons:
            reasons = ("nobody to tell",)
        return Targets(found.targets, reasons, nobody, found.otherwise, tuple(refused))

    def _given(self, action: Action, recipients: Sequence[str], source: str) -> tuple[list[str], list[tuple[str, str]]]:
        """The phones that the sender named in his addresses, and others with why they may not be used."""
        if action.numbers is None or not any(phrase.kind == "recipient" for phrase in action.to):
            return [], []
        regions = (each.region for each in self.config.sources.get(source, ()))
        region = action.numbers.region or next(filter(None, regions), self.config.region)
        destinations = Destinations(self.config.destinations, self.config.region)
        people = frozenset(person.phone for person in self.config.people.values())
        given: list[str] = []
        refused: list[tuple[str, str]] = []
        for recipient in recipients:
            written = recipient.rpartition("@")[0]
            phone = read_number(written, region)
            why: str = forbidden(phone, action.numbers, destinations, people)
            if not why and len(given) >= action.numbers.at_most:
                why = f"more than {action.numbers.at_most} in one mail"
            if why:
                refused.append((phone or written, why))
            else:
                given.append(phone)
        return given, refused

    def person_of(self, phone: str) -> str:
        """The person with this phone, "" = nobody we know."""
        return self.people.owner(phone)

    def name(self, person: str) -> str:
        """How a person is called in mails and pages."""
        known = self.config.people.get(person)
        return (known.name or person) if known else person

    def language(self, person: str) -> str:
        """The language a person reads."""
        known = self.config.people.get(person)
        return (known.language if known else None) or self.config.language

    def zone(self, person: str) -> ZoneInfo:
        """The zone a person lives in; "" = the bridge's own."""
        known = self.config.people.get(person)
        return self.named_zone(known.timezone if known else None)

    def named_zone(self, name: str | None) -> ZoneInfo:
        """A zone by its name; None: the configured one."""
        name = name or self.config.timezone
        if name not in self._zones:
            self._zones[name] = ZoneInfo(name)
        return self._zones[name]

    def alphabet(self, person: str, rule: Alphabet) -> Alphabet:
        """A person's wish beats the rule's."""
        known = self.config.people.get(person)
        return (known.alphabet if known else None) or rule

    def mail_addresses(self, targets: Sequence[MailTarget], *, sender: str) -> tuple[str, ...]:
        """Addresses of ``mail_to`` and ``replies.mail``; ``thread`` and ``sender`` mean *sender* ("" = nobody)."""
        found: list[str] = []
        for target in targets:
            match target.kind:
                case "thread" | "sender":
                    found.append(sender)
                case "address":
                    found.append(target.name)
                case "name":
                    found += self._addresses_of(target.name)
        return tuple(dict.fromkeys(address for address in found if address))

    def _addresses_of(self, name: str) -> list[str]:
        person = self.config.people.get(name)
        if person is not None:
            return [person.email] if person.email else []
        team = self.config.teams.get(name)
        if team is None:
            return []
        if team.email:
            return [team.email]
        return [address for member in self.people.members(name) for address in self._addresses_of(member)]

    # gateways and money

    def chain(self, action: Action | None, phone: str) -> tuple[str, ...]:
        """The providers that may carry a message to *phone*, in order; the longest prefix wins.

        Those that cannot speak the rule's channel are left out, unless none of them can.
        """
        wanted = action.send_via if action else self.config.send_via
        prefix = longest_prefix(wanted, phone) if wanted else ""
        chain = wanted[prefix] if wanted and prefix else tuple(self.config.providers)
        channel = action.channel[0] if action else "sms"
        return chain if channel == "sms" else tuple(name for name in chain if self._speaks(name, channel)) or chain

    def _speaks(self, name: str, channel: Channel) -> bool:
        provider = self.config.providers.get(name)
        return provider is not None and channel in _CHANNELS.get(provider.type.partition("-")[0], ())

    def provider(self, name: str) -> Provider | None:
        """A provider of the configuration."""
        return self.config.providers.get(name)

    def answerable(self, chain: Sequence[str]) -> bool:
        """Whether an answer to a message that leaves by this chain reaches us."""
        return bool(self.number(chain))

    def number(self, chain: Sequence[str]) -> str:
        """Where answers arrive, of the first provider that has a number; "" = nowhere."""
        numbers = (self.config.providers[name].number for name in chain if name in self.config.providers)
        return next((number for number in numbers if number), "")

    def number_tail(self, chain: Sequence[str]) -> str:
        """The number at the end of the text, where the sender shown is a name (``number_as_sender: false``)."""
        first = self.config.providers.get(chain[0]) if chain else None
        return "" if first is None or first.number_as_sender else self.number(chain)

    def promises_answers(self, rule: str, action: Action, phone: str) -> bool:
        """Whether an SMS of this rule is about a code: its text has one, or a number to ring, or the frame may have
        one, and answers can arrive."""
        if self.text(rule, "alert") is not None:
            return self.shows_code(rule, "alert") or self.shows_number_to_ring(rule, "alert")
        return action.track and self.answerable(self.chain(action, phone))

    def shows_code(self, rule: str, which: Literal["alert", "group"]) -> bool:
        """Whether the rule's own text for this occasion has a place for a code."""
        own = self.text(rule, which)
        return own is not None and any("code" in variant.names for variant in own.variants.values())

    def shows_number_to_ring(self, rule: str, which: Literal["alert", "recovery", "group"]) -> bool:
        """Whether the rule's own text for this occasion has a place for a number to ring."""
        own = self.text(rule, which)
        return own is not None and any("call_to_ack" in variant.names for variant in own.variants.values())

    def ack_ways(self, person: str, action: Action | None) -> tuple[AckWay, ...]:
        """How *person* ("" = a phone of nobody) may acknowledge: his ``ack_by``, narrowed by the rule's."""
        known = self.config.people.get(person)
        ways = known.ack_by if known else _NOBODYS_WAYS
        narrowed = action.replies.ack_by if action else None
        return ways if narrowed is None else tuple(way for way in ways if way in narrowed)

    def price(self, chain: Sequence[str], phone: str, segments: int) -> tuple[Decimal | None, str]:
        """Price of a message by the table of the first provider, and its currency. None = not known before."""
        provider = self.config.providers.get(chain[0]) if chain else None
        if provider is None:
            return None, ""
        currency = provider.currency or self.config.currency or ""
        prefix = longest_prefix(provider.prices, phone)
        return (provider.prices[prefix] * segments if prefix else None), currency

    @property
    def code_range(self) -> tuple[int, int]:
        """First and last of the small codes; all have one length."""
        codes = self.config.commands.codes
        return codes.first, codes.last


_EVENT_FIELDS = ("source", "producer", "host", "service", "severity", "state", "key", "title", "detail")


def longest_prefix(table: Mapping[str, object], phone: str) -> str:
    """The key of *table* that fits *phone* best: the longest prefix, else ``default``, else ""."""
    fitting = [prefix for prefix in table if prefix != "default" and phone.startswith(prefix)]
    return max(fitting, key=len) if fitting else ("default" if "default" in table else "")
