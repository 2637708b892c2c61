"""What tests of routing are made of: books written as an operator writes them, mails, events."""

from __future__ import annotations

import string
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import pytest

from bridge.config.document import read
from bridge.config.load import Places
from bridge.config.models import Config, RuleFile
from bridge.errors import BridgeError, ConfigError
from bridge.model import Email, Event, RoutedEvent
from bridge.oncall.windows import Windows
from bridge.routing.facts import Facts
from bridge.routing.rulebook import Rules, compile_rules
from bridge.routing.rules import Value

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)  # a Saturday
CONFIG = """
listen: []
domains: [sms.example.kz]
operator: {mail: it@example.kz}
providers: {smsc: {type: smsc-http, login: a, password: {env: X}}}
people:
  aigul: {phone: "+77010000011"}
  ivan: {phone: "+77010000012"}
"""


def parsed(text: str) -> Any:
    """A YAML text as the configuration room reads it."""
    document = read(text.encode(), "rules/test.yaml")
    assert not document.problems, document.problems
    return document.data


class _Fields(string.Formatter):
    def get_field(self, field_name: str, args: object, kwargs: Mapping[str, Any]) -> tuple[Any, str]:
        first, _, rest = field_name.partition(".")
        return (kwargs[first].get(rest, "") if rest else kwargs[first]), first


def fails(_variables: Mapping[str, object]) -> str:
    raise BridgeError("no such value")


def template(source: str, place: str) -> Value:
    """A tiny stand-in for the render room: ``{host}``, ``{m.x}``; ``{broken}`` is refused, ``{fails}`` fails."""
    if "{broken}" in source:
        raise ConfigError((f"{place}: broken",))
    if "{fails}" in source:
        return fails
    return lambda variables: _Fields().vformat(source, (), variables)


@dataclass(frozen=True)
class Book:
    """A compiled book with ways to ask it."""

    rules: Rules
    config: Config
    event: Event = field(default_factory=lambda: Event("mon", "generic", "web1", "", "info", "problem", "", "down", ""))
    email: Email = field(
        default_factory=lambda: Email("mon@example.kz", "", "Alarm", "it is down", {}, "<1@x>", (), "", (), 100)
    )
    facts: Facts = field(default_factory=lambda: Facts("smtp", "10.0.0.5", recipients=("ops@sms.example.kz",)))

    def ask(self, *, at: datetime = NOON, trace: bool = False, **changes: Any) -> RoutedEvent:
        """Walk the event with *changes* of its fields, of the mail's (``subject``, ``text`` …) or the envelope's."""
        parts: list[Any] = []
        for part in (self.event, self.email, self.facts):
            names = {name for name in changes if hasattr(part, name)}
            parts.append(replace(part, **{name: changes[name] for name in names}))
            changes = {name: value for name, value in changes.items() if name not in names}
        assert not changes, changes
        return self.rules.walk(*parts, at, trace=trace)

    def who(self, **changes: Any) -> list[str]:
        """Names of the rules that took it."""
        return [route.rule for route in self.ask(**changes).routes]

    def why(self, **changes: Any) -> dict[str, str]:
        """Rule → why it did not fit ("" = it did)."""
        return {visit.rule: visit.failed for visit in self.ask(trace=True, **changes).trace}


BookOf = Callable[..., Book]


@pytest.fixture
def book() -> BookOf:
    """Compiles the text of a rule file; a text that begins with ``- `` is its list of rules."""

    def compile_book(text: str, config: str = "") -> Book:
        rules = f"rules:\n{text}" if text.lstrip().startswith("- ") else text
        model = Config.model_validate(parsed(CONFIG) | (parsed(config) if config else {}))
        windows = Windows(model.windows, model.calendars, model.timezone)
        places = Places({"rules/test.yaml": read(rules.encode(), "rules/test.yaml")})
        files = [("rules/test.yaml", RuleFile.model_validate(parsed(rules)))]
        made = compile_rules(files, model, compile_value=template, windows=windows.test, places=places)
        return Book(made, model)

    return compile_book


@pytest.fixture(scope="session")
def now() -> datetime:
    """A moment for those who do not care which."""
    return NOON
