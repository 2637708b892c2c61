"""What came of rule tests, for people and for programs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree as xml  # only written here, never read

from bridge.book import RuleBook
from bridge.proof.compare import Difference
from bridge.proof.runner import Outcome


def summary(outcomes: Sequence[Outcome], *, skip_unbuilt: bool = False) -> str:
    """``118 tests, 117 held, 1 did not: night.yaml “disk at night” expected …, got ….``"""
    unbuilt = [one for one in outcomes if one.not_built and not one.failures]
    failed = [one for one in outcomes if not one.held and one not in unbuilt]
    parts = [f"{len(outcomes)} test{'' if len(outcomes) == 1 else 's'}"]
    parts.append(f"{sum(one.held for one in outcomes)} held")
    if unbuilt:
        parts.append(f"{len(unbuilt)} not built yet{' (skipped)' if skip_unbuilt else ''}")
    if failed:
        parts.append(f"{len(failed)} did not")
    return ", ".join(parts) + (f": {_short(failed[0])}" if len(failed) == 1 else ".")


def _short(outcome: Outcome) -> str:
    head = f"{Path(outcome.file).name} “{outcome.name}”"
    if not outcome.failures:
        return f"{head}: {outcome.broken}."
    first = outcome.failures[0].differences[0]
    if not first.expected and not first.happened:
        return f"{head}: {first.why}."
    return f"{head} expected {first.expected or 'nothing more'}, got {first.happened or 'nothing like it'}."


def lines(outcome: Outcome, line: int) -> list[str]:
    """Why a test did not hold: each failed item beside what happened, ready to paste. *line*: of its file."""
    found = [f"{outcome.file}:{line} “{outcome.name}”"]
    if outcome.not_built:
        found.append(f"  not built yet: {outcome.not_built}")
    if outcome.broken:
        found.append(f"  cannot be played: {outcome.broken}")
    for failure in outcome.failures:
        if len(outcome.played) > 1:
            found.append(f"  step {failure.step}")
        for difference in failure.differences:
            found += [f"    {line}" for line in _said(difference)]
    return found


def _said(difference: Difference) -> list[str]:
    if not difference.expected and not difference.happened:
        return [difference.why]
    why = f"   # differs: {difference.why}" if difference.why else ""
    return [
        f"expected  {_item(difference.expected) or 'nothing more'}",
        f"happened  {_item(difference.happened) or 'nothing like it'}{why}",
    ]


def _item(text: str) -> str:
    return f"- {text}" if text.startswith("{") else text


def as_data(outcomes: Sequence[Outcome]) -> list[dict[str, object]]:
    """For ``--json``: one object for each test."""
    return [
        {
            "file": one.file,
            "test": one.name,
            "held": one.held,
            "not_built": one.not_built or None,
            "broken": one.broken or None,
            "failures": [
                {"step": failure.step, "expected": d.expected, "happened": d.happened, "why": d.why}
                for failure in one.failures
                for d in failure.differences
            ],
        }
        for one in outcomes
    ]


def junit(outcomes: Sequence[Outcome], *, skip_unbuilt: bool) -> bytes:
    """The results as continuous integration reads them: a test that cannot be played is an error, one that does not
    hold a failure. With *skip_unbuilt* tests of what is not built are skipped, else failed."""
    suite = xml.Element("testsuite", name="smsbridge rule tests", tests=str(len(outcomes)))
    for one in outcomes:
        case = xml.SubElement(suite, "testcase", classname=Path(one.file).stem, name=one.name, file=one.file)
        skipped = skip_unbuilt and one.not_built and not one.failures
        if skipped:
            xml.SubElement(case, "skipped", message=f"not built yet: {one.not_built}")
        elif one.broken and not one.failures:
            error = xml.SubElement(case, "error", message=_printable(one.broken))
            error.text = _printable("\n".join(lines(one, 0)))
        elif not one.held:
            failure = xml.SubElement(case, "failure", message=_printable(_short_or_unbuilt(one)))
            failure.text = _printable("\n".join(lines(one, 0)))
    tags = {"failures": "failure", "errors": "error", "skipped": "skipped"}
    suite.attrib.update({name: str(len(suite.findall(f"testcase/{tag}"))) for name, tag in tags.items()})
    return bytes(xml.tostring(suite, encoding="utf-8", xml_declaration=True))


def _short_or_unbuilt(outcome: Outcome) -> str:
    return f"not built yet: {outcome.not_built}" if outcome.not_built and not outcome.failures else _short(outcome)


def _printable(text: str) -> str:
    """XML 1.0 has no place for control characters."""
    return "".join(letter if letter in "\n\t" or letter >= " " else "?" for letter in text)


def unreached(book: RuleBook, outcomes: Sequence[Outcome]) -> list[str]:
    """The rules that fitted no event of any test, with their places."""
    reached = frozenset().union(*(one.rules for one in outcomes))
    return [f"{rule.file}:{rule.line} {name}" for name, rule in book.rules.by_name.items() if rule.name not in reached]
