"""What a text says of its values without being told: the host, the state, the code and the number to call are kept.

Done on the syntax tree, where a value is printed; so what a text asks of it (``if state == "recovery"``) is untouched.
``| shrink`` and ``| keep`` written by hand hold.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, TypeVar

from jinja2 import nodes

from bridge.sms.pieces import CODE, DETAIL, HOST, KEEP

LEVELS: Final[Mapping[str, int]] = {
    "code": CODE, "host": HOST, "fqdn": HOST, "state": KEEP, "severity": KEEP, "call_to_ack": KEEP, "detail": DETAIL,
}  # fmt: skip
_BY_HAND: Final = ("shrink", "keep")

Tree = TypeVar("Tree", bound=nodes.Node)


def as_usual(tree: Tree) -> Tree:
    """*tree*, a checked one, whose printed values are kept or give way as they usually are."""
    levels = dict(LEVELS)
    for assigned in tree.find_all(nodes.Assign):
        if isinstance(assigned.target, nodes.Name):
            level = _level(assigned.node, levels)
            levels.pop(assigned.target.name, None)
            levels |= {assigned.target.name: level} if level is not None else {}
    for output in tree.find_all(nodes.Output):
        output.nodes = [_marked(node, levels) for node in output.nodes]
    return tree


def _level(node: nodes.Node | None, levels: Mapping[str, int]) -> int | None:
    """The level of what *node* prints: that of the name its filters begin with; None where it has none, or its own."""
    while isinstance(node, nodes.Filter) and node.name not in _BY_HAND:
        node = node.node
    return levels.get(node.name) if isinstance(node, nodes.Name) else None


def _marked(node: nodes.Expr, levels: Mapping[str, int]) -> nodes.Expr:
    level = _level(node, levels)
    if level is not None:
        mark = nodes.Const(level, lineno=node.lineno)
        return nodes.Filter(node, "shrink", [mark], [], None, None, lineno=node.lineno)
    match node:
        case nodes.Concat():
            node.nodes = [_marked(part, levels) for part in node.nodes]
        case nodes.Add() | nodes.Or():
            node.left, node.right = _marked(node.left, levels), _marked(node.right, levels)
        case nodes.CondExpr(expr2=nodes.Expr() as other):
            node.expr1, node.expr2 = _marked(node.expr1, levels), _marked(other, levels)
        case nodes.Filter(name="default", node=nodes.Expr() as value):
            node.node, node.args = _marked(value, levels), [_marked(other, levels) for other in node.args]
    return node
