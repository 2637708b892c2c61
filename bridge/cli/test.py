"""``smsbridge test``: play the rule tests. Nothing is sent, nothing is stored."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

if TYPE_CHECKING:
    from bridge.book.loading import LoadedBook
    from bridge.proof.runner import Outcome

_DID_NOT_HOLD, _CONFIGURATION = 1, 78  # exit codes
_FILE = click.Path(path_type=Path)


@click.command()
@click.option("-c", "--config", type=_FILE, default=Path("config.yaml"), show_default=True)
@click.argument("files", nargs=-1, type=_FILE)
@click.option("-k", "part", metavar="TEXT", default="", help="Only tests whose name or file holds TEXT.")
@click.option("--coverage", is_flag=True, help="Also say which rules fitted nothing in any test.")
@click.option("--skip-unbuilt", is_flag=True, help="Pass over tests of what this version does not do yet.")
@click.option("--accept", metavar="NAME", help="Write what happened in the test NAME into its file.")
@click.option("--junit", type=_FILE, metavar="FILE", help="Write the results for continuous integration.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object with a result for each test.")
@click.pass_context
def command(
    context: click.Context, config: Path, files: tuple[Path, ...], part: str, coverage: bool, skip_unbuilt: bool,
    accept: str | None, junit: Path | None, as_json: bool,
) -> None:  # fmt: skip
    """Play the rule tests in rules/tests (or in FILES of that folder) over an empty memory and a clock of their own.

    Exit codes: 0 every test held, 1 one did not, 2 wrong call, 78 the configuration is wrong.
    """
    from bridge.proof import report

    loaded = _load(config)
    outcomes = _play(loaded, files, part)
    if accept is not None:
        _accept(outcomes, accept)
        return
    if junit is not None:
        junit.write_bytes(report.junit(outcomes, skip_unbuilt=skip_unbuilt))
    unreached = report.unreached(loaded.require(), outcomes) if coverage else None
    if as_json:
        told: dict[str, object] = {"tests": report.as_data(outcomes)}
        told |= {"summary": report.summary(outcomes, skip_unbuilt=skip_unbuilt)}
        told |= {} if unreached is None else {"unreached_rules": unreached}
        click.echo(json.dumps(told, ensure_ascii=False, indent=2))
    else:
        _tell(loaded, outcomes, unreached, skip_unbuilt=skip_unbuilt)
    context.exit(_DID_NOT_HOLD if any(_counts(one, skip_unbuilt) for one in outcomes) else 0)


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


def _play(loaded: LoadedBook, files: Sequence[Path], part: str) -> list[Outcome]:
    from bridge.proof.runner import play

    book, known = loaded.require(), {Path(name).resolve(): name for name, _ in loaded.loaded.test_files}
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
    return [play(book, name, tests, index) for name, tests, index in chosen]


def _tell(loaded: LoadedBook, outcomes: Sequence[Outcome], unreached: list[str] | None, *, skip_unbuilt: bool) -> None:
    from bridge.proof import report

    for outcome in outcomes:
        if _counts(outcome, skip_unbuilt):
            place = loaded.loaded.place(outcome.file, ("tests", outcome.index))[1]
            first, *rest = report.lines(outcome, place.line)
            click.echo("\n".join([click.style(first, bold=True), *map(_coloured, rest), ""]))
    if unreached:
        click.echo("\n".join(["Rules that fitted nothing in any test:", *(f"  {line}" for line in unreached), ""]))
    elif unreached is not None:
        click.echo("Every rule fitted something.")
    unbuilt = sum("not built yet" in warning for warning in loaded.warnings)
    if unbuilt and any(outcome.failures for outcome in outcomes):
        click.echo(f"{unbuilt} keys of this configuration are not built yet; smsbridge check names them.")
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
