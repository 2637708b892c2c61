"""config.yaml, its includes, the rules folder and the rule tests: read, checked, and every mistake with its place.

``load`` never raises for what files contain: errors, warnings and notes of all files are in ``problems``. Whoever
is about to act on the configuration calls ``require`` on the result.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path as FilePath

from bridge.config.check import check
from bridge.config.checks.whole import Whole
from bridge.config.document import Data, Document, key_of, read
from bridge.config.models import Config, Operator, RuleFile, TestFile
from bridge.config.problem import Level, Path, Place, Problem
from bridge.config.validate import M, Mistake, validate
from bridge.errors import ConfigError

MOST_SHOWN = 50
_JOINED = frozenset(
    "sources mailboxes people teams rotas calendars windows escalations providers budgets monitors exchange".split()
)


@dataclass(slots=True)
class Places:
    """Where everything stands, of all files that were read."""

    documents: dict[str, Document] = field(default_factory=dict)
    main: str = ""  # the file named on the command line
    included: tuple[str, ...] = ()

    def place(self, file: str, path: Path, *, of_key: bool = False) -> tuple[str, Place]:
        """The file and place of the longest beginning of *path* that stands in *file*.

        For the main file its includes are searched too.
        """
        document = self._holding(file, path)
        return document.file, document.place(path, of_key=of_key)[1]

    def problem(self, file: str, path: Path, sentence: str, level: Level = "error", *, of_key: bool = False) -> Problem:
        """A problem at *path* of *file* (or of an include of it)."""
        return self._holding(file, path).problem(path, sentence, level, of_key=of_key)

    def _holding(self, file: str, path: Path) -> Document:
        files = (file, *self.included) if file == self.main else (file,)
        found = [self.documents[name] for name in files if name in self.documents]
        return max(found, key=lambda one: len(one.place(path)[0]), default=Document(file))


@dataclass(frozen=True, slots=True)
class Loaded:
    """Everything that was read. With errors, what was wrong is missing in *config* and the rule files."""

    config: Config
    rule_files: tuple[tuple[str, RuleFile], ...]  # file as problems show it, in byte order of the names
    problems: tuple[Problem, ...]  # in file order
    places: Places
    folder: FilePath = FilePath()  # of the main file: relative paths of the configuration begin here
    rules_folder: FilePath = FilePath()
    test_files: tuple[tuple[str, TestFile], ...] = ()

    @property
    def errors(self) -> tuple[Problem, ...]:
        """The problems that forbid to start."""
        return tuple(problem for problem in self.problems if problem.level == "error")

    def require(self) -> Loaded:
        """Itself; raises ConfigError with all errors if there are any."""
        if self.errors:
            raise ConfigError(tuple(lines(self.errors)))
        return self

    def place(self, file: str, path: Path, *, of_key: bool = False) -> tuple[str, Place]:
        """Where *path* of *file* stands; for the main file its includes are searched too."""
        return self.places.place(file, path, of_key=of_key)


def lines(problems: Iterable[Problem]) -> list[str]:
    """The problems as they are printed: at most 50, then ``and 12 more``."""
    found = [str(problem) for problem in problems]
    return found[:MOST_SHOWN] + ([f"and {len(found) - MOST_SHOWN} more"] if len(found) > MOST_SHOWN else [])


def load(path: FilePath, *, tests: bool = False, rules: FilePath | None = None) -> Loaded:
    """Read the configuration at *path* and its rules; with *tests* the rule tests beside them too.

    *rules* is a folder that stands in the place of the one the configuration names.
    """
    reader = _Reader(path)
    config = reader.config()
    rules_folder = rules or path.parent / config.rules
    rule_files = reader.rule_files(config, rules_folder)
    test_files = reader.test_files(rules_folder / "tests") if tests else ()
    problems = [*reader.problems]
    if reader.config_readable():
        shaky = any(problem.level == "error" for problem in problems)
        problems += check(Whole(config, rule_files, test_files, reader.places, shaky, rules_folder))
    return Loaded(config, rule_files, reader.ordered(problems), reader.places, path.parent, rules_folder, test_files)


def load_tests(folder: FilePath) -> tuple[tuple[tuple[str, TestFile], ...], tuple[Problem, ...]]:
    """The rule tests of *folder* alone, with what is wrong in their shape."""
    reader = _Reader(folder)
    files = reader.test_files(folder)
    return files, reader.ordered(reader.problems)


class _Reader:
    """Reads files one after the other and collects what is wrong."""

    def __init__(self, path: FilePath) -> None:
        self._path = path
        self._context: dict[str, object] = {}
        self._missing = False  # a file could not be read at all
        self.problems: list[Problem] = []
        self.places = Places(main=str(path))

    def config(self) -> Config:
        """The configuration with its includes; with mistakes in it, the rest of it."""
        main = self._document(self._path, missing="is not there; name it with -c, or copy config.example.yaml")
        data = dict(main.data)
        for path in self._includes(main):
            self._join(data, self._document(path))
        region = data.get("region")
        self._context = {"region": str(region).upper() if isinstance(region, str) else None}
        config, mistakes, cut = validate(Config, data, self._context)
        if main.readable() and not self._missing:  # else one sentence is enough
            self._tell(main.file, mistakes)
        for name in (main.file, *self.places.included):
            self.places.documents[name].cuts = cut.cuts
        return config or Config(listen=(), operator=Operator(mail=("nobody@localhost",)), providers={})

    def rule_files(self, config: Config, folder: FilePath) -> tuple[tuple[str, RuleFile], ...]:
        """The rule files of *folder*, in byte order of their names."""
        if not folder.is_dir():
            sentence = f'no folder "{config.rules}" here; make it, or name another under rules:'
            self.problems.append(self.places.problem(self.places.main, ("rules",), sentence))
            return ()
        self._odd_names(folder)
        if folder.stat().st_mode & stat.S_IWOTH:
            sentence = "others may put rules here; chmod 755"
            self.problems.append(Problem(f"{folder}/", 0, 0, "", sentence))
        return tuple(self._models(RuleFile, folder))

    def test_files(self, folder: FilePath) -> tuple[tuple[str, TestFile], ...]:
        """The rule tests of *folder*; none when there is no such folder."""
        return tuple(self._models(TestFile, folder))

    def config_readable(self) -> bool:
        """Whether names of the configuration are known: no file of it was unreadable."""
        names = (self.places.main, *self.places.included)
        return not self._missing and all(self.places.documents[name].readable() for name in names)

    def ordered(self, problems: Iterable[Problem]) -> tuple[Problem, ...]:
        """In the order of files and lines; one place is spoken of once, syntax first."""
        files = {name: number for number, name in enumerate(self.places.documents)}
        seen: dict[tuple[str, int, int, str], Problem] = {}
        for problem in problems:
            key = (problem.file, problem.line, problem.column, problem.path if problem.line else problem.sentence)
            if problem.level != "error":
                key = (*key[:3], key[3] + problem.sentence)
            seen.setdefault(key, problem)
        return tuple(sorted(seen.values(), key=lambda one: (files.get(one.file, len(files)), one.line, one.column)))

    def _models(self, kind: type[M], folder: FilePath) -> Iterator[tuple[str, M]]:
        for path in yaml_files(folder):
            document = self._document(path)
            model, mistakes, cut = validate(kind, document.data, self._context)
            if document.readable():
                self._tell(document.file, mistakes)
            document.cuts = cut.cuts
            if model is not None:
                yield document.file, model

    def _document(self, path: FilePath, missing: str = "is not there") -> Document:
        document = Document(str(path))
        try:
            mode = path.stat().st_mode
            if mode & stat.S_IWOTH:  # T30, T38: whoever may change it could page, pay and run things
                sentence = f"may be changed by others (mode {stat.S_IMODE(mode):04o}); chmod 644"
                self.problems.append(Problem(str(path), 0, 0, "", sentence))
            with path.open("rb") as file:
                document = read(file.read(2_000_000), str(path))
        except FileNotFoundError:
            self._missing = True
            self.problems.append(Problem(str(path), 0, 0, "", missing))
        except OSError as error:
            self._missing = True
            self.problems.append(Problem(str(path), 0, 0, "", f"cannot be read: {error.strerror}"))
        self.places.documents[document.file] = document
        self.problems.extend(document.problems)
        return document

    def _includes(self, main: Document) -> list[FilePath]:
        globs = main.data.get("include", [])
        paths: list[FilePath] = []
        for index, pattern in enumerate(globs if isinstance(globs, list) else [globs]):
            if not isinstance(pattern, str) or not pattern:
                continue
            found = _globbed(self._path.parent, str(pattern))
            if not found:
                sentence = f'"{pattern}" finds no file'
                self.problems.append(main.problem(("include", index), sentence, "warning"))
            paths.extend(path for path in found if path not in paths)
        return paths

    def _join(self, data: dict[str, Data], more: Document) -> None:
        """Add an included file: maps are joined, a name or a single value given twice is a mistake."""
        self.places.included = (*self.places.included, more.file)
        for key, value in more.data.items():
            if key == "include":
                self.problems.append(more.problem((key,), "only the first file may include others", of_key=True))
                continue
            there = data.get(key)
            if key in _JOINED and isinstance(there, Mapping) and isinstance(value, Mapping):
                new = {name: one for name, one in value.items() if not self._twice(there, more, (key, name))}
                data[key] = {**there, **new}
            elif key not in data or not self._twice(data, more, (key,)):
                data[key] = value

    def _twice(self, there: Mapping[str, Data], more: Document, path: Path) -> bool:
        """Whether the last name of *path* is in *there* already; says so."""
        if key_of(there, path[-1]) is None:
            return False
        earlier = (name for name in (self.places.main, *self.places.included) if name != more.file)
        first = next(name for name in earlier if self._stands(name, path))
        line = self.places.documents[first].place(path, of_key=True)[1].line
        self.problems.append(more.problem(path, f"stands here and in {first} line {line}; keep one", of_key=True))
        return True

    def _stands(self, file: str, path: Path) -> bool:
        return self.places.documents[file].stands(path)

    def _tell(self, file: str, mistakes: Iterable[Mistake]) -> None:
        for path, sentence, of_key in mistakes:
            self.problems.append(self.places.problem(file, path, sentence, of_key=of_key))

    def _odd_names(self, folder: FilePath) -> None:
        for path in sorted(folder.glob("*.yml")):
            self.problems.append(Problem(str(path), 0, 0, "", "not read; call it .yaml", "warning"))


def yaml_files(folder: FilePath) -> list[FilePath]:
    """The ``*.yaml`` of *folder* in byte order of their names."""
    return sorted((path for path in folder.glob("*.yaml") if path.is_file()), key=lambda path: os.fsencode(path.name))


def _globbed(folder: FilePath, pattern: str) -> list[FilePath]:
    """Files that *pattern* (relative to *folder*, or absolute) finds, in name order."""
    whole = FilePath(pattern)
    base, rest = (FilePath(whole.anchor), pattern[len(whole.anchor) :]) if whole.is_absolute() else (folder, pattern)
    return sorted(path for path in base.glob(rest) if path.is_file()) if rest else []
