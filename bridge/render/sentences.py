"""The sentence of a text that holds the number to ring goes where there is no number (FORMAT §10).

Done on the syntax tree, where it is known which words are the text's own: nothing that an alert says is ever left
out, and a code that stands in the sentence stays.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, TypeVar

from jinja2 import nodes

_NUMBER: Final = "call_to_ack"
_KEPT: Final = "code"
_END = re.compile(r"[.!?…;](?=\s|$)|\n")

Tree = TypeVar("Tree", bound=nodes.Node)


def without_number(tree: Tree) -> Tree:
    """*tree*, a checked one, whose sentence with ``{{ call_to_ack }}`` is only there when that has a value."""
    for output in tree.find_all(nodes.Output):
        place = next((n for n, node in enumerate(output.nodes) if _prints(node, _NUMBER)), None)
        if place is not None:
            before, after = output.nodes[:place], output.nodes[place + 1 :]
            head, tail = _before(before), _after(after)
            output.nodes = [*head, output.nodes[place], *tail]
    return tree


def _prints(node: nodes.Node, name: str) -> bool:
    """Whether *node* prints the value *name*, through whatever filters."""
    while isinstance(node, nodes.Filter) and node.node is not None:
        node = node.node
    return isinstance(node, nodes.Name) and node.name == name


def _before(found: Sequence[nodes.Expr]) -> list[nodes.Expr]:
    """What stands before the number: back to the end of a sentence, or to a value, the words depend on it."""
    done: list[nodes.Expr] = []
    for n in range(len(found) - 1, -1, -1):
        node = found[n]
        if _prints(node, _KEPT):
            done.insert(0, node)
        elif isinstance(node, nodes.TemplateData):
            ends = [end.end() for end in _END.finditer(node.data)]
            cut = ends[-1] if ends else 0
            done[:0] = _split(node, cut)
            if ends:
                return [*found[:n], *done]
        else:
            return [*found[: n + 1], *done]
    return done


def _split(node: nodes.TemplateData, cut: int) -> list[nodes.Expr]:
    """The data up to *cut*, and the rest only with a number; a blank in its place keeps its neighbours apart."""
    kept: list[nodes.Expr] = [nodes.TemplateData(node.data[:cut], lineno=node.lineno)] if cut else []
    return [*kept, _only_with_number(node.data[cut:], " ", node.lineno)]


def _after(found: Sequence[nodes.Expr]) -> list[nodes.Expr]:
    """What stands behind the number: up to the end of its sentence, or to a value."""
    for n, node in enumerate(found):
        if not isinstance(node, nodes.TemplateData):
            return [*map(_dependent, found[:n]), *found[n:]]
        end = _END.search(node.data)
        if end is not None:
            rest = node.data[end.end() :]
            left = [nodes.TemplateData(rest, lineno=node.lineno)] if rest else []
            said = _only_with_number(node.data[: end.end()], "", node.lineno)
            return [*map(_dependent, found[:n]), said, *left, *found[n + 1 :]]
    return list(map(_dependent, found))


def _dependent(node: nodes.Expr) -> nodes.Expr:
    return _only_with_number(node.data, "", node.lineno) if isinstance(node, nodes.TemplateData) else node


def _only_with_number(text: str, otherwise: str, line: int) -> nodes.Expr:
    number = nodes.Name(_NUMBER, "load", lineno=line)
    return nodes.CondExpr(number, nodes.Const(text, lineno=line), nodes.Const(otherwise, lineno=line), lineno=line)
