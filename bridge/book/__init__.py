"""The rule book: configuration, rules, texts, people and producers, compiled once and asked for every mail.

Everything above (intake, dispatch, doors, pages) gets its knowledge of the operator's wishes from one
:class:`RuleBook`; a reload makes a new one and never changes a running one.
"""

from bridge.book.book import RuleBook, Targets

__all__ = ["RuleBook", "Targets"]
