"""``smsbridge test``: play the rule tests. Nothing is sent, nothing is stored."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

if TYPE_CHECKING:
    from bridge.book.loading import LoadedBook
    from bridge.config.models import TestFile
    from bridge.proof.coverage import Coverage, Seen
    from bridge.proof.mutate import Verdict
    from bridge.proof.runner import Outcome

_DID_NOT_HOLD, _CONFIGURATION = 1, 78  # exit codes
_FILE = click.Path(path_type=Path)


@click.command()
@click.option("-c", "--config", type=_FILE, default=Path("config.yaml"), show_default=True)
@click.argument("files", nargs=-1, type=_FILE)
@click.option("-k", "part", metavar="TEXT", default="", help="Only tests whose name or file holds TEXT.")
@click.option("--coverage", is_flag=True, help="Also say which rules fitted nothing, and which branches no test saw.")
@click.option(
    "--fail-under", type=click.FloatRange(0, 100), metavar="N", help="With less than N % of rules and branches seen: 1."
)
@click.option("--mutate", is_flag=True, help="Change every rule in every way, and say which changes no test notices.")
@click.option("--skip-unbuilt", is_flag=True, help="Pass over tests of what this version does not do yet.")
@click.option("--accept", metavar="NAME", help="Write what happened in the test NAME into its file.")
@click.option("--junit", type=_FILE, metavar="FILE", help="Write the results for continuous integration.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object with a result for each test.")
@click.pass_context
def command(
    context: click.Context, config: Path, files: tuple[Path, ...], part: str, coverage: bool, fail_under: float | None,
    mutate: bool, skip_unbuilt: bool, accept: str | None, junit: Path | None, as_json: bool,
) -> None:  # fmt: skip
    """Play the rule tests in rules/tests (or in FILES of that folder) over an empty memory and a clock of their own.

    Exit codes: 0 every test held, 1 one did not, --fail-under was missed or --mutate left a survivor, 2 wrong call,
    78 the configuration is wrong.
    """
    from bridge.proof import report

    if mutate and (files or part):
        _stop("--mutate needs all tests: a change that only another test notices would look like a survivor.", 2)
    loaded = _load(config)
    seen = _seen() if coverage or fail_under is not None else None
    outcomes = _play(loaded, _chosen(loaded, files, part), seen)
    if accept is not None:
        _accept(outcomes, accept)
        return
    if junit is not None:
        junit.write_bytes(report.junit(outcomes, skip_unbuilt=skip_unbuilt))
    found = _Found(
        outcomes,
        None if seen is None else _covered(loaded, outcomes, seen),
        _judged(loaded, outcomes) if mutate else None,
    )
    if as_json:
        click.echo(json.dumps(found.data(loaded, skip_unbuilt=skip_unbuilt), ensure_ascii=False, indent=2))
    else:
        _tell(loaded, found, skip_unbuilt=skip_unbuilt)
    if found.is_seen_less(fail_under):
        click.echo(f"smsbridge test: less than {fail_under:g} % of rules and branches were seen.", err=True)
    failed = any(_counts(one, skip_unbuilt) for one in outcomes) or found.is_seen_less(fail_under) or found.survived
    context.exit(_DID_NOT_HOLD if failed else 0)


@dataclass(frozen=True, slots=True)
class _Found:
    """Everything one call has found out."""

    outcomes: list[Outcome]
    coverage: Coverage | None
    verdict: Verdict | None

    def is_seen_less(self, fail_under: float | None) -> bool:
        """Whether less than *fail_under* percent was seen."""
        return fail_under is not None and self.coverage is not None and self.coverage.percent < fail_under

    @property
    def survived(self) -> bool:
        """Whether a mutant did."""
        return self.verdict is not None and bool(self.verdict.survivors)

    def data(self, loaded: LoadedBook, *, skip_unbuilt: bool) -> dict[str, object]:
        """One object for ``--json``."""
        from bridge.cli import proven
        from bridge.proof import report

        told: dict[str, object] = {"tests": report.as_data(self.outcomes)}
        told |= {"summary": report.summary(self.outcomes, skip_unbuilt=skip_unbuilt)}
        if self.coverage is not None:
            told |= {"unreached_rules": report.unreached(loaded.require(), self.outcomes)}
            told |= {"coverage": proven.coverage_data(self.coverage)}
        return told | ({} if self.verdict is None else {"mutate": proven.verdict_data(self.verdict)})


def _counts(outcome: Outcome, skip_unbuilt: bool) -> bool:
    """Whether this outcome makes the run a failure."""
    skipped = skip_unbuilt and outcome.not_built and not outcome.failures
    return not outcome.held and not skipped


def _load(config: Path) -> LoadedBook:
    from bridge.book.loading import load_book

    if not config.is_file():
        _stop(f"no file {config} here ({Path.cwd()}). Say -c CONFIG.", _CONFIGURATION)
    loaded = load_book(config, tests=True)
    if loaded.book is None:
        for line in loaded.errors:
            click.echo(line, err=True)
        _stop(f"{len(loaded.errors)} error{'s' if len(loaded.errors) > 1 else ''}. No test was played.", _CONFIGURATION)
    return loaded


def _chosen(loaded: LoadedBook, files: Sequence[Path], part: str) -> list[tuple[str, TestFile, int]]:
    """The tests that are meant: file, its content, number in it."""
    known = {Path(name).resolve(): name for name, _ in loaded.loaded.test_files}
    for file in files:
        if file.resolve() not in known:
            _stop(f"{file} is no test file; they lie in {loaded.loaded.rules_folder / 'tests'}.", 2)
    wanted = {known[file.resolve()] for file in files} or set(known.values())
    chosen = [
        (name, tests, index)
        for name, tests in loaded.loaded.test_files
        if name in wanted
        for index, test in enumerate(tests.tests)
        if part.casefold() in f"{name}\n{test.test}".casefold()
    ]
    if not chosen:
        _stop("no test fits." if part or files else f"no tests in {loaded.loaded.rules_folder / 'tests'}.", 2)
    return chosen


def _play(loaded: LoadedBook, chosen: Sequence[tuple[str, TestFile, int]], seen: Seen | None) -> list[Outcome]:
    from bridge.cli.proven import progress
    from bridge.proof.coverage import watched
    from bridge.proof.runner import play

    book = loaded.require() if seen is None else watched(loaded, seen)
    outcomes = []
    with progress(len(chosen), "tests") as done:
        for name, tests, index in chosen:
            outcomes.append(play(book, name, tests, index))
            done(1)
    return outcomes


def _seen() -> Seen:
    from bridge.proof.coverage import Seen

    return Seen()


def _covered(loaded: LoadedBook, outcomes: Sequence[Outcome], seen: Seen) -> Coverage:
    from bridge.proof.coverage import covered

    return covered(loaded, outcomes, seen)


def _judged(loaded: LoadedBook, outcomes: Sequence[Outcome]) -> Verdict:
    from bridge.cli.proven import progress
    from bridge.proof.mutate import judged, mutants

    changes = mutants(loaded)
    with progress(len(changes), "mutants") as done:
        return judged(loaded, outcomes, changes, lambda: done(1))


def _tell(loaded: LoadedBook, found: _Found, *, skip_unbuilt: bool) -> None:
    from bridge.cli import proven
    from bridge.proof import report

    outcomes = found.outcomes
    for outcome in outcomes:
        if _counts(outcome, skip_unbuilt):
            place = loaded.loaded.place(outcome.file, ("tests", outcome.index))[1]
            first, *rest = report.lines(outcome, place.line)
            click.echo("\n".join([click.style(first, bold=True), *map(_coloured, rest), ""]))
    if found.coverage is not None:
        proven.show_coverage(found.coverage)
    if found.verdict is not None:
        proven.show_verdict(found.verdict, sum(not one.held for one in outcomes))
    unbuilt = sum("not built yet" in warning for warning in loaded.warnings)
    if unbuilt and any(outcome.failures for outcome in outcomes):
        keys, them = ("key", "it") if unbuilt == 1 else ("keys", "them")
        are = "is" if unbuilt == 1 else "are"
        click.echo(f"{unbuilt} {keys} of this configuration {are} not built yet; smsbridge check names {them}.")
    click.echo(report.summary(outcomes, skip_unbuilt=skip_unbuilt))


def _coloured(line: str) -> str:
    colours = {"expected": "green", "happened": "red", "not built": "yellow"}
    return click.style(line, fg=next((c for word, c in colours.items() if line.strip().startswith(word)), None))


def _accept(outcomes: Sequence[Outcome], name: str) -> None:
    from bridge.proof.accept import accepted
    from bridge.proof.mails import BadTest

    found = [outcome for outcome in outcomes if outcome.name.casefold() == name.casefold()]
    if len(found) != 1:
        _stop(f"{len(found) or 'no'} tests are called “{name}”. " + ("Name the file too." if found else "See: -k"), 2)
    outcome = found[0]
    if outcome.held:
        click.echo(f"{outcome.file} “{outcome.name}” holds already.")
        return
    if outcome.not_built or outcome.broken:
        _stop(f"“{outcome.name}” was not played to its end: {outcome.broken or f'not built yet: {outcome.not_built}'}.")
    path = Path(outcome.file)
    try:
        path.write_bytes(accepted(path.read_bytes().decode(), outcome).encode())
    except BadTest as error:
        _stop(f"“{outcome.name}”: {error}.")
    click.echo(f"{outcome.file} “{outcome.name}” written. Look at it before you keep it.")


def _stop(sentence: str, code: int = _DID_NOT_HOLD) -> NoReturn:
    click.echo(f"smsbridge test: {sentence}", err=True)
    raise click.exceptions.Exit(code)
