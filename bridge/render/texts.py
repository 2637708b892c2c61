"""A rule's text: compiled once when the rules are loaded, rendered for each person it goes to.

A text is one template, or one for each language. Rendering gives pieces, because only ``bridge.sms.fit`` knows how
much room there is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from jinja2 import Template, TemplateError, nodes

from bridge.errors import BridgeError, ConfigError
from bridge.model import Event
from bridge.render import filters
from bridge.render.check import MOST_SOURCE, checked
from bridge.render.marks import bare, pieces
from bridge.render.names import host_part
from bridge.render.sandbox import compiled
from bridge.render.sentences import without_number
from bridge.render.usual import as_usual
from bridge.render.variables import (
    MOST_CHARACTERS,
    ROUTING_NAMES,
    VALUES,
    Fields,
    Reader,
    Variables,
    value_of,
)
from bridge.sms.pieces import HOST, Piece
from bridge.words.catalogue import words

_ANY_LANGUAGE: Final = ""  # of night.j2, and of a text that is one for all
_FAILURES: Final = (TemplateError, TypeError, ValueError, LookupError, ArithmeticError, AttributeError, RecursionError)

Value = Callable[[Mapping[str, object]], str]
_Usual = Callable[[nodes.Template], nodes.Template]  # what is done to a checked text before it is compiled


class RenderFailed(BridgeError):
    """A text could not be rendered for this event; ``plain(event)`` goes out in its place, and the operator hears.

    *place* is where the text stands, as ``check`` shows it.
    """

    def __init__(self, reason: str, place: str) -> None:
        super().__init__(f"{place}: {reason}")
        self.reason = reason
        self.place = place


@dataclass(frozen=True, slots=True)
class _Variant:
    template: Template
    names: tuple[str, ...]  # the variables it reads: only these are made
    place: str

    def fill(self, values: Mapping[str, Any]) -> str:
        """The rendered text; RenderFailed for whatever goes wrong in it."""
        filters.begin()
        context = self.template.new_context(dict(values), shared=True)
        try:
            return "".join(_capped(self.template.root_render_func(context)))
        except _FAILURES as error:
            raise RenderFailed(str(error) or type(error).__name__, self.place) from error


@dataclass(frozen=True, slots=True)
class Text:
    """A compiled text; *variants* by language, in the order they were written."""

    variants: Mapping[str, _Variant]

    def language_for(self, *wanted: str) -> str:
        """The language in which it speaks to someone: the first of *wanted* it has, else its first."""
        for language in (*wanted, _ANY_LANGUAGE):
            if language in self.variants:
                return language
        return next(iter(self.variants))


def compile_text(source: str | Mapping[str, str], place: str) -> Text:
    """The text of a rule, or its texts by language. ConfigError names every problem of all of them.

    *place* goes before each problem: ``rules/web.yaml:33:9 text``.
    """
    sources = {_ANY_LANGUAGE: source} if isinstance(source, str) else dict(source)
    return _compiled(
        (language, text, f"{place}.{language}" if language else place) for language, text in sources.items()
    )


def _compiled(sources: Iterable[tuple[str, str, str]]) -> Text:
    variants: dict[str, _Variant] = {}
    problems: list[str] = []
    for language, source, place in sources:
        try:
            variants[language] = _variant(source, VALUES, place, usual=_made_ready)
        except ConfigError as error:
            problems.extend(error.problems)
    if problems:
        raise ConfigError(tuple(problems))
    return Text(variants)


def _made_ready(tree: nodes.Template) -> nodes.Template:
    return as_usual(without_number(tree))


def _variant(source: str, names: Iterable[str], place: str, usual: _Usual = lambda tree: tree) -> _Variant:
    tree, used = checked(source, names, place)
    try:
        return _Variant(compiled(usual(tree), place), tuple(sorted(used)), place)
    except (TemplateError, SyntaxError, RecursionError) as error:
        raise ConfigError((f"{place}: {error}",)) from error


def render(
    text: Text, variables: Variables, *, language: str, zone: ZoneInfo, now: datetime, otherwise: str = ""
) -> tuple[Piece, ...]:
    """*text* for a person who reads *language* and lives in *zone*, as pieces for ``fit``.

    A language that the text lacks is read in *otherwise* (the rule's, the configuration's), else in its first one.
    Nothing is trimmed here, ``fit`` cleans the whole. RenderFailed when it cannot be rendered.
    """
    chosen = text.language_for(language, otherwise)
    variant = text.variants[chosen]
    reader = Reader(words(chosen or language), zone, now)
    return pieces(variant.fill({name: VALUES[name](variables, reader) for name in variant.names}))


def compile_value(source: str, place: str) -> Value:
    """A template of ``set`` or ``key``: a function from fields of the event to text.

    It is given the names of ``ROUTING_NAMES``: texts, and maps for ``labels`` and ``m``; a name that is missing is
    empty. Here ``host`` is whole: keys of two hosts must differ. ConfigError as ``compile_text``; the function
    raises RenderFailed. The text has its outer blanks taken off.
    """
    variant = _variant(source, ROUTING_NAMES, place)

    def value(fields: Mapping[str, object]) -> str:
        given = {
            name: _given(fields.get(name, fields.get("host", "") if name == "fqdn" else "")) for name in variant.names
        }
        for name in {"labels", "m"} & given.keys():
            given[name] = given[name] if isinstance(given[name], Fields) else Fields({})
        return bare(variant.fill(given)).strip()

    return value


def _given(value: object) -> object:
    if isinstance(value, Mapping):
        return Fields(value)
    return value_of(value) if isinstance(value, str) else value


def _capped(chunks: Iterable[str]) -> Iterator[str]:
    """The chunks of a rendering, stopped as soon as they are more than any text may be."""
    room = MOST_CHARACTERS
    for chunk in chunks:
        room -= len(chunk)
        if room < 0:
            raise ValueError(f"the text grew beyond {MOST_CHARACTERS} characters")
        yield chunk


def plain(event: Event) -> str:
    """``host: title``, what goes out when a text fails: made without any template."""
    return "".join(piece.text for piece in plain_pieces(event))


def plain_pieces(event: Event) -> tuple[Piece, ...]:
    """``plain`` in pieces: the host is kept, the title gives way."""
    host, title = host_part(value_of(event.host)), value_of(event.title)
    if host and title:
        return Piece(host, HOST), Piece(": "), Piece(title, 1)
    return (Piece(host, HOST) if host else Piece(title or value_of(event.producer), 1),)


def load_template(folder: Path, name: str, place: str = "") -> Text:
    """``NAME.kk.j2``, ``NAME.ru.j2`` …, ``NAME.j2`` of *folder* as one text.

    *name* is a file name without its end; nothing outside *folder* is ever read, also not by a link. ConfigError
    for a name that is none, a template that is not there (at *place*) and for every problem in its files.
    """
    where = f"{place}: " if place else ""
    if not name or not all(c.isalnum() or c in "-_" for c in name):
        raise ConfigError((f'{where}template "{name}" is not a name; write night for {folder.name}/night.j2',))
    found = sorted(folder.glob(f"{name}.*.j2")) + [path for path in (folder / f"{name}.j2",) if path.is_file()]
    if not found:
        raise ConfigError((f"{where}no template {name} in {folder}; write {folder}/{name}.j2",))
    return _compiled((_language_of(path, name), _read(path, folder), str(path)) for path in found)


def _language_of(path: Path, name: str) -> str:
    return path.name.removeprefix(name).removesuffix(".j2").strip(".")


def _read(path: Path, folder: Path) -> str:
    if not path.resolve().is_relative_to(folder.resolve()):
        raise ConfigError((f"{path}: a link out of {folder}; copy the file there",))
    try:
        with path.open("rb") as file:
            return file.read(4 * MOST_SOURCE + 1).decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError((f"{path}: cannot be read as UTF-8 text ({error})",)) from error
