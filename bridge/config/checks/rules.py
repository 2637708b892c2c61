"""The rule book: every rule does something, names exist, promises can be kept, nothing stands in the shade."""

from __future__ import annotations

import glob
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path as FilePath
from typing import Any

from bridge.config.checks.doors import cron_mistake
from bridge.config.checks.money import chain
from bridge.config.checks.patterns import condition
from bridge.config.checks.people import old_zone, outside, window_ref
from bridge.config.checks.whole import RuleAt, Whole, each
from bridge.config.models import Quiet, Rule, RuleKeys, Step
from bridge.config.problem import Path, Problem
from bridge.config.units import MailTarget, Who

NO_CODE = "answers are possible, and the text shows no {{ code }}; with two alerts open the bridge asks back"
_CALL = re.compile(r"\{\{[^}]*\bcall_to_ack\b")
_CODE = re.compile(r"\{\{[^}]*\bcode\b")
_NEEDS_QUOTES = re.compile(r"[,#\[\]{}]|^[&*!|>'\"%@`?-]")


def check_rules(whole: Whole) -> Iterator[Problem]:
    """Each rule with what it inherits."""
    first: dict[str, tuple[str, int]] = {}
    for at in whole.all_rules():
        name = at.rule.rule.casefold()
        if name in first:
            file, line = first[name]
            sentence = f"stands here and in {file} line {line}; names of rules are unique"
            yield whole.wrong((*at.path, "rule"), sentence, file=at.file)
        else:
            place = whole.places.documents[at.file].place((*at.path, "rule"))[1]
            first[name] = (at.file, place.line)
        yield from _name(whole, at)
        yield from condition(whole, at.rule.when, (*at.path, "when"), at.file)
        yield from _deeds(whole, at)
        yield from _whom(whole, at)
        yield from keys(whole, at.rule, at.path, at.file)
        yield from _numbers(whole, at)
        yield from _promises(whole, at)
        yield from _rings(whole, at)
        yield from _sender(whole, at)


def _name(whole: Whole, at: RuleAt) -> Iterator[Problem]:
    if _NEEDS_QUOTES.search(at.rule.rule) and not at.rule.rule.startswith("·"):
        sentence = "in tests this name must be quoted; a name without comma and signs is easier"
        yield whole.wrong((*at.path, "rule"), sentence, "warning", file=at.file)


def _deeds(whole: Whole, at: RuleAt) -> Iterator[Problem]:
    """A rule does something, and not two things that exclude each other."""
    rule = at.rule
    written = [key for key in ("to", "mail_to", "drop", "rules") if whole_has(whole, at, key)]
    goes_on = bool(rule.set_) and rule.continue_
    if not (at.acts or rule.rules or goes_on or written or whole.has_odd_keys(at.path, Rule, at.file)):
        yield whole.wrong(at.path, "nothing to do; write to:, mail_to:, drop: or rules:", file=at.file)
    if rule.drop is not None and rule.to is not None:
        yield whole.wrong_key(
            (*at.path, "drop"), "drop with to: either nothing is sent, or somebody gets it", file=at.file
        )
    if rule.drop is not None and rule.continue_:
        yield whole.wrong_key((*at.path, "continue"), "drop takes the event; nothing can go on", file=at.file)
    if rule.text is not None and rule.template is not None:
        yield whole.wrong_key((*at.path, "template"), "text with template; keep one", file=at.file)


def whole_has(whole: Whole, at: RuleAt, key: str) -> bool:
    """Whether *key* was written in this rule, even if what stood there was wrong."""
    return whole.places.documents[at.file].stands((*at.path, key))


def _whom(whole: Whole, at: RuleAt) -> Iterator[Problem]:
    bare = frozenset({"recipient", "nobody"})
    for path, who in each((*at.path, "to"), at.rule.to):
        yield from whole.unknown_who(who, path, file=at.file, bare=bare)
        if who.kind == "phone":
            yield from outside(whole, who.name, path, file=at.file)
        if who.kind == "nobody" and len(at.rule.to or ()) > 1:
            yield whole.wrong(path, "nobody stands alone", file=at.file)
        elif who.kind == "nobody" and not at.parents:
            yield whole.wrong(path, "nobody is only for a child; write drop: and why", file=at.file)


def keys(whole: Whole, rule: RuleKeys, path: Path, file: str) -> Iterator[Problem]:
    """Names in the keys that rules and ``defaults`` share."""
    for at, target in each((*path, "mail_to"), rule.mail_to):
        yield from _mail_target(whole, target, at, file)
    if rule.replies:
        for at, target in each((*path, "replies", "mail"), rule.replies.mail):
            yield from _mail_target(whole, target, at, file)
        for at, name in each((*path, "replies", "ack"), rule.replies.ack):
            yield from whole.unknown("monitors", name, at, "monitor", file=file)
    if rule.template is not None and not any(_templates(whole, rule.template)):
        sentence = f'no file "{rule.template}.j2" in {whole.rules_folder / "templates"}'
        yield whole.wrong((*path, "template"), sentence, file=file)
    for at, name in each((*path, "budget"), rule.budget):
        yield from whole.unknown("budgets", name, at, "budget", file=file)
    yield from chain(whole, rule.send_via, (*path, "send_via"), file=file)
    yield from ladder(whole, rule.escalate, (*path, "escalate"), file)
    if isinstance(rule.quiet, Quiet):
        yield from window_ref(whole, rule.quiet.during, (*path, "quiet", "during"), file=file, person_zone=True)
    if rule.digest:
        yield from old_zone(whole, rule.digest.zone, (*path, "digest", "zone"), file=file)
    if rule.numbers:
        for at, prefix in each((*path, "numbers", "prefixes"), rule.numbers.prefixes):
            yield from outside(whole, prefix, at, file=file)


def _templates(whole: Whole, name: str) -> Iterator[FilePath]:
    """The files of a template: for all languages, and for each."""
    folder = whole.rules_folder / "templates"
    yield from (path for path in (folder / f"{name}.j2", *folder.glob(f"{glob.escape(name)}.*.j2")) if path.is_file())


def _mail_target(whole: Whole, target: MailTarget, path: Path, file: str) -> Iterator[Problem]:
    if target.kind == "nobody" and path[-1] != 0:
        yield whole.wrong(path, "nobody stands alone", file=file)
    if target.kind != "name":
        return
    found = list(whole.unknown_person_or_team(target.name, path, file=file))
    if not found and not has_mail(whole, target.name, set()):
        yield whole.wrong(path, f"{target.name} has no mail address; write email: there", file=file)
    yield from found


def has_mail(whole: Whole, name: str, seen: set[str]) -> bool:
    """Whether a person or team (or one of its members) can be mailed. Names with mistakes count as yes."""
    person, team = whole.config.people.get(name), whole.config.teams.get(name)
    if person is None and team is None:
        return name in whole.names("people") | whole.names("teams")
    if (person and person.email) or (team and team.email):
        return True
    seen.add(name)
    return any(has_mail(whole, member, seen) for member in (team.members if team else ()) if member not in seen)


def ladder(whole: Whole, steps: str | tuple[Step, ...] | None, path: Path, file: str) -> Iterator[Problem]:
    """A named ladder exists; ``again`` stands at the last step; everybody in it exists."""
    if isinstance(steps, str):
        yield from whole.unknown("escalations", steps, path, "escalation", file=file)
        return
    for at, step in each(path, steps):
        for here, who in each((*at, "to"), step.to):
            yield from whole.unknown_who(who, here, file=file)
            if who.kind == "phone":
                yield from outside(whole, who.name, here, file=file)
        if step.again and at[-1] != len(steps or ()) - 1:
            yield whole.wrong((*at, "again"), "only the last step repeats the ladder", file=file)


def check_shared(whole: Whole) -> Iterator[Problem]:
    """``defaults`` and the named ladders of the configuration."""
    defaults = whole.config.defaults
    yield from keys(whole, defaults, ("defaults",), "")
    if defaults.text is not None and defaults.template is not None:
        yield whole.wrong_key(("defaults", "template"), "text with template; keep one")
    for name, steps in whole.config.escalations.items():
        yield from ladder(whole, steps, ("escalations", name), "")


def _numbers(whole: Whole, at: RuleAt) -> Iterator[Problem]:
    """``to: recipient`` needs to know which numbers are allowed, and how national ones are read."""
    if not at.rule.to or not any(who.kind == "recipient" for who in at.rule.to):
        return
    numbers = at.value("numbers")
    if numbers is None and not whole_has(whole, at, "numbers"):
        sentence = 'recipient needs numbers: {prefixes: ["+7"]}; else anybody could send anywhere'
        yield whole.wrong((*at.path, "to"), sentence, file=at.file)
    elif numbers and not (numbers.region or whole.config.region or _all_sources_have_region(whole)):
        sentence = "no region; national numbers cannot be read. Write region: KZ"
        yield whole.wrong((*at.path, "numbers"), sentence, file=at.file)


def _all_sources_have_region(whole: Whole) -> bool:
    entries = [entry for some in whole.config.sources.values() for entry in some]
    return bool(entries) and all(entry.region for entry in entries)


def _promises(whole: Whole, at: RuleAt) -> Iterator[Problem]:
    """A text with ``{{ code }}`` promises answers: some provider must have a number; and the other way round."""
    text: Mapping[str, str] | None = at.value("text")
    if not at.value("to") or not text or at.value("template") is not None or not at.value("track"):
        return
    names = _chain_names(whole, at)
    providers = [whole.config.providers[name] for name in names if name in whole.config.providers]
    shows = any(_CODE.search(one) for one in text.values())
    answerable = any(one.number or one.confirm_by_call for one in providers)
    written = any(whole.has(("providers", name, "number")) for name in names)
    path = (*at.path, "text")
    if shows and providers and not answerable and not written and whole_has(whole, at, "text"):
        sentence = f"{{{{ code }}}} promises answers, but {' and '.join(names)} has no number where they arrive"
        yield whole.wrong(path, sentence, file=at.file)
    if answerable and not shows and whole_has(whole, at, "text") and at.value("class_") != "bulk":
        yield whole.wrong(path, NO_CODE, "warning", file=at.file)


def _rings(whole: Whole, at: RuleAt) -> Iterator[Problem]:
    """A text with ``{{ call_to_ack }}`` whose sentence everybody gets without: no gateway gives numbers, or nobody may
    answer by a call."""
    text: Mapping[str, str] | None = at.value("text")
    if not text or at.value("template") is not None or not any(_CALL.search(one) for one in text.values()):
        return
    names = _chain_names(whole, at)
    gives = any(whole.config.providers[name].confirm_by_call for name in names if name in whole.config.providers)
    replies = at.value("replies")
    narrowed = replies.ack_by if replies is not None else None
    may = narrowed is None or "call" in narrowed
    may = may and any("call" in person.ack_by for person in whole.config.people.values())
    why = "nobody has ack_by: call" if gives else f"{' and '.join(names)} has no confirm_by_call"
    if not (gives and may) and whole_has(whole, at, "text"):
        sentence = f"{{{{ call_to_ack }}}} is never filled, because {why}; its sentence is always left out"
        yield whole.wrong((*at.path, "text"), sentence, "warning", file=at.file)


def _sender(whole: Whole, at: RuleAt) -> Iterator[Problem]:
    """A sender that nobody sees: what can be answered shows the number to which answers come."""
    if at.rule.sender is None or not at.value("to") or not at.value("track") or at.value("template") is not None:
        return
    text: Mapping[str, str] = at.value("text") or {}
    known = [(name, whole.config.providers[name]) for name in _chain_names(whole, at) if name in whole.config.providers]
    hidden = known and all(one.number and one.number_as_sender for _name, one in known)
    if hidden and all(_CODE.search(one) for one in text.values()):
        sentence = (
            f"is never shown: answers come to {known[0][1].number}, so that number stands there; "
            f"providers.{known[0][0]}.number_as_sender: false puts it at the end of the text instead"
        )
        yield whole.wrong((*at.path, "sender"), sentence, "warning", file=at.file)


def _chain_names(whole: Whole, at: RuleAt) -> tuple[str, ...]:
    chains = at.value("send_via") or whole.config.send_via
    if not chains:
        return tuple(whole.config.providers)
    return tuple(dict.fromkeys(name for names in chains.values() for name in names))


def check_others(whole: Whole) -> Iterator[Problem]:
    """Inhibit, silences and watches."""
    for file, rules in whole.rule_files:
        for index, inhibit in enumerate(rules.inhibit):
            yield from condition(whole, inhibit.while_, ("inhibit", index, "while"), file)
            yield from condition(whole, inhibit.hide, ("inhibit", index, "hide"), file)
        for index, silence in enumerate(rules.silences):
            path: Path = ("silences", index)
            yield from condition(whole, silence.when, (*path, "when"), file)
            yield from window_ref(whole, silence.during, (*path, "during"), file=file)
            yield from whole.unknown_who(Who("name", silence.by), (*path, "by"), file=file)
            if (silence.during is None) == (silence.begin is None and silence.end is None):
                yield whole.wrong(path, "either begin and end, or during", file=file)
            elif silence.during is None and (silence.begin is None or silence.end is None):
                yield whole.wrong(path, "begin and end belong together", file=file)
        yield from _watches(whole, file, rules.watch)


def _watches(whole: Whole, file: str, watches: tuple[Any, ...]) -> Iterator[Problem]:
    for index, watch in enumerate(watches):
        path: Path = ("watch", index)
        yield from condition(whole, watch.for_, (*path, "for"), file)
        for at, who in each((*path, "to"), watch.to):
            yield from whole.unknown_who(who, at, file=file)
        if (watch.cron is not None) + (watch.every is not None) + watch.learn != 1:
            yield whole.wrong(path, "exactly one of cron, every and learn", file=file)
        if watch.cron is not None and (mistake := cron_mistake(watch.cron)):
            yield whole.wrong((*path, "cron"), mistake, file=file)
        yield from old_zone(whole, watch.zone, (*path, "zone"), file=file)
        yield from ladder(whole, watch.escalate, (*path, "escalate"), file)
        yield from chain(whole, watch.send_via, (*path, "send_via"), file=file)
        for at, name in each((*path, "budget"), watch.budget):
            yield from whole.unknown("budgets", name, at, "budget", file=file)


CHECKS: tuple[Callable[[Whole], Iterator[Problem]], ...] = (check_shared, check_rules, check_others)
