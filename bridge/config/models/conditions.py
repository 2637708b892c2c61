"""Conditions and patterns (FORMAT §5): what a rule asks of an event and its mail."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import Field, model_validator

from bridge.config.models.base import Model, gathered
from bridge.config.models.windows import WindowRef
from bridge.config.units import ConditionName, Flag, HeaderName, Many, NetworkText, Text


class Pattern(Model):
    """What a field must be like; all that is given must hold. *globs*: plain text or a list, any one fits."""

    globs: Many[Text] = Field(default=(), alias="·globs")
    is_: Many[Text] = Field(default=(), alias="is")
    regex: Text | None = None
    not_: Pattern | None = Field(default=None, alias="not")
    any_: Many[Pattern] = Field(default=(), alias="any")
    above: Text | None = None
    below: Text | None = None
    exists: Flag | None = None

    @model_validator(mode="before")
    @classmethod
    def _plain(cls, value: Any) -> Any:
        return value if isinstance(value, Mapping | Pattern) else {"·globs": value}


class Condition(Model):
    """A map of what must hold, all of it. An absent key asks nothing."""

    source: Pattern | None = None
    producer: Pattern | None = None
    door: Pattern | None = None
    identity: Pattern | None = None
    from_: Pattern | None = Field(default=None, alias="from")
    mail_from: Pattern | None = None
    recipient: Pattern | None = None
    host: Pattern | None = None
    service: Pattern | None = None
    severity: Pattern | None = None
    state: Pattern | None = None
    key: Pattern | None = None
    labels: Mapping[Text, Pattern] = Field(default={}, alias="label.")  # label.X, by X
    subject: Pattern | None = None
    title: Pattern | None = None
    text: Pattern | None = None
    detail: Pattern | None = None
    headers: Mapping[HeaderName, Pattern] = Field(default={}, alias="header.")  # header.X, by X in lower case
    attachment: Pattern | None = None
    size: Pattern | None = None
    network: Many[NetworkText] = ()
    during: WindowRef | None = None
    use: Many[ConditionName] = ()
    any_: Many[Condition] = Field(default=(), alias="any")
    all_: Many[Condition] = Field(default=(), alias="all")
    not_: Condition | None = Field(default=None, alias="not")

    @model_validator(mode="before")
    @classmethod
    def _labels_and_headers(cls, value: Any) -> Any:
        value = gathered(value, "label.", frozenset(), prefix="label.")
        return gathered(value, "header.", frozenset(), prefix="header.")
