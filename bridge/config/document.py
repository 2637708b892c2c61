"""YAML as the operator may write it (FORMAT §1, T20): text in; plain data, the place of every key, and problems out.

``yaml.compose`` reads the syntax; what stands there is decided here: YAML 1.2 core scalars that keep how they were
written, no duplicate or merge keys, no tags, at most 20 aliases, depth 20, one megabyte.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml
from yaml._yaml import CParser
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from bridge.config.problem import Level, Path, Place, Problem, spoken
from bridge.config.scalar import Scalar

MOST_BYTES = 1_000_000
MOST_DEPTH = 20
_DEPTH_OF_COMPOSER = 100
_TOO_DEEP = f"nested more than {MOST_DEPTH} deep"
MOST_ALIASES = 20
MOST_VALUES = 200_000  # after aliases are spread out

Data = dict[str, "Data"] | list["Data"] | Scalar
SECRET_KEYS = frozenset(
    "password apikey token secret path totp list key oauth one_time_code callbacks smsc dkim oidc client_secret"
    " refresh_token pass passwd psw pwd api_key".split()
)  # what stands there is never quoted


@dataclass(slots=True)
class Document:
    """One file: its *data* (empty where it could not be read), where each key and value stands, what is wrong."""

    file: str  # as problems show it
    data: dict[str, Data] = field(default_factory=dict)
    keys: dict[Path, Place] = field(default_factory=dict)
    values: dict[Path, Place] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    cuts: dict[Path, list[int]] = field(default_factory=dict)  # list -> numbers of items that models do not have
    _by_fold: dict[Path, Path] = field(default_factory=dict)

    def written(self, path: Path) -> Path:
        """*path* of a model with the numbers that its lists have in the file, where wrong items still stand."""
        whole: Path = ()
        for part in path:
            if isinstance(part, int):
                for cut in sorted(self.cuts.get(whole, ())):
                    part = part + 1 if cut <= part else part
            whole = (*whole, part)
        return whole

    def place(self, path: Path, *, of_key: bool = False) -> tuple[Path, Place]:
        """Where the value (or the key) of *path* stands: the longest beginning of it that was written.

        Names are matched without regard to case. Returns the path as written, too.
        """
        known: Path = ()
        for part in self.written(path):
            step = self._known((*known, part))
            if step is None and not isinstance(part, int):
                break
            known = known if step is None else step  # a value that stands alone has no index
        if not known:
            return (), Place()
        table = self.keys if of_key and known in self.keys else self.values
        return known, table.get(known, Place())

    def stands(self, path: Path) -> bool:
        """Whether all names of *path* were written (an index may be that of a value that stands alone)."""
        names = tuple(part for part in path if isinstance(part, str))
        return [part for part in _folded(self.place(path)[0]) if isinstance(part, str)] == list(_folded(names))

    def readable(self) -> bool:
        """Whether something could be read, or there was nothing to read."""
        return bool(self.data) or not self.problems

    def at(self, path: Path) -> object:
        """What stands at *path*."""
        return value_at(self.data, self.written(path))

    def _known(self, path: Path) -> Path | None:
        if path in self.values:
            return path
        if len(self._by_fold) != len(self.values):
            self._by_fold = {_folded(known): known for known in self.values}
        return self._by_fold.get(_folded(path))

    def problem(self, path: Path, sentence: str, level: Level = "error", *, of_key: bool = False) -> Problem:
        """A problem at *path*; the place is that of the value, or of the key."""
        known, place = self.place(path, of_key=of_key)
        return Problem(self.file, place.line, place.column, spoken(known), sentence, level)


def _folded(path: Path) -> Path:
    return tuple(part.casefold() if isinstance(part, str) else part for part in path)


class _Composer(CParser):
    """libyaml's parser without the word lists of YAML 1.1: only tags that somebody wrote remain.

    It composes by recursion in C: without a limit of ours, a page of brackets ends the process.
    """

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._depth = 0

    def resolve(self, kind: type[Node], value: str | None, implicit: object) -> str:
        return ""

    def descend_resolver(self, parent: Node | None, index: object) -> None:
        self._depth += 1
        if self._depth > _DEPTH_OF_COMPOSER and parent is not None:
            raise yaml.MarkedYAMLError(problem=_TOO_DEEP, problem_mark=parent.start_mark)

    def ascend_resolver(self) -> None:
        self._depth -= 1


def read(content: bytes, file: str) -> Document:
    """Read one file. Never raises for what it contains: every mistake is in ``problems``."""
    document = Document(file)
    text = _text(content, document)
    if text is None:
        return document
    try:
        node = _Composer(text).get_single_node()
    except yaml.YAMLError as error:
        document.problems.append(_syntax(error, text, file))
        return document
    if node is not None:
        _Reader(document, text).read(node)
    return document


def _text(content: bytes, document: Document) -> str | None:
    if len(content) > MOST_BYTES:
        sentence = f"{len(content)} bytes; at most {MOST_BYTES}. Split it into several files"
        document.problems.append(Problem(document.file, 0, 0, "", sentence))
        return None
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = content[: error.start].decode("utf-8", "replace")
        line, column = before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1
        document.problems.append(Problem(document.file, line, column, "", "not UTF-8; save the file as UTF-8"))
        return None


class _Reader:
    """Makes data of the node tree and remembers where everything stood."""

    def __init__(self, document: Document, text: str) -> None:
        self._document = document
        self._lines = text
        self._made: dict[int, int] = {}  # id of a node -> how often it was met
        self._open: set[int] = set()
        self._aliases = 0
        self._values = 0
        self._in_copy = False  # inside of what an alias stands for: its own aliases were counted where they stand
        self._full = False

    def read(self, node: Node) -> None:
        """Fill the document; the top must be a map (or nothing at all)."""
        if isinstance(node, ScalarNode) and not node.value and not node.style:
            return
        if not isinstance(node, MappingNode):
            self._wrong((), node, "keys and values belong here, like rules:")
            return
        data = self._map(node, ())
        self._document.data = {} if self._full else data  # half a file would only make more mistakes

    def _wrong(self, path: Path, node: Node, sentence: str) -> None:
        place = _place(node)
        self._document.problems.append(Problem(self._document.file, place.line, place.column, spoken(path), sentence))

    def _value(self, node: Node, path: Path) -> Data:
        if not self._may_read(node, path):
            return Scalar("")
        self._document.values[path] = _place(node)
        if node.tag:
            shown = node.tag.replace("tag:yaml.org,2002:", "!!")
            self._wrong(path, node, f"{shown} is a YAML tag; {_quote_it(shown, path)}")
        self._open.add(id(node))
        copy, self._in_copy = self._in_copy, self._in_copy or self._made[id(node)] > 1
        try:
            if isinstance(node, MappingNode):
                return self._map(node, path)
            if isinstance(node, SequenceNode):
                return [self._value(item, (*path, index)) for index, item in enumerate(node.value)]
            return self._scalar(node, path) if isinstance(node, ScalarNode) else Scalar("")
        finally:
            self._open.discard(id(node))
            self._in_copy = copy

    def _may_read(self, node: Node, path: Path) -> bool:
        """Whether depth, aliases and size allow this node; says so once where they do not."""
        if self._full:
            return False
        self._values += 1
        met = self._made.get(id(node), 0)
        self._made[id(node)] = met + 1
        if met and not self._in_copy:
            self._aliases += 1
        sentence = ""
        if id(node) in self._open:
            sentence = "an alias inside of what it stands for"
        elif len(path) > MOST_DEPTH:
            sentence = _TOO_DEEP
        elif self._aliases > MOST_ALIASES:
            sentence = f"more than {MOST_ALIASES} aliases; write it out"
        elif self._values > MOST_VALUES:
            sentence = f"more than {MOST_VALUES} values"
        if sentence:
            self._full = True
            self._wrong(path, node, sentence)
        return not sentence

    def _scalar(self, node: ScalarNode, path: Path) -> Scalar:
        if not node.style and not node.value and (word := self._anchor(node)):
            self._wrong(path, node, f"{word} is a YAML anchor; {_quote_it(word, path)}")
        return Scalar(node.value, quoted=bool(node.style))

    def _anchor(self, node: ScalarNode) -> str:
        """``&name`` where an empty value begins with one: a pattern that somebody forgot to quote."""
        found = re.match(r"&[^\s,\]}]+(?=[ \t]*(?:#|\r?$|\n|[,\]}]))", self._lines[node.start_mark.index :][:80], re.M)
        return found[0] if found else ""

    def _map(self, node: MappingNode, path: Path) -> dict[str, Data]:
        data: dict[str, Data] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, ScalarNode):
                self._wrong(
                    path, key_node, 'begins with a brace or a bracket; write the text in quotes, like "{{ host }}"'
                )
                continue
            key = Scalar(key_node.value, quoted=bool(key_node.style))
            here = (*path, str(key))
            if key == "<<" and not key_node.style:
                self._wrong(here, key_node, "merge keys are not read; write the keys out")
                continue
            if key in data:
                self._twice(here, key_node)
                continue
            self._document.keys[here] = _place(key_node)
            data[key] = self._value(value_node, here)
        return data

    def _twice(self, path: Path, node: ScalarNode) -> None:
        first = self._document.keys[path].line
        self._wrong(path, node, f"stands here and in line {first}; keep one")


def _place(node: Node) -> Place:
    return Place(node.start_mark.line + 1, node.start_mark.column + 1)


def _quote_it(shown: str, path: Path) -> str:
    if path and path[-1] in SECRET_KEYS:
        return "write the text in quotes"
    return f'write "{shown}"'


_KEY_BEFORE = re.compile(r"(?:^|[\s{,-])([\w.+-]+|\"[^\"]*\"):\s+(?:\[\s*)?$")


def _syntax(error: yaml.YAMLError, text: str, file: str) -> Problem:
    """What libyaml could not read, as a sentence with a remedy."""
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    if mark is None:
        return _not_printable(error, text, file)
    lines = text.splitlines()
    line = lines[mark.line] if mark.line < len(lines) else ""
    what = str(getattr(error, "problem", "") or "")
    column = mark.column
    if "alphabetic or numeric character" in what and (sign := re.search(r"[*&]\S*$", line[:column])):
        column = sign.start()
    key = _KEY_BEFORE.search(line[:column])
    path = key[1].strip('"') if key else ""
    return Problem(file, mark.line + 1, column + 1, path, _sentence(what, line[column:], line, path))


def _not_printable(error: yaml.YAMLError, text: str, file: str) -> Problem:
    """A control character, which libyaml reports without a line."""
    found = re.search(r"[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", text)
    if not found:
        return Problem(file, 0, 0, "", "cannot be read as YAML")
    before = text[: found.start()]
    column = found.start() - (before.rfind("\n") + 1) + 1
    sentence = f"the control character U+{ord(found[0]):04X}; take it out"
    return Problem(file, before.count("\n") + 1, column, "", sentence)


_WHAT: tuple[tuple[str, str], ...] = (
    (_TOO_DEEP, _TOO_DEEP),
    ("Exceeded maximum depth", _TOO_DEEP),
    ("unknown escape character", "a backslash in double quotes means something else; write single quotes"),
    ("another document", "a second document begins; one document a file"),
    ("mapping values are not allowed", "a second colon in the line; write the text in quotes, or begin a new line"),
    ("could not find expected ':'", "a colon is missing after the key"),
    ("unexpected end of stream", "a quote is not closed"),
    ("expected ',' or", "a bracket or brace is not closed, or a text with a comma or colon in it needs quotes"),
    ("did not find expected key", "not in line with the keys above; indent it as they are"),
    ("did not find expected '-'", "not in line with the keys above; indent it as they are"),
)  # libyaml's words → ours


def _sentence(what: str, rest: str, line: str, key: str) -> str:
    """*rest* is the line from where libyaml stopped; *key* the key before it."""
    word = (re.match(r"[^\s,\]}]+", rest) or [""])[0]
    if "undefined alias" in what or "alphabetic or numeric character" in what:
        return f"{word} is a YAML {'anchor' if word[:1] == '&' else 'alias'}; {_quote_it(word, (key,))}"
    if rest.startswith("\t") or (line.lstrip(" ").startswith("\t") and "token" in what):
        return "a tab; YAML indents with spaces"
    if rest[:1] in ("%", "@", "`") and "cannot start any token" in what:
        return f"a value cannot begin with {rest[0]}; {_quote_it(word, (key,))}"
    if re.search(r":\s+\{\{", line):
        return 'a text with {{ }} must stand in quotes: "{{ host }} …"'
    return next((ours for theirs, ours in _WHAT if theirs in what), f"not YAML ({what})")


def key_of(data: Mapping[str, Any], part: str | int) -> str | None:
    """The key of *data* that is meant by *part*: itself, or the one that differs only by case."""
    if part in data:
        return str(part)
    return next((key for key in data if key.casefold() == str(part).casefold()), None)


def value_at(data: object, path: Path) -> object:
    """The value at *path*, or what stands where the data ends earlier."""
    for part in path:
        if isinstance(data, Mapping):
            key = key_of(data, part)
            if key is None:
                return data
            data = data[key]
        elif isinstance(data, list) and isinstance(part, int) and part < len(data):
            data = data[part]
    return data
