"""Pack files to packs. Every mistake of every file is told at once, each with its place."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from bridge.config.similar import did_you_mean
from bridge.errors import ConfigError
from bridge.model import SEVERITIES, STATES, Severity, State
from bridge.producers.generic import PRODUCER
from bridge.producers.index import MarkIndex
from bridge.producers.pack import Choice, Cut, Mark, Pack, Pairs, Regex, Scale, Section, glob, template
from bridge.producers.places import Place, opened
from bridge.producers.shipped import shipped_rules

_KEYS = {
    "": ("producer", "about", "recognise", "events"),
    "recognise": ("header", "from", "has", "subject", "text"),
    "events": (
        "sections",
        "split",
        "continued",
        "headers",
        "lines",
        "pairs",
        "subject",
        "text",
        "fields",
        "labels",
        "severity",
        "state",
    ),
    "cut": ("match", "set", "every"),
    "section": ("match", "set", "split", "drop"),
    "pairs": ("match", "after", "until", "names", "labels"),
    "scale": ("of", "map", "otherwise"),
    "fields": ("host", "service", "title", "detail", "key", "problem_id"),
}
ALWAYS = ("subject", "text", "sender", "sender_host")  # names that every template may use

Made = TypeVar("Made")
Level = TypeVar("Level", Severity, State)


@dataclass(frozen=True, slots=True)
class Packs:
    """All packs, the operator's first."""

    packs: tuple[Pack, ...]
    _marks: MarkIndex = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_marks", MarkIndex(self.packs))

    def marks_for(self, headers: Container[str], haystack: str) -> Iterator[tuple[Pack, Mark]]:
        """The marks that a mail with *headers* (lower-case names) and *haystack* can fit, in the order of the packs."""
        return self._marks.of(headers, haystack)

    @property
    def names(self) -> tuple[str, ...]:
        """What ``producer:`` of a source or a condition may say."""
        return tuple(dict.fromkeys([*(pack.producer for pack in self.packs), PRODUCER]))

    def named(self, producer: str) -> Pack | None:
        """The pack of that name."""
        return next((pack for pack in self.packs if pack.producer == producer), None)


def load_packs(shipped: bool = True, folder: Path | None = None) -> Packs:
    """Packs of the program and of *folder* (``*.yaml``, by name); one of *folder* replaces a shipped one of its name.

    Raises ConfigError with every mistake: ``FILE:LINE:COLUMN KEY: sentence``. A *folder* that is not there is none.
    """
    problems: list[str] = []
    own = _folder(folder, problems) if folder is not None else {}
    given = _folder(shipped_rules() / "producers", problems) if shipped else {}
    if problems:
        raise ConfigError(tuple(problems))
    return Packs((*own.values(), *(pack for name, pack in given.items() if name not in own)))


def _folder(folder: Path, problems: list[str]) -> dict[str, Pack]:
    packs: dict[str, Pack] = {}
    for path in sorted(folder.glob("*.yaml")):
        pack = _file(path, problems)
        if pack is None:
            continue
        if pack.producer in packs:
            problems.append(f"{path}:1:1 producer: {pack.producer} has two packs in this folder")
        packs[pack.producer] = pack
    return packs


def _file(path: Path, problems: list[str]) -> Pack | None:
    before = len(problems)
    place = opened(path, problems)
    pack = _pack(place) if place is not None else None
    return pack if len(problems) == before else None


@dataclass(slots=True)
class _Names:
    """Names that templates may use, and those that they do."""

    known: set[str] = field(default_factory=lambda: set(ALWAYS))

    def choice(self, place: Place) -> Choice:
        """Templates of a list; a name that nothing gives is a problem."""
        made = []
        for each in place.list():
            one = each.made(template)
            if one is None:
                continue
            for name in one.pieces[1::2]:
                if name not in self.known:
                    each.wrong(f"nothing gives {{{name}}}{did_you_mean(name, self.known) or self._all()}")
            made.append(one)
        return tuple(made)

    def _all(self) -> str:
        return f"; there are {', '.join(sorted(self.known))}"


def _pack(place: Place) -> Pack | None:
    top = place.map(_KEYS[""])
    for missing in ("producer", "recognise", "events"):
        if missing not in top:
            place.wrong(f"{missing} is missing")
    if not {"producer", "recognise", "events"} <= top.keys():
        return None
    name = top["producer"].text()
    if not name or not all(letter.isalnum() or letter in "-_." for letter in name):
        top["producer"].wrong("must be a name: letters, digits, -, _ and .")
    if name == PRODUCER:
        top["producer"].wrong("generic is built in")
    marks = tuple(_mark(each) for each in top["recognise"].list())
    return _events(name, marks, top["events"])


def _mark(place: Place) -> Mark:
    given = place.map(_KEYS["recognise"])
    if not given:
        place.wrong("would recognise every mail")
    headers = given["header"].map() if "header" in given else {}
    return Mark(
        headers={name.lower(): made for name, each in headers.items() if (made := each.made(Regex)) is not None},
        senders=tuple(_all_made(given.get("from"), glob)),
        words=tuple(each.text().casefold() for each in given["has"].list()) if "has" in given else (),
        subject=_one_made(given.get("subject"), Regex),
        text=_one_made(given.get("text"), Regex),
    )


def _all_made(place: Place | None, make: Callable[[str], Made]) -> Iterator[Made]:
    for each in place.list() if place is not None else ():
        if (made := each.made(make)) is not None:
            yield made


def _one_made(place: Place | None, make: Callable[[str], Made]) -> Made | None:
    return place.made(make) if place is not None else None


def _events(producer: str, marks: tuple[Mark, ...], place: Place) -> Pack:
    given = place.map(_KEYS["events"])
    names = _Names()
    subject = tuple(_cut(each, names) for each in given["subject"].list()) if "subject" in given else ()
    text = tuple(_cut(each, names) for each in given["text"].list()) if "text" in given else ()
    sections = tuple(_section(each, names) for each in given["sections"].list()) if "sections" in given else ()
    pairs = tuple(_pairs(each, names) for each in given["pairs"].list()) if "pairs" in given else ()
    lines = _lines(given["lines"], names) if "lines" in given else {}
    headers = {each.text().lower(): name for name, each in given["headers"].map().items()} if "headers" in given else {}
    names.known |= set(headers.values())
    fields = given["fields"].map(_KEYS["fields"]) if "fields" in given else {}
    labels = given["labels"].map() if "labels" in given else {}
    return Pack(
        producer,
        marks,
        tuple(section for section in sections if section is not None),
        _one_made(given.get("split"), Regex),
        _one_made(given.get("continued"), Regex),
        tuple(cut for cut in subject if cut is not None),
        tuple(cut for cut in text if cut is not None),
        tuple(each for each in pairs if each is not None),
        lines,
        headers,
        {name: names.choice(each) for name, each in fields.items()},
        {name: names.choice(each) for name, each in labels.items()},
        _scale(given.get("severity"), names, SEVERITIES, "warning"),
        _scale(given.get("state"), names, STATES, "problem"),
    )


def _cut(place: Place, names: _Names) -> Cut | None:
    given = place.map(_KEYS["cut"])
    pattern, fixed = _matched(place, given), _fixed(given, names)
    if pattern is None:
        return None
    names.known |= set(pattern.names)
    return Cut(pattern, fixed, given["every"].text() if "every" in given else None)


def _section(place: Place, names: _Names) -> Section | None:
    given = place.map(_KEYS["section"])
    pattern, fixed = _matched(place, given), _fixed(given, names)
    drop = given["drop"].made(_yes) if "drop" in given else False
    split = _one_made(given.get("split"), Regex)
    return Section(pattern, fixed, split, bool(drop)) if pattern is not None else None


def _pairs(place: Place, names: _Names) -> Pairs | None:
    given = place.map(_KEYS["pairs"])
    pattern = _matched(place, given)
    if pattern is not None and {*pattern.names} != {"name", "value"}:
        given["match"].wrong("must have the groups name and value, and no others")
    used = frozenset(each.text() for each in given["names"].list()) if "names" in given else frozenset()
    labels = bool(given["labels"].made(_yes)) if "labels" in given else False
    names.known |= used | ({"pairs"} if labels else set())
    after, until = _one_made(given.get("after"), Regex), _one_made(given.get("until"), Regex)
    return Pairs(pattern, after, until, used, labels) if pattern is not None else None


def _matched(place: Place, given: Mapping[str, Place]) -> Regex | None:
    if "match" not in given:
        place.wrong("match is missing")
        return None
    return given["match"].made(Regex)


def _fixed(given: Mapping[str, Place], names: _Names) -> dict[str, str]:
    fixed = {name: each.text() for name, each in given["set"].map().items()} if "set" in given else {}
    names.known |= fixed.keys()
    return fixed


def _yes(text: str) -> bool:
    if text not in ("true", "false"):
        raise ValueError("must be true or false")
    return text == "true"


def _lines(place: Place, names: _Names) -> dict[str, str]:
    labels: dict[str, str] = {}
    for name, each in place.map().items():
        names.known.add(name)
        for label in each.list():
            labels[label.text().removesuffix(":").strip().casefold()] = name
    return labels


def _scale(place: Place | None, names: _Names, levels: tuple[Level, ...], otherwise: Level) -> Scale[Level]:
    if place is None:
        return Scale((), {}, otherwise)
    given = place.map(_KEYS["scale"])
    return Scale(
        names.choice(given["of"]) if "of" in given else (),
        {
            word.casefold(): _level(each, levels, otherwise)
            for word, each in (given["map"].map() if "map" in given else {}).items()
        },
        _level(given["otherwise"], levels, otherwise) if "otherwise" in given else otherwise,
    )


def _level(place: Place, levels: tuple[Level, ...], otherwise: Level) -> Level:
    said = place.text()
    if said not in levels:
        place.wrong(f'{", ".join(levels[:-1])} or {levels[-1]}; found "{said}"{did_you_mean(said, levels)}')
        return otherwise
    return said
