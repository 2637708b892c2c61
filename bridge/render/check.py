"""The rule that every template meets before it is compiled, on its syntax tree (T17, T18).

What may stand in a text is listed here; everything else is refused with its place and a remedy. Loops are two deep
at most and run over lists of ours only, nothing is called, nothing grows by itself.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Final

from jinja2 import TemplateSyntaxError, nodes

from bridge.errors import ConfigError
from bridge.render.filters import FILTERS, SHORTEST_CUT
from bridge.render.marks import LEVELS
from bridge.render.sandbox import LOOP_NAMES, TESTS, sandbox
from bridge.render.variables import EVENT_FIELDS, LISTS, MAPS

MOST_SOURCE: Final = 10_000  # characters of a template
_MOST_DEPTH = 40
_MOST_LOOPS = 2
_MOST_JOINED = 50  # operands of ~ and + in one template
_LONGEST_TEXT = 1_000
_GREATEST_NUMBER = 1_000_000
_MOMENTS = frozenset({"since", "now"})

_PLAIN = (
    nodes.Template, nodes.Output, nodes.TemplateData, nodes.If, nodes.CondExpr, nodes.Compare, nodes.Operand, nodes.And,
    nodes.Or, nodes.Not, nodes.Neg, nodes.Sub, nodes.List, nodes.Tuple,
)  # fmt: skip
_REFUSED: Final[dict[type[nodes.Node], str]] = {
    nodes.Mul: "'*' can make a text explode; leave it out",
    nodes.Pow: "'**' can make a text explode; leave it out",
    nodes.Mod: "'%' can make a text explode; leave it out",
    nodes.Call: "a text calls nothing; what can be done to a value is a filter: {{ title | short(40) }}",
    nodes.Include: "'include' has no place in a text; write it out",
    nodes.Import: "'import' has no place in a text; write it out",
    nodes.FromImport: "'import' has no place in a text; write it out",
    nodes.Extends: "'extends' has no place in a text; write it out",
    nodes.Block: "'block' has no place in a text; write it out",
    nodes.Macro: "'macro' has no place in a text; write it out",
    nodes.CallBlock: "'call' has no place in a text",
    nodes.FilterBlock: "'filter' has no place in a text; write {{ value | filter }}",
    nodes.AssignBlock: "a block of 'set' has no place in a text; write {% set name = value %}",
    nodes.With: "'with' has no place in a text; write {% set name = value %}",
    nodes.Slice: "a text has no parts by number; write {{ title | short(40) }}",
}


@dataclass(frozen=True, slots=True)
class _Problem:
    line: int
    column: int
    sentence: str


@dataclass(frozen=True, slots=True)
class _Scope:
    """What is known at one place of the template."""

    names: frozenset[str]
    members: frozenset[str] = frozenset()  # loop variables: each is one of the events
    loops: int = 0
    depth: int = 0
    in_set: bool = False

    def deeper(self, *, in_set: bool = False) -> _Scope:
        return _Scope(self.names, self.members, self.loops, self.depth + 1, self.in_set or in_set)


@dataclass
class _Check:
    """One walk over one tree, collecting problems and the names it reads."""

    source: str
    known: frozenset[str]
    used: set[str] = field(default_factory=set)
    problems: list[_Problem] = field(default_factory=list)
    joined: int = 0

    def body(self, body: Iterable[nodes.Node], scope: _Scope) -> None:
        """Statements in order: what is set above is known below."""
        for node in body:
            self.visit(node, scope)
            if isinstance(node, nodes.Assign) and isinstance(node.target, nodes.Name):
                scope = _Scope(
                    scope.names | {node.target.name}, scope.members - {node.target.name}, scope.loops, scope.depth
                )

    def visit(self, node: nodes.Node, scope: _Scope) -> None:
        if scope.depth > _MOST_DEPTH:
            self.refuse(node, "nested too deep; write it simpler")
            return
        handler = _HANDLERS.get(type(node))
        if handler:
            handler(self, node, scope)
        elif isinstance(node, _PLAIN):
            self.plain(node, scope)
        else:
            self.refuse(node, _REFUSED.get(type(node), f"{type(node).__name__.lower()} has no place in a text"))

    def plain(self, node: nodes.Node, scope: _Scope) -> None:
        if isinstance(node, nodes.If):
            self.visit(node.test, scope.deeper())
            for body in (node.body, node.elif_, node.else_):
                self.body(body, scope.deeper())
        elif isinstance(node, nodes.Template):
            self.body(node.body, scope.deeper())
        else:
            if isinstance(node, nodes.CondExpr) and node.expr2 is None:
                node.expr2 = nodes.Const("", lineno=node.lineno)  # Jinja would fail when it does not hold
            self.all(node.iter_child_nodes(), scope)

    def all(self, found: Iterable[nodes.Node], scope: _Scope) -> None:
        for node in found:
            self.visit(node, scope.deeper())

    # -- one kind of node each

    def name(self, node: nodes.Name, scope: _Scope) -> None:
        if node.name in scope.names:
            self.used.add(node.name)
        else:
            self.refuse(node, _not_known(node.name, scope.names), node.name)

    def const(self, node: nodes.Const, _scope: _Scope) -> None:
        value = node.value
        too_long = isinstance(value, str) and len(value) > _LONGEST_TEXT
        too_big = isinstance(value, int | float) and not -_GREATEST_NUMBER <= value <= _GREATEST_NUMBER
        if too_long or too_big:
            self.refuse(node, "too long or too great for a text")

    def part(self, node: nodes.Getattr | nodes.Getitem, scope: _Scope) -> None:
        """``labels.x``, ``event.host``, ``event.labels.x``, ``loop.last``."""
        name = _part_name(node)
        if name is None:
            self.refuse(node, 'a part is named by a text: labels["x"]; nothing has parts by number')
            return
        self.visit(node.node, scope.deeper())
        allowed = self._parts_of(node.node, scope)
        if name.startswith("_") or allowed is None:
            self.refuse(node, f"nothing here has a part called '{name}'", name)
        elif allowed and name not in allowed:
            self.refuse(node, _not_known(name, allowed), name)

    def _parts_of(self, base: nodes.Node, scope: _Scope) -> Collection[str] | None:
        """The names *base* has; an empty collection = any; None = it has none."""
        if isinstance(base, nodes.Name):
            if base.name in scope.members:
                return EVENT_FIELDS
            if base.name == "loop" and scope.loops:
                return LOOP_NAMES
            return frozenset[str]() if base.name in MAPS else None
        of_event = isinstance(base, nodes.Getattr | nodes.Getitem) and _part_name(base) == "labels"
        inner = base.node if isinstance(base, nodes.Getattr | nodes.Getitem) else None
        member = isinstance(inner, nodes.Name) and inner.name in scope.members
        return frozenset[str]() if of_event and member else None

    def filter(self, node: nodes.Filter, scope: _Scope) -> None:
        arguments = node.args
        if node.name not in FILTERS:
            self.refuse(node, f"there is no filter '{node.name}'{_near(node.name, FILTERS)}", node.name)
        elif node.kwargs or node.dyn_args or node.dyn_kwargs or len(arguments) not in _arguments(node.name):
            self.refuse(node, f"{node.name} is written {_WRITTEN.get(node.name, node.name)}", node.name)
        elif node.name in _NUMBERED and not all(_is_number(a, _NUMBERED[node.name]) for a in arguments):
            numbers = _NUMBERED[node.name]
            self.refuse(node, f"{node.name} takes a number from {numbers[0]} to {numbers[-1]}", node.name)
        elif node.name in ("ago", "hm") and not (isinstance(node.node, nodes.Name) and node.node.name in _MOMENTS):
            self.refuse(node, f"{node.name} is for times: {{{{ since | {node.name} }}}}", node.name)
        self.all(filter(None, (node.node, *arguments)), scope)

    def test(self, node: nodes.Test, scope: _Scope) -> None:
        if node.name not in TESTS or node.args or node.kwargs or node.dyn_args or node.dyn_kwargs:
            self.refuse(node, f"there is no test '{node.name}'{_near(node.name, TESTS)}", node.name)
        if not (isinstance(node.node, nodes.Name) and node.name in ("defined", "undefined")):
            self.visit(node.node, scope.deeper())

    def loop(self, node: nodes.For, scope: _Scope) -> None:
        if scope.loops >= _MOST_LOOPS:
            self.refuse(node, f"loops are {_MOST_LOOPS} deep at most")
            return
        if not (isinstance(node.iter, nodes.Name) and node.iter.name in LISTS):
            self.refuse(node, f"a loop runs over {' or '.join(sorted(LISTS))}, over nothing else")
            return
        if node.recursive or not isinstance(node.target, nodes.Name) or _is_hidden(node.target.name):
            self.refuse(node, "a loop is written {% for event in events %}")
            return
        self.visit(node.iter, scope.deeper())
        member = node.target.name
        inner = _Scope(scope.names | {member, "loop"}, scope.members | {member}, scope.loops + 1, scope.depth + 1)
        if node.test:
            self.visit(node.test, inner)
        self.body(node.body, inner)
        self.body(node.else_, scope.deeper())

    def assign(self, node: nodes.Assign, scope: _Scope) -> None:
        if not isinstance(node.target, nodes.Name) or _is_hidden(node.target.name) or node.target.name in MAPS | LISTS:
            self.refuse(node, "a value is kept by {% set name = value %}")
        self.visit(node.node, scope.deeper(in_set=True))

    def join(self, node: nodes.Concat | nodes.Add, scope: _Scope) -> None:
        """A value made of values may not be kept: kept ones could be joined again, and double each time."""
        self.joined += len(node.nodes) if isinstance(node, nodes.Concat) else 1
        if scope.in_set:
            self.refuse(node, "'~' and '+' have no place in 'set'; join where it is printed")
        elif self.joined > _MOST_JOINED:
            self.refuse(node, "too much is joined by '~' and '+'; write it as text")
        self.all(node.iter_child_nodes(), scope)

    def refuse(self, node: nodes.Node, sentence: str, word: str = "") -> None:
        """Note a problem at *node*; Jinja knows its line, *word* finds the column."""
        lines = self.source.splitlines() or [""]
        line = min(node.lineno or 1, len(lines))
        found = re.search(rf"(?<!\w){re.escape(word)}(?!\w)", lines[line - 1]) if word else None
        start = found.start() if found else max(lines[line - 1].find("{"), 0)
        self.problems.append(_Problem(line, start + 1, sentence))


_Handler = Callable[[_Check, "nodes.Node", _Scope], None]
_HANDLERS: Final[dict[type[nodes.Node], _Handler]] = {
    nodes.Name: _Check.name,  # type: ignore[dict-item]  # each takes the node class it stands beside
    nodes.Const: _Check.const,  # type: ignore[dict-item]
    nodes.Getattr: _Check.part,  # type: ignore[dict-item]
    nodes.Getitem: _Check.part,  # type: ignore[dict-item]
    nodes.Filter: _Check.filter,  # type: ignore[dict-item]
    nodes.Test: _Check.test,  # type: ignore[dict-item]
    nodes.For: _Check.loop,  # type: ignore[dict-item]
    nodes.Assign: _Check.assign,  # type: ignore[dict-item]
    nodes.Concat: _Check.join,  # type: ignore[dict-item]
    nodes.Add: _Check.join,  # type: ignore[dict-item]
}
_NUMBERED: Final = {"shrink": LEVELS, "short": range(SHORTEST_CUT, _LONGEST_TEXT + 1)}
_WRITTEN: Final = {"short": "short(40)", "replace": 'replace("old", "new")', "default": 'default("none")'}


def _arguments(name: str) -> tuple[int, ...]:
    return {"shrink": (0, 1), "short": (1,), "replace": (2,), "default": (1,)}.get(name, (0,))


def _is_number(node: nodes.Expr, numbers: range) -> bool:
    return isinstance(node, nodes.Const) and type(node.value) is int and node.value in numbers


def _part_name(node: nodes.Getattr | nodes.Getitem) -> str | None:
    if isinstance(node, nodes.Getattr):
        return node.attr
    return node.arg.value if isinstance(node.arg, nodes.Const) and isinstance(node.arg.value, str) else None


def _is_hidden(name: str) -> bool:
    return name.startswith("_")


def _not_known(name: str, names: Collection[str]) -> str:
    return f"'{name}' is not known{_near(name, names)}"


def _near(name: str, names: Collection[str]) -> str:
    near = get_close_matches(name, sorted(names), n=1)
    return f"; did you mean '{near[0]}'?" if near else f"; known are {', '.join(sorted(names))}"


def checked(source: str, names: Iterable[str], place: str) -> tuple[nodes.Template, frozenset[str]]:
    """The syntax tree of *source* and the names it reads.

    ConfigError names every problem at once: in a file ``rules/templates/night.j2:3:10 …``, in a text that stands in
    a rule (*place* is that of its key) ``rules/web.yaml:33:9 text: …``, with the line where it has several.
    """
    known = frozenset(names)
    check = _Check(source, known)
    if len(source) > MOST_SOURCE:
        raise ConfigError((f"{place}: {len(source)} characters; a text has {MOST_SOURCE} at most",))
    try:
        tree = sandbox().parse(source)
    except TemplateSyntaxError as error:
        problem = _Problem(error.lineno, _column(source, error.lineno), _sentence(error))
        raise ConfigError(tuple(_placed([problem], source, place))) from None
    except RecursionError:
        raise ConfigError((f"{place}: nested too deep; write it simpler",)) from None
    check.visit(tree, _Scope(known))
    if check.problems:
        ordered = sorted(dict.fromkeys(check.problems), key=lambda problem: (problem.line, problem.column))
        raise ConfigError(tuple(_placed(ordered, source, place)))
    return tree, frozenset(check.used & known)


def _sentence(error: TemplateSyntaxError) -> str:
    message = (error.message or "not a template").rstrip(".")
    return f"{message[:1].lower()}{message[1:]}"


def _column(source: str, line: int) -> int:
    lines = source.splitlines()
    return lines[line - 1].find("{") + 1 or 1 if 0 < line <= len(lines) else 1


def _placed(problems: Iterable[_Problem], source: str, place: str) -> Iterator[str]:
    for problem in problems:
        if place.endswith(".j2"):
            yield f"{place}:{problem.line}:{problem.column} {problem.sentence}"
        elif "\n" in source.strip():
            yield f"{place}: {problem.sentence} (line {problem.line} of the text)"
        else:
            yield f"{place}: {problem.sentence}"
