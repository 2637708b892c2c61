"""Everything that was read, for the checks: the models, every name that was written, every rule with its parents."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path as FilePath
from typing import Any, Protocol

from bridge.config.document import Document
from bridge.config.models import BUILT_IN, Config, Rule, RuleFile, RuleKeys, TestFile
from bridge.config.models.base import Model, aliases
from bridge.config.problem import Level, Path, Problem
from bridge.config.similar import did_you_mean
from bridge.config.units import Who

_NOT_INHERITED = frozenset({"rule", "when", "rules", "set_", "continue_", "drop"})


class Places(Protocol):
    """Where things stand (``load.Places``)."""

    main: str
    included: tuple[str, ...]
    documents: dict[str, Document]

    def problem(
        self, file: str, path: Path, sentence: str, level: Level = "error", *, of_key: bool = False
    ) -> Problem: ...


@dataclass(frozen=True, slots=True)
class RuleAt:
    """A rule where it stands, with its parents (outermost first) and the ``defaults``."""

    file: str
    path: Path
    rule: Rule
    parents: tuple[Rule, ...]
    defaults: RuleKeys

    def value(self, name: str) -> Any:
        """What holds for attribute *name*: the rule's own, a parent's, that of ``defaults``, the built-in."""
        if name in _NOT_INHERITED:
            return getattr(self.rule, name)
        for one in (self.rule, *reversed(self.parents)):
            if name in one.model_fields_set:
                return getattr(one, name)
        if name in self.defaults.model_fields_set:
            return getattr(self.defaults, name)
        return getattr(BUILT_IN, name, None)

    @property
    def acts(self) -> bool:
        """Whether it takes an event itself."""
        return bool(self.rule.drop or self.value("to") or self.value("mail_to"))


@dataclass(slots=True)
class Whole:
    """The models of all files, and the names that stand in them (also of things that are wrong otherwise)."""

    config: Config
    rule_files: Sequence[tuple[str, RuleFile]]
    test_files: Sequence[tuple[str, TestFile]]
    places: Places
    shaky: bool = False  # something is wrong in the shape of a file: nothing is said about what is not there
    rules_folder: FilePath = FilePath()
    _names: dict[str, frozenset[str]] = field(default_factory=dict)

    def names(self, kind: str) -> frozenset[str]:
        """Names written under the top key *kind* of the configuration, or (``conditions``) of the rule files."""
        if kind not in self._names:
            files = [name for name, _ in self.rule_files] if kind == "conditions" else self._config_files
            maps = (self.places.documents[name].data.get(kind) for name in files if name in self.places.documents)
            self._names[kind] = frozenset(str(key).lower() for one in maps if isinstance(one, Mapping) for key in one)
        return self._names[kind]

    @property
    def rule_names(self) -> frozenset[str]:
        """The names of all rules, folded."""
        if "·rules" not in self._names:
            self._names["·rules"] = frozenset(at.rule.rule.casefold() for at in self.all_rules())
        return self._names["·rules"]

    @property
    def _config_files(self) -> list[str]:
        return [self.places.main, *self.places.included]

    def wrong(
        self, path: Path, sentence: str, level: Level = "error", *, file: str = "", of_key: bool = False
    ) -> Problem:
        """A problem at *path* of the configuration, or of *file*."""
        return self.places.problem(file or self.places.main, path, sentence, level, of_key=of_key)

    def wrong_key(self, path: Path, sentence: str, level: Level = "error", *, file: str = "") -> Problem:
        """The same, where the key stands."""
        return self.wrong(path, sentence, level, file=file, of_key=True)

    def has(self, path: Path) -> bool:
        """Whether *path* was written in the configuration."""
        files = (self.places.documents[name] for name in self._config_files if name in self.places.documents)
        return any(document.stands(path) for document in files)

    def has_odd_keys(self, path: Path, kind: type[Model], file: str = "") -> bool:
        """Whether the map at *path* has a key that *kind* does not know: what seems to be missing is misspelled."""
        files = [file] if file else self._config_files
        maps = (self.places.documents[name].at(path) for name in files if name in self.places.documents)
        return any(str(key) not in aliases(kind) for one in maps if isinstance(one, Mapping) for key in one)

    def all_rules(self) -> Iterator[RuleAt]:
        """Every rule of every file, parents before children, in the order of the walk."""
        for file, rules in self.rule_files:
            yield from self._walk(file, ("rules",), rules.rules, ())

    def _walk(self, file: str, path: Path, rules: tuple[Rule, ...], parents: tuple[Rule, ...]) -> Iterator[RuleAt]:
        for index, rule in enumerate(rules):
            here = (*path, index)
            yield RuleAt(file, here, rule, parents, self.config.defaults)
            yield from self._walk(file, (*here, "rules"), rule.rules, (*parents, rule))

    # --- names -----------------------------------------------------------------------------------

    def unknown(self, kind: str, name: str, path: Path, what: str, *, file: str = "") -> Iterator[Problem]:
        """A problem if nothing under *kind* is called *name*; *what* is the word for it (``window``)."""
        known = self.names(kind)
        if name not in known and not (kind == "conditions" and self.shaky):
            yield self.wrong(path, f'no {what} is called "{name}"{did_you_mean(name, known)}', file=file)

    def unknown_who(
        self, who: Who, path: Path, *, file: str = "", bare: frozenset[str] = frozenset()
    ) -> Iterator[Problem]:
        """Problems of one phrase; *bare* are the words (``recipient``, ``nobody``) that have a meaning here."""
        match who.kind:
            case "name":
                yield from self.unknown_person_or_team(who.name, path, file=file)
            case "on-call" | "next":
                yield from self.unknown("rotas", who.name, path, "rota", file=file)
            case "recipient" | "nobody":
                if who.kind not in bare:
                    yield self.wrong(
                        path, f"{who.kind} has no meaning here; name a person, a team or a rota", file=file
                    )

    def unknown_person_or_team(self, name: str, path: Path, *, file: str = "") -> Iterator[Problem]:
        """A problem if nobody is called *name*."""
        known = self.names("people") | self.names("teams")
        if name in known:
            return
        if name in self.names("rotas"):
            yield self.wrong(path, f'"{name}" is a rota; write on-call {name}', file=file)
        else:
            yield self.wrong(path, f'nobody is called "{name}"{did_you_mean(name, known)}', file=file)


def each(path: Path, values: Sequence[Any] | None) -> Iterator[tuple[Path, Any]]:
    """The items of a list with their paths."""
    for index, value in enumerate(values or ()):
        yield (*path, index), value
