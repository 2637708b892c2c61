"""The catalogues: one file a language, sentences by id.

The only place that knows which languages have sentences of their own. A language without a catalogue, and a sentence
that a catalogue lacks, are read in English. The command line speaks English only.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from importlib.resources import files
from typing import Final, Literal, cast
from zoneinfo import ZoneInfo

import yaml

from bridge.model import Severity
from bridge.words import figures
from bridge.words.patterns import Pattern, Plural, read_pattern

LANGUAGES: Final = ("en", "ru", "kk")
Section = Literal["frames", "mails", "operator", "console", "reasons", "cli"]
SECTIONS: Final[tuple[Section, ...]] = ("frames", "mails", "operator", "console", "reasons", "cli")
MAIL_SUBJECT: Final = "[smsbridge] "  # before the subject of every notice for the operator

_PLURALS: dict[str, Plural] = {"en": figures.plural_en, "ru": figures.plural_ru, "kk": figures.plural_kk}
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True)
class Words:
    """What one language says. Ids are those of its file: ``frame("acked.mon", …)``, ``say("console", "page.now")``."""

    language: str
    latin: bool  # the forms in Latin letters: half the price of Cyrillic ones
    months: tuple[str, ...]
    days: tuple[str, ...]
    units: Mapping[str, str]
    short_units: Mapping[str, str]
    severities: Mapping[str, str]
    over: str
    past: Pattern  # "{span} ago"
    rest: Pattern  # "{n} more"
    collective: tuple[str, ...]  # "four of them" in one word, for 1, 2, 3 …
    sections: Mapping[Section, Mapping[str, Pattern]]

    def frame(self, id: str, /, **values: object) -> str:
        """The SMS frame *id* with *values*; KeyError for an id that no language has."""
        return self.sections["frames"][id].fill(values)

    def say(self, section: Section, id: str, /, **values: object) -> str:
        """A sentence of a mail, a page, a reason or the command line; KeyError for an id that no language has."""
        return self.sections[section][id].fill(values)

    def pattern(self, id: str) -> Pattern:
        """The frame *id* itself, for who must know which part of the text is which value."""
        return self.sections["frames"][id]

    def severity(self, severity: Severity) -> str:
        """The word of an SMS: ``CRIT``, ``АВАРИЯ``; pages have ``say("console", "severity.critical")``."""
        return self.severities[severity]

    def clock(self, moment: datetime, zone: ZoneInfo) -> str:
        """``03:12``."""
        return figures.clock(moment, zone)

    def date(self, moment: datetime, zone: ZoneInfo) -> str:
        """``21 Nov``, ``21 ноя``, ``21 қар``."""
        local = moment.astimezone(zone)
        return f"{local.day} {self.months[local.month - 1]}"

    def day_and_time(self, moment: datetime, zone: ZoneInfo) -> str:
        """``Mon 09:00``."""
        return f"{self.days[moment.astimezone(zone).weekday()]} {self.clock(moment, zone)}"

    def span(self, span: timedelta) -> str:
        """``29 min``, ``4 s``, ``26 h``, ``3 d``."""
        number, unit = figures.measure(span)
        return f"{number} {self.units[unit]}"

    def ago(self, span: timedelta) -> str:
        """``26h ago``: for texts, where every character is paid."""
        number, unit = figures.measure(span)
        return self.past.fill({"span": f"{number}{self.short_units[unit]}"})

    def more(self, number: int) -> str:
        """The end of a list that names only some: ``11 more``."""
        return self.rest.fill({"n": number})

    def of_them(self, number: int) -> str:
        """So many of those just counted: ``4``; Kazakh has words for the first ones: ``төртеуі``."""
        return self.collective[number - 1] if 0 < number <= len(self.collective) else str(number)


@cache
def words(language: str, *, latin: bool = False) -> Words:
    """The words of *language* (``ru``, ``kk-KZ``), English where there are none.

    *latin* gives the frames in Latin letters where they were written by hand, the others as they are; a language
    that has none is the same either way.
    """
    wanted = language.lower().partition("-")[0].partition("_")[0]
    if wanted not in LANGUAGES:
        wanted = "en"
    return _built(wanted, latin=latin)


@cache
def _built(language: str, *, latin: bool) -> Words:
    data = read_catalogue(language)
    hand = cast(Mapping[str, object], data.get("latin") or {}) if latin else {}

    def own(key: str) -> object:
        return hand.get(key) or data[key]

    plural = _PLURALS[language]
    sections = {section: dict(_section(language, section)) for section in SECTIONS}
    for id, text in cast(Mapping[str, str], hand.get("frames", {})).items():
        sections["frames"][id] = read_pattern(text, plural)
    return Words(
        language=language,
        latin=latin,
        months=tuple(cast(list[str], data["months"])),
        days=tuple(cast(list[str], data["days"])),
        units=cast(Mapping[str, str], own("units")),
        short_units=cast(Mapping[str, str], data["short_units"]),
        severities=cast(Mapping[str, str], own("severity")),
        over=str(own("over")),
        past=read_pattern(str(data["ago"]), plural),
        rest=read_pattern(str(data["more"]), plural),
        collective=tuple(cast(list[str], data["of_them"])),
        sections=sections,
    )


def _section(language: str, section: Section) -> Iterator[tuple[str, Pattern]]:
    for source in dict.fromkeys(("en", language)):
        for id, text in cast(Mapping[str, str], read_catalogue(source).get(section, {})).items():
            yield id, read_pattern(text, _PLURALS[source])


@cache
def read_catalogue(language: str) -> Mapping[str, object]:
    """The file of *language* as it stands."""
    text = files("bridge.words").joinpath(f"{language}.yaml").read_text(encoding="utf-8")
    return cast(Mapping[str, object], yaml.load(text, Loader=_Loader))  # noqa: S506  (a safe loader, in C where it is)
