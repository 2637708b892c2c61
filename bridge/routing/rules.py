"""Compiled rules: the tree as written, each rule with everything it takes from its parents (FORMAT §4)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Literal

from bridge.config.models.people import Step
from bridge.config.models.rules import (
    BUILT_IN,
    VALIDITY,
    Digest,
    Flap,
    Group,
    Numbers,
    Receipts,
    Replies,
    Rule,
    RuleKeys,
    Threshold,
)
from bridge.config.models.ways import Viber, Vk, Whatsapp
from bridge.config.models.windows import Quiet
from bridge.config.names import MailTarget, Who
from bridge.model import Channel, MessageClass
from bridge.routing.conditions import CompiledCondition
from bridge.routing.index import WORTH, Index
from bridge.routing.look import Address, Look

Value = Callable[[Mapping[str, object]], str]
Written = Mapping[str, object]  # rule key -> value: what was written, nearest first

_OWN = frozenset({"rule", "when", "rules", "set_", "continue_", "drop"})  # never inherited
_TWINS = {"text": "template", "template": "text"}  # each replaces the other when inherited


@dataclass(frozen=True, slots=True)
class Action:
    """What a rule does, nothing left open: every key with the value that holds for it.

    Empty (``()``, ``""``, ``None``) is "none". Texts are raw templates by language, "" = for all languages.
    """

    to: tuple[Who, ...]
    mail_to: tuple[MailTarget, ...]
    drop: str  # why
    text: Mapping[str, str] | None  # None: the frame ``alert``, or *template*
    recovery_text: Mapping[str, str] | None
    group_text: Mapping[str, str] | None
    template: str
    message_class: MessageClass
    validity: timedelta
    parts: int
    alphabet: Literal["keep", "translit", "cheaper"]
    language: str  # "": the person's
    channel: tuple[Channel, ...]
    viber: Viber | None
    whatsapp: Whatsapp | None
    vk: Vk | None
    sender: str  # "": the provider's
    send_via: Mapping[str, tuple[str, ...]]  # prefix, or "default" -> providers
    budget: tuple[str, ...]
    numbers: Numbers | None
    track: bool
    key: str  # template, "": the producer's
    repeat: timedelta | Literal["never", "always"]
    ack_lasts: timedelta
    close_after: timedelta
    threshold: Threshold | None
    flap: Flap | None
    group: Group | None
    digest: Digest | None
    quiet: Quiet | None
    escalate: tuple[Step, ...]
    on_recovery: Literal["same people", "nobody", "mail only"]
    replies: Replies
    receipts: Receipts


@dataclass(frozen=True, slots=True, eq=False)
class CompiledRule:
    """One rule. *number* counts rules as they are asked (parents first), *rank* as they act (children first)."""

    name: str
    file: str
    line: int
    condition: CompiledCondition
    sets: tuple[tuple[str, Value], ...]
    continues: bool
    action: Action
    children: RuleList
    number: int
    rank: int

    @property
    def acts(self) -> bool:
        """Whether it does something itself: only such a rule takes an event and opens an address."""
        return bool(self.action.to or self.action.mail_to or self.action.drop)


@dataclass(frozen=True, slots=True)
class RuleList:
    """Rules that are asked one after the other."""

    rules: tuple[CompiledRule, ...] = ()
    index: Index | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        if len(self.rules) >= WORTH:
            clauses = [(*rule.condition.common, *rule.condition.own) for rule in self.rules]
            object.__setattr__(self, "index", Index(clauses))

    def __bool__(self) -> bool:
        return bool(self.rules)

    def asked(self, look: Look, addresses: tuple[Address, ...], start: int, *, everything: bool) -> Sequence[int]:
        """Numbers of the rules from *start* on that may fit; with *everything* all of them."""
        if everything or self.index is None:
            return range(start, len(self.rules))
        numbers = self.index.candidates(look, addresses)
        return numbers if not start else [number for number in numbers if number >= start]

    def everyone(self) -> Iterator[CompiledRule]:
        """These rules and all below them, parents first."""
        for rule in self.rules:
            yield rule
            yield from rule.children.everyone()


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the configuration says that rules may leave open."""

    send_via: Mapping[str, tuple[str, ...]]
    escalations: Mapping[str, tuple[Step, ...]]


def written_in(keys: RuleKeys) -> dict[str, object]:
    """The keys that stand in *keys* and that children inherit, null among them."""
    return {name: getattr(keys, name) for name in keys.model_fields_set - _OWN}


def inherited(parent: Written, child: RuleKeys) -> Written:
    """*child*'s own keys over those of its parent, each value whole."""
    own = written_in(child)
    replaced = {_TWINS[name] for name in own if name in _TWINS}
    return {**{name: value for name, value in parent.items() if name not in replaced}, **own}


def action_of(written: Written, rule: Rule, around: Surroundings) -> Action:
    """Everything that holds for *rule*, whose keys with those of its parents are *written*."""
    keys = _Keys(written)
    message_class = keys.value("class_")
    return Action(
        to=() if rule.drop else keys.value("to") or (),
        mail_to=() if rule.drop else keys.value("mail_to") or (),
        drop=rule.drop or "",
        text=keys.value("text"),
        recovery_text=keys.value("recovery_text"),
        group_text=keys.value("group_text"),
        template=keys.value("template") or "",
        message_class=message_class,
        validity=keys.value("validity") or VALIDITY[message_class],
        parts=keys.value("parts"),
        alphabet=keys.value("alphabet"),
        language=keys.value("language") or "",
        channel=keys.value("channel"),
        viber=keys.value("viber"),
        whatsapp=keys.value("whatsapp"),
        vk=keys.value("vk"),
        sender=keys.value("sender") or "",
        send_via=keys.value("send_via") or around.send_via,
        budget=keys.value("budget") or (),
        numbers=keys.value("numbers"),
        track=keys.value("track"),
        key=keys.value("key") or "",
        repeat=keys.value("repeat"),
        ack_lasts=keys.value("ack_lasts"),
        close_after=keys.value("close_after"),
        threshold=keys.value("threshold"),
        flap=keys.value("flap"),
        group=keys.value("group"),
        digest=keys.value("digest"),
        quiet=keys.value("quiet"),
        escalate=_steps(keys.value("escalate"), around.escalations),
        on_recovery=keys.value("on_recovery"),
        replies=keys.value("replies"),
        receipts=keys.value("receipts"),
    )


@dataclass(frozen=True, slots=True)
class _Keys:
    written: Written

    def value(self, name: str) -> Any:
        """What was written (null is None), else the built-in value; the models have checked its type."""
        return self.written[name] if name in self.written else getattr(BUILT_IN, name, None)


def _steps(escalate: str | tuple[Step, ...] | None, named: Mapping[str, tuple[Step, ...]]) -> tuple[Step, ...]:
    if isinstance(escalate, str):
        return named.get(escalate, ())  # ``check`` has refused a name that nobody knows
    return escalate or ()
