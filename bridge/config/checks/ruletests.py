"""The shape of rule tests: names they use exist, one thing happens in a step, phrases fit what happens."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path as FilePath

from bridge.config.checks.people import circles
from bridge.config.checks.whole import Whole, each
from bridge.config.models import Expect, Given, Nothing, RuleTest, TestFile, TestMail, TestStep
from bridge.config.problem import Path, Problem
from bridge.config.similar import did_you_mean
from bridge.config.units import Who

_HAPPENS = ("mail", "request", "reply", "answer", "receipt", "call", "wait", "provider", "operator")


def check_tests(whole: Whole) -> Iterator[Problem]:
    """Every test file."""
    for file, tests in whole.test_files:
        yield from _mails(whole, file, tests)
        yield from _given(whole, tests.given, ("given",), file)
        seen: set[str] = set()
        for index, test in enumerate(tests.tests):
            path: Path = ("tests", index)
            if test.test in seen:
                yield whole.wrong((*path, "test"), "another test of this file has this name", file=file)
            seen.add(test.test)
            yield from _given(whole, test.given, (*path, "given"), file)
            yield from _steps(whole, file, tests, test, path)


def _steps(whole: Whole, file: str, tests: TestFile, test: RuleTest, path: Path) -> Iterator[Problem]:
    own = any(getattr(test, name) is not None for name in (*_HAPPENS, "expect", "at"))
    if own and test.steps:
        yield whole.wrong(path, "steps, or the keys of one step; not both", file=file)
    if not own and not test.steps:
        yield whole.wrong(path, "nothing happens in this test; write steps:, or mail: and expect:", file=file)
    for at, step in [(path, test)] if own else list(each((*path, "steps"), test.steps)):
        yield from _step(whole, file, tests, step, at)


def _step(whole: Whole, file: str, tests: TestFile, step: TestStep, path: Path) -> Iterator[Problem]:
    happens = [name for name in _HAPPENS if getattr(step, name) is not None]
    if len(happens) > 1:
        yield whole.wrong(path, f"{' and '.join(happens)} in one step; one thing happens in a step", file=file)
    if isinstance(step.expect, Nothing) and not step.expect.because and {"mail", "request"} & set(happens):
        yield whole.wrong((*path, "expect"), "say why: nothing because REASON", file=file)
    if isinstance(step.mail, str):
        yield from _mail_name(whole, file, tests, step.mail, (*path, "mail"))
    elif step.mail is not None:
        yield from _mail(whole, file, tests, step.mail, (*path, "mail"))
    for key, who in (("reply", step.reply and step.reply.from_), ("call", step.call and step.call.from_)):
        if who:
            yield from whole.unknown_who(who, (*path, key, "from"), file=file)
    if step.receipt:
        yield from whole.unknown_who(step.receipt.of, (*path, "receipt", "of"), file=file)
    for name in step.provider or ():
        yield from whole.unknown("providers", name, (*path, "provider", name), "provider", file=file)
    if isinstance(step.expect, tuple):
        yield from _expected(whole, file, step.expect, (*path, "expect"))


def _expected(whole: Whole, file: str, items: tuple[Expect, ...], path: Path) -> Iterator[Problem]:
    for at, item in each(path, items):
        if not item.kind:
            yield whole.wrong(at, "names no effect; begin with sms:, call:, mail:, not: …", file=file)
        for key, who in (("sms", item.sms), ("call", item.call), ("not", item.not_)):
            if isinstance(who, Who):
                yield from whole.unknown_who(who, (*at, key), file=file)
        if item.monitor:
            yield from whole.unknown("monitors", item.monitor, (*at, "monitor"), "monitor", file=file)
        for here, name in each((*at, "via"), item.via):
            yield from whole.unknown("providers", name, here, "provider", file=file)
        if item.rule and not item.rule.startswith(("(", "watch/")) and item.rule.casefold() not in whole.rule_names:
            sentence = f'no rule is called "{item.rule}"{did_you_mean(item.rule, whole.rule_names)}'
            yield whole.wrong((*at, "rule"), sentence, file=file)


def _mail_name(whole: Whole, file: str, tests: TestFile, name: str, path: Path) -> Iterator[Problem]:
    if name in tests.mails or name in _written_mails(whole, file):
        return
    if not name.endswith(".eml"):
        yield whole.wrong(path, f'no mail is called "{name}"{did_you_mean(name, tests.mails)}', file=file)
    elif not (FilePath(file).parent / name).is_file():
        yield whole.wrong(path, f'no file "{name}" beside this test', file=file)


def _written_mails(whole: Whole, file: str) -> frozenset[str]:
    mails = whole.places.documents[file].data.get("mails")
    return frozenset(str(name) for name in mails) if isinstance(mails, dict) else frozenset()


def _mails(whole: Whole, file: str, tests: TestFile) -> Iterator[Problem]:
    for name, mail in tests.mails.items():
        yield from _mail(whole, file, tests, mail, ("mails", name))
    links = {name: (mail.like,) if mail.like else () for name, mail in tests.mails.items()}
    for name, sentence in circles(links):
        yield whole.wrong_key(("mails", name, "like"), sentence, file=file)


def _mail(whole: Whole, file: str, tests: TestFile, mail: TestMail, path: Path) -> Iterator[Problem]:
    if mail.like is not None and mail.like not in tests.mails and mail.like not in _written_mails(whole, file):
        sentence = f'no mail is called "{mail.like}"{did_you_mean(mail.like, tests.mails)}'
        yield whole.wrong((*path, "like"), sentence, file=file)
    if mail.file is not None and not (FilePath(file).parent / mail.file).is_file():
        yield whole.wrong((*path, "file"), f'no file "{mail.file}" beside this test', file=file)
    if mail.source is not None:
        yield from whole.unknown("sources", mail.source, (*path, "source"), "source", file=file)


def _given(whole: Whole, given: Given | None, path: Path, file: str) -> Iterator[Problem]:
    if given is None:
        return
    for name in given.balance or ():
        yield from whole.unknown("providers", name, (*path, "balance", name), "provider", file=file)
    for rota, person in (given.on_call or {}).items():
        yield from whole.unknown("rotas", rota, (*path, "on_call", rota), "rota", file=file)
        yield from whole.unknown("people", person, (*path, "on_call", rota), "person", file=file)


CHECKS: tuple[Callable[[Whole], Iterator[Problem]], ...] = (check_tests,)
