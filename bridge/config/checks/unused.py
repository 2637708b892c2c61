"""Names that nothing uses, and texts that nobody reads: often a word that is misspelled where it is meant, or what an
older rule left behind."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from bridge.config.checks.whole import Whole
from bridge.config.models import Condition, Quiet, Rota, RuleKeys, Silence, Team, Watch, Window
from bridge.config.models.base import Model
from bridge.config.problem import Path, Problem
from bridge.config.units import MailTarget, Who

Use = tuple[str, str]  # the kind (``windows``), and the name
_TEXTS = ("text", "recovery_text", "group_text")
_WORDS = {"windows": "window", "calendars": "calendar", "escalations": "escalation", "rotas": "rota", "teams": "team"}


def check_unused(whole: Whole) -> Iterator[Problem]:
    """A note for each window, calendar, ladder, rota, team and named condition that nothing names."""
    if whole.shaky:
        return
    parts: list[object] = [whole.config, *(rules for _file, rules in whole.rule_files)]
    used = frozenset(use for part in parts for use in _uses(part))
    for kind, word in _WORDS.items():
        for name in getattr(whole.config, kind):
            if (kind, name) not in used:
                yield whole.wrong_key((kind, name), f"nothing uses this {word}", "note")
    for file, rules in whole.rule_files:
        for name in rules.conditions:
            if ("conditions", name) not in used:
                yield whole.wrong_key(("conditions", name), "nothing uses this condition", "note", file=file)


def _uses(one: object) -> Iterator[Use]:
    """Every name that stands in *one* and in what it holds."""
    if isinstance(one, Model):
        yield from _own(one)
        for name in one.model_fields_set:
            yield from _uses(getattr(one, name))
    elif isinstance(one, Mapping):
        for value in one.values():
            yield from _uses(value)
    elif isinstance(one, tuple | list):
        for value in one:
            yield from _uses(value)
    elif isinstance(one, Who):
        yield ("rotas" if one.kind in ("on-call", "next") else "teams"), one.name
    elif isinstance(one, MailTarget) and one.kind == "name":
        yield "teams", one.name


def _own(one: Model) -> Iterator[Use]:
    """The names that are plain texts: what they name is settled by the key they stand under."""
    match one:
        case Condition():
            yield from (("conditions", name) for name in one.use)
            yield from _windows(one.during)
        case Window():
            yield from (("calendars", name) for name in (*one.calendar, *one.except_))
            yield from (use for each in (*one.any_, one.not_) for use in _windows(each))
        case Quiet() | Silence():
            yield from _windows(one.during)
        case Rota():
            yield from (("calendars", name) for name in one.calendar)
        case Team():
            yield from (("teams", name) for name in one.members)
        case RuleKeys() | Watch() if isinstance(one.escalate, str):
            yield "escalations", one.escalate


def _windows(window: object) -> Iterator[Use]:
    if isinstance(window, str):
        yield "windows", window


def check_unread(whole: Whole) -> Iterator[Problem]:
    """A warning for each text in a language in which it cannot be sent, because ``language`` says another."""
    rules = () if whole.shaky else tuple(whole.all_rules())
    spoken: dict[tuple[str, Path], set[str | None]] = {}  # by a rule and by those that stand in it
    for at in rules:
        for length in range(len(at.path) + 1):
            spoken.setdefault((at.file, at.path[:length]), set()).add(at.value("language"))
    for at in rules:
        if None in spoken[at.file, at.path]:
            continue
        reads = {language for language in spoken[at.file, at.path] if language}
        for key in _TEXTS:
            for language in sorted(set(getattr(at.rule, key) or {}) - reads):
                if reads <= set(getattr(at.rule, key)):
                    sentence = f"is never read: language: {' or '.join(sorted(reads))} holds here for everybody"
                    yield whole.wrong((*at.path, key, language), sentence, "warning", file=at.file)


CHECKS: tuple[Callable[[Whole], Iterator[Problem]], ...] = (check_unused, check_unread)
